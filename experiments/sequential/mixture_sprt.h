// The mixture sequential probability ratio test, beside the confidence sequence of which it is a
// relative: for whoever compares with a house that uses it.

#ifndef VITRINE_EXPERIMENTS_SEQUENTIAL_MIXTURE_SPRT_H_
#define VITRINE_EXPERIMENTS_SEQUENTIAL_MIXTURE_SPRT_H_

#include "absl/status/statusor.h"

#include "experiments/sequential/confidence_sequence.h"
#include "experiments/statistics/effect.h"

namespace vitrine::experiments {

// Johari, Koomen, Pekelis, Walsh (KDD 2017): effects are mixed by N(0, tau), the likelihood ratio
// is sqrt(V / (V + tau)) exp(tau D^2 / (2 V (V + tau))), V = se^2, and p its inverse. Tau is frozen
// at the start: with one that shrinks as data comes, as one vendor documents, the threshold is the
// same at all times, and whoever looks long enough crosses it. (That vendor's interval is this one
// at alpha / 2.) Immutable, thread-safe.
class MixtureSprt {
 public:
  // InvalidArgument: alpha not in (0, 1), tau not above 0.
  static absl::StatusOr<MixtureSprt> Create(double alpha, double tau);

  SequentialLook Look(const Estimate& estimate) const;

 private:
  MixtureSprt(double alpha, double tau) : alpha_(alpha), tau_(tau) {}

  double alpha_;
  double tau_;
};

// The usual choice: effects as large as the fixed test would just find, of `unit_variances` (that
// of both arms, added) after `planned_units` (of both arms together).
double MixtureVariance(double alpha, double unit_variances, double planned_units);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_SEQUENTIAL_MIXTURE_SPRT_H_
