#include "agent/target/cgroup.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace faultline {
namespace {

namespace fs = std::filesystem;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void append_pids(const fs::path& directory, std::vector<pid_t>& pids) {
  std::ifstream file(directory / "cgroup.procs");
  for (pid_t pid = 0; file >> pid;) {
    if (pid > 0) pids.push_back(pid);  // 0: a process outside of our pid namespace
  }
}

// Visits every directory below `top`. Cgroups come and go meanwhile: a walk that was cut short would miss
// some, so it is begun anew, after `again`, and given up with an error rather than half done.
template <typename Visit, typename Again>
Status walk(const fs::path& top, Visit visit, Again again) {
  constexpr int kTries = 5;
  std::error_code error;
  for (int i = 0; i < kTries; ++i) {
    error.clear();
    for (auto it = fs::recursive_directory_iterator(top, error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      std::error_code gone;
      if (it->is_directory(gone)) visit(it);
    }
    if (!error) return ok_status();
    again();
  }
  return make_error(StatusCode::kUnavailable, "walk the cgroups below {}: {}", top.string(), error.message());
}

}  // namespace

StatusOr<std::string> find_cgroup_root() {
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    // "... mount-point options [tags] - type source options", see proc_pid_mountinfo(5)
    const std::size_t dash = line.find(" - cgroup2 ");
    if (dash == std::string::npos) continue;
    std::istringstream fields(line);
    std::string skip, root, mount_point;
    fields >> skip >> skip >> skip >> root >> mount_point;
    if (root == "/") return mount_point;
  }
  return make_error(StatusCode::kFailedPrecondition, "cgroup v2 is not mounted");
}

StatusOr<std::vector<pid_t>> processes_below(const std::string& root, const std::string& cgroup) {
  const fs::path top = root + cgroup;
  std::error_code error;
  if (!fs::is_directory(top, error)) return make_error(StatusCode::kNotFound, "no cgroup {}", cgroup);
  std::vector<pid_t> pids;
  append_pids(top, pids);
  FL_RETURN_IF_ERROR(walk(
      top, [&](fs::recursive_directory_iterator& at) { append_pids(at->path(), pids); },
      [&] { pids.clear(), append_pids(top, pids); }));
  return pids;
}

StatusOr<std::set<std::uint64_t>> cgroup_ids_below(int cgroup_fd) {
  const fs::path top = fmt::format("/proc/self/fd/{}", cgroup_fd);
  std::set<std::uint64_t> ids;
  const auto add = [&](const fs::path& directory) {
    struct stat st {};
    if (::stat(directory.c_str(), &st) == 0) ids.insert(st.st_ino);
  };
  add(top);
  FL_RETURN_IF_ERROR(walk(
      top, [&](fs::recursive_directory_iterator& at) { add(at->path()); }, [&] { ids.clear(), add(top); }));
  return ids;
}

StatusOr<std::string> cgroup_of_process(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/cgroup", pid));
  if (!file) return make_error(StatusCode::kNotFound, "no process {}", pid);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return make_error(StatusCode::kNotFound, "process {} is in no cgroup v2", pid);
}

bool names_container(std::string_view directory, std::string_view id) {
  if (directory.ends_with(".scope")) directory.remove_suffix(6);
  for (const std::string_view prefix : {"docker-", "cri-containerd-", "crio-", "libpod-", "crun-"}) {
    if (directory.starts_with(prefix) && directory != id) {
      directory.remove_prefix(prefix.size());
      break;
    }
  }
  constexpr std::size_t kShortId = 12;
  const bool shortened =
      id.size() >= kShortId && is_hex(id) && is_hex(directory) && directory.starts_with(id);
  return directory == id || shortened;
}

StatusOr<std::string> cgroup_of_container(const std::string& root, const std::string& id) {
  std::vector<std::string> found;
  const auto look = [&](fs::recursive_directory_iterator& at) {
    if (!names_container(at->path().filename().string(), id)) return;
    found.push_back(at->path().string().substr(root.size()));
    at.disable_recursion_pending();  // what is below belongs to the same container
  };
  FL_RETURN_IF_ERROR(walk(root, look, [&] { found.clear(); }));
  if (found.empty()) return make_error(StatusCode::kNotFound, "no cgroup of a container {}", id);
  if (found.size() > 1) {
    return make_error(StatusCode::kFailedPrecondition, "container {} is ambiguous: {} and {}", id, found[0],
                      found[1]);
  }
  return found[0];
}

}  // namespace faultline
