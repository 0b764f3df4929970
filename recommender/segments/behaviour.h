// How a customer behaves, as a few numbers that customers can be grouped by.

#ifndef VITRINE_RECOMMENDER_SEGMENTS_BEHAVIOUR_H_
#define VITRINE_RECOMMENDER_SEGMENTS_BEHAVIOUR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

#include "recommender/segments/evaluate.h"

namespace vitrine {

constexpr size_t kBehaviourSize = 6;

// In the order of kBehaviourNames; what is skewed as log(1 + x).
using Behaviour = std::array<double, kBehaviourSize>;

// Days since they were last seen (log), orders (log), what they bought in units of a hundred minor
// ones (log), the share of it that came back, visits (log), days since they were first seen (log).
inline constexpr std::array<absl::string_view, kBehaviourSize> kBehaviourNames = {
    "recency", "frequency", "monetary", "returns", "visits", "tenure"};

// As of `now_ms`; money in `currency`. None of who was never seen by then. O(events).
std::optional<Behaviour> BehaviourOf(const CustomerProfile& profile, const SegmentWorld& world,
                                     absl::string_view currency, int64_t now_ms);

// From 0. REQUIRES: at least one, and as many numbers of each as behaviour has.
size_t NearestCentroid(const Clustering& clustering, const Behaviour& behaviour);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_SEGMENTS_BEHAVIOUR_H_
