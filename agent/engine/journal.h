// The write-ahead journal of sticky state, one file: a line with the boot id, then one JSON object a line. An
// intent is on disk (fsync) before intend() returns. A torn last line, from a crash in the middle of a write,
// is dropped, and so is any line that is no entry. Entries of an earlier boot are dropped, too: their kernel
// state went with that kernel.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "agent/fault/sticky.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace faultline {

class Journal : public StickyLog {
 public:
  // Opens or creates DIRECTORY/journal.jsonl and takes the folder's lock. FailedPrecondition when another
  // agent holds it.
  static StatusOr<std::unique_ptr<Journal>> open(const std::string& directory);

  // An error where it cannot be written down; the file is then as it was.
  StatusOr<std::uint64_t> intend(const StickyRecord& record) override;
  // Where it cannot be written down, that is owed and made up for with the next entry. Should that never
  // come, a sweep finds nothing to remove.
  Status settle(std::uint64_t entry) override;

  // What was intended and never settled, oldest first.
  std::map<std::uint64_t, StickyRecord> unsettled() const;

 private:
  Journal() = default;
  void load(const std::string& text, const std::string& boot_id);
  bool load_entry(const nlohmann::json& line);
  Status rewrite(const std::string& boot_id);
  Status append(const nlohmann::json& line, bool durable);
  Status pay();  // writes what is owed

  mutable std::mutex mutex_;
  std::string path_;
  UniqueFd lock_;
  UniqueFd file_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, StickyRecord> unsettled_;
  std::set<std::uint64_t> owed_;  // of unsettled_: settled, but not yet in the file
};

// Takes away what earlier agents left: runs the undo of every unsettled entry and settles those that worked.
// Returns a line for each entry that could not be undone; the entry stays for the next sweep.
std::vector<std::string> sweep(Journal& journal, const std::vector<StickyUndo>& undos);

}  // namespace faultline
