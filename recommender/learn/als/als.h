// Alternating least squares for implicit feedback: all products given the persons, all persons
// given the products, in turn; every row is solved as RowSolver says.
//
// A sweep first rotates both sides into the basis in which the fixed side's Gramian is diagonal
// (model/eigenbasis.h). Scores do not change by that, and factors are only defined up to it: what
// comes out lies in the basis of the products' Gramian, so that serving need not rotate at all.

#ifndef VITRINE_RECOMMENDER_LEARN_ALS_ALS_H_
#define VITRINE_RECOMMENDER_LEARN_ALS_ALS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "recommender/learn/interactions.h"
#include "recommender/model/factors.h"
#include "recommender/model/padded_matrix.h"
#include "recommender/model/settings.h"

namespace vitrine {

struct AlsFactors {
  FactorMatrix persons;   // persons x d
  FactorMatrix products;  // products x d; their Gramian is diagonal (up to rounding)
};

// The unobserved weight at which all that an average person did not touch weighs as much as 520
// cells of average weight, 0.3 at most. What one product may weigh depends on how many there are:
// 0.3, which suits a shop of four thousand, drowns in a catalogue of forty thousand what was
// observed, and the regularization, which counts it too, takes every factor to 0. O(cells).
float SuitableUnobservedWeight(const SparseRows& by_person);

// A training that is under way.
class AlsTrainer {
 public:
  // From random products, which rank better in the end than random persons would (on Gowalla,
  // d=256, Recall@20 .176 against .172) and do not depend on the order of persons. `by_person` must
  // outlive the trainer. REQUIRES: Validate(settings) is OK.
  AlsTrainer(const SparseRows& by_person, const AlsSettings& settings);

  // Begins from these products (products x d, in any basis) instead: the persons are solved against
  // them. Products that are zero, as new ones may be, have a say after the next product sweep.
  void StartFrom(const FactorMatrix& products);

  // A product sweep and a person sweep. Persons come last, so that each is exactly what folding its
  // row into the products gives.
  void RunEpoch();
  // The two halves of it. After the first, the products are all that the second needs, if the
  // solver is exact.
  void SweepProducts();
  void SweepPersons();

  FactorMatrix Products() const { return products_.Unpadded(); }
  AlsFactors Factors() const;

 private:
  // Persons from the products as they are.
  void SolvePersons();

  const SparseRows& by_person_;
  const SparseRows by_product_;
  const AlsSettings settings_;
  const std::vector<uint32_t> person_order_;
  const std::vector<uint32_t> product_order_;
  PaddedMatrix persons_;
  PaddedMatrix products_;
  bool has_persons_ = false;
};

// Runs settings.epochs epochs. The same bits for one seed, whatever the number of threads.
// `on_epoch` (may be empty) hears how many epochs are done.
// REQUIRES: Validate(settings) is OK.
AlsFactors TrainAls(const SparseRows& by_person, const AlsSettings& settings,
                    const std::function<void(uint32_t epochs_done)>& on_epoch = {});

// Where training starts: independent draws of (nearly) N(0, init_stddev^2 / factors), the same on
// every machine.
FactorMatrix RandomFactors(size_t rows, const AlsSettings& settings);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_ALS_ALS_H_
