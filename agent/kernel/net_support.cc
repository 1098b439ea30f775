#include "agent/kernel/net_support.h"

#include "agent/kernel/detour.h"
#include "agent/kernel/new_netns.h"
#include "agent/kernel/qdisc.h"
#include "agent/kernel/tcx.h"
#include "common/log.h"

namespace faultline {
namespace {

bool depends_on_the_moment(StatusCode code) {
  return code != StatusCode::kOk && code != StatusCode::kUnimplemented;
}

// What the kernel refuses for good it cannot.
Status said_by_kernel(const Status& status, std::string_view what) {
  if (status.ok() || status.code() == StatusCode::kPermissionDenied ||
      status.code() == StatusCode::kResourceExhausted || status.code() == StatusCode::kUnavailable) {
    return annotate(status, what);
  }
  return make_error(StatusCode::kUnimplemented, "{}: {}", what, message_of(status));
}

Status try_band(NetlinkSocket& socket, const BandParams& params) {
  const auto* netem = std::get_if<NetemParams>(&params);
  const bool graded = netem && netem->correlation > 0;
  FL_RETURN_IF_ERROR(said_by_kernel(add_tree(socket, kOnlyDevice), "the kernel has no sch_prio"));
  return said_by_kernel(add_band_qdisc(socket, kOnlyDevice, kFirstBand, params),
                        graded ? "the kernel cannot choose among netems by BPF"
                               : fmt::format("the kernel has no sch_{}", kind_of(params)));
}

Status try_detour(NetlinkSocket& socket, const Netns& netns) {
  const auto attempt = [&]() -> Status {
    FL_ASSIGN_OR_RETURN(const auto detour, Detour::make(socket, {kOnlyDevice, "lo"}));
    return detour->open(netns);
  };
  return said_by_kernel(attempt(), "the kernel cannot lead packets around a device");
}

StatusOr<std::unique_ptr<NetSteer>> load() {
  auto steer = NetSteer::load();
  const StatusCode code = steer.status().code();
  if (steer.ok() || code == StatusCode::kPermissionDenied || code == StatusCode::kResourceExhausted)
    return steer;
  return make_error(StatusCode::kUnimplemented, "{}", message_of(steer.status()));
}

}  // namespace

Status NetSupport::load_locked() {
  if (spare_) return ok_status();
  if (cannot_steer_) return *cannot_steer_;
  auto steer = load();
  if (steer.ok()) {
    spare_ = std::move(*steer);
  } else if (!depends_on_the_moment(steer.status().code())) {
    cannot_steer_ = steer.status();
  }
  return steer.status();
}

Status NetSupport::steering() {
  const std::lock_guard lock(mutex_);
  return load_locked();
}

Status NetSupport::ask(std::string_view what,
                       const std::function<Status(NetlinkSocket&, const Netns&)>& attempt) {
  const std::lock_guard lock(mutex_);
  if (const auto known = known_.find(what); known != known_.end()) return known->second;
  const Status status = in_new_netns(attempt);
  if (!status.ok()) spdlog::info("event=kernel_cannot what={} reason=\"{}\"", what, message_of(status));
  if (!depends_on_the_moment(status.code())) known_.emplace(what, status);
  return status;
}

Status NetSupport::band(const BandParams& params) {
  return ask(kind_of(params), [&](auto& socket, const auto&) { return try_band(socket, params); });
}

Status NetSupport::detour() {
  return ask("detour", try_detour);
}

Status NetSupport::redirect() {
  return ask("redirect", [](auto&, const auto& netns) {
    return said_by_kernel(try_tcx_egress(netns, kOnlyDevice), "the kernel has no tcx links");
  });
}

StatusOr<std::unique_ptr<NetSteer>> NetSupport::take_steer() {
  const std::lock_guard lock(mutex_);
  FL_RETURN_IF_ERROR(load_locked());
  std::unique_ptr<NetSteer> steer = std::move(spare_);
  if (!loader_.joinable()) {
    loader_ = std::jthread([this](const std::stop_token& stop) { keep_loading(stop); });
  }
  taken_.notify_one();
  return steer;
}

void NetSupport::keep_loading(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (taken_.wait(lock, stop, [this] { return !spare_; })) {
    // Not at once: whoever has taken the last one is in the middle of an apply and needs the processor more.
    if (taken_.wait_for(lock, stop, std::chrono::seconds(1), [&] { return stop.stop_requested(); })) return;
    lock.unlock();
    auto steer = load();
    lock.lock();
    if (!steer.ok()) {
      spdlog::warn("event=no_spare_program error=\"{}\"", message_of(steer.status()));
      taken_.wait_for(lock, stop, std::chrono::seconds(10), [] { return false; });
    } else if (!spare_) {
      spare_ = std::move(*steer);
    }
  }
}

NetSojourn* NetSupport::sojourn() {
  std::call_once(sojourn_asked_, [this] {
    auto sojourn = NetSojourn::make();
    if (sojourn.ok()) {
      sojourn_ = std::move(*sojourn);
    } else {
      spdlog::info("event=no_delay_meter reason=\"{}\"", message_of(sojourn.status()));
    }
  });
  return sojourn_.get();
}

}  // namespace faultline
