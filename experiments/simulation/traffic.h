// What happens in the shop from the first day to the last, in order of time.
//
//   ASSIGN_OR_RETURN(const Shop shop, Shop::Create({.seed = 7}));
//   Simulate(shop, [&](const Visit& visit, const Step& step) { ...; return absl::OkStatus(); });
//
// One thread, a pure function of the shop's options: two runs give the same steps.

#ifndef VITRINE_EXPERIMENTS_SIMULATION_TRAFFIC_H_
#define VITRINE_EXPERIMENTS_SIMULATION_TRAFFIC_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/simulation/shop.h"
#include "experiments/simulation/visit.h"
#include "store/records_types.h"

namespace vitrine {

// Calls `visit_step` for each step of each visit: times never go back and lie within the shop's
// days. An error ends the simulation and is returned. Memory: O(customers + orders), not O(steps).
absl::Status Simulate(const Shop& shop,
                      absl::FunctionRef<absl::Status(const Visit&, const Step&)> visit_step);

// The event that a tracked step sends to the shop's owner. REQUIRES: step.tracked.
Event ToEvent(const Shop& shop, const Visit& visit, const Step& step);

// All events of a shop with these options, in order of time (with robot_share = 0: of people
// only). InvalidArgument as ValidateShopOptions.
absl::StatusOr<std::vector<Event>> Events(const ShopOptions& options);

// Appends the address of a place, without and with "https://shop.example" before it: "/p/p0042" on
// the web, "/app/p/p0042" in the app. REQUIRES: place.page is not kOutside.
void AppendPath(const Shop& shop, Channel channel, Place place, std::string* out);
void AppendUrl(const Shop& shop, Channel channel, Place place, std::string* out);

}  // namespace vitrine

#endif  // VITRINE_EXPERIMENTS_SIMULATION_TRAFFIC_H_
