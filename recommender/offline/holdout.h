// What is trained on, what is asked, and what would have been right.

#ifndef VITRINE_RECOMMENDER_OFFLINE_HOLDOUT_H_
#define VITRINE_RECOMMENDER_OFFLINE_HOLDOUT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/evaluate.h"
#include "recommender/learn/interactions.h"
#include "recommender/offline/session_log.h"
#include "recommender/offline/visits.h"
#include "recommender/rank/retrieval.h"

namespace vitrine {

// A place in what a person did.
struct Place {
  uint32_t visit = 0;
  uint32_t action = 0;

  auto operator<=>(const Place&) const = default;
};

// One list to make: everything that `person` did before `place` is known.
struct Case {
  uint32_t person = 0;
  Place place = {};
};

// A case spelled out, products as columns of the training part.
struct Question {
  std::vector<Cell> history = {};   // everything known
  std::vector<Cell> session = {};   // the part of it from the visit going on
  std::vector<uint32_t> path = {};  // everything known in its order, oldest first
  size_t session_begin = 0;         // where in `path` the visit going on begins
  size_t known = 0;                 // actions, with those on products that are no columns
  ProductSet exclude;               // not to be suggested
  std::vector<uint32_t> targets;    // what would have been right: different ones, none excluded

  // Of the visit going on; between visits, of the last one.
  std::span<const uint32_t> clicks() const { return std::span(path).subspan(session_begin); }
};

// The training part and the cases of a protocol. Products that nobody met in the training part are
// never targets: no method here can know them.
class Holdout {
 public:
  // `visits` must outlive the holdout. FailedPrecondition if nothing could be held out, or the
  // visits are not such as the protocol asks for.
  static absl::StatusOr<Holdout> Split(const Visits& visits, const EvaluateOptions& options);

  const Interactions& training() const { return training_; }
  // The training part's visits in the order in which they ended, products as columns. O(actions).
  SessionLog TrainingSessions() const;
  // All, or options.cases_max of them drawn with options.seed, by person.
  const std::vector<Case>& cases() const { return cases_; }
  int64_t all_cases() const { return all_cases_; }
  // Products that were asked for and nobody met in training: no targets of any case.
  int64_t unknown_targets() const { return unknown_targets_; }
  const Visits& visits() const { return *visits_; }

  // Thread-safe.
  Question Ask(const Case& asked) const;

 private:
  Holdout(const Visits& visits, const EvaluateOptions& options)
      : visits_(&visits), options_(options) {}

  absl::Status Prepare();
  // Where what is held out of a person begins.
  Place CutOf(const std::vector<Visit>& person) const;
  // Goes through the training part, person by person.
  void ForEachTrained(const std::function<void(const Action&)>& use,
                      const std::function<void()>& end_person) const;
  void Train();
  void FindCases();
  void DrawCases();
  // Whether one list is asked for all that a person has after the cut, or one for each click.
  bool AsksForAll() const;
  // Calls use(place, action) for all that the person did before `end`, oldest first.
  template <typename Use>
  void ForEachBefore(const std::vector<Visit>& person, Place end, const Use& use) const;
  std::vector<uint32_t> Excluded(const Case& asked) const;  // ascending
  // `unknown` counts those that are no columns; may be null.
  std::vector<uint32_t> Targets(const Case& asked, std::span<const uint32_t> excluded,
                                int64_t* unknown) const;

  const Visits* visits_;
  EvaluateOptions options_;
  int64_t boundary_ms_ = 0;  // of kSessions and kTimeSplit: what is here or later is held out
  std::vector<Place> cuts_;  // by person
  Interactions training_;
  std::vector<std::optional<uint32_t>> column_of_;  // by product of the visits
  std::vector<Case> cases_;
  int64_t all_cases_ = 0;
  int64_t unknown_targets_ = 0;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_HOLDOUT_H_
