#include "tests/support/net_lab.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "agent/target/cgroup.h"

namespace faultline::testing {

std::string shell(const std::string& command) {
  std::FILE* pipe = ::popen(("{ " + command + "\n} 2>&1").c_str(), "re");
  if (!pipe) throw std::runtime_error("popen");
  std::string output;
  std::array<char, 4096> buffer{};
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    output.append(buffer.data(), n);
  if (::pclose(pipe) != 0) throw std::runtime_error(command + ": " + output);
  return output;
}

LabProcess::LabProcess(const std::string& netns, const std::vector<std::string>& args) {
  int to_child[2], from_child[2];
  if (::pipe2(to_child, O_CLOEXEC) != 0 || ::pipe2(from_child, O_CLOEXEC) != 0)
    throw std::runtime_error("pipe");
  std::vector<const char*> argv{FAULTLINE_LAB_PROCESS};
  for (const std::string& arg : args) argv.push_back(arg.c_str());
  argv.push_back(nullptr);
  const int ns = ::open(("/run/netns/" + netns).c_str(), O_RDONLY | O_CLOEXEC);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setns(ns, CLONE_NEWNET);
    ::dup2(to_child[0], 0);
    ::dup2(from_child[1], 1);
    ::execv(argv[0], const_cast<char* const*>(argv.data()));
    ::_exit(127);
  }
  ::close(ns);
  ::close(to_child[0]);
  ::close(from_child[1]);
  out_ = ::fdopen(to_child[1], "w");
  in_ = ::fdopen(from_child[0], "r");
  if (hear() != "ready") throw std::runtime_error("lab process did not start");
}

LabProcess::~LabProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  std::fclose(in_);
  std::fclose(out_);
}

std::string LabProcess::hear() {
  std::string line;
  for (int c; (c = std::fgetc(in_)) != EOF && c != '\n';) line.push_back(static_cast<char>(c));
  return line;
}

void LabProcess::tell(const std::string& line) {
  std::fprintf(out_, "%s\n", line.c_str());
  std::fflush(out_);
}

std::string LabProcess::ask(const std::string& line) {
  tell(line);
  return hear();
}

double UdpResult::median_ms() const {
  if (rtt_ms.empty()) throw std::runtime_error("no echo came back");
  std::vector<double> sorted = rtt_ms;
  std::sort(sorted.begin(), sorted.end());
  return sorted[sorted.size() / 2];
}

namespace {

StreamResult hear_stream(LabProcess& from) {
  std::istringstream words(from.hear());
  StreamResult result;
  double ns = 0;
  words >> result.sent >> result.back >> result.wrong >> result.retransmits >> ns;
  if (!words) throw std::runtime_error("no connection for a stream");
  result.seconds = ns / 1e9;
  return result;
}

UdpResult hear_datagrams(LabProcess& from) {
  std::istringstream words(from.hear());
  UdpResult result;
  words >> result.sent >> result.refused >> result.received;
  std::int64_t sent_ns = 0;
  for (double rtt_ns = 0; words >> sent_ns >> rtt_ns;) {
    result.sent_ns.push_back(sent_ns);
    result.answered.push_back(rtt_ns >= 0);
    if (rtt_ns >= 0) result.rtt_ms.push_back(rtt_ns / 1e6);
  }
  if (result.sent == 0 || result.answered.size() != result.sent)
    throw std::runtime_error("lab process has gone");
  return result;
}

}  // namespace

NetLab::NetLab() {
  const std::string tag = std::to_string(::getpid());
  target_ns_ = "fl-lab-t" + tag;
  peer_ns_ = "fl-lab-p" + tag;
  cgroup_root_ = find_cgroup_root().value();
  target_cgroup_ = "/fl-lab-target-" + tag;
  neighbour_cgroup_ = "/fl-lab-neighbour-" + tag;
  std::filesystem::create_directory(cgroup_root_ + target_cgroup_);
  std::filesystem::create_directory(cgroup_root_ + neighbour_cgroup_);
  shell(
      "ip -batch - <<'E'\n"
      "netns add " +
      target_ns_ +
      "\n"
      "netns add " +
      peer_ns_ +
      "\n"
      "link add name eth0 netns " +
      target_ns_ + " type veth peer name eth0 netns " + peer_ns_ + "\nE");
  shell("ip -n " + target_ns_ +
        " -batch - <<'E'\n"
        "addr add 10.99.0.1/24 dev eth0\naddr add fd99::1/64 dev eth0 nodad\nlink set eth0 up\nlink set lo "
        "up\nE");
  shell("ip -n " + peer_ns_ +
        " -batch - <<'E'\n"
        "addr add 10.99.0.2/24 dev eth0\naddr add 10.99.0.3/24 dev eth0\n"
        "addr add fd99::2/64 dev eth0 nodad\naddr add fd99::3/64 dev eth0 nodad\nlink set eth0 up\nlink set "
        "lo up\nE");
  std::vector<std::string> echo{"echo"};
  for (const char* address : {kPeer, kOtherPeer, kPeer6, kOtherPeer6}) {
    for (const int port : {kPort, kOtherPort}) echo.insert(echo.end(), {address, std::to_string(port)});
  }
  echo_ = new LabProcess(peer_ns_, echo);
  names_ = new LabProcess(peer_ns_, {"names", kPeer, kOtherPeer, kPeer6, kOtherPeer6});
  target_ = new LabProcess(target_ns_, {"client", cgroup_root_ + target_cgroup_});
  neighbour_ = new LabProcess(target_ns_, {"client", cgroup_root_ + neighbour_cgroup_});
  // Neighbour discovery and ARP are done before anything is measured.
  for (const char* peer : {kPeer, kOtherPeer, kPeer6, kOtherPeer6}) udp(*target_, peer, kPort, 3, 2000, 2000);
}

