// What an experiment found: one pass over the persons of a site into sums by arm, a verdict, and a
// report of it for people.

#ifndef VITRINE_EXPERIMENTS_ANALYSIS_EXPERIMENT_REPORT_H_
#define VITRINE_EXPERIMENTS_ANALYSIS_EXPERIMENT_REPORT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/verdict/verdict.h"
#include "store/base/report.h"
#include "store/web_house.h"

namespace vitrine::experiments {

// All that is kept of the units.
struct ExperimentCounts {
  std::vector<ArmSums> arms;  // by the experiment's arms, metrics by DefinitionsOf
  // Units by the day (of UTC, since 1970) of their first exposure, and arm.
  std::map<int64_t, std::vector<int64_t>> days;
  int64_t mixed = 0;   // seen in two arms: in none
  int64_t forced = 0;  // were shown a forced arm: in none
  int64_t robots = 0;  // persons that are robots, in it or not
  // Replies that units name in what they did after, and those of them that left no exposure.
  int64_t replies = 0;
  int64_t replies_unexposed = 0;
};

struct ExperimentReportOptions {
  int64_t now_ms = 0;
  int minor_digits = 2;                                        // of the experiment's currency
  std::function<void(int64_t persons)> on_progress = nullptr;  // now and then; may be empty
};

// Reads the whole store, best a checkpoint. Robots are left out. Memory: one person's shelves and
// newest events (limits::kCreditedEventsMax), and the sums.
absl::StatusOr<ExperimentCounts> CountExperiment(const WebHouse& house,
                                                 const Experiment& experiment,
                                                 const ExperimentReportOptions& options);

// By the plan that was fixed at its start. A pure function: two who look at the same store see the
// same, however often somebody looked before. FailedPrecondition if it never began.
absl::StatusOr<Verdict> JudgeExperiment(const Experiment& experiment,
                                        const ExperimentCounts& counts, int64_t now_ms);

// What was tested, whether it is valid, what happened, how sure that is, what to do. Of an invalid
// experiment: the reasons, and no numbers.
Report ReportOf(const Experiment& experiment, const ExperimentCounts& counts,
                const Verdict& verdict, const ExperimentReportOptions& options);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ANALYSIS_EXPERIMENT_REPORT_H_
