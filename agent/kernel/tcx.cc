#include "agent/kernel/tcx.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <array>
#include <cerrno>

namespace faultline {
namespace {

// Of kernel 6.6; Debian 12's headers are older.
constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);
constexpr __u32 kBeforeAllOthers = 1u << 3;  // BPF_F_BEFORE
constexpr int kNextProgram = -1;             // TCX_NEXT

}  // namespace

StatusOr<UniqueFd> attach_tcx_egress(const Netns& netns, int ifindex, int program_fd) {
  UniqueFd link;
  FL_RETURN_IF_ERROR(run_in_netns(netns, [&]() -> Status {
    bpf_link_create_opts options{};
    options.sz = sizeof options;
    options.flags = kBeforeAllOthers;
    link.reset(bpf_link_create(program_fd, ifindex, kTcxEgress, &options));
    return link.valid() ? ok_status() : errno_status(errno, "attach a program on the way out");
  }));
  return link;
}

Status try_tcx_egress(const Netns& netns, int ifindex) {
  const std::array<bpf_insn, 2> pass = {
      bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K,
               .dst_reg = BPF_REG_0,
               .src_reg = 0,
               .off = 0,
               .imm = kNextProgram},
      bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  const UniqueFd program(
      bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "fl_pass", "Dual BSD/GPL", pass.data(), pass.size(), nullptr));
  if (!program.valid()) return errno_status(errno, "load a BPF program");
  return attach_tcx_egress(netns, ifindex, program.get()).status();
}

}  // namespace faultline
