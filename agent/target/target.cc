#include "agent/target/target.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "agent/target/cgroup.h"
#include "agent/target/protect.h"

namespace faultline {
namespace {

// A path as people write it, below the root or absolute, as the path below the root.
StatusOr<std::string> path_below(const std::string& root, const std::string& text) {
  std::string path = std::filesystem::path(text).lexically_normal();
  if (path == root || path == ".") return std::string("/");
  if (path.starts_with(root + "/")) path = path.substr(root.size());
  if (!path.starts_with('/')) path.insert(path.begin(), '/');
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  // No way up and out of the hierarchy.
  if (path == "/.." || path.starts_with("/../")) return invalid_argument("\"..\" is not allowed");
  return path;
}

StatusOr<std::string> cgroup_of_reference(const std::string& root, const std::string& reference) {
  const std::size_t colon = reference.find(':');
  const std::string scheme = reference.substr(0, colon);
  const std::string value = colon == std::string::npos ? "" : reference.substr(colon + 1);
  if (value.empty()) {
    return invalid_argument("target \"{}\": expected cgroup:PATH, pid:N or container:ID", reference);
  }
  if (scheme == "pid") {
    pid_t pid = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), pid);
    if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size() || pid <= 0) {
      return invalid_argument("target \"{}\": \"{}\" is not a process id", reference, value);
    }
    return cgroup_of_process(pid);
  }
  if (scheme == "container") {
    if (value.find('/') != std::string::npos) {
      return invalid_argument("target \"{}\": a container id has no \"/\"", reference);
    }
    return cgroup_of_container(root, value);
  }
  if (scheme == "cgroup") {
    auto path = path_below(root, value);
    if (!path.ok()) return annotate(path.status(), fmt::format("target \"{}\"", reference));
    return path;
  }
  return invalid_argument("target \"{}\": unknown kind \"{}\"; expected cgroup:PATH, pid:N or container:ID",
                          reference, scheme);
}

}  // namespace

std::string Target::describe() const {
  return fmt::format("cgroup {}, {} process{}", cgroup, processes.size(), processes.size() == 1 ? "" : "es");
}

StatusOr<Target> duplicate(const Target& target) {
  Target copy;
  copy.asked = target.asked;
  copy.cgroup = target.cgroup;
  copy.cgroup_id = target.cgroup_id;
  copy.cgroup_fd.reset(::fcntl(target.cgroup_fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.cgroup_fd.valid()) return errno_status(errno, "dup of a cgroup");
  copy.processes = target.processes;
  for (const Netns& netns : target.netns) {
    FL_ASSIGN_OR_RETURN(copy.netns.emplace_back(), duplicate(netns));
  }
  return copy;
}

StatusOr<TargetResolver> TargetResolver::make(std::vector<std::string> protect) {
  FL_ASSIGN_OR_RETURN(std::string root, find_cgroup_root());
  return over(std::move(root), std::move(protect));
}

StatusOr<TargetResolver> TargetResolver::over(std::string root, std::vector<std::string> protect) {
  for (std::string& path : protect) {
    auto below_root = path_below(root, path);
    if (!below_root.ok()) return annotate(below_root.status(), fmt::format("protect {}", path));
    path = *std::move(below_root);
  }
  return TargetResolver(std::move(root), std::move(protect));
}

StatusOr<Target> TargetResolver::resolve(const std::string& reference) const {
  Target target;
  target.asked = reference;
  FL_ASSIGN_OR_RETURN(target.cgroup, cgroup_of_reference(root_, reference));
  FL_ASSIGN_OR_RETURN(target.processes, processes_below(root_, target.cgroup));
  FL_RETURN_IF_ERROR(
      annotate(check_not_protected(target.cgroup, target.processes, protect_), "target " + reference));
  if (target.processes.empty()) {
    return make_error(StatusCode::kNotFound, "target {}: no process in cgroup {}", reference, target.cgroup);
  }

  const std::string path = root_ + target.cgroup;
  target.cgroup_fd.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!target.cgroup_fd.valid()) return errno_status(errno, "open " + path);
  struct stat st {};
  if (::fstat(target.cgroup_fd.get(), &st) != 0) return errno_status(errno, "stat " + path);
  target.cgroup_id = st.st_ino;

  for (const pid_t pid : target.processes) {
    auto netns = netns_of_process(pid);
    if (!netns.ok()) continue;  // it ended meanwhile
    const bool known = std::any_of(target.netns.begin(), target.netns.end(),
                                   [&](const Netns& n) { return n.inode == netns->inode; });
    if (!known) target.netns.push_back(std::move(*netns));
  }
  if (target.netns.empty()) {
    return make_error(StatusCode::kNotFound, "target {}: its processes have just ended", reference);
  }
  return target;
}

}  // namespace faultline
