// Alternating least squares for implicit feedback: all persons given the products, all products
// given the persons, in turn; every row is one RowSolver::Solve.

#ifndef VITRINE_RECOMMENDER_LEARN_ALS_ALS_H_
#define VITRINE_RECOMMENDER_LEARN_ALS_ALS_H_

#include <cstdint>
#include <functional>

#include "recommender/learn/interactions.h"
#include "recommender/model/factors.h"
#include "recommender/model/settings.h"

namespace vitrine {

struct AlsFactors {
  FactorMatrix persons;   // persons x d
  FactorMatrix products;  // products x d
};

// Runs settings.epochs epochs of a product sweep and a person sweep, from random persons. Persons
// come last, so that each is exactly what folding its row into the final products gives. The same
// bits for one seed, whatever the number of threads. `on_epoch` (may be empty) hears how many
// epochs are done.
// REQUIRES: Validate(settings) is OK.
AlsFactors TrainAls(const SparseRows& by_person, const AlsSettings& settings,
                    const std::function<void(uint32_t epochs_done)>& on_epoch = {});

// One sweep: solves every row against `fixed`, on settings.threads threads. `solved` is resized.
void SolveAll(const SparseRows& rows, const FactorMatrix& fixed, const AlsSettings& settings,
              FactorMatrix* solved);

// Where training starts: independent draws of (nearly) N(0, init_stddev^2 / factors), the same on
// every machine.
FactorMatrix RandomFactors(size_t rows, const AlsSettings& settings);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_ALS_ALS_H_
