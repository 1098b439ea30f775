// One fault of the engine, from its apply until it is forgotten, and the time of day that is told of it.
// Private to the engine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/engine/engine.h"

namespace faultline {

google::protobuf::Timestamp to_timestamp(WallTime t);

// What was found when a fault had been taken away.
struct Proof {
  bool checked = false;  // the target's state could be read
  std::vector<std::string> residue;
};

// Not claimed: `fault` may be used under the engine's lock. Claimed: only the claiming thread touches `fault`
// and `target`, and the world still sees it in force until it has finished. Finished, with `next_try` set:
// whoever takes `next_try` away, under the lock, has claimed it again.
struct Engine::Entry {
  v1::FaultStatus status;
  FaultKind* kind = nullptr;
  Target target;
  std::vector<StateItem> before;
  std::unique_ptr<Fault> fault;  // null once it is reverted
  MonoTime start;
  MonoTime deadline;
  MonoTime hard_end;
  WallTime ended_at;       // of the effect
  bool never_was = false;  // ended before its start
  bool claimed = false;
  bool finished = false;
  std::optional<MonoTime> next_try;  // something is left, and this is when to look after it
  int tries = 0;

  v1::FaultStatus now() const;
  void stop();        // ends the effect and notes when it ended
  Proof take_away();  // reverts, as far as that is still to be done, and looks what is left
  StatusOr<std::vector<std::string>> differences() const;  // one look, compared with that before the fault
  void note(const Proof& proof, const EngineOptions& options);  // under the lock
};

}  // namespace faultline
