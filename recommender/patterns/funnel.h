// How many get how far: stages one after the other, each a condition of the next.

#ifndef VITRINE_RECOMMENDER_PATTERNS_FUNNEL_H_
#define VITRINE_RECOMMENDER_PATTERNS_FUNNEL_H_

#include <cstdint>
#include <span>
#include <vector>

namespace vitrine {

struct FunnelStep {
  int64_t reached = 0;     // got here or farther
  double of_first = 0;     // share of those who came at all; 0 if nobody did
  double of_previous = 0;  // share of those who reached the stage before; 1 for the first

  bool operator==(const FunnelStep&) const = default;
};

// `furthest[s]` got to stage s and no farther. One step a stage.
std::vector<FunnelStep> Funnel(std::span<const int64_t> furthest);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PATTERNS_FUNNEL_H_
