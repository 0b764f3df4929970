#include "api/service/interleaved.h"

#include <string>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"

#include "experiments/interleave/team_draft.h"

namespace vitrine {

bool MayInterleave(const PlacementSet& set, const Placement& placement) {
  const auto of_single_products = [](const Rule& rule) {
    return rule.kind != RuleKind::PIN && rule.kind != RuleKind::CAP;
  };
  return absl::c_all_of(set.rules, of_single_products) &&
         absl::c_all_of(placement.rules, of_single_products);
}

InterleavedShelf InterleaveShelves(const std::vector<ShownProduct>& a,
                                   const std::vector<ShownProduct>& b, size_t k,
                                   absl::string_view experiment, absl::string_view unit,
                                   absl::string_view request,
                                   absl::FunctionRef<std::string(uint32_t)> id_of) {
  absl::flat_hash_map<std::string, const ShownProduct*> by_id[2];
  std::vector<std::string> ids[2];
  for (const int side : {0, 1}) {
    for (const ShownProduct& product : side == 0 ? a : b) {
      ids[side].push_back(id_of(product.product));
      by_id[side].emplace(ids[side].back(), &product);
    }
  }
  InterleavedShelf shelf;
  for (const experiments::Pick& pick :
       experiments::TeamDraft(ids[0], ids[1], k, experiment, unit, request)) {
    const int side = pick.team == experiments::Team::kB ? 1 : 0;
    shelf.shown.push_back(*by_id[side].at(pick.item));
    const bool earns = pick.team != experiments::Team::kNone && !pick.filled;
    shelf.teams.push_back(earns ? std::optional<int32_t>(side) : std::nullopt);
  }
  return shelf;
}

}  // namespace vitrine
