#include "controller/cli/halt_lever.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/unique_fd.h"
#include "controller/store/atomic_file.h"

namespace faultline {

std::optional<std::string> HaltLever::engaged() const {
  const UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return fmt::format("{} cannot be read", path_);
  }
  std::array<char, 1024> text{};
  const ssize_t size = ::read(fd.get(), text.data(), text.size());
  std::string reason(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!reason.empty() && reason.back() == '\n') reason.pop_back();
  return reason.empty() ? "no reason given" : reason;
}

Status HaltLever::engage(const std::string& reason) {
  if (engaged()) return ok_status();
  FL_RETURN_IF_ERROR(make_dirs(dir_));
  return write_file_atomically(path_, reason + "\n");
}

StatusOr<bool> HaltLever::release() {
  if (::unlink(path_.c_str()) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return errno_status(errno, "remove " + path_);
}

}  // namespace faultline
