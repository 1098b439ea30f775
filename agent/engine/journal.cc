#include "agent/engine/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "common/log.h"

namespace faultline {
namespace {

StatusOr<std::string> read_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_status(errno, "open " + path);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(fd.get(), buffer, sizeof buffer)) != 0;) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_status(errno, "read " + path);
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

StatusOr<std::string> boot_id() {
  FL_ASSIGN_OR_RETURN(std::string id, read_file("/proc/sys/kernel/random/boot_id"));
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

Status write_all(int fd, const std::string& text, const std::string& path) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_status(errno, "write " + path);
    done += static_cast<std::size_t>(n);
  }
  return ok_status();
}

Status sync_directory(const std::string& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return errno_status(errno, "sync " + directory);
  return ok_status();
}

nlohmann::json intent_line(std::uint64_t entry, const StickyRecord& record) {
  return {{"entry", entry}, {"op", "intend"}, {"kind", record.kind}, {"where", record.where}};
}

std::optional<std::string> text_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

}  // namespace

StatusOr<std::unique_ptr<Journal>> Journal::open(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return errno_status(error.value(), "create " + directory);

  std::unique_ptr<Journal> journal(new Journal);
  const std::string lock_path = directory + "/lock";
  journal->lock_.reset(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!journal->lock_.valid()) return errno_status(errno, "open " + lock_path);
  if (::flock(journal->lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_status(errno, "lock " + lock_path);
    return make_error(StatusCode::kFailedPrecondition, "another agent already uses {}", directory);
  }
  journal->path_ = directory + "/journal.jsonl";
  FL_ASSIGN_OR_RETURN(const std::string boot, boot_id());
  // What cannot be read must not be taken for empty: the rewrite below would lose it.
  if (std::filesystem::exists(journal->path_, error) || error) {
    FL_ASSIGN_OR_RETURN(const std::string text, read_file(journal->path_));
    journal->load(text, boot);
  }
  FL_RETURN_IF_ERROR(journal->rewrite(boot));
  FL_RETURN_IF_ERROR(sync_directory(directory));
  return journal;
}

void Journal::load(const std::string& text, const std::string& boot) {
  std::size_t start = 0;
  for (std::size_t end; (end = text.find('\n', start)) != std::string::npos; start = end + 1) {
    const auto line = nlohmann::json::parse(text.substr(start, end - start), nullptr, false);
    if (start == 0 && line.is_object()) {
      if (text_at(line, "boot") != boot) return;
    } else if (!load_entry(line)) {
      spdlog::warn("event=journal_line_unreadable file={} offset={}", path_, start);
    }
  }
  if (start < text.size())
    spdlog::warn("event=journal_torn_tail file={} bytes={}", path_, text.size() - start);
}

bool Journal::load_entry(const nlohmann::json& line) {
  if (!line.is_object() || !line.contains("entry") || !line["entry"].is_number_unsigned()) return false;
  const auto entry = line["entry"].get<std::uint64_t>();
  const auto op = text_at(line, "op");
  const auto kind = text_at(line, "kind");
  if (op == "intend" && kind && line.contains("where")) {
    unsettled_[entry] = {*kind, line["where"]};
  } else if (op == "settle") {
    unsettled_.erase(entry);
  } else {
    return false;
  }
  next_ = std::max(next_, entry + 1);
  return true;
}

// Whole and by rename, so that a crash leaves either the old file or the new.
Status Journal::rewrite(const std::string& boot) {
  const std::string fresh = path_ + ".new";
  UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!fd.valid()) return errno_status(errno, "open " + fresh);
  std::string text = nlohmann::json{{"boot", boot}}.dump() + "\n";
  for (const auto& [entry, record] : unsettled_) text += intent_line(entry, record).dump() + "\n";
  FL_RETURN_IF_ERROR(write_all(fd.get(), text, fresh));
  if (::fsync(fd.get()) != 0) return errno_status(errno, "sync " + fresh);
  if (::rename(fresh.c_str(), path_.c_str()) != 0) return errno_status(errno, "rename " + fresh);
  file_ = std::move(fd);
  return ok_status();
}

Status Journal::append(const nlohmann::json& line, bool durable) {
  struct stat before {};
  if (::fstat(file_.get(), &before) != 0) return errno_status(errno, "stat " + path_);
  // Written to a file without a name, it would be lost with this process.
  if (before.st_nlink == 0) return make_error(StatusCode::kFailedPrecondition, "{} has been removed", path_);
  Status status = write_all(file_.get(), line.dump() + "\n", path_);
  if (status.ok() && durable && ::fdatasync(file_.get()) != 0) status = errno_status(errno, "sync " + path_);
  if (!status.ok() && ::ftruncate(file_.get(), before.st_size) != 0) {
    spdlog::error("event=journal_truncate_failed file={}", path_);  // the reader drops what is unreadable
  }
  return status;
}

StatusOr<std::uint64_t> Journal::intend(const StickyRecord& record) {
  const std::lock_guard lock(mutex_);
  Status written = pay();
  if (written.ok()) written = append(intent_line(next_, record), true);
  FL_RETURN_IF_ERROR(annotate(written, "nothing was changed, for it could not be written down first"));
  unsettled_[next_] = {.kind = record.kind, .where = record.where};
  return next_++;
}

Status Journal::settle(std::uint64_t entry) {
  const std::lock_guard lock(mutex_);
  owed_.insert(entry);
  if (Status paid = pay(); !paid.ok()) {
    spdlog::warn("event=settle_owed entry={} reason=\"{}\"", entry, message_of(paid));
  }
  return ok_status();
}

Status Journal::pay() {
  while (!owed_.empty()) {
    const std::uint64_t entry = *owed_.begin();
    // Not synced: should it get lost, the sweep finds nothing to remove and settles it again.
    FL_RETURN_IF_ERROR(append({{"entry", entry}, {"op", "settle"}}, false));
    unsettled_.erase(entry);
    owed_.erase(entry);
  }
  return ok_status();
}

std::map<std::uint64_t, StickyRecord> Journal::unsettled() const {
  const std::lock_guard lock(mutex_);
  return unsettled_;
}

std::vector<std::string> sweep(Journal& journal, const std::vector<StickyUndo>& undos) {
  std::vector<std::string> failures;
  for (const auto& [entry, record] : journal.unsettled()) {
    const auto undo =
        std::find_if(undos.begin(), undos.end(), [&](const StickyUndo& u) { return u.kind == record.kind; });
    const Status status = undo == undos.end() ? invalid_argument("unknown kind of state \"{}\"", record.kind)
                                              : undo->undo(record.where);
    if (status.ok()) {
      spdlog::info("event=swept kind={} where={}", record.kind, record.where.dump());
      if (Status settled = journal.settle(entry); !settled.ok()) failures.push_back(message_of(settled));
    } else {
      failures.push_back(fmt::format("{} {}: {}", record.kind, record.where.dump(), message_of(status)));
    }
  }
  return failures;
}

}  // namespace faultline
