// What each customer is worth: the models of recommender/customers fitted to a site's histories,
// and one customer scored by them, then and after every purchase that follows.
//
//   ASSIGN_OR_RETURN(const CustomerBase base, ReadCustomerBase(house, {}));
//   const ValueModel model = FitValueModel(Histories(base), base.last_day, {});
//   // On a purchase: no fit, this customer's events alone.
//   ASSIGN_OR_RETURN(const auto days, ReadPurchaseDays(house, person, options));
//   const std::optional<CustomerValue> value = ScoreCustomer(model, days, today);

#ifndef VITRINE_RECOMMENDER_CUSTOMER_BASE_CUSTOMER_VALUES_H_
#define VITRINE_RECOMMENDER_CUSTOMER_BASE_CUSTOMER_VALUES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "recommender/customer_base/customer_base.h"
#include "recommender/customers/gamma_gamma.h"
#include "recommender/customers/life_cycle.h"
#include "recommender/customers/purchase_model.h"
#include "recommender/customers/purchase_summary.h"

namespace vitrine {

struct ValueOptions {
  PurchaseModelKind model = PurchaseModelKind::kMbgNbd;  // life_cycle.h says why not BG/NBD
  int32_t horizon_days = 365;    // that is looked ahead; 1 to limits::kHorizonDaysMax
  double yearly_discount = 0.1;  // of what is earned later; not negative
  double resold_share = 1;       // EarnedMinor
  LifeCycleRules rules = {};
};

// All that scoring needs: numbers, to be kept until the next fit.
struct ValueModel {
  ValueOptions options;
  std::optional<PurchaseModel> purchases;  // in weeks; none: see `purchases_status`
  std::optional<GammaGamma> spending;      // in minor units; none: see `spending_status`
  absl::Status purchases_status;           // why a model does not hold here
  absl::Status spending_status;
  FitInfo purchases_info;
  FitInfo spending_info;
  double spending_correlation = 0;
  double mean_value_minor = 0;  // of a day with a purchase
  double net_share = 1;         // what stays of what is bought, less what comes back
  double earned_share = 1;      // what is earned by it
  double site_gap_days = 0;     // between two purchases of a customer, on average; 0: not known
  // Stages are by the model's P(alive); else by usual gaps. The likelihood of a season in which
  // everybody buys more is highest where nobody ever leaves: then P(alive) tells nobody apart.
  bool stages_by_model = false;
};

// What is said of one customer as of a day.
struct CustomerValue {
  PurchaseSummary summary;
  LifeStage stage = LifeStage::kProspect;
  double alive = 0;                   // that they are a customer still
  double expected_purchases = 0;      // days with a purchase, within the horizon
  double expected_value_minor = 0;    // of one of them
  double expected_revenue_minor = 0;  // within the horizon, less what comes back
  double lifetime_value_minor = 0;    // what is earned by it within the horizon, discounted
  double earned_minor = 0;            // so far
};

// One list of days for each customer.
std::vector<std::vector<PurchaseDay>> Histories(const CustomerBase& base);

// Fits as of the end of `day`. A model that does not hold is left out and says why: then purchases
// are expected at the past rate and stages are by usual gaps; the value of a purchase is the mean
// of the customer's and one of the site's mean. Stages are by the model only if by it at least one
// in a hundred customers has left.
ValueModel FitValueModel(std::span<const std::vector<PurchaseDay>> customers, int32_t day,
                         const ValueOptions& options);

// As of the end of `day`; none if nothing was bought by then. What comes back, and what is earned,
// is the customer's own share, taken as if they had bought five mean purchases at the share of all.
// Some microseconds.
std::optional<CustomerValue> ScoreCustomer(const ValueModel& model,
                                           std::span<const PurchaseDay> days, int32_t day);

// The stage of a customer as of the end of `day`; a prospect's if nothing was bought by then.
LifeStage StageAt(const ValueModel& model, std::span<const PurchaseDay> days, int32_t day);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMER_BASE_CUSTOMER_VALUES_H_
