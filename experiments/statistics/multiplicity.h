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

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_STATISTICS_MULTIPLICITY_H_
