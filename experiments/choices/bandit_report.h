// A bandit that runs: what its arms earned so far, honestly, and what each weighs next.

#ifndef VITRINE_EXPERIMENTS_CHOICES_BANDIT_REPORT_H_
#define VITRINE_EXPERIMENTS_CHOICES_BANDIT_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "experiments/bandit/batches.h"
#include "experiments/choices/choices.h"
#include "experiments/off_policy/off_policy.h"
#include "experiments/statistics/metric_sums.h"
#include "store/base/report.h"

namespace vitrine::experiments {

// All that is kept of the choices.
struct BanditSums {
  using Arms = std::vector<MetricSums>;  // one an arm

  std::map<std::string, Arms> segments;
  std::map<int64_t, Arms> batches;  // by batch
};

void AddChoice(const Experiment& experiment, const Choice& choice, BanditSums* sums);

// The batch after the experiment's: Thompson sampling by segment, of all choices so far (Beta
// posteriors from a uniform prior, of conversion; normal ones without, of revenue). A segment in
// which nothing can be told yet is left to "", which is all together; where that cannot tell
// anything either, all weigh the same.
BanditBatch NextBatch(const Experiment& experiment, const BanditSums& sums, int64_t now_ms);

// What one arm would have earned if everybody had had it.
struct ArmFinding {
  std::optional<OffPolicyReport> value;  // by propensities: weights that followed the data bias it
                                         // not, as they do the mean of those who had the arm
  std::optional<BatchedEffect> effect;   // of the treatments: batches compared each in itself
};

struct BanditFindings {
  ChoicesRead read;
  BanditSums sums;
  std::vector<ArmFinding> arms;
};

// Reads the whole store (ReadChoices), with its errors.
absl::StatusOr<BanditFindings> ReadBandit(const WebHouse& house, const Experiment& experiment,
                                          const ChoicesOptions& options);

// Values with intervals, effects over batches, what is weighed now. An arm whose log carries too
// little weight has its reason instead of numbers.
Report BanditReport(const Experiment& experiment, const BanditFindings& findings, int minor_digits);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_CHOICES_BANDIT_REPORT_H_
