#include "agent/kernel/forward_rules.h"

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>

#include "agent/kernel/qdisc.h"

namespace faultline {
namespace {

constexpr const char* kOut = "out";
constexpr const char* kBack = "back";
constexpr std::uint32_t kBandsMask = 0xffffffe0;  // of a priority: all but the band

struct Free {
  void operator()(nftnl_table* table) const { nftnl_table_free(table); }
  void operator()(nftnl_chain* chain) const { nftnl_chain_free(chain); }
  void operator()(nftnl_rule* rule) const { nftnl_rule_free(rule); }
  void operator()(mnl_nlmsg_batch* batch) const { mnl_nlmsg_batch_stop(batch); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// One transaction: all of it, or nothing.
class Batch {
 public:
  // Null: out of memory.
  static std::unique_ptr<Batch> make() {
    std::unique_ptr<Batch> batch(new Batch);
    if (!batch->batch_) return nullptr;
    nftnl_batch_begin(batch->here(), batch->seq_++);
    batch->next();
    return batch;
  }
  // `flags`: of the netlink message. The header is good until next().
  nlmsghdr* message(std::uint16_t type, std::uint16_t flags) {
    return nftnl_nlmsg_build_hdr(here(), type, NFPROTO_NETDEV, flags, seq_++);
  }
  void next() { mnl_nlmsg_batch_next(batch_.get()); }
  // The last message put has this number and asks for an answer.
  std::uint32_t last() const { return seq_ - 1; }
  Status send(mnl_socket* socket) {
    nftnl_batch_end(here(), seq_);
    next();
    const auto size = mnl_nlmsg_batch_size(batch_.get());
    if (mnl_socket_sendto(socket, mnl_nlmsg_batch_head(batch_.get()), size) < 0) {
      return errno_status(errno, "nftables");
    }
    return ok_status();
  }

 private:
  Batch() : batch_(mnl_nlmsg_batch_start(buffer_.data(), buffer_.size() / 2)) {}
  char* here() { return static_cast<char*>(mnl_nlmsg_batch_current(batch_.get())); }

  alignas(nlmsghdr) std::array<char, 16384> buffer_{};
  Owned<mnl_nlmsg_batch> batch_;
  std::uint32_t seq_ = 1;
};

nftnl_expr* expression(nftnl_rule* rule, const char* name) {
  nftnl_expr* const made = nftnl_expr_alloc(name);
  if (made) nftnl_rule_add_expr(rule, made);
  return made;
}

// Where an expression could not be allocated the rule is shorter than meant: the caller asks.
bool leads_to(nftnl_rule* rule, int ifindex) {
  nftnl_expr* const device = expression(rule, "immediate");
  nftnl_expr* const forward = expression(rule, "fwd");
  if (!device || !forward) return false;
  nftnl_expr_set_u32(device, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
  nftnl_expr_set_u32(device, NFTNL_EXPR_IMM_DATA, static_cast<std::uint32_t>(ifindex));
  nftnl_expr_set_u32(forward, NFTNL_EXPR_FWD_SREG_DEV, NFT_REG_1);
  return true;
}

bool only_steered(nftnl_rule* rule) {
  constexpr std::uint32_t kNothing = 0;
  nftnl_expr* const priority = expression(rule, "meta");
  nftnl_expr* const mask = expression(rule, "bitwise");
  nftnl_expr* const compare = expression(rule, "cmp");
  if (!priority || !mask || !compare) return false;
  nftnl_expr_set_u32(priority, NFTNL_EXPR_META_KEY, NFT_META_PRIORITY);
  nftnl_expr_set_u32(priority, NFTNL_EXPR_META_DREG, NFT_REG_1);
  nftnl_expr_set_u32(mask, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
  nftnl_expr_set_u32(mask, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
  nftnl_expr_set_u32(mask, NFTNL_EXPR_BITWISE_LEN, sizeof kBandsMask);
  nftnl_expr_set(mask, NFTNL_EXPR_BITWISE_MASK, &kBandsMask, sizeof kBandsMask);
  nftnl_expr_set(mask, NFTNL_EXPR_BITWISE_XOR, &kNothing, sizeof kNothing);
  nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
  nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
  nftnl_expr_set(compare, NFTNL_EXPR_CMP_DATA, &kTreeHandle, sizeof kTreeHandle);
  return true;
}

bool put_table(Batch& batch, const std::string& table) {
  const Owned<nftnl_table> made(nftnl_table_alloc());
  if (!made) return false;
  nftnl_table_set_str(made.get(), NFTNL_TABLE_NAME, table.c_str());
  nftnl_table_set_u32(made.get(), NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
  nftnl_table_nlmsg_build_payload(batch.message(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL), made.get());
  batch.next();
  return true;
}

bool put_chain(Batch& batch, const std::string& table, const char* name, const std::string& device,
               std::uint32_t hook) {
  const Owned<nftnl_chain> chain(nftnl_chain_alloc());
  if (!chain) return false;
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, table.c_str());
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, name);
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, "filter");
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_DEV, device.c_str());
  nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, hook);
  nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, 0);
  nftnl_chain_nlmsg_build_payload(batch.message(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL), chain.get());
  batch.next();
  return true;
}

bool put_rule(Batch& batch, const std::string& table, const char* chain, bool only_if_steered, int to,
              std::uint16_t flags) {
  const Owned<nftnl_rule> rule(nftnl_rule_alloc());
  if (!rule) return false;
  nftnl_rule_set_u32(rule.get(), NFTNL_RULE_FAMILY, NFPROTO_NETDEV);
  nftnl_rule_set_str(rule.get(), NFTNL_RULE_TABLE, table.c_str());
  nftnl_rule_set_str(rule.get(), NFTNL_RULE_CHAIN, chain);
  if ((only_if_steered && !only_steered(rule.get())) || !leads_to(rule.get(), to)) return false;
  nftnl_rule_nlmsg_build_payload(
      batch.message(NFT_MSG_NEWRULE, static_cast<std::uint16_t>(NLM_F_CREATE | NLM_F_APPEND | flags)),
      rule.get());
  batch.next();
  return true;
}

// Until the answer to message `last`: an error of any message is the error of the whole transaction.
Status answer(mnl_socket* socket, std::uint32_t last) {
  alignas(nlmsghdr) std::array<char, 8192> buffer;
  for (;;) {
    const ssize_t size = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return errno_status(errno, "nftables");
    auto left = static_cast<int>(size);
    const auto* header = reinterpret_cast<const nlmsghdr*>(buffer.data());
    for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
      if (header->nlmsg_type != NLMSG_ERROR) continue;
      const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header));
      if (error->error != 0) return errno_status(-error->error, "nftables");
      if (header->nlmsg_seq == last) return ok_status();
    }
  }
}

}  // namespace

