#include "controller/experiment/run_id.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace faultline {
namespace {

constexpr std::size_t kMaxFaultId = 64;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

std::string make_run_id(WallTime now, std::uint16_t random) {
  return fmt::format("{:%Y%m%dT%H%M%SZ}-{:04x}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     random);
}

std::string make_fault_id(std::string_view run_id, std::size_t index, std::string_view name) {
  std::string id = fmt::format("{}.{}.", run_id, index);
  for (const char c : name) id += is_plain(c) ? c : '-';
  return id.substr(0, kMaxFaultId);
}

}  // namespace faultline
