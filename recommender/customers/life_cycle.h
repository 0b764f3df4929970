// Where a customer stands in their life with the shop, and what the shop wants of them there. Where
// nobody says good-bye (non-contractual business), the probability of being alive takes the place
// of a churn label (Reinartz, Kumar, J. of Marketing 64, 2000; Fader, Hardie, Lee 2005).

#ifndef VITRINE_RECOMMENDER_CUSTOMERS_LIFE_CYCLE_H_
#define VITRINE_RECOMMENDER_CUSTOMERS_LIFE_CYCLE_H_

#include <cstdint>

#include "absl/strings/string_view.h"

#include "recommender/customers/purchase_model.h"
#include "recommender/customers/purchase_summary.h"

namespace vitrine {

enum class LifeStage {
  kProspect,  // known, has bought nothing
  kNew,       // bought for the first time lately
  kActive,    // a customer still, most likely
  kLoyal,     // active, and has bought often
  kAtRisk,    // perhaps gone
  kLapsed,    // gone, most likely
  kWonBack,   // was gone, and has bought again lately
};

inline constexpr LifeStage kLifeStages[] = {
    LifeStage::kProspect, LifeStage::kNew,    LifeStage::kActive, LifeStage::kLoyal,
    LifeStage::kAtRisk,   LifeStage::kLapsed, LifeStage::kWonBack};

enum class StageGoal { kAcquire, kExpand, kRetain };

// "prospect", "new", "active", "loyal", "at_risk", "lapsed", "won_back"; "acquire", ...
absl::string_view LifeStageName(LifeStage stage);
absl::string_view StageGoalName(StageGoal goal);

// Acquire: prospects, and the lapsed, who must be won anew. Expand: new, active, won back. Retain:
// loyal, at risk.
StageGoal GoalOf(LifeStage stage);

// Whether somebody is a customer still.
enum class Presence { kHere, kDoubtful, kGone };

struct LifeCycleRules {
  double doubtful_below = 0.5;  // probability of being alive
  double gone_below = 0.2;
  double doubtful_gaps = 2;  // or: days since the last purchase, in usual gaps
  double gone_gaps = 4;
  int32_t new_days = 60;        // since the first purchase; won back: since the last
  int64_t loyal_purchases = 4;  // days with a purchase
};

Presence PresenceByProbability(double alive, const LifeCycleRules& rules);
// The baseline without a model. `gap_days` above 0.
Presence PresenceByGap(double days_since_last, double gap_days, const LifeCycleRules& rules);

// The usual gap between the customer's purchases: the mean of those seen and of one more of the
// site's, so that a customer with one purchase has that.
double UsualGapDays(const PurchaseSummary& customer, double site_gap_days);

// The stage of a customer who has bought, as of a day. `before_last`: their presence just before
// the last purchase.
LifeStage StageOf(const PurchaseSummary& customer, int32_t day, Presence now, Presence before_last,
                  const LifeCycleRules& rules);

// Both presences by the model. Who leaves by BG/NBD does so after a repeat purchase only, so that
// there customers with one purchase never lapse: take MBG/NBD or Pareto/NBD.
LifeStage StageByModel(const PurchaseSummary& customer, int32_t day, const PurchaseModel& model,
                       const LifeCycleRules& rules, double days_per_unit = kDaysPerWeek);

// Both by usual gaps.
LifeStage StageByGap(const PurchaseSummary& customer, int32_t day, double site_gap_days,
                     const LifeCycleRules& rules);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMERS_LIFE_CYCLE_H_
