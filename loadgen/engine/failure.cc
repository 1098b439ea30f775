#include "loadgen/engine/failure.h"

#include <cerrno>

namespace faultline {

Failure connect_failure(int error) {
  switch (error) {
    case ECONNREFUSED:
      return Failure::kRefused;
    case ETIMEDOUT:
      return Failure::kConnectTimedOut;
    case EHOSTUNREACH:
    case ENETUNREACH:
      return Failure::kUnreachable;
    default:
      return Failure::kConnectFailed;
  }
}

Failure io_failure(int error) {
  return error == ECONNRESET || error == EPIPE ? Failure::kReset : Failure::kIo;
}

}  // namespace faultline
