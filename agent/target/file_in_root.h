// Reads small files as a process sees them, below its root directory. Needs ptrace access to the process.
// Minimum kernel: 5.6 (openat2).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "common/status.h"

namespace faultline {

// The whole file. No symbolic link leads out of the process's root; only regular files are opened. NotFound:
// no such process or file. FailedPrecondition: no regular file. ResourceExhausted: more than `limit` bytes.
StatusOr<std::string> read_file_in_root(pid_t pid, const std::string& path, std::size_t limit);

}  // namespace faultline
