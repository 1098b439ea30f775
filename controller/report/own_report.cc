#include "controller/report/own_report.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/unique_fd.h"

namespace faultline {
namespace {

// What tells a report stands at its beginning; a journal is as long as its run was.
constexpr std::size_t kLooksAt = 64 * 1024;

bool is_journal(std::string_view text) {
  return text.starts_with('{') && text.substr(0, 256).find("\"faultline_version\":") != text.npos;
}

bool is_junit(std::string_view text) {
  return text.starts_with("<?xml") && text.find("<testsuites name=\"faultline\"") != text.npos;
}

// "# OUTCOME: NAME", a reason, then "Run `ID`, started TIME".
bool is_summary(std::string_view text) {
  if (!text.starts_with("# ")) return false;
  const std::size_t colon = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 2);
  if (colon == 2 || colon == text.npos || !text.substr(colon).starts_with(": ")) return false;
  const std::size_t run = text.find("\nRun `", colon);
  return run != text.npos && text.substr(run, 256).find("`, started ") != text.npos;
}

StatusOr<std::string> beginning_of(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) return errno_status(errno, fmt::format("look into {}", path));
  std::string text(kLooksAt, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(file.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_status(errno, fmt::format("read {}", path));
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  text.resize(size);
  return text;
}

}  // namespace

bool is_own_report(std::string_view name, std::string_view text) {
  if (text.empty()) return true;
  if (name == "journal.json") return is_journal(text);
  if (name == "junit.xml") return is_junit(text);
  return name == "summary.md" && is_summary(text);
}

Status check_replaceable(const std::string& dir, std::string_view name) {
  const std::string path = fmt::format("{}/{}", dir, name);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? ok_status() : errno_status(errno, path);
  }
  if (S_ISREG(info.st_mode)) {
    FL_ASSIGN_OR_RETURN(const std::string text, beginning_of(path));
    if (is_own_report(name, text)) return ok_status();
  }
  return make_error(StatusCode::kAlreadyExists,
                    "{} is no report of an earlier run and stays as it is; choose another folder", path);
}

}  // namespace faultline
