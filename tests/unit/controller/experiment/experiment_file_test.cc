#include "controller/experiment/experiment_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "tests/unit/controller/experiment/sample_experiment.h"

namespace faultline {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ExperimentFile, ReadsEveryKey) {
  const StatusOr<Experiment> read = parse_experiment(kSampleExperiment, "a.yaml");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->name, "gateway-to-metrics-delay");
  EXPECT_EQ(read->description, "The gateway answers while the metrics store is slow.");
  EXPECT_EQ(read->file, "a.yaml");
  EXPECT_EQ(read->source, kSampleExperiment);
  EXPECT_EQ(read->steady_state.every, 100ms);
  EXPECT_EQ(read->steady_state.baseline, 2s);
  EXPECT_EQ(read->recovery.within, 10s);
  EXPECT_EQ(read->recovery.stable, 1500ms);

  ASSERT_EQ(read->steady_state.probes.size(), 2U);
  const Probe& gateway = read->steady_state.probes[0];
  EXPECT_EQ(gateway.name, "gateway");
  EXPECT_EQ(gateway.timeout, 2s);
  EXPECT_EQ(gateway.degraded_above, 150ms);
  EXPECT_DOUBLE_EQ(gateway.tolerance.degraded, 1.0);
  EXPECT_DOUBLE_EQ(gateway.tolerance.unhealthy, 0.025);
  EXPECT_EQ(gateway.pos.line, 9);
  EXPECT_EQ(gateway.pos.column, 7);
  const auto& http = std::get<HttpCheck>(gateway.check);
  EXPECT_EQ(http.url, "http://10.88.77.2/healthz");
  EXPECT_THAT(http.status, ElementsAre(200, 204));
  ASSERT_TRUE(http.json.has_value());
  EXPECT_EQ(http.json->pointer, "/status");
  EXPECT_THAT(http.json->healthy, ElementsAre("ok", "1"));
  EXPECT_THAT(http.json->degraded, ElementsAre("warn"));
  const auto& tcp = std::get<TcpCheck>(read->steady_state.probes[1].check);
  EXPECT_EQ(tcp.host, "fd00::4");
  EXPECT_EQ(tcp.port, 5432);

  ASSERT_EQ(read->stop_conditions.size(), 2U);
  EXPECT_EQ(read->stop_conditions[0].probe, "gateway");
  EXPECT_EQ(read->stop_conditions[0].state, HealthState::kUnhealthy);
  EXPECT_EQ(read->stop_conditions[0].lasting, 3s);
  EXPECT_EQ(read->stop_conditions[1].state, HealthState::kDegraded);
}

TEST(ExperimentFile, ReadsTheMethodAsATree) {
  const StatusOr<Experiment> read = parse_experiment(kSampleExperiment, "a.yaml");
  ASSERT_TRUE(read.ok()) << read.status();
  const Block& method = read->method;
  EXPECT_FALSE(method.parallel);
  ASSERT_EQ(method.steps.size(), 3U);

  const auto& slow = std::get<FaultStep>(method.steps[0].what);
  EXPECT_EQ(slow.target, "container:fl-demo-gateway");
  EXPECT_EQ(slow.kind, "delay");
  EXPECT_EQ(slow.duration, 10s);
  EXPECT_EQ(slow.target_pos.line, 22);
  EXPECT_EQ(slow.target_pos.column, 15);
  EXPECT_EQ(slow.spec.delay().latency().nanos(), 200'000'000);
  EXPECT_EQ(slow.spec.delay().jitter().nanos(), 500'000);
  const v1::NetworkFilter& to = slow.spec.delay().traffic();
  EXPECT_THAT(std::vector<std::string>(to.peers().begin(), to.peers().end()),
              ElementsAre("10.88.77.3/32", "fd00::/64", "10.0.0.1"));
  ASSERT_EQ(to.ports_size(), 2);
  EXPECT_EQ(to.ports(0).first(), 9090U);
  EXPECT_EQ(to.ports(0).last(), 9090U);
  EXPECT_EQ(to.ports(1).first(), 8000U);
  EXPECT_EQ(to.ports(1).last(), 8010U);
  EXPECT_EQ(to.protocol(), v1::PROTOCOL_TCP);

  EXPECT_EQ(std::get<WaitStep>(method.steps[1].what).duration, 2s);
  const auto& parallel = std::get<Block>(method.steps[2].what);
  EXPECT_TRUE(parallel.parallel);
  ASSERT_EQ(parallel.steps.size(), 2U);
  const auto& drop = std::get<FaultStep>(parallel.steps[0].what);
  EXPECT_EQ(drop.kind, "loss");
  EXPECT_EQ(drop.duration, 90s);
  EXPECT_DOUBLE_EQ(drop.spec.loss().packets().probability(), 0.1);
  EXPECT_EQ(drop.spec.seed(), 42U);
  EXPECT_FALSE(std::get<Block>(parallel.steps[1].what).parallel);

  std::vector<std::string> names;
  for (const FaultStep* step : fault_steps(method)) names.push_back(step->name);
  EXPECT_THAT(names, ElementsAre("slow-metrics", "drop", "drop-2"));
}

TEST(ExperimentFile, FillsInTheDocumentedDefaults) {
  const StatusOr<Experiment> read = parse_experiment(
      "apiVersion: faultline/v1\n"
      "kind: Experiment\n"
      "name: small\n"
      "steadyState: { probes: [ { name: p, http: { url: http://localhost:1/ } } ] }\n"
      "method: [ fault: { name: f, target: 'cgroup:/x', for: 1s, loss: { probability: 100% } } ]\n",
      "a.yaml");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->steady_state.every, 250ms);
  EXPECT_EQ(read->steady_state.baseline, 3s);
  EXPECT_EQ(read->recovery.within, 30s);
  EXPECT_EQ(read->recovery.stable, 1s);
  EXPECT_TRUE(read->stop_conditions.empty());
  const Probe& probe = read->steady_state.probes[0];
  EXPECT_EQ(probe.timeout, 1s);
  EXPECT_FALSE(probe.degraded_above.has_value());
  EXPECT_DOUBLE_EQ(probe.tolerance.degraded, 1.0);
  EXPECT_DOUBLE_EQ(probe.tolerance.unhealthy, 0.0);
  EXPECT_THAT(std::get<HttpCheck>(probe.check).status, ElementsAre(200));
  const FaultStep* fault = fault_steps(read->method)[0];
  EXPECT_EQ(fault->spec.seed(), 1U);
  EXPECT_EQ(fault->spec.loss().traffic().peers_size(), 0);
  EXPECT_EQ(fault->spec.loss().traffic().protocol(), v1::PROTOCOL_ANY);
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    char name[] = "/tmp/faultline-experiment-XXXXXX";
    const int fd = mkstemp(name);
    if (fd >= 0) close(fd);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(ExperimentFile, LoadsFromDiskAndNamesTheFileInErrors) {
  const TemporaryFile good{std::string(kSampleExperiment)};
  const StatusOr<Experiment> read = load_experiment(good.path());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->file, good.path());
  EXPECT_EQ(read->source, kSampleExperiment);

  const TemporaryFile bad(sample_with("latency: 200ms", "latency: 200"));
  EXPECT_EQ(message_of(load_experiment(bad.path()).status()),
            bad.path() + ":25:18: latency: 200 has no unit; write 200ms, 200us or 200s");
}

