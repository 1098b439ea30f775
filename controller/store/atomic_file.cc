#include "controller/store/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "common/scope_exit.h"
#include "common/unique_fd.h"

namespace faultline {
namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_status(errno, "write");
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return ok_status();
}

Status write_and_sync(int fd, std::string_view content) {
  FL_RETURN_IF_ERROR(write_all(fd, content));
  if (::fsync(fd) != 0) return errno_status(errno, "sync");
  return ok_status();
}

}  // namespace

Status make_dirs(const std::string& dir) {
  if (dir.empty()) return invalid_argument("empty folder name");
  for (std::size_t slash = dir.find('/', 1);; slash = dir.find('/', slash + 1)) {
    const std::string part = dir.substr(0, slash);
    if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) {
      return errno_status(errno, fmt::format("create folder {}", part));
    }
    if (slash == std::string::npos) break;
  }
  struct stat info {};
  if (::stat(dir.c_str(), &info) != 0) return errno_status(errno, dir);
  if (!S_ISDIR(info.st_mode))
    return make_error(StatusCode::kAlreadyExists, "{}: exists and is not a folder", dir);
  return ok_status();
}

Status write_file_atomically(const std::string& path, std::string_view content) {
  const std::string folder = folder_of(path);
  UniqueFd dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid()) return errno_status(errno, folder);

  // A name of its own per thread; one left by a killed thread of the same number is simply replaced.
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::gettid());
  ::unlink(temporary.c_str());
  UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.valid()) return errno_status(errno, fmt::format("create {}", temporary));
  ScopeExit remove_temporary([&temporary] { ::unlink(temporary.c_str()); });

  FL_RETURN_IF_ERROR(annotate(write_and_sync(file.get(), content), temporary));
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return errno_status(errno, fmt::format("rename to {}", path));
  remove_temporary.release();
  if (::fsync(dir.get()) != 0) return errno_status(errno, fmt::format("sync folder {}", folder));
  return ok_status();
}

}  // namespace faultline
