#include "experiments/interleave/preference.h"

#include <algorithm>
#include <cmath>

#include "experiments/statistics/distributions.h"

namespace vitrine::experiments {

void PreferenceTally::AddUser(std::span<const Credit> lists) {
  if (lists.empty()) return;
  double score = 0;
  int balance = 0;
  for (const Credit& credit : lists) {
    score += credit.b > credit.a ? 1 : credit.b == credit.a ? 0.5 : 0;
    balance += (credit.b > credit.a) - (credit.a > credit.b);
  }
  sums_.Add({.value = score / static_cast<double>(lists.size())});
  lists_ += static_cast<int64_t>(lists.size());
  users_a_ += balance < 0;
  users_b_ += balance > 0;
}

absl::StatusOr<Preference> PreferenceTally::Compute(double alpha) const {
  if (sums_.units < 2) return absl::FailedPreconditionError("fewer than two users");
  Preference preference;
  preference.users = sums_.units;
  preference.lists = lists_;
  const double se = std::sqrt(sums_.Variance(kValue) / static_cast<double>(sums_.units));
  const double half = NormalQuantile(1 - alpha / 2) * se;
  preference.delta = sums_.Mean(kValue) - 0.5;
  preference.low = preference.delta - half;
  preference.high = preference.delta + half;
  const double more = static_cast<double>(std::max(users_a_, users_b_));
  const double decided = static_cast<double>(users_a_ + users_b_);
  preference.p = std::min(1.0, 2 * BinomialSurvival(more, decided, 0.5));
  return preference;
}

}  // namespace vitrine::experiments
