// One libcurl transfer at a time, with a deadline and with cancellation from another thread. Shared by the
// HTTP adapter and the TCP adapter (which only connects). Every transfer opens a new connection and resolves
// the name anew: a probe stands for a client that arrives now, and must not be fooled by a connection that
// was opened before the fault.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/status.h"

namespace faultline {

// Bodies are kept up to this size; a longer one ends the transfer there.
inline constexpr std::size_t kMaxBodyBytes = std::size_t{1} << 20;

struct TransferResult {
  CURLcode code = CURLE_OK;
  bool cancelled = false;
  bool body_cut = false;  // longer than kMaxBodyBytes
  bool resolved = false;  // the name was resolved, or was an address
  int os_error = 0;       // errno of a failed connect, 0 if none
  long http_status = 0;
  Nanos elapsed{};
  std::string body;
};

class Transfer {
 public:
  // `connect_only`: stop when the TCP connection stands. Internal: libcurl gave no handle.
  static StatusOr<std::unique_ptr<Transfer>> make(const std::string& url, bool connect_only);
  ~Transfer();

  TransferResult perform(Nanos timeout);
  void cancel();  // thread-safe

 private:
  Transfer() = default;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);

  CURLM* multi_ = nullptr;
  CURL* easy_ = nullptr;
  std::atomic<bool> cancelled_ = false;
  TransferResult result_;
};

// A failed transfer (code not OK, not cancelled) in words, and whether the failure is the probe's own: then
// nothing is known about the checked thing.
struct TransferFailure {
  bool own_fault = false;
  std::string detail;
};
TransferFailure explain(const TransferResult& result);

}  // namespace faultline
