// Bandwidths and sizes as people write them: 10mbit, 32KiB. Errors are INVALID_ARGUMENT and say how to write
// it right, without a place. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/status.h"

namespace faultline {

// A number and one of bit, kbit, mbit, gbit (thousands of each other), per second: "10mbit" is 10'000'000.
// The number may have decimals as long as the whole is a number of bits.
StatusOr<std::uint64_t> parse_bandwidth(std::string_view text);

// A number and one of B, KiB, MiB, GiB (1024 of each other): "32KiB" is 32'768. Decimals likewise.
StatusOr<std::uint64_t> parse_size(std::string_view text);

}  // namespace faultline
