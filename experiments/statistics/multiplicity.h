// Many metrics and arms, one experiment: p-values adjusted for their number, in the order given.
// O(n log n), thread-safe. REQUIRES: 0 <= p <= 1.

#ifndef VITRINE_EXPERIMENTS_STATISTICS_MULTIPLICITY_H_
#define VITRINE_EXPERIMENTS_STATISTICS_MULTIPLICITY_H_

#include <span>
#include <vector>

namespace vitrine::experiments {

// The chance of one false finding among all stays below alpha (Holm 1979).
std::vector<double> Holm(std::span<const double> p);

// The part of false findings among all findings stays below alpha (Benjamini, Hochberg 1995).
std::vector<double> BenjaminiHochberg(std::span<const double> p);

// Levels for intervals that hold together, which the adjusted p-values above do not give: the
// primary metric's comparisons share gamma * alpha, all others the rest.
struct PreferentialLevels {
  double primary = 0;
  double other = 0;
};

// `comparisons` are arms beside the control, >= 1; `metrics` with the primary, >= 1. One metric has
// all of alpha. REQUIRES: 0 < gamma < 1.
PreferentialLevels PreferentialBonferroni(double alpha, int comparisons, int metrics,
                                          double gamma = 0.8);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_STATISTICS_MULTIPLICITY_H_
