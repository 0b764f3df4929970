// What an experiment found: one pass over the persons of a site into sums by arm, a verdict, and a
// report of it for people.

#ifndef VITRINE_EXPERIMENTS_ANALYSIS_EXPERIMENT_REPORT_H_
#define VITRINE_EXPERIMENTS_ANALYSIS_EXPERIMENT_REPORT_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"

#include "experiments/analysis/experiment_counts.h"
#include "experiments/verdict/verdict.h"
#include "store/base/report.h"
#include "store/web_house.h"

namespace vitrine::experiments {

struct ExperimentReportOptions {
  int64_t now_ms = 0;
  int minor_digits = 2;                                        // of the experiment's currency
  std::function<void(int64_t persons)> on_progress = nullptr;  // now and then; may be empty
};

// Reads the whole store, best a checkpoint (UnitCounter does so again for a few units alone).
// Robots are left out. FailedPrecondition if it never began.
absl::StatusOr<ExperimentCounts> CountExperiment(const WebHouse& house,
                                                 const Experiment& experiment,
                                                 const ExperimentReportOptions& options);

// By the plan that was fixed at its start. A pure function: two who look at the same store see the
// same, however often somebody looked before.
absl::StatusOr<Verdict> JudgeExperiment(const Experiment& experiment,
                                        const ExperimentCounts& counts, int64_t now_ms);

// What was tested, whether it is valid, what happened, how sure that is, what to do; how the metric
// that decides came to where it is, and what it is by channel, device, country, and of new and
// returning visitors. Of an invalid experiment: the reasons, and no numbers. `verdict` is what
// JudgeExperiment said of these counts.
absl::StatusOr<Report> ReportOf(const Experiment& experiment, const ExperimentCounts& counts,
                                const Verdict& verdict, const ExperimentReportOptions& options);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ANALYSIS_EXPERIMENT_REPORT_H_
