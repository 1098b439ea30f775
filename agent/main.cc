// faultline-agent: wiring, start and stop. Nothing is decided here.
#include <bpf/libbpf.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <thread>

#include "agent/engine/engine.h"
#include "agent/engine/journal.h"
#include "agent/faults/exemptions.h"
#include "agent/faults/table.h"
#include "agent/rpc/server.h"
#include "agent/target/target.h"
#include "agent/watchdog/main.h"
#include "agent/watchdog/watched_log.h"
#include "common/log.h"
#include "common/version.h"

namespace {

using namespace faultline;

enum ExitCode { kOk = 0, kNotSupported = 1, kUsage = 2, kFailed = 7 };

struct Options {
  ListenOptions listen{
      .address = "unix:/run/faultline/agent.sock", .tls_cert = {}, .tls_key = {}, .tls_ca = {}};
  std::string state_dir = "/var/lib/faultline/agent";
  std::vector<std::string> protect;
  std::vector<std::string> exempt = usual_exemptions();
  std::string log_level = "info";
  bool capabilities = false;
};

int fail(const Status& status, int code) {
  std::fprintf(stderr, "faultline-agent: %s\n", message_of(status).c_str());
  return code;
}

int print_libbpf(libbpf_print_level level, const char* format, va_list args) {
  char line[512];
  if (level == LIBBPF_DEBUG) return 0;
  std::vsnprintf(line, sizeof line, format, args);
  std::string_view text(line);
  while (text.ends_with('\n')) text.remove_suffix(1);
  spdlog::debug("event=libbpf text=\"{}\"", text);
  return 0;
}

// For asking only: where nothing may be applied, nothing need be written down, and a running agent's journal
// is its own.
class NoLog : public StickyLog {
 public:
  StatusOr<std::uint64_t> intend(const StickyRecord&) override {
    return make_error(StatusCode::kFailedPrecondition, "nothing may be applied here");
  }
  Status settle(std::uint64_t) override { return ok_status(); }
};

int print_capabilities(const TargetResolver& targets) {
  NoLog log;
  const PeerLookup lookup(targets);
  NetSupport kernel;
  NetTraffic traffic(log, kernel, lookup, {});
  FaultTable kinds = make_fault_table(traffic, lookup);
  Engine engine(targets, kinds);
  bool all = true;
  const v1::CapabilitiesResponse capabilities = engine.capabilities();
  for (const auto& kind : capabilities.kinds()) {
    std::printf("%s: %s: %s\n", kind.kind().c_str(), kind.supported() ? "supported" : "not supported",
                kind.supported() ? kind.mechanism().c_str() : kind.reason().c_str());
    all = all && kind.supported();
  }
  return all ? kOk : kNotSupported;
}

// The signals that stop the agent are taken by sigwait below, in no other thread.
sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

// What an earlier agent left. Its watchdog may be at the same state right now, so a failure is tried again.
void sweep_twice(Journal& journal) {
  if (sweep(journal, make_undo_table()).empty()) return;
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  for (const std::string& failure : sweep(journal, make_undo_table())) {
    spdlog::error("event=sweep_failed what=\"{}\"", failure);
  }
}

int serve(const Options& options, Engine& engine, NetSupport& kernel, Journal& journal, WatchedLog& log) {
  sweep_twice(journal);
  log.check();
  // Asked ahead, for the kernel takes longer to prove the programs than all the rest of an apply; an apply
  // that comes meanwhile waits for it.
  const std::jthread ask([&] {
    engine.capabilities();
    kernel.sojourn();
  });
  std::atomic<bool> stopping = false;
  std::thread ticker([&] {
    while (!stopping) {
      engine.tick();
      log.check();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  auto server = RpcServer::start(engine, options.listen);
  int result = kOk;
  if (server.ok()) {
    const sigset_t signals = stop_signals();
    int signal = 0;
    sigwait(&signals, &signal);
    spdlog::info("event=stopping signal={}", signal);
    // Before the server: a client that waits for its revert still gets its answer.
    engine.end_all(v1::END_REASON_SHUTDOWN, "the agent was told to stop");
    server->reset();
  } else {
    result = fail(server.status(), kFailed);
  }
  stopping = true;
  ticker.join();
  engine.end_all(v1::END_REASON_SHUTDOWN, "the agent was told to stop");  // what came in meanwhile
  return result;
}

int run(const Options& options) {
  if (Status status = check_listen(options.listen); !status.ok()) return fail(status, kUsage);
  auto targets = TargetResolver::make(options.protect);
  if (!targets.ok()) return fail(targets.status(), options.capabilities ? kNotSupported : kFailed);
  if (options.capabilities) return print_capabilities(*targets);
  auto exemptions = make_exemptions(options.exempt, options.listen.address);
  if (!exemptions.ok()) return fail(exemptions.status(), kUsage);
  auto journal = Journal::open(options.state_dir);
  if (!journal.ok()) return fail(journal.status(), kFailed);
  WatchedLog log(**journal, {.cgroup_root = targets->cgroup_root()});
  const PeerLookup lookup(*targets);
  NetSupport kernel;
  NetTraffic traffic(log, kernel, lookup, *std::move(exemptions));
  FaultTable kinds = make_fault_table(traffic, lookup);
  Engine engine(*targets, kinds);
  return serve(options, engine, kernel, **journal, log);
}

}  // namespace

int main(int argc, char** argv) {
  // Not for people, so not among the options below.
  if (argc == 3 && argv[1] == kWatchdogOption) return watchdog_main(argv[2]);
  Options options;
  CLI::App app{
      "Faultline node agent: puts faults into target cgroups, for as long as it is told to and no longer."};
  app.set_version_flag("--version", kVersion);
  app.add_option("--listen", options.listen.address, "unix:/path, or HOST:PORT with certificates")
      ->capture_default_str();
  app.add_option("--tls-cert", options.listen.tls_cert, "this agent's certificate (PEM)");
  app.add_option("--tls-key", options.listen.tls_key, "its private key (PEM)");
  app.add_option("--tls-ca", options.listen.tls_ca, "CA whose certificates may call (PEM)");
  app.add_option("--state-dir", options.state_dir, "folder of the journal of sticky state")
      ->capture_default_str();
  app.add_option("--protect", options.protect, "cgroup path that may never be a target; may be repeated");
  app.add_option(
         "--exempt", options.exempt,
         "traffic that no fault touches unless it names it: dns, metadata, api-server, kubelet, an address,"
         " network or ADDRESS:PORT, or none; may be repeated, and replaces the default: name that again, too;"
         " the control channel is always exempt")
      ->capture_default_str();
  app.add_option("--log-level", options.log_level, "what is logged to standard error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_flag("--capabilities", options.capabilities,
               "say what this node can do and exit: 0 everything, 1 not");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  init_logging("faultline-agent", options.log_level);
  libbpf_set_print(print_libbpf);
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return run(options);
}
