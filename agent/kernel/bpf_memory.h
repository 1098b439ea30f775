// Stores and loads in memory that BPF programs use at the same time: plain ones could be torn or reordered.
#pragma once

#include <atomic>

namespace faultline {

template <typename T>
void bpf_store(T& place, T value) {
  std::atomic_ref<T>(place).store(value, std::memory_order_release);
}

template <typename T>
T bpf_load(T& place) {
  return std::atomic_ref<T>(place).load(std::memory_order_acquire);
}

}  // namespace faultline
