// Which of two interleaved rankings people prefer, and how sure that is.

#ifndef VITRINE_EXPERIMENTS_INTERLEAVE_PREFERENCE_H_
#define VITRINE_EXPERIMENTS_INTERLEAVE_PREFERENCE_H_

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"

#include "experiments/interleave/team_draft.h"
#include "experiments/statistics/metric_sums.h"

namespace vitrine::experiments {

struct Preference {
  int64_t users = 0, lists = 0;
  int64_t users_a = 0, users_b = 0;  // who gave one more lists than the other
  // Mean over users of (lists won by B + half of the ties) / their lists - 1/2, in [-1/2, 1/2]:
  // that of Chapelle, Joachims, Radlinski, Yue (TOIS 2012, eq. 1), each user counting once, so that
  // one who sees hundreds of lists decides neither it nor its interval.
  double delta = 0;
  double low = 0, high = 0;
  // Two-sided sign test over users who prefer one: exact, and lists of one user count once.
  double p = 1;
};

// Sums only. Not thread-safe.
class PreferenceTally {
 public:
  // The credit of each list that one user was shown; a list is won by who has more.
  void AddUser(std::span<const Credit> lists);

  // FailedPrecondition: fewer than two users. One look: p is for an end that was fixed before.
  absl::StatusOr<Preference> Compute(double alpha) const;

 private:
  MetricSums sums_;  // by user: the share won by B
  int64_t lists_ = 0, users_a_ = 0, users_b_ = 0;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_INTERLEAVE_PREFERENCE_H_
