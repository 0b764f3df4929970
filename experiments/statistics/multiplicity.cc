#include "experiments/statistics/multiplicity.h"

#include <algorithm>
#include <numeric>

namespace vitrine::experiments {
namespace {

std::vector<size_t> Ascending(std::span<const double> p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [p](size_t a, size_t b) { return p[a] < p[b]; });
  return order;
}

}  // namespace

std::vector<double> Holm(std::span<const double> p) {
  const std::vector<size_t> order = Ascending(p);
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, p[order[rank]] * static_cast<double>(order.size() - rank));
    adjusted[order[rank]] = std::min(1.0, largest);
  }
  return adjusted;
}

std::vector<double> BenjaminiHochberg(std::span<const double> p) {
  const std::vector<size_t> order = Ascending(p);
  std::vector<double> adjusted(p.size());
  double least = 1;
  for (size_t rank = order.size(); rank > 0; --rank) {
    const double factor = static_cast<double>(order.size()) / static_cast<double>(rank);
    least = std::min(least, p[order[rank - 1]] * factor);
    adjusted[order[rank - 1]] = least;
  }
  return adjusted;
}

}  // namespace vitrine::experiments
