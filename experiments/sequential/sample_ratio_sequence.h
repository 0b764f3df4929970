// Sample ratio mismatch that may be looked at after every unit (Lindon, Malek: Anytime-valid
// inference for multinomial count data, NeurIPS 2022).

#ifndef VITRINE_EXPERIMENTS_SEQUENTIAL_SAMPLE_RATIO_SEQUENCE_H_
#define VITRINE_EXPERIMENTS_SEQUENTIAL_SAMPLE_RATIO_SEQUENCE_H_

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"

namespace vitrine::experiments {

// Logarithm of the Bayes factor against the shares, after these counts of units: a Dirichlet prior
// `prior` over what the shares may be instead. Infinite if a unit is in an arm without a share.
// InvalidArgument for lists of different length, negative counts or shares, a prior not above 0.
absl::StatusOr<double> SampleRatioLogEvidence(std::span<const int64_t> units,
                                              std::span<const double> shares,
                                              std::span<const double> prior);

// p of this look, 1 / the Bayes factor, cut at 1; the experiment's is the least so far (RunningP).
// The prior is `concentration` times the shares. A large one looks for small mismatches only, and
// is slow at the beginning: take the order of the units expected, and keep chi-square for the end.
absl::StatusOr<double> SampleRatioSequentialP(std::span<const int64_t> units,
                                              std::span<const double> shares, double concentration);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_SEQUENTIAL_SAMPLE_RATIO_SEQUENCE_H_