StatusOr<std::unique_ptr<ForwardRules>> ForwardRules::make(const Netns& netns, const Device& device,
                                                           const Device& entry, const Device& exit) {
  mnl_socket* socket = nullptr;
  FL_RETURN_IF_ERROR(run_in_netns(netns, [&]() -> Status {
    socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    return socket ? ok_status() : errno_status(errno, "open a socket for nftables");
  }));
  std::unique_ptr<ForwardRules> rules(new ForwardRules(socket));
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
      ::setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
    return errno_status(errno, "set up a socket for nftables");
  }
  const std::string table = fmt::format("faultline-{}", device.ifindex);
  const std::unique_ptr<Batch> batch = Batch::make();
  const bool put = batch && put_table(*batch, table) &&
                   put_chain(*batch, table, kOut, device.name, NF_NETDEV_EGRESS) &&
                   put_chain(*batch, table, kBack, exit.name, NF_NETDEV_INGRESS) &&
                   put_rule(*batch, table, kOut, true, entry.ifindex, 0) &&
                   put_rule(*batch, table, kBack, false, device.ifindex, NLM_F_ACK);
  if (!put) return make_error(StatusCode::kResourceExhausted, "nftables: out of memory");
  const std::uint32_t last = batch->last();
  FL_RETURN_IF_ERROR(batch->send(socket));
  FL_RETURN_IF_ERROR(annotate(answer(socket, last), fmt::format("lead packets around {}", device.name)));
  return rules;
}

ForwardRules::~ForwardRules() {
  mnl_socket_close(socket_);
}

}  // namespace faultline