TEST(ExperimentFile, RefusesWhatIsNoFileOrTooLarge) {
  EXPECT_EQ(load_experiment("/nonexistent/x.yaml").status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(load_experiment("/tmp").ok());
  EXPECT_THAT(message_of(load_experiment("/dev/zero").status()), HasSubstr("larger than 1048576 bytes"));
  EXPECT_THAT(message_of(load_experiment("/dev/null").status()), HasSubstr("the file is empty"));

  const std::string padding(kMaxExperimentFileBytes - kSampleExperiment.size(), '\n');
  EXPECT_TRUE(load_experiment(TemporaryFile(std::string(kSampleExperiment) + padding).path()).ok());
  EXPECT_THAT(
      message_of(
          load_experiment(TemporaryFile(std::string(kSampleExperiment) + padding + "\n").path()).status()),
      HasSubstr("larger than"));
}

TEST(ExperimentFile, NamesUpToTheLimitAreTaken) {
  EXPECT_TRUE(parse_experiment(sample_with("name: slow-metrics", "name: " + std::string(40, 'x')), "a").ok());
  EXPECT_FALSE(
      parse_experiment(sample_with("name: slow-metrics", "name: " + std::string(41, 'x')), "a").ok());
  EXPECT_TRUE(parse_experiment(sample_with("gateway-to-metrics-delay", std::string(64, 'x')), "a").ok());
  EXPECT_FALSE(parse_experiment(sample_with("gateway-to-metrics-delay", std::string(65, 'x')), "a").ok());
}

// Whatever is done to a file, the reader answers: an experiment, or an error that names a place in the file.
void expect_an_answer(const std::string& text) {
  const StatusOr<Experiment> read = parse_experiment(text, "m.yaml");
  if (read.ok()) {
    EXPECT_FALSE(fault_steps(read->method).empty());
    EXPECT_FALSE(read->steady_state.probes.empty());
    return;
  }
  EXPECT_EQ(read.status().code(), StatusCode::kInvalidArgument);
  int line = 0;
  int column = 0;
  ASSERT_EQ(sscanf(message_of(read.status()).c_str(), "m.yaml:%d:%d: ", &line, &column), 2) << read.status();
  EXPECT_GE(line, 1);
  EXPECT_LE(line, std::count(text.begin(), text.end(), '\n') + 1) << read.status();
  EXPECT_GE(column, 1);
}

TEST(ExperimentFile, AnswersWhereverTheFileIsCutOff) {
  for (std::size_t length = 0; length < kSampleExperiment.size(); ++length) {
    expect_an_answer(std::string(kSampleExperiment.substr(0, length)));
  }
}

TEST(ExperimentFile, AnswersWhateverByteIsPutAnywhere) {
  for (std::size_t at = 0; at < kSampleExperiment.size(); ++at) {
    for (const char byte : {'\0', '\n', ' ', ':', '-', '{', ']', '"', '&', '|', '#', '\xff'}) {
      std::string replaced(kSampleExperiment);
      replaced[at] = byte;
      expect_an_answer(replaced);
    }
    std::string removed(kSampleExperiment);
    removed.erase(at, 1);
    expect_an_answer(removed);
  }
}

}  // namespace
}  // namespace faultline
