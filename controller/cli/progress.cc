#include "controller/cli/progress.h"

#include <fmt/format.h>

#include <utility>

#include "controller/cli/text.h"
#include "controller/report/format.h"

namespace faultline {
namespace {

constexpr auto kFrame = std::chrono::milliseconds(100);
constexpr auto kCountersEvery = std::chrono::seconds(1);

}  // namespace

Progress::Progress(const Experiment& experiment, MonoTime start, Terminal terminal, Write write)
    : start_(start),
      terminal_(terminal),
      write_(std::move(write)),
      view_(experiment),
      counters_due_(start),
      drawer_([this](const std::stop_token& stop) { draw(stop); }) {}

Progress::~Progress() {
  drawer_.request_stop();
  drawer_.join();
}

void Progress::note(Nanos at, const std::string& text) {
  lines_.push_back(stamped(at, printable(text)));
}

void Progress::on_phase(Phase phase, Nanos at) {
  const std::lock_guard lock(mutex_);
  view_.phase = phase;
  note(at, fmt::format("phase {}", to_string(phase)));
}

void Progress::on_sample(const Sample& sample) {
  const std::lock_guard lock(mutex_);
  LiveView::Probe& probe = view_.probes[sample.probe];
  if (!probe.last || probe.last->state != sample.state) {
    const std::string before = probe.last ? fmt::format("{} -> ", to_string(probe.last->state)) : "";
    note(sample.sent_at + sample.latency,
         fmt::format("{}: {}{} ({}, {})", probe.name, before, to_string(sample.state), sample.detail,
                     duration_text(sample.latency)));
  }
  probe.last = sample;
}

void Progress::on_fault(const FaultOutcome& fault) {
  const std::lock_guard lock(mutex_);
  bool was_active = false;
  bool was_armed = false;
  for (const FaultOutcome& known : view_.faults) {
    if (known.name != fault.name) continue;
    was_active = is_active(known);
    was_armed = is_armed(known);
  }
  view_.put(fault);
  const Nanos now = mono_now() - start_;
  if (is_armed(fault)) {
    if (!was_armed) note(now, armed_line(fault, now));
    return;
  }
  if (was_armed && !is_active(fault)) note(now, fmt::format("{}: ended", fault.name));
  if (was_active == is_active(fault)) return;
  if (was_active) {
    note(now, fault_line(fault));
    note(now, fmt::format("{}: ended", fault.name));
  } else {
    note(now, fmt::format("{}: in force on {} ({})", fault.name, fault.status.resolved_target(),
                          fault.status.mechanism()));
  }
}

void Progress::on_interruption(Interruption cause, const std::string& detail) {
  const std::lock_guard lock(mutex_);
  note(mono_now() - start_,
       fmt::format("ending early ({}): {}; every fault is reverted first", to_string(cause), detail));
}

void Progress::note_counters() {
  if (terminal_.live || mono_now() < counters_due_) return;
  counters_due_ = mono_now() + kCountersEvery;
  for (const FaultOutcome& fault : view_.faults) {
    if (!is_active(fault)) continue;
    std::string line = fault_line(fault);
    if (std::exchange(counters_told_[fault.name], line) != line) note(mono_now() - start_, line);
  }
}

std::string Progress::next_frame(bool last) {
  note_counters();
  std::string frame;
  if (drawn_ > 0) frame = fmt::format("\x1b[{}A\r\x1b[J", drawn_);  // over the old block
  drawn_ = 0;
  for (const std::string& line : std::exchange(lines_, {})) frame += line + "\n";
  if (!terminal_.live || last) return frame;
  // One column is left free: a full line would wrap on some terminals, and the count of lines would be wrong.
  const std::vector<std::string> block =
      live_lines(view_, mono_now() - start_, terminal_columns() - 1, terminal_.color);
  for (const std::string& line : block) frame += line + "\n";
  drawn_ = block.size();
  return frame;
}

void Progress::draw(const std::stop_token& stop) {
  while (true) {
    std::string frame;
    bool last = false;
    {
      std::unique_lock lock(mutex_);
      news_.wait_for(lock, stop, kFrame, [] { return false; });
      last = stop.stop_requested();
      frame = next_frame(last);
    }
    if (!frame.empty()) write_(frame);
    if (last) return;
  }
}

}  // namespace faultline
