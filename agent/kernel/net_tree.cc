#include "agent/kernel/net_tree.h"

#include <algorithm>
#include <thread>

#include "common/log.h"

namespace faultline {
namespace {

Status ok_if_gone(const Status& status) {
  return status.code() == StatusCode::kNotFound ? ok_status() : status;
}

}  // namespace

Status check_tree_possible(NetlinkSocket& socket, const Device& device) {
  FL_ASSIGN_OR_RETURN(const auto qdiscs, list_qdiscs(socket));
  for (const Qdisc& qdisc : qdiscs) {
    if (qdisc.ifindex != device.ifindex || !qdisc.is_root() || qdisc.handle == 0) continue;
    return make_error(StatusCode::kFailedPrecondition,
                      "{} has a root qdisc that is not the kernel's default ({} {:x}:); it is left alone",
                      device.name, qdisc.kind, qdisc.handle >> 16);
  }
  return ok_status();
}

StatusOr<std::unique_ptr<NetTree>> NetTree::on(NetlinkSocket& socket, const Device& device) {
  FL_RETURN_IF_ERROR(annotate(add_tree(socket, device.ifindex), device.name));
  return std::unique_ptr<NetTree>(new NetTree(socket, device, nullptr));
}

StatusOr<std::unique_ptr<NetTree>> NetTree::beside(const Netns& netns, NetlinkSocket& socket,
                                                   const Device& device) {
  FL_ASSIGN_OR_RETURN(auto detour, Detour::make(socket, device));
  const int entry = detour->entry().ifindex;
  std::unique_ptr<NetTree> tree(new NetTree(socket, device, std::move(detour)));
  FL_RETURN_IF_ERROR(annotate(add_tree(socket, entry), device.name));
  // Only what is steered comes here: what anybody else sends by the detour's own device ends here.
  FL_RETURN_IF_ERROR(annotate(add_band_qdisc(socket, entry, kNeutralBand, BlackholeParams{}), device.name));
  FL_RETURN_IF_ERROR(tree->detour_->open(netns));
  return tree;
}

Status NetTree::renew(const Netns& netns) {
  return detour_ && !detour_->is_open() ? detour_->open(netns) : ok_status();
}

NetTree::~NetTree() {
  if (Status status = remove(); !status.ok()) {
    spdlog::error("event=tree_left device={} error=\"{}\"", device_.name, message_of(status));
  }
}

Status NetTree::add_band(std::uint32_t band, const BandParams& params) {
  if (detour_) FL_RETURN_IF_ERROR(detour_->follow_mtu());
  FL_RETURN_IF_ERROR(annotate(add_band_qdisc(socket_, qdiscs_at(), band, params), device_.name));
  bands_.insert(band);
  return ok_status();
}

Status NetTree::remove_band(std::uint32_t band) {
  FL_RETURN_IF_ERROR(ok_if_gone(annotate(remove_band_qdisc(socket_, qdiscs_at(), band), device_.name)));
  bands_.erase(band);
  return ok_status();
}

Status NetTree::remove() {
  if (removed_) return ok_status();
  const Status removed = detour_ ? detour_->remove() : remove_tree(socket_, device_.ifindex);
  FL_RETURN_IF_ERROR(ok_if_gone(annotate(removed, device_.name)));
  removed_ = true;
  return ok_status();
}

void drain_band(NetlinkSocket& socket, int ifindex, std::uint32_t band, Nanos patience) {
  const MonoTime give_up = mono_now() + patience;
  for (;;) {
    const auto qdisc = band_qdisc(socket, ifindex, band);
    if (!qdisc.ok() || qdisc->queued == 0 || mono_now() >= give_up) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace faultline
