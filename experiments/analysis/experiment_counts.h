// All that a verdict and a report take of an experiment's units: sums.

#ifndef VITRINE_EXPERIMENTS_ANALYSIS_EXPERIMENT_COUNTS_H_
#define VITRINE_EXPERIMENTS_ANALYSIS_EXPERIMENT_COUNTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "experiments/analysis/outcome_table.h"
#include "experiments/statistics/metric_sums.h"
#include "experiments/statistics/winsorise.h"
#include "experiments/verdict/cuts.h"
#include "experiments/verdict/verdict.h"
#include "store/records_types.h"

namespace vitrine::experiments {

// What an arm showed. A unit counts a product once, however often it was shown it: somebody who
// comes every day does not make it popular.
struct ShownByArm {
  int64_t units = 0;
  int64_t products = 0;  // that any of its units was shown
  int64_t showings = 0;  // products, of all its units
  // Of all its showings, -log2 of the share of units (of all arms) that were shown the product: the
  // mean self-information of Zhou et al. (PNAS 2010, novelty). 0 if everybody sees the same.
  double bits = 0;
  // Of its shelves, pairs of products, and those of them of two categories: the mean dissimilarity
  // within a list of Ziegler et al. (WWW 2005), by categories.
  int64_t pairs = 0;
  int64_t pairs_apart = 0;

  bool operator==(const ShownByArm&) const = default;
};

// A thing that units are told apart by.
struct Dimension {
  std::string name;       // "channel", "device", "country", "visitor"
  std::vector<Cut> cuts;  // of the metric that decides, by falling number of units
};

struct ExperimentCounts {
  std::vector<ArmSums> arms;  // by the experiment's arms, metrics by DefinitionsOf
  // By metric: values above it count as it (Experiment.cap_quantile); without an end where there is
  // no cap.
  std::vector<Caps> caps;
  // Units by the day (of UTC, since 1970) of their first exposure, and arm.
  std::map<int64_t, std::vector<int64_t>> days;
  // The metric that decides as it stood at the end of a day, by arm; days on which it changed.
  std::map<int64_t, std::vector<MetricSums>> so_far;
  // Of values that are many, the rarest are one, "other"; what is not known is "". Those of which
  // all units have the same value are left out.
  std::vector<Dimension> dimensions;
  std::vector<ShownByArm> shown;  // by arm
  int64_t catalogue = 0;          // products that the store knows
  int64_t mixed = 0;              // seen in two arms: in none
  int64_t forced = 0;             // were shown a forced arm: in none
  int64_t robots = 0;             // that were shown a shelf of it: in none
  // Replies that units name in what they did after, and those of them that left no exposure.
  int64_t replies = 0;
  int64_t replies_unexposed = 0;
};

// The order of the units makes no difference. O(units x metrics), without reading a store.
ExperimentCounts CountUp(const Experiment& experiment, const OutcomeTable& units);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ANALYSIS_EXPERIMENT_COUNTS_H_
