// The project's one alias header for errors. A Status is returned, never thrown; context is added on the way
// up and the error is handled or logged once, where it stops.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace faultline {

using Status = absl::Status;
using StatusCode = absl::StatusCode;
template <typename T>
using StatusOr = absl::StatusOr<T>;

inline Status ok_status() {
  return absl::OkStatus();
}

// make_error(StatusCode::kNotFound, "no cgroup {}", path)
template <typename... Args>
Status make_error(StatusCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Status(code, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
Status invalid_argument(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(StatusCode::kInvalidArgument, format, std::forward<Args>(args)...);
}

inline std::string message_of(const Status& status) {
  return std::string(status.message());
}

// "what: message", same code; an OK status passes through.
inline Status annotate(const Status& status, std::string_view what) {
  if (status.ok()) return status;
  return Status(status.code(), fmt::format("{}: {}", what, message_of(status)));
}

// A failed system call as a Status; the code says what a caller can do about it. `error` is a positive errno.
inline Status errno_status(int error, std::string_view what) {
  StatusCode code = StatusCode::kInternal;
  switch (error) {
    case ENOENT:
    case ESRCH:
    case ENODEV:
      code = StatusCode::kNotFound;
      break;
    case EPERM:
    case EACCES:
      code = StatusCode::kPermissionDenied;
      break;
    case EINVAL:
      code = StatusCode::kInvalidArgument;
      break;
    case EEXIST:
      code = StatusCode::kAlreadyExists;
      break;
    case EOPNOTSUPP:
    case ENOSYS:
      code = StatusCode::kUnimplemented;
      break;
    case ENOBUFS:
    case ENOSPC:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      code = StatusCode::kResourceExhausted;
      break;
    case ECONNREFUSED:
    case EAGAIN:
      code = StatusCode::kUnavailable;
      break;
    default:
      break;
  }
  return Status(code, fmt::format("{}: {}", what, std::generic_category().message(error)));
}

}  // namespace faultline

#define FL_CONCAT_INNER(a, b) a##b
#define FL_CONCAT(a, b) FL_CONCAT_INNER(a, b)

// Returns the status from the enclosing function unless it is OK.
#define FL_RETURN_IF_ERROR(expr)                                   \
  do {                                                             \
    if (::faultline::Status fl_status = (expr); !fl_status.ok()) { \
      return fl_status;                                            \
    }                                                              \
  } while (false)

// FL_ASSIGN_OR_RETURN(auto fd, open_it(path)): declares or assigns, or returns the status.
#define FL_ASSIGN_OR_RETURN(lhs, expr) FL_ASSIGN_OR_RETURN_INNER(FL_CONCAT(fl_statusor_, __LINE__), lhs, expr)
#define FL_ASSIGN_OR_RETURN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                              \
  if (!tmp.ok()) return tmp.status();             \
  lhs = std::move(tmp).value()
