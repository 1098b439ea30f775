#include "controller/experiment/lease_keeper.h"

#include <google/protobuf/util/time_util.h>

#include <condition_variable>
#include <mutex>

namespace faultline {
namespace {

using google::protobuf::util::TimeUtil;

// False once a stop is asked for.
bool sleep_until(const std::stop_token& stop, MonoTime time) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_until(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

bool is_unreachable(const Status& status) {
  return status.code() == StatusCode::kUnavailable || status.code() == StatusCode::kDeadlineExceeded;
}

}  // namespace

LeaseKeeper::LeaseKeeper(RunState& state, AgentClient& agent, const RunTiming& timing)
    : state_(state),
      agent_(agent),
      timing_(timing),
      renewer_([this](const std::stop_token& stop) { renew(stop); }),
      watcher_([this](const std::stop_token& stop) { watch(stop); }) {}

void LeaseKeeper::renew(const std::stop_token& stop) {
  MonoTime heard = mono_now();  // the last time that nothing was wrong
  Nanos pause = timing_.renew_every;
  while (sleep_until(stop, mono_now() + pause)) {
    pause = timing_.renew_every;
    const StatusOr<v1::RenewResponse> answer = renew_all();
    if (answer.ok()) {
      heard = mono_now();
      for (const v1::FaultStatus& status : answer->faults()) state_.fault_told(status);
      continue;
    }
    const std::string why = message_of(answer.status());
    if (!is_unreachable(answer.status())) {
      state_.interrupt(Interruption::kInfrastructure,
                       fmt::format("the agent did not renew the faults: {}", why));
      return;  // the lease ends what the reverts do not
    }
    if (mono_now() - heard >= timing_.lost_after) {
      state_.interrupt(
          Interruption::kInfrastructure,
          fmt::format("agent lost: {}; the kernel ends the effects at the end of their lease", why));
      return;
    }
    pause = timing_.retry_pause;
  }
}

StatusOr<v1::RenewResponse> LeaseKeeper::renew_all() {
  v1::RenewRequest request;
  for (const std::string& id : state_.ids_in_place()) request.add_ids(id);
  if (request.ids().empty()) return v1::RenewResponse();
  *request.mutable_lease() = TimeUtil::NanosecondsToDuration(timing_.lease.count());
  return agent_.renew(request);
}

void LeaseKeeper::watch(const std::stop_token& stop) {
  v1::WatchRequest request;
  *request.mutable_interval() = TimeUtil::NanosecondsToDuration(timing_.watch_every.count());
  // Whether the agent is lost is for the renewals to say; a broken stream is only begun anew.
  do {
    agent_
        .watch(request, stop,
               [this](const v1::WatchResponse& told) {
                 for (const v1::FaultStatus& status : told.faults()) state_.fault_told(status);
               })
        .IgnoreError();
  } while (sleep_until(stop, mono_now() + timing_.retry_pause));
}

}  // namespace faultline
