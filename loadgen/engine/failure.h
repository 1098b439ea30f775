// Why a request came to no answer. The numbers are part of the results' format: none is ever given another
// meaning.
#pragma once

#include <string_view>

namespace faultline {

enum class Failure {
  kNone = 0,
  kRefused = 1,  // the connection
  kConnectTimedOut = 2,
  kUnreachable = 3,       // no route to the host or the network
  kConnectFailed = 4,     // in any other way
  kReset = 5,             // by the other side
  kClosedEarly = 6,       // in the middle of an answer
  kClosedUnanswered = 7,  // before a byte of one
  kTimedOut = 8,          // the request
  kBadAnswer = 9,         // not of the protocol
  kIo = 10,               // any other error of the socket
};
inline constexpr int kFailures = 11;

constexpr std::string_view name_of(Failure failure) {
  constexpr std::string_view kNames[kFailures] = {
      "none",         "connection refused", "connect timed out", "unreachable", "connect failed", "reset",
      "closed early", "closed unanswered",  "timed out",         "bad answer",  "socket error"};
  return kNames[static_cast<int>(failure)];
}

// Of an errno of connect().
Failure connect_failure(int error);
// Of an errno of send() or recv().
Failure io_failure(int error);

}  // namespace faultline
