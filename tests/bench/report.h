// What a bench measured: a table for people and build/bench/NAME.json for machines. Samples of the value and
// of its peer come in rounds, the i-th of both from the same round, so that whatever the machine did
// meanwhile hit both; the median over the rounds is what counts. Misses are told, never failures: a bench
// that ends is green.
#pragma once

#include <string>
#include <vector>

namespace faultline::bench {

using Samples = std::vector<double>;  // one per round

double quantile(Samples samples, double q);
double median(Samples samples);
// From the first to the third quartile: what half of the rounds stayed within.
double spread(Samples samples);

struct Budget {
  enum class Of { kNone, kRatio, kDifference };
  Of of = Of::kNone;
  double at_most = 0;
};
inline Budget ratio_at_most(double ratio) {
  return {Budget::Of::kRatio, ratio};
}
inline Budget more_at_most(double difference) {
  return {Budget::Of::kDifference, difference};
}

struct Measurement {
  std::string metric;
  std::string unit;
  Samples values;
  std::string peer;  // who did the same; empty: nobody
  Samples peer_values;
  Budget budget{};
};

class Report {
 public:
  // `name` is the JSON file's, without ".json".
  Report(std::string name, std::string about);
  void add(Measurement measurement);
  // A line below the table.
  void note(std::string line);
  // Prints the table and writes the file into `folder`, which must exist. The exit code for main.
  int finish(const std::string& folder) const;

  std::string table() const;
  std::string json() const;

 private:
  std::string name_, about_;
  std::vector<Measurement> measurements_;
  std::vector<std::string> notes_;
};

}  // namespace faultline::bench
