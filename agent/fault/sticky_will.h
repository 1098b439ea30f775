// What somebody who outlives this process shall do at once if it dies before a piece of sticky state is
// settled: one of a small closed set of actions on a descriptor, so that he needs neither memory nor code of
// the fault's.
#pragma once

#include <cstdint>

namespace faultline {

struct StickyWill {
  enum class Action : std::uint32_t {
    kNothing,          // nobody can: the next agent's sweep has to
    kRemoveRootQdisc,  // on `ifindex` in the network namespace `fd`, if it is a prio with this handle
    kRemoveDetour,  // the veth pair there whose first end is named fa17-`ifindex` and whose group is `handle`
  };
  Action action = Action::kNothing;
  int fd = -1;  // borrowed until StickyLog::intend returns
  std::int32_t ifindex = 0;
  std::uint32_t handle = 0;
};

}  // namespace faultline
