// What is trained on, what is asked, and what would have been right.

#ifndef VITRINE_RECOMMENDER_OFFLINE_HOLDOUT_H_
#define VITRINE_RECOMMENDER_OFFLINE_HOLDOUT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/evaluate.h"
#include "recommender/learn/interactions.h"
#include "recommender/offline/visits.h"
#include "recommender/rank/retrieval.h"

namespace vitrine {

// One list to make: everything that `person` did before `action` of `visit` is known.
struct Case {
  uint32_t person = 0;
  uint32_t visit = 0;
  uint32_t action = 0;
};

// A case spelled out, products as columns of the training part.
struct Question {
  std::vector<Cell> history = {};  // everything known
  std::vector<Cell> session = {};  // the part of it from the visit going on
  ProductSet exclude;              // not to be suggested
  std::vector<uint32_t> targets;   // what would have been right
};

// The training part and the cases of a protocol. Products that nobody met in the training part are
// never targets: no method here can know them.
class Holdout {
 public:
  // `visits` must outlive the holdout. FailedPrecondition if nothing could be held out.
  static absl::StatusOr<Holdout> Split(const Visits& visits, const EvaluateOptions& options);

  const Interactions& training() const { return training_; }
  const std::vector<Case>& cases() const { return cases_; }
  // Thread-safe.
  Question Ask(const Case& asked) const;

 private:
  Holdout(const Visits& visits, const EvaluateOptions& options)
      : visits_(&visits), options_(options) {}

  bool IsHeldOut(const std::vector<Visit>& person, size_t visit) const;
  // Goes through the training part, person by person.
  void ForEachTrained(const std::function<void(const Action&)>& use,
                      const std::function<void()>& end_person) const;
  void Train();
  void FindCases();
  ProductSet Excluded(const Case& asked) const;
  std::vector<uint32_t> Targets(const Case& asked, ProductSet excluded) const;
  // Appends the cells of one action, if its product is in the training part.
  void AppendCell(const Action& action, std::vector<Cell>* cells) const;

  const Visits* visits_;
  EvaluateOptions options_;
  int64_t boundary_ms_ = 0;  // kSessions: visits that start here or later are held out
  Interactions training_;
  std::vector<std::optional<uint32_t>> column_of_;  // by product of the visits
  std::vector<Case> cases_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_HOLDOUT_H_
