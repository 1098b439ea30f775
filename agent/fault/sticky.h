// Sticky kernel state: what outlives the process that made it. It is written down durably before it is made,
// so that whatever happens, somebody can still take it away.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agent/fault/sticky_will.h"
#include "common/status.h"

namespace faultline {

// Where a piece of sticky state is; `kind` names the row of the undo table that can remove it.
struct StickyRecord {
  std::string kind;
  nlohmann::json where;
  StickyWill will = {};
};

// The write-ahead log of sticky state. Threads: any.
class StickyLog {
 public:
  virtual ~StickyLog() = default;
  // Durable when it returns. Call before touching.
  virtual StatusOr<std::uint64_t> intend(const StickyRecord& record) = 0;
  // The state of this entry is proved to be gone.
  virtual Status settle(std::uint64_t entry) = 0;
};

// Removes what a record describes, if it is still there and carries our mark. OK as well when it is gone
// already.
struct StickyUndo {
  std::string_view kind;
  std::function<Status(const nlohmann::json& where)> undo;
};

}  // namespace faultline
