// Like faultline-agent, this binary can be its own watchdog.
#include <gtest/gtest.h>

#include "agent/watchdog/main.h"

int main(int argc, char** argv) {
  if (argc == 3 && argv[1] == faultline::kWatchdogOption) return faultline::watchdog_main(argv[2]);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
