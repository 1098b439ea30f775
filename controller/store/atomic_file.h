// Files that are either the old ones or the new ones, whole, whenever the process or the machine stops.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace faultline {

// Creates `dir` and the folders above it where missing, mode 0755 less the umask.
Status make_dirs(const std::string& dir);

// Writes a temporary file beside `path`, syncs it, renames it over `path` and syncs the folder. On an error
// `path` is what it was before and the temporary file is gone. The folder must exist; the file's mode is 0644
// less the umask.
Status write_file_atomically(const std::string& path, std::string_view content);

}  // namespace faultline
