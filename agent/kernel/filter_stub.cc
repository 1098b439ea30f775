#include "agent/kernel/filter_stub.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>

#include "net_ingress_stub.skel.h"

namespace faultline {

StatusOr<std::unique_ptr<FilterStub>> FilterStub::make() {
  net_ingress_stub* skeleton = net_ingress_stub__open_and_load();
  if (!skeleton) return errno_status(errno, "load BPF program net_ingress_stub");
  return std::unique_ptr<FilterStub>(new FilterStub(skeleton));
}

FilterStub::~FilterStub() {
  net_ingress_stub__destroy(skeleton_);
}

int FilterStub::program_fd() const {
  return bpf_program__fd(skeleton_->progs.fl_net_ingress_stub);
}

Status FilterStub::point_to(int decider_fd) {
  const __u32 only = 0;
  const int error =
      bpf_map_update_elem(bpf_map__fd(skeleton_->maps.net_ingress_jump), &only, &decider_fd, BPF_ANY);
  return error == 0 ? ok_status() : errno_status(errno, "point net_ingress_stub to a program");
}

Status FilterStub::point_to_nothing() {
  const __u32 only = 0;
  const int error = bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.net_ingress_jump), &only);
  return error == 0 || errno == ENOENT ? ok_status()
                                       : errno_status(errno, "empty net_ingress_stub's jump table");
}

}  // namespace faultline
