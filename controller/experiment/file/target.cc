#include "controller/experiment/file/target.h"

#include <algorithm>
#include <charconv>

#include "controller/experiment/file/did_you_mean.h"

namespace faultline {
namespace {

constexpr std::string_view kSchemes[] = {"cgroup", "pid", "container"};

Status check_cgroup(std::string_view path) {
  std::string_view rest = path;
  bool names_one = false;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part == "." || part == "..")
      return invalid_argument("cgroup path '{}' must not contain '{}'", path, part);
    names_one = names_one || !part.empty();
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  }
  if (!names_one) return invalid_argument("'cgroup:{}' names no cgroup below the root", path);
  return ok_status();
}

Status check_pid(std::string_view text) {
  constexpr int kMaxPid = 4'194'304;  // PID_MAX_LIMIT of 64-bit kernels
  int pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size() || pid < 1 || pid > kMaxPid) {
    return invalid_argument("'pid:{}': the pid must be from 1 to {}", text, kMaxPid);
  }
  return ok_status();
}

Status check_container(std::string_view id) {
  constexpr std::size_t kMaxIdLength = 128;
  const bool shape = !id.empty() && id.front() != '-' && id.front() != '.' && id.size() <= kMaxIdLength &&
                     std::all_of(id.begin(), id.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '-' || c == '_' || c == '.';
                     });
  if (!shape) return invalid_argument("'container:{}' is not a container id", id);
  return ok_status();
}

}  // namespace

Status check_target(std::string_view target) {
  const std::size_t colon = target.find(':');
  if (colon == std::string_view::npos) {
    return invalid_argument("'{}' must be cgroup:PATH, pid:N or container:ID", target);
  }
  const std::string_view scheme = target.substr(0, colon);
  const std::string_view rest = target.substr(colon + 1);
  if (scheme == "cgroup") return check_cgroup(rest);
  if (scheme == "pid") return check_pid(rest);
  if (scheme == "container") return check_container(rest);
  return invalid_argument("target scheme '{}' is unknown{}", scheme, suggestion(scheme, kSchemes));
}

}  // namespace faultline
