// The watchdog process: what faultline-agent becomes when it starts itself with kWatchdogOption. It outlives
// the agent, whatever kills that: a session and a cgroup of its own, never the choice of the OOM killer, its
// memory locked, deaf to the signals that stop an agent. It keeps no descriptor of the agent's but the log
// (stderr) and the socket to it.
#pragma once

#include <string_view>

namespace faultline {

inline constexpr std::string_view kWatchdogOption = "--internal-watchdog";
inline constexpr int kWatchdogSocket = 3;                             // the descriptor it finds its socket at
inline constexpr const char* kWatchdogCgroup = "faultline-watchdog";  // below the cgroup root
inline constexpr const char* kWatchdogName = "faultline-watch";       // comm, 15 characters

// Returns the process's exit code: 0 when no will was left undone.
int watchdog_main(const char* cgroup_root);

}  // namespace faultline
