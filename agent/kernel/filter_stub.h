// A BPF program for a tree filter that does nothing by itself: it jumps to the program it was pointed to, and
// that only as long as this object lives. So the filter (sticky) has no effect once its maker is gone,
// however it went: the kernel empties the jump table with the last file descriptor of it. Auto. Minimum
// kernel: 4.13.
#pragma once

#include <memory>

#include "common/status.h"

struct net_ingress_stub;

namespace faultline {

class FilterStub {
 public:
  static StatusOr<std::unique_ptr<FilterStub>> make();
  ~FilterStub();
  FilterStub(const FilterStub&) = delete;
  FilterStub& operator=(const FilterStub&) = delete;

  // For add_tree_filter(); any number of filters may share it. Valid while this lives.
  int program_fd() const;

  // From now on packets go to this program, of the type BPF_PROG_TYPE_SCHED_CLS (libbpf's section "tc"),
  // which must return fa17:BAND or 0. It need not be held any further.
  Status point_to(int decider_fd);
  // From now on no packet is concerned.
  Status point_to_nothing();

 private:
  explicit FilterStub(net_ingress_stub* skeleton) : skeleton_(skeleton) {}

  net_ingress_stub* skeleton_;
};

}  // namespace faultline
