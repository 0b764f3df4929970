// How offers do: what those who were made them buy, beside what those buy who were made none.
//
//   tally.AddDecision(person, {"spring10"}, now);   // {}: of the control group
//   tally.AddOrder(person, later);
//   facts.odds["spring10"] = tally.OddsOf("spring10");
//
// A decision is about a person for a day: an order within it counts once, for every offer that was
// made; what is made to them again meanwhile is no other decision.
//
// q, the probability of an order without an offer, is that of the control group: the mean of its
// Beta posterior, begun as if one of 20 had ordered. p of an offer begins as if 20 more had been
// made it and had ordered as often as the control group, and is the quantile 1 - 1/t of its
// posterior, t being all decisions so far and 20 more: what is not known well is thought well of
// until it is (Bayes- UCB: Kaufmann, Cappe, Garivier, "On Bayesian upper confidence bounds for
// bandit problems", AISTATS 2012, algorithm 1 with c = 0).

#ifndef VITRINE_RECOMMENDER_OFFERS_TALLY_H_
#define VITRINE_RECOMMENDER_OFFERS_TALLY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "recommender/offers/choose.h"

namespace vitrine {

struct OfferCounts {
  int64_t decisions = 0;
  int64_t orders = 0;
};

// Thread-safe. Holds a row for each offer that was ever made, and at most kOpenMax decisions whose
// day is not over: of more, the oldest are over early. Nothing of it survives the process: then it
// learns anew.
class OfferTally {
 public:
  static constexpr int64_t kDayMs = int64_t{24} * 60 * 60 * 1000;
  static constexpr size_t kOpenMax = 200'000;

  // `person` is any name of theirs; no offers: they are of the control group (whoever could have
  // been made some and was not, since none was worth it, is no decision). False if an earlier
  // decision about them is not over.
  bool AddDecision(absl::string_view person, std::span<const std::string> offers, int64_t now_ms);
  // False if there is no decision about them that is not over, or an order was counted for it.
  bool AddOrder(absl::string_view person, int64_t now_ms);

  OfferCounts Of(absl::string_view offer) const;
  OfferCounts Control() const;

  // Some microseconds where something was counted since the last time.
  OfferOdds OddsOf(absl::string_view offer) const;

 private:
  struct Open {
    std::vector<std::string> offers;
    int64_t begun_ms = 0;
    bool ordered = false;
  };
  struct Row {
    OfferCounts counts;
    // Of these counts, at that decision in all; 0: not yet.
    int64_t worked_out_at = 0;
    double upper = 0;
  };

  void Close(int64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  double Baseline() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  mutable absl::flat_hash_map<std::string, Row> rows_ ABSL_GUARDED_BY(mutex_);
  OfferCounts control_ ABSL_GUARDED_BY(mutex_);
  int64_t decisions_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, Open> open_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> in_order_ ABSL_GUARDED_BY(mutex_);  // of open_, the oldest first
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFERS_TALLY_H_
