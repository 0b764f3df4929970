// Reads the units of an experiment from a store: all of them once, and again those that did
// something since.

#ifndef VITRINE_EXPERIMENTS_ANALYSIS_UNIT_COUNTER_H_
#define VITRINE_EXPERIMENTS_ANALYSIS_UNIT_COUNTER_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"

#include "experiments/analysis/experiment_counts.h"
#include "experiments/analysis/outcome_table.h"
#include "experiments/analysis/product_book.h"
#include "store/web_house.h"

namespace vitrine::experiments {

// Not thread-safe. Memory: OutcomeTable and ProductBook, and while it reads one person's shelves
// and newest events (limits::kCreditedEventsMax).
class UnitCounter {
 public:
  // REQUIRES: it has begun.
  explicit UnitCounter(Experiment experiment) : experiment_(std::move(experiment)) {}

  const Experiment& experiment() const { return experiment_; }
  // Of another version of the experiment: what was counted stays right unless its time or its
  // metrics changed.
  bool CountsAlike(const Experiment& other) const;

  // Reads the whole store, best a checkpoint. `on_progress` may be empty.
  absl::Status CountAll(const WebHouse& house,
                        const std::function<void(int64_t persons)>& on_progress);
  // Counts these persons (each named once, in any order) anew, also of a store that is being
  // written to. Products that were met before stay as they were.
  absl::Status CountAgain(const WebHouse& house, std::vector<Person> persons);

  // Of all that were read. O(units).
  ExperimentCounts Counts() const;

  size_t units() const { return units_.size(); }

 private:
  absl::Status Count(const WebHouse& house, const Person& person, RobotScan* robots);
  absl::Status CountReplies(const WebHouse& house, UnitOutcome* outcome) const;

  const Experiment experiment_;
  OutcomeTable units_;
  ProductBook products_;
  int64_t catalogue_ = 0;
  // Of the person at hand.
  std::vector<Exposure> shelves_;
  std::vector<Event> events_;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ANALYSIS_UNIT_COUNTER_H_
