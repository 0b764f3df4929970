// What a site's customers are worth, and where they stand: RFM, life cycle and movement, retention,
// what they are expected to bring, and how far such expectations were right before.

#ifndef VITRINE_RECOMMENDER_CUSTOMER_BASE_CUSTOMER_REPORT_H_
#define VITRINE_RECOMMENDER_CUSTOMER_BASE_CUSTOMER_REPORT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

#include "recommender/customer_base/customer_base.h"
#include "recommender/customer_base/customer_values.h"
#include "store/base/report.h"
#include "store/web_house.h"

namespace vitrine {

struct CustomerReportOptions {
  CustomerBaseOptions base = {};
  ValueOptions value = {};
  std::optional<absl::CivilDay> as_of = std::nullopt;  // its end; none: the last with a purchase
  std::optional<absl::CivilDay> since = std::nullopt;  // of movement; none: 90 days before
  int32_t holdout_days = 0;  // 0: a third of the time since the first purchase
  size_t top = 10;           // rows of lists of customers; 1 to limits::kMinedRowsMax
  // Digits behind the point of a price in a currency.
  std::function<int(absl::string_view currency)> minor_digits = [](absl::string_view) { return 2; };
};

// Tables (overview, life_stages, life_movement, rfm_grid, rfm_revenue, retention, cohorts,
// value_distribution, expected_revenue, best_customers, unprofitable_customers, value_models,
// holdout, holdout_by_purchases), plots and notes. A table that nothing can be said in is left out;
// why a model was, a note says. Reads the whole store, best a checkpoint. InvalidArgument for
// options out of range, or days in the wrong order; otherwise as ReadCustomerBase.
absl::StatusOr<Report> CustomerReport(const WebHouse& house, const CustomerReportOptions& options);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMER_BASE_CUSTOMER_REPORT_H_
