#include "controller/health/transfer.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace faultline {

StatusOr<std::unique_ptr<Transfer>> Transfer::make(const std::string& url, bool connect_only) {
  std::unique_ptr<Transfer> transfer(new Transfer);
  transfer->multi_ = curl_multi_init();
  transfer->easy_ = curl_easy_init();
  if (transfer->multi_ == nullptr || transfer->easy_ == nullptr) {
    return make_error(StatusCode::kInternal, "libcurl gave no handle for {}", url);
  }
  CURL* easy = transfer->easy_;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // also ignores the proxy variables of the environment
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // do not wait for a resolver thread that hangs
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "faultline");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
  if (connect_only) curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  return transfer;
}

Transfer::~Transfer() {
  if (easy_ != nullptr) curl_easy_cleanup(easy_);
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  TransferResult& result = static_cast<Transfer*>(self)->result_;
  const std::size_t bytes = size * count;
  if (result.body.size() + bytes > kMaxBodyBytes) {
    result.body_cut = true;
    return 0;  // ends the transfer
  }
  result.body.append(data, bytes);
  return bytes;
}

TransferResult Transfer::perform(Nanos timeout) {
  result_ = TransferResult{};
  const auto timeout_ms = std::max<long>(1, std::chrono::ceil<std::chrono::milliseconds>(timeout).count());
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);

  const MonoTime start = mono_now();
  CURLMcode multi_code = curl_multi_add_handle(multi_, easy_);
  int running = 1;
  while (multi_code == CURLM_OK && running > 0 && !cancelled_) {
    multi_code = curl_multi_perform(multi_, &running);
    if (multi_code != CURLM_OK || running == 0) break;
    multi_code = curl_multi_poll(multi_, nullptr, 0, static_cast<int>(std::min(timeout_ms, 1000L)), nullptr);
  }
  result_.elapsed = mono_now() - start;
  result_.cancelled = cancelled_;
  result_.code = CURLE_FAILED_INIT;  // unless the transfer tells otherwise
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) result_.code = message->data.result;
  }
  long os_error = 0;
  curl_off_t lookup_us = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
  curl_easy_getinfo(easy_, CURLINFO_NAMELOOKUP_TIME_T, &lookup_us);
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &result_.http_status);
  result_.os_error = static_cast<int>(os_error);
  result_.resolved = lookup_us > 0;
  curl_multi_remove_handle(multi_, easy_);
  return std::move(result_);
}

void Transfer::cancel() {
  cancelled_ = true;
  curl_multi_wakeup(multi_);
}

TransferFailure explain(const TransferResult& result) {
  switch (result.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {true, "name does not resolve"};
    case CURLE_OPERATION_TIMEDOUT:
      if (!result.resolved) return {true, "name resolution timed out"};
      return {false, "timeout"};
    case CURLE_COULDNT_CONNECT:
      switch (result.os_error) {
        // Nothing left this machine.
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case ENOBUFS:
        case EADDRNOTAVAIL:
        case EACCES:
        case EPERM:
          return {true, "cannot open a connection: " + std::generic_category().message(result.os_error)};
        case 0:
          return {false, "cannot connect"};
        case ECONNREFUSED:
          return {false, "connection refused"};
        default:
          return {false, std::generic_category().message(result.os_error)};
      }
    case CURLE_GOT_NOTHING:
      return {false, "connection closed without an answer"};
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return {false, "connection reset"};
    case CURLE_FAILED_INIT:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return {true, curl_easy_strerror(result.code)};
    default:
      return {false, curl_easy_strerror(result.code)};
  }
}

}  // namespace faultline
