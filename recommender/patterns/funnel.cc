#include "recommender/patterns/funnel.h"

namespace vitrine {
namespace {

double Share(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<FunnelStep> Funnel(std::span<const int64_t> furthest) {
  std::vector<FunnelStep> steps(furthest.size());
  int64_t reached = 0;
  for (size_t s = furthest.size(); s-- > 0;) steps[s].reached = reached += furthest[s];
  for (size_t s = 0; s < steps.size(); ++s) {
    steps[s].of_first = Share(steps[s].reached, steps[0].reached);
    steps[s].of_previous = s == 0 ? 1.0 : Share(steps[s].reached, steps[s - 1].reached);
  }
  return steps;
}

}  // namespace vitrine
