// What another share of an experiment's arms would have earned, from what was logged: before
// anybody is given it.

#ifndef VITRINE_EXPERIMENTS_CHOICES_EVALUATE_H_
#define VITRINE_EXPERIMENTS_CHOICES_EVALUATE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/choices/choices.h"
#include "experiments/off_policy/off_policy.h"
#include "store/base/report.h"

namespace vitrine::experiments {

struct TargetPolicy {
  std::string experiment;
  // By arm, of sum 1, in each segment; "" is for those that have none of their own, and is wanted.
  std::map<std::string, std::map<std::string, double>> weights;
};

// InvalidArgument, naming what is wrong, if the policy is none of this experiment's: an arm that
// there is not, weights below 0 or not of sum 1. A recipe that no arm has cannot be judged: nothing
// in the log tells what it would have shown.
absl::Status CheckTarget(const Experiment& experiment, const TargetPolicy& target);

struct Evaluation {
  ChoicesRead read;
  OffPolicyReport report;
};

// Predictions of DR are means by segment and arm of other units (off_policy/cross_fit.h). Reads the
// store twice (ReadChoices, with its errors). FailedPrecondition if too few units say anything.
absl::StatusOr<Evaluation> EvaluatePolicy(const WebHouse& house, const Experiment& experiment,
                                          const TargetPolicy& target,
                                          const ChoicesOptions& options);

// While there are objections it shows them, and no numbers.
Report EvaluationReport(const Experiment& experiment, const Evaluation& evaluation,
                        int minor_digits);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_CHOICES_EVALUATE_H_
