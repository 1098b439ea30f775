#include <algorithm>
#include <cstdio>

#include "controller/cli/commands.h"
#include "controller/cli/doctor_text.h"
#include "controller/cli/exit_code.h"
#include "controller/cli/text.h"
#include "controller/clients/agent_client.h"

namespace faultline {

int doctor_command(const GlobalArgs& global, const DoctorArgs& args) {
  const StatusOr<std::unique_ptr<AgentClient>> agent = make_agent_client(global.agent);
  if (!agent.ok()) return fail(kExitUsage, agent.status());
  const StatusOr<v1::CapabilitiesResponse> node = (*agent)->capabilities();
  if (!node.ok()) return fail(kExitInfrastructure, node.status());
  if (args.json) {
    fmt::print("{}", doctor_json(*node));
  } else {
    fmt::print("{}",
               printable(args.markdown ? doctor_markdown(*node) : doctor_text(*node, global.agent.address)));
  }
  const bool all = std::all_of(node->kinds().begin(), node->kinds().end(),
                               [](const v1::KindSupport& kind) { return kind.supported(); });
  return all ? kExitPassed : kExitFailed;
}

}  // namespace faultline
