#include "agent/kernel/net_sojourn.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "bpf/abi/net_sojourn.h"
#include "net_sojourn.skel.h"

namespace faultline {

StatusOr<std::unique_ptr<NetSojourn>> NetSojourn::make() {
  std::unique_ptr<NetSojourn> sojourn(new NetSojourn);
  sojourn->skeleton_ = net_sojourn__open_and_load();
  if (!sojourn->skeleton_) return errno_status(errno, "load BPF program net_sojourn");
  if (int e = net_sojourn__attach(sojourn->skeleton_); e != 0) return errno_status(-e, "attach net_sojourn");
  net_sojourn__detach(sojourn->skeleton_);
  sojourn->slots_.resize(FL_SOJOURN_SLOTS);
  return sojourn;
}

NetSojourn::~NetSojourn() {
  net_sojourn__destroy(skeleton_);
}

StatusOr<int> NetSojourn::watch(std::uint32_t netns_inode, std::uint32_t band) {
  const std::lock_guard lock(mutex_);
  const bool first = std::none_of(slots_.begin(), slots_.end(), [](const Slot& s) { return s.used; });
  if (int e = first ? net_sojourn__attach(skeleton_) : 0; e != 0)
    return errno_status(-e, "attach net_sojourn");
  const auto free = std::find_if(slots_.begin(), slots_.end(), [](const Slot& s) { return !s.used; });
  if (free == slots_.end()) return make_error(StatusCode::kResourceExhausted, "all delay meters are in use");
  const auto index = static_cast<__u32>(free - slots_.begin());
  skeleton_->bss->slots[index] = {};  // nobody writes to it: its band is not known yet
  const fl_sojourn_key key{.netns = netns_inode, .band = band};
  if (int e = bpf_map__update_elem(skeleton_->maps.slot_of, &key, sizeof key, &index, sizeof index, BPF_ANY);
      e != 0) {
    return errno_status(-e, "register a delay meter");
  }
  *free = {.used = true, .netns = netns_inode, .band = band};
  tell_who_is_alone();
  return static_cast<int>(index);
}

void NetSojourn::unwatch(int slot) {
  const std::lock_guard lock(mutex_);
  Slot& entry = slots_[static_cast<std::size_t>(slot)];
  const fl_sojourn_key key{.netns = entry.netns, .band = entry.band};
  bpf_map__delete_elem(skeleton_->maps.slot_of, &key, sizeof key, 0);
  entry.used = false;
  tell_who_is_alone();
  const bool last = std::none_of(slots_.begin(), slots_.end(), [](const Slot& s) { return s.used; });
  if (last) net_sojourn__detach(skeleton_);
}

void NetSojourn::tell_who_is_alone() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto bands = std::count_if(slots_.begin(), slots_.end(),
                                     [&](const Slot& s) { return s.used && s.netns == slots_[i].netns; });
    std::atomic_ref<__u32>(skeleton_->bss->slots[i].alone).store(slots_[i].used && bands == 1);
  }
}

SojournSamples NetSojourn::samples(int slot) const {
  fl_sojourn_slot& source = skeleton_->bss->slots[slot];
  SojournSamples samples;
  samples.count = std::atomic_ref<__u64>(source.count).load();
  samples.busy = Nanos(static_cast<std::int64_t>(std::atomic_ref<__u64>(source.busy_ns).load()));
  samples.busy_bytes = std::atomic_ref<__u64>(source.busy_bytes).load();
  samples.busy_packets = std::atomic_ref<__u64>(source.busy_packets).load();
  const std::uint64_t kept = std::min<std::uint64_t>(samples.count, FL_SOJOURN_SAMPLES);
  for (std::uint64_t i = samples.count - kept; i < samples.count; ++i) {
    __u64& ns = source.sample_ns[i % FL_SOJOURN_SAMPLES];
    samples.newest.emplace_back(static_cast<std::int64_t>(std::atomic_ref<__u64>(ns).load()));
  }
  return samples;
}

}  // namespace faultline
