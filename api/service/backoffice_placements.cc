#include "absl/status/status.h"

#include "api/service/backoffice.h"
#include "api/service/errors.h"

namespace vitrine {
namespace {

[[noreturn]] void NotThere() { ThrowStatus(absl::UnavailableError("not there yet")); }

}  // namespace

void Backoffice::placements(PlacementVersion&, const std::string&) { NotThere(); }

void Backoffice::placement_history(std::vector<PlacementVersion>&, const std::string&, int32_t) {
  NotThere();
}

void Backoffice::set_placements(PlacementVersion&, const std::string&, const PlacementSet&, int64_t,
                                const std::string&, const std::string&) {
  NotThere();
}

void Backoffice::roll_back_placements(PlacementVersion&, const std::string&, int64_t,
                                      const std::string&) {
  NotThere();
}

}  // namespace vitrine
