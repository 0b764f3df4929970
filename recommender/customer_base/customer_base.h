// Who bought what, when, of a site's whole history: the store read once into purchase histories,
// from which everything else about customers' value is computed without it.

#ifndef VITRINE_RECOMMENDER_CUSTOMER_BASE_CUSTOMER_BASE_H_
#define VITRINE_RECOMMENDER_CUSTOMER_BASE_CUSTOMER_BASE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "recommender/customers/purchase_summary.h"
#include "store/key_format.h"
#include "store/web_house.h"

namespace vitrine {

struct CustomerBaseOptions {
  std::string currency = "";                       // empty: the one in which most customers bought
  absl::TimeZone time_zone = absl::UTCTimeZone();  // of the shop's days
  // Of a product whose margin the catalogue does not know, so much of what was paid; 0 to 1.
  double margin_share = 1;
  // Visitors without a customer id who bought are customers too: for shops where few log in. Else
  // they are only counted, as nobody knows who of them is whom.
  bool visitors = false;
  std::function<void(int64_t events)> on_progress = nullptr;  // now and then; may be empty
};

struct CustomerHistory {
  Person person;
  int32_t known_since = 0;        // the day of their first event
  std::vector<PurchaseDay> days;  // ascending; empty: a prospect
};

struct CustomerBase {
  std::string currency;                    // of all amounts; empty: nothing had one
  std::vector<CustomerHistory> customers;  // in the order of their keys
  int32_t first_day = 0;                   // on which anybody bought or gave back
  int32_t last_day = 0;
  int64_t guests = 0;            // visitors who bought, if they are not customers
  int64_t other_currencies = 0;  // purchases and refunds left out for their currency
  int64_t lines = 0;             // of purchases, in the currency
  int64_t lines_with_margin = 0;
};

// Customers, known by an id, whether they bought or not; robots are left out.
// Reads the whole store, best a checkpoint. What is bought earns what was paid less the product's
// cost (the catalogue's price less its margin; its margin where it has no price). Memory: a few
// words for each day on which somebody bought. InvalidArgument for options out of range;
// ResourceExhausted beyond limits::kValuedCustomersMax.
absl::StatusOr<CustomerBase> ReadCustomerBase(const WebHouse& house,
                                              const CustomerBaseOptions& options);

// The days of one person as of now, in `options.currency`, which must be named: for scoring after a
// purchase. Reads their events alone.
absl::StatusOr<std::vector<PurchaseDay>> ReadPurchaseDays(const WebHouse& house,
                                                          const Person& person,
                                                          const CustomerBaseOptions& options);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMER_BASE_CUSTOMER_BASE_H_
