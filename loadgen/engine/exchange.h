// What is spoken on one connection: requests out, answers in. A state machine: it makes no system call and
// does not know the time. One for each connection, used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "loadgen/engine/failure.h"

namespace faultline {

// To the oldest request that is not answered yet.
struct Answer {
  int status = 0;  // the protocol's; 0: none
  bool good = false;
  Failure failure = Failure::kNone;
  std::uint64_t body_bytes = 0;
};

class Exchange {
 public:
  using OnAnswer = std::function<void(const Answer&)>;
  virtual ~Exchange() = default;

  // On a connection that has just been made; nothing is outstanding.
  virtual void begin() = 0;
  // Appends the next request.
  virtual void request(std::string& out) = 0;
  // What has come in. False: the connection is of no further use, what is outstanding will not be answered on
  // it.
  virtual bool take(std::string_view bytes, const OnAnswer& on_answer) = 0;
  // The other side has closed. What is outstanding afterwards will not be answered; why, for the first of it.
  virtual Failure closed(const OnAnswer& on_answer) = 0;
};

}  // namespace faultline
