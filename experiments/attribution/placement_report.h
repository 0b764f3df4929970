// What placements earned: one pass over the persons of a site.

#ifndef VITRINE_EXPERIMENTS_ATTRIBUTION_PLACEMENT_REPORT_H_
#define VITRINE_EXPERIMENTS_ATTRIBUTION_PLACEMENT_REPORT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/attribution/credit.h"
#include "experiments/attribution/placement_tally.h"
#include "store/base/report.h"
#include "store/web_house.h"

namespace vitrine {

struct PlacementReportOptions {
  ShownPeriod period;
  CreditWindows windows;
  // What the long table's rows are; the short one has the first of them. At least one, each once.
  std::vector<PlacementKey> by = {PlacementKey::kPlacement, PlacementKey::kSource};
  // Digits behind the point of a price in a currency.
  std::function<int(absl::string_view currency)> minor_digits = [](absl::string_view) { return 2; };
  std::function<void(int64_t persons)> on_progress = nullptr;  // now and then; may be empty
};

// Tables (overview, shelves_shown, shelves_shown_in_detail), a plot of the clicks, notes. Reads the
// whole store, best a checkpoint. A share has its 95 % interval (Wilson), as if what is done with
// one product said nothing of another. Robots are left out. Memory: one person's shelves and
// newest events (limits::kCreditedEventsMax), and the groups. InvalidArgument for keys that are
// none or named twice; ResourceExhausted if there are too many groups.
absl::StatusOr<Report> PlacementReport(const WebHouse& house,
                                       const PlacementReportOptions& options);

// A share and where it lies with 95 % confidence (Wilson 1927). `of` 0: nothing is known of it.
// REQUIRES: 0 <= part <= of.
Report::Estimate WilsonShare(int64_t part, int64_t of);

}  // namespace vitrine

#endif  // VITRINE_EXPERIMENTS_ATTRIBUTION_PLACEMENT_REPORT_H_
