// The project's version, as the build knows it.
#pragma once

namespace faultline {

inline constexpr const char* kVersion = FAULTLINE_VERSION;

}  // namespace faultline
