#include "controller/cli/doctor_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace faultline {
namespace {

// One line, in which nothing ends the cell or is taken for HTML.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '\\' || c == '<') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

// "6.12" of "6.12.43+deb12-amd64".
std::string series_of(const std::string& release) {
  const auto dot = release.find('.');
  return dot == std::string::npos ? release
                                  : release.substr(0, release.find_first_not_of("0123456789", dot + 1));
}

const std::string& how_or_why_not(const v1::KindSupport& kind) {
  return kind.supported() ? kind.mechanism() : kind.reason();
}

}  // namespace

std::string doctor_text(const v1::CapabilitiesResponse& node, const std::string& agent_address) {
  std::string text = fmt::format(
      "agent:    {} at {}\nkernel:   {}\ncgroups:  {}\nlimits:   a fault at most {} s, a lease at most {} "
      "s\n",
      node.agent_version(), agent_address, node.kernel_release(),
      node.cgroup_root().empty() ? "no cgroup v2 found" : node.cgroup_root(), node.max_duration().seconds(),
      node.max_lease().seconds());
  for (const v1::KindSupport& kind : node.kinds()) {
    text += fmt::format("{:<13}  {:<3}  {}\n", kind.kind(), kind.supported() ? "yes" : "no",
                        how_or_why_not(kind));
    for (const std::string& limit : kind.limits()) text += fmt::format("{:<20}limit: {}\n", "", limit);
  }
  return text;
}

std::string doctor_markdown(const v1::CapabilitiesResponse& node) {
  std::string text = fmt::format(
      "## Kernel {}\n\nRelease {}, agent {}.\n\n"
      "| fault | supported | mechanism | limits |\n| --- | --- | --- | --- |\n",
      series_of(node.kernel_release()), node.kernel_release(), node.agent_version());
  for (const v1::KindSupport& kind : node.kinds()) {
    text += fmt::format("| {} | {} | {} | {} |\n", cell(kind.kind()),
                        kind.supported() ? "yes" : "no: " + cell(kind.reason()), cell(kind.mechanism()),
                        cell(fmt::format("{}", fmt::join(kind.limits(), "; "))));
  }
  return text;
}

std::string doctor_json(const v1::CapabilitiesResponse& node) {
  nlohmann::ordered_json kinds = nlohmann::ordered_json::array();
  for (const v1::KindSupport& kind : node.kinds()) {
    kinds.push_back({{"kind", kind.kind()},
                     {"supported", kind.supported()},
                     {"mechanism", kind.mechanism()},
                     {"reason", kind.reason()},
                     {"limits", std::vector<std::string>(kind.limits().begin(), kind.limits().end())}});
  }
  const nlohmann::ordered_json document = {{"agentVersion", node.agent_version()},
                                           {"kernelRelease", node.kernel_release()},
                                           {"cgroupRoot", node.cgroup_root()},
                                           {"maxDurationSeconds", node.max_duration().seconds()},
                                           {"maxLeaseSeconds", node.max_lease().seconds()},
                                           {"kinds", kinds}};
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace faultline
