#include "recommender/customers/life_cycle.h"

namespace vitrine {

absl::string_view LifeStageName(LifeStage stage) {
  switch (stage) {
    case LifeStage::kProspect:
      return "prospect";
    case LifeStage::kNew:
      return "new";
    case LifeStage::kActive:
      return "active";
    case LifeStage::kLoyal:
      return "loyal";
    case LifeStage::kAtRisk:
      return "at_risk";
    case LifeStage::kLapsed:
      return "lapsed";
    case LifeStage::kWonBack:
      return "won_back";
  }
  return "";
}

absl::string_view StageGoalName(StageGoal goal) {
  switch (goal) {
    case StageGoal::kAcquire:
      return "acquire";
    case StageGoal::kExpand:
      return "expand";
    case StageGoal::kRetain:
      return "retain";
  }
  return "";
}

StageGoal GoalOf(LifeStage stage) {
  switch (stage) {
    case LifeStage::kProspect:
    case LifeStage::kLapsed:
      return StageGoal::kAcquire;
    case LifeStage::kNew:
    case LifeStage::kActive:
    case LifeStage::kWonBack:
      return StageGoal::kExpand;
    case LifeStage::kLoyal:
    case LifeStage::kAtRisk:
      return StageGoal::kRetain;
  }
  return StageGoal::kAcquire;
}

Presence PresenceByProbability(double alive, const LifeCycleRules& rules) {
  if (alive < rules.gone_below) return Presence::kGone;
  return alive < rules.doubtful_below ? Presence::kDoubtful : Presence::kHere;
}

Presence PresenceByGap(double days_since_last, double gap_days, const LifeCycleRules& rules) {
  const double gaps = days_since_last / gap_days;
  if (gaps > rules.gone_gaps) return Presence::kGone;
  return gaps > rules.doubtful_gaps ? Presence::kDoubtful : Presence::kHere;
}

double UsualGapDays(const PurchaseSummary& customer, double site_gap_days) {
  const double seen = customer.last_day - customer.first_day;
  return (seen + site_gap_days) / static_cast<double>(customer.history.purchases + 1);
}

LifeStage StageOf(const PurchaseSummary& customer, int32_t day, Presence now, Presence before_last,
                  const LifeCycleRules& rules) {
  if (now == Presence::kGone) return LifeStage::kLapsed;
  if (now == Presence::kDoubtful) return LifeStage::kAtRisk;
  if (day - customer.first_day <= rules.new_days) return LifeStage::kNew;
  if (before_last == Presence::kGone && day - customer.last_day <= rules.new_days) {
    return LifeStage::kWonBack;
  }
  const int64_t purchases = customer.history.purchases + 1;
  return purchases >= rules.loyal_purchases ? LifeStage::kLoyal : LifeStage::kActive;
}

LifeStage StageByModel(const PurchaseSummary& customer, int32_t day, const PurchaseModel& model,
                       const LifeCycleRules& rules, double days_per_unit) {
  const auto presence = [&](const RepeatHistory& history) {
    return PresenceByProbability(model.ProbabilityAlive(history), rules);
  };
  const Presence before = customer.history.purchases == 0
                              ? Presence::kHere
                              : presence(BeforeLastPurchase(customer, days_per_unit));
  return StageOf(customer, day, presence(customer.history), before, rules);
}

LifeStage StageByGap(const PurchaseSummary& customer, int32_t day, double site_gap_days,
                     const LifeCycleRules& rules) {
  const Presence now =
      PresenceByGap(day - customer.last_day, UsualGapDays(customer, site_gap_days), rules);
  if (customer.history.purchases == 0) return StageOf(customer, day, now, Presence::kHere, rules);
  PurchaseSummary before = customer;
  before.last_day = customer.previous_day;
  --before.history.purchases;
  const Presence then = PresenceByGap(customer.last_day - customer.previous_day,
                                      UsualGapDays(before, site_gap_days), rules);
  return StageOf(customer, day, now, then, rules);
}

}  // namespace vitrine
