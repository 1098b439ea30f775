// What every kernel test uses to skip: never its own idea of what the kernel can do, only the product's
// answer.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace faultline::testing {

// True where everything a test may need is promised (FAULTLINE_REQUIRE=1, as in the VM): a skip would hide a
// failure.
inline bool everything_is_required() {
  const char* value = std::getenv("FAULTLINE_REQUIRE");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace faultline::testing

// REQUIRE_SUPPORTED(bool supported, reason): in a test body or SetUp(). `supported` and `reason` come from
// the product's own supported(). Leaves the function: skipped, or failed where everything is required.
#define REQUIRE_SUPPORTED(supported, reason)                        \
  do {                                                              \
    if (!(supported)) {                                             \
      if (::faultline::testing::everything_is_required()) {         \
        FAIL() << "not supported, but required here: " << (reason); \
      }                                                             \
      GTEST_SKIP() << "not supported by this kernel: " << (reason); \
    }                                                               \
  } while (false)
