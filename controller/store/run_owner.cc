#include "controller/store/run_owner.h"

#include <unistd.h>

#include <fstream>
#include <optional>
#include <sstream>

namespace faultline {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string own_pid_namespace() {
  char buffer[64];
  const ssize_t n = ::readlink("/proc/self/ns/pid", buffer, sizeof buffer);
  return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : "";
}

// Unset: there is no such process, or only its zombie.
std::optional<std::int64_t> start_ticks_of(std::int64_t pid) {
  const std::string stat = first_line(fmt::format("/proc/{}/stat", pid));
  const std::size_t name_end = stat.rfind(')');  // the name may hold blanks and parentheses
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  fields >> field;  // the state, field 3
  if (field == "Z" || field == "X") return std::nullopt;
  for (int number = 4; number < 22; ++number) fields >> field;
  std::int64_t ticks = 0;
  if (!(fields >> ticks)) return std::nullopt;
  return ticks;
}

}  // namespace

StatusOr<RunOwner> this_process() {
  RunOwner owner;
  owner.pid = ::getpid();
  const std::optional<std::int64_t> ticks = start_ticks_of(owner.pid);
  if (!ticks) return make_error(StatusCode::kInternal, "/proc/{}/stat: cannot be read", owner.pid);
  owner.start_ticks = *ticks;
  owner.boot_id = first_line("/proc/sys/kernel/random/boot_id");
  owner.pid_namespace = own_pid_namespace();
  return owner;
}

bool has_ended(const RunOwner& owner) {
  if (owner.boot_id != first_line("/proc/sys/kernel/random/boot_id")) return true;
  if (owner.pid_namespace != own_pid_namespace()) return false;
  return start_ticks_of(owner.pid) != owner.start_ticks;
}

}  // namespace faultline
