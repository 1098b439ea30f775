// The sticky kill switch of this user's runs: a file that is there or not. While it is engaged no run starts,
// and runs under way end. The file's presence alone decides; its text is the reason.
#pragma once

#include <optional>
#include <string>

#include "common/status.h"

namespace faultline {

class HaltLever {
 public:
  // `dir` is state_dir() in the product.
  explicit HaltLever(const std::string& dir) : dir_(dir), path_(dir + "/halted") {}

  // Why it is engaged; unset when it is not. A lever that cannot be read counts as engaged. Any thread.
  std::optional<std::string> engaged() const;

  // Idempotent: an engaged lever keeps its first reason.
  Status engage(const std::string& reason);

  // Idempotent. True when it had been engaged.
  StatusOr<bool> release();

  const std::string& path() const { return path_; }

 private:
  std::string dir_;
  std::string path_;
};

}  // namespace faultline
