// Whether a new model may take the place of the one that is served.
//
// Both rank the whole catalogue for people whose last visit was kept from the new one, as the
// server would have when the visit began. Visits that the served model was trained on would speak
// for it, so only later ones count. The new model is worse if the interval of the difference in
// NDCG@20 (paired bootstrap, 95 %) lies below zero altogether.

#ifndef VITRINE_RECOMMENDER_OFFLINE_GATE_H_
#define VITRINE_RECOMMENDER_OFFLINE_GATE_H_

#include <cstddef>
#include <span>

#include "recommender/learn/held_out.h"
#include "recommender/model/model.h"
#include "recommender/offline/bootstrap.h"

namespace vitrine {

enum class GateOutcome {
  kNotWorse,
  kWorse,
  kNothingServed,  // there is nothing to be worse than
  kTooFewVisits,   // fewer than GateVerdict::kVisitsMin: no word on it
};

struct GateVerdict {
  static constexpr size_t kVisitsMin = 50;

  GateOutcome outcome = GateOutcome::kNothingServed;
  size_t visits = 0;       // that were asked about
  double ndcg = 0;         // NDCG@20 of the new model
  double served_ndcg = 0;  // of the one that is served, on the same visits
  Interval difference = {};

  bool may_publish() const { return outcome != GateOutcome::kWorse; }
};

// `served` may be null. O(visits * products).
GateVerdict JudgeModel(const Model& model, const Model* served,
                       std::span<const HeldOutVisit> held_out);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_GATE_H_
