// What it costs to look at a target's routes before and after a fault, by how many it has: in every apply and
// every revert. Against the same look at a namespace that has none but the kernel's own. Needs root; leaves
// nothing. Usage: residue_cost_bench FOLDER
#include <fmt/format.h>

#include <functional>
#include <stdexcept>

#include "agent/faults/net_routes.h"
#include "common/clock.h"
#include "tests/bench/report.h"
#include "tests/support/net_lab.h"
#include "tests/support/veth_lab.h"

namespace faultline::bench {
namespace {

using testing::shell;
using testing::VethLab;

constexpr int kRounds = 31;

std::vector<StateItem> items_of(const Netns& netns) {
  auto items = route_items(netns);
  if (!items.ok()) throw std::runtime_error(message_of(items.status()));
  return *std::move(items);
}

double ms_of(const std::function<void()>& f) {
  const MonoTime start = mono_now();
  f();
  return std::chrono::duration<double, std::milli>(mono_now() - start).count();
}

void routes(const VethLab& lab, const std::string& verb, int count, const std::string& protocol) {
  shell(fmt::format(
      "seq 0 {} | awk '{{ print \"route {} 10.\" 100 + int($1 / 256) \".\" $1 % 256 \".0/24 via {} "
      "proto {}\" }}' | ip -n {} -batch -",
      count - 1, verb, testing::kFarAddress, protocol, lab.near_name()));
}

void measure(Report& report, const VethLab& lab, int count, const std::string& protocol) {
  routes(lab, "add", count, protocol);
  Samples look, none, compare;
  std::vector<StateItem> before, after;
  for (int i = 0; i < kRounds; ++i) {
    look.push_back(ms_of([&] { before = items_of(lab.near()); }));
    none.push_back(ms_of([&] { items_of(lab.far()); }));
    after = before;
    compare.push_back(ms_of([&] {
      if (!residue(before, after, {}).empty()) throw std::runtime_error("a difference where none is");
    }));
  }
  routes(lab, "del", count, protocol);
  report.add({.metric = fmt::format("look at {} routes, proto {}", count, protocol),
              .unit = "ms",
              .values = look,
              .peer = "at none",
              .peer_values = none,
              .budget = {}});
  report.add({.metric = fmt::format("compare {} items", before.size()),
              .unit = "ms",
              .values = compare,
              .peer = {},
              .peer_values = {},
              .budget = {}});
}

int run(const std::string& folder) {
  const VethLab lab;
  Report report("residue_cost", "Routes of a target, looked at once before and once after each fault");
  for (const int count : {20, 2'000, 20'000}) measure(report, lab, count, "static");
  measure(report, lab, 20'000, "bird");
  report.note("A routing daemon's routes are read, but not kept.");
  return report.finish(folder);
}

}  // namespace
}  // namespace faultline::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: residue_cost_bench FOLDER\n");
    return 2;
  }
  try {
    return faultline::bench::run(argv[1]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "residue_cost_bench: %s\n", e.what());
    return 1;
  }
}