NetLab::~NetLab() {
  delete target_;
  delete neighbour_;
  delete echo_;
  delete names_;
  shell("ip netns del " + target_ns_ + "; ip netns del " + peer_ns_);
  for (const std::string& cgroup : {target_cgroup_, neighbour_cgroup_}) {
    // The kernel lets go of a killed process's cgroup a moment later.
    for (int i = 0; i < 200 && ::rmdir((cgroup_root_ + cgroup).c_str()) != 0 && errno == EBUSY; ++i)
      ::usleep(5000);
  }
}

UdpResult NetLab::udp(LabProcess& from, const std::string& to, int port, int count, int interval_us,
                      int wait_ms) {
  from.tell(fmt::format("udp {} {} {} {} {}", to, port, count, interval_us, wait_ms));
  return hear_datagrams(from);
}

void NetLab::start_probes(LabProcess& from, const std::string& to, int port, int interval_us, int wait_ms) {
  from.tell(fmt::format("probe {} {} {} {}", to, port, interval_us, wait_ms));
}

UdpResult NetLab::end_probes(LabProcess& from) {
  from.tell("stop");
  return hear_datagrams(from);
}

double NetLab::tcp_connect_ms(LabProcess& from, const std::string& to, int port, int wait_ms) {
  const double ns =
      std::stod(from.ask("tcp " + to + " " + std::to_string(port) + " " + std::to_string(wait_ms)));
  return ns < 0 ? -1 : ns / 1e6;
}

int NetLab::connect_errno(LabProcess& from, const std::string& protocol, const std::string& to, int port,
                          int wait_ms) {
  return std::stoi(from.ask(fmt::format("connect {} {} {} {}", protocol, to, port, wait_ms)));
}

int NetLab::sendto_errno(LabProcess& from, const std::string& to, int port) {
  return std::stoi(from.ask(fmt::format("sendto {} {}", to, port)));
}

StreamResult NetLab::stream(LabProcess& from, const std::string& to, int port, std::size_t bytes) {
  from.tell(fmt::format("stream {} {} {}", to, port, bytes));
  return hear_stream(from);
}

void NetLab::start_stream(LabProcess& from, const std::string& to, int port) {
  from.tell(fmt::format("stream {} {} 0", to, port));
}

StreamResult NetLab::end_stream(LabProcess& from) {
  from.tell("stop");
  return hear_stream(from);
}

int NetLab::open(LabProcess& from, const std::string& to, int port, int local_port) {
  return std::stoi(from.ask(fmt::format("open {} {} {}", to, port, local_port)));
}

DnsResult NetLab::dns(LabProcess& from, const std::string& server, const std::string& name,
                      const std::string& how, int type, int wait_ms) {
  std::istringstream words(from.ask(fmt::format("dns {} {} {} {} {}", server, name, type, how, wait_ms)));
  DnsResult result;
  double ns = -1;
  if (!(words >> ns)) throw std::runtime_error("lab process has gone");
  if (ns < 0) return result;
  result.ms = ns / 1e6;
  words >> result.source;
  for (std::string word; words >> word;) {
    const std::string value = word.substr(word.find('=') + 1);
    if (word.starts_with("rcode=")) result.rcode = std::stoi(value);
    if (word.starts_with("answers=")) result.answers = std::stoi(value);
    if (word.starts_with("tc=")) result.truncated = value == "1";
    if (word.starts_with("edns=")) result.edns = value == "1";
    if (word.starts_with("first=")) result.first = value;
  }
  return result;
}

NetLab& shared_net_lab() {
  static NetLab lab;
  return lab;
}

std::string NetLab::detour_device() const {
  return "fa17-" + shell("ip netns exec " + target_ns_ + " cat /sys/class/net/eth0/ifindex | tr -d '\\n'");
}

std::string NetLab::network_state(const std::string& netns) {
  const std::string ip = "ip -n " + netns + " ";
  // What the kernel makes for the lab's own addresses has come once these have proved to be nobody else's.
  return shell("tc -n " + netns + " qdisc show && " + ip + "-o link show && " + ip +
               "route show table all | sed '/dev \\(eth0\\|lo\\) .*proto kernel/d' && " + ip +
               "rule show && " + ip + "-6 rule show");
}

}  // namespace faultline::testing
