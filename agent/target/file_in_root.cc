#include "agent/target/file_in_root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "common/unique_fd.h"

namespace faultline {

StatusOr<std::string> read_file_in_root(pid_t pid, const std::string& path, std::size_t limit) {
  const std::string what = fmt::format("{} of process {}", path, pid);
  const UniqueFd root(::open(fmt::format("/proc/{}/root", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return errno_status(errno, what);
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  UniqueFd found;
  // The kernel gives up with EAGAIN when something on the way is renamed meanwhile.
  for (int tries = 0; tries < 5 && !found.valid(); ++tries) {
    found.reset(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
    if (!found.valid() && errno != EAGAIN) break;
  }
  if (!found.valid()) return errno_status(errno, what);
  // Looked at before it is opened: opening a device or a pipe does things.
  struct stat st {};
  if (::fstat(found.get(), &st) != 0) return errno_status(errno, what);
  if (!S_ISREG(st.st_mode))
    return make_error(StatusCode::kFailedPrecondition, "{}: not a regular file", what);
  const UniqueFd file(::open(fmt::format("/proc/self/fd/{}", found.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return errno_status(errno, what);

  std::string text(limit + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(file.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_status(errno, what);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > limit) {
    return make_error(StatusCode::kResourceExhausted, "{}: more than {} bytes", what, limit);
  }
  text.resize(size);
  return text;
}

}  // namespace faultline
