#include "controller/store/state_dir.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace faultline {
namespace {

// The value of an environment variable that must be an absolute path; empty where it is not.
std::string absolute_path_from(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && value[0] == '/' ? value : "";
}

std::string home_from_passwd() {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return "";
  return entry.pw_dir != nullptr && entry.pw_dir[0] == '/' ? entry.pw_dir : "";
}

}  // namespace

StatusOr<std::string> state_dir() {
  if (std::string base = absolute_path_from("XDG_STATE_HOME"); !base.empty()) return base + "/faultline";
  std::string home = absolute_path_from("HOME");
  if (home.empty()) home = home_from_passwd();
  if (home.empty()) {
    return make_error(StatusCode::kFailedPrecondition,
                      "no place for results: set XDG_STATE_HOME or HOME to an absolute path");
  }
  return home + "/.local/state/faultline";
}

}  // namespace faultline
