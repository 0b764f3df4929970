// One shelf of two recipes (experiments/interleave): which product is whose.

#ifndef VITRINE_API_SERVICE_INTERLEAVED_H_
#define VITRINE_API_SERVICE_INTERLEAVED_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

#include "recommender/placements/shelf.h"
#include "store/records_types.h"

namespace vitrine {

struct InterleavedShelf {
  std::vector<ShownProduct> shown;
  // By `shown`: the arm, 0 or 1, that earns what it does; none where both have it there, or one had
  // nothing left.
  std::vector<std::optional<int32_t>> teams;
};

// Rules that are about a shelf as a whole (a product's place, how many of a brand) hold of each
// list, and not of both together: with one of them a placement is not interleaved.
bool MayInterleave(const PlacementSet& set, const Placement& placement);

// Team draft of two lists of at most k each, neither with a product twice. The same unit and
// request get the same shelf. `id_of` gives a product's id.
InterleavedShelf InterleaveShelves(const std::vector<ShownProduct>& a,
                                   const std::vector<ShownProduct>& b, size_t k,
                                   absl::string_view experiment, absl::string_view unit,
                                   absl::string_view request,
                                   absl::FunctionRef<std::string(uint32_t)> id_of);

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_INTERLEAVED_H_
