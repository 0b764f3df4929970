// The simulated shop as files, for `vitrine simulate`.
//
//   events.jsonl   what the shop's own tracking saw: our Events, one JSON object a line
//   access.log     what its web server saw of the same visits: the combined log format
//   catalogue.csv  id,name,category,price,currency,stock,brand (price in minor units)
//   truth.csv      kind,id,visitor_ids,treated,top_products: who is a customer with an account
//                  ("account"), without one ("guest") or a robot ("robot"), by which visitor ids
//                  the events know them, and the 20 products each person likes best

#ifndef VITRINE_EXPERIMENTS_SIMULATION_WRITE_SHOP_H_
#define VITRINE_EXPERIMENTS_SIMULATION_WRITE_SHOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"

#include "experiments/simulation/shop.h"
#include "store/base/clock.h"
#include "store/base/report.h"
#include "store/records_types.h"

namespace vitrine {

struct SimulationProgress {
  int32_t days_done = 0;
  int32_t days_total = 0;
  int64_t events = 0;
};

struct WriteShopOptions {
  bool overwrite = false;  // else a directory that is not empty is refused
  // Neither access.log nor truth.csv: of a large shop they take by far the longest.
  bool events_only = false;
  // Called once a simulated day; may be empty.
  std::function<void(const SimulationProgress&)> on_progress;
};

struct SimulationSummary {
  uint64_t seed = 0;
  std::map<EventKind, int64_t> events_by_kind = {};
  int64_t events = 0;
  int64_t visits = 0;  // of customers
  int64_t robot_visits = 0;
  int64_t log_lines = 0;
  int64_t bytes = 0;  // of all files
  double seconds = 0;
};

// Writes the files into `directory` (made if absent, with its parents). InvalidArgument as
// ValidateShopOptions, or if `directory` is a file; FailedPrecondition if it is not empty and
// `overwrite` is not set; the error of the disk, and then the files are incomplete. The same shop
// options give the same bytes on every machine.
absl::StatusOr<SimulationSummary> WriteShop(const ShopOptions& shop_options,
                                            const std::string& directory,
                                            const WriteShopOptions& options = {},
                                            const Clock& clock = Clock::System());

// Counts by kind, sizes, speed, and the seed to repeat it with.
Report SimulationReport(const SimulationSummary& summary);

}  // namespace vitrine

#endif  // VITRINE_EXPERIMENTS_SIMULATION_WRITE_SHOP_H_
