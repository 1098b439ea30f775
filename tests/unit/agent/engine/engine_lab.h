// An engine with one fake kind of fault over a cgroup tree of plain files, and requests to it in short.
#pragma once

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/engine/engine.h"
#include "tests/unit/agent/engine/fake_kind.h"
#include "tests/unit/agent/target/cgroup_tree.h"

namespace faultline::testing {

using namespace std::chrono_literals;

inline google::protobuf::Duration to_proto(Nanos span) {
  return google::protobuf::util::TimeUtil::NanosecondsToDuration(span.count());
}

inline v1::ApplyRequest apply_request(const std::string& id, Nanos duration, Nanos lease = Nanos::zero()) {
  v1::ApplyRequest request;
  request.set_id(id);
  request.set_target("cgroup:/app");
  request.mutable_spec()->mutable_delay();
  *request.mutable_duration() = to_proto(duration);
  if (lease != Nanos::zero()) *request.mutable_lease() = to_proto(lease);
  return request;
}

class EngineLab : public ::testing::Test {
 protected:
  EngineLab() : EngineLab(EngineOptions{}) {}
  explicit EngineLab(EngineOptions options) {
    tree.put("/app", {process.pid()});
    auto owner = std::make_unique<FakeKind>();
    kind = owner.get();
    kinds.push_back(std::move(owner));
    restart(options);
  }
  // Whatever a test did, nobody broke the contract of Fault, and nothing outlived the engine.
  ~EngineLab() override {
    engine.reset();
    EXPECT_EQ(kind->rule_breaks(), 0u);
    EXPECT_EQ(kind->in_force(), 0u);
  }

  void restart(EngineOptions options) {
    engine.reset();
    engine = std::make_unique<Engine>(targets, kinds, options);
  }

  Status apply(const std::string& id, Nanos duration = 1h, Nanos lease = Nanos::zero()) {
    return engine->apply(apply_request(id, duration, lease)).status();
  }
  StatusOr<v1::RenewResponse> renew(const std::vector<std::string>& ids, Nanos lease) {
    v1::RenewRequest request;
    for (const auto& id : ids) request.add_ids(id);
    *request.mutable_lease() = to_proto(lease);
    return engine->renew(request);
  }
  StatusOr<v1::RevertResponse> revert(const std::vector<std::string>& ids, const std::string& reason = "") {
    v1::RevertRequest request;
    for (const auto& id : ids) request.add_ids(id);
    request.set_reason(reason);
    return engine->revert(request);
  }
  StatusOr<v1::RevertResponse> revert_all() {
    v1::RevertRequest request;
    request.set_all(true);
    return engine->revert(request);
  }
  // The final status of one fault.
  v1::FaultStatus reverted(const std::string& id) {
    const auto response = revert({id});
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->faults(0) : v1::FaultStatus{};
  }
  std::vector<std::string> listed() const {
    std::vector<std::string> ids;
    for (const auto& fault : engine->list()) {
      const bool armed = fault.state() == v1::FAULT_STATE_ARMED;
      ids.push_back(fault.id() + (armed                                     ? " armed"
                                  : fault.state() == v1::FAULT_STATE_ACTIVE ? " active"
                                                                            : " ended"));
    }
    return ids;
  }

  CgroupTree tree;
  IdleProcess process;
  TargetResolver targets = TargetResolver::over(tree.root(), {}).value();
  std::vector<std::unique_ptr<FaultKind>> kinds;
  FakeKind* kind = nullptr;
  std::unique_ptr<Engine> engine;
};

}  // namespace faultline::testing
