#include "recommender/learn/als/als.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "recommender/learn/als/sweep.h"

namespace vitrine {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): a fixed algorithm, where the standard library's
// distributions differ from one implementation to the next.
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // In [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  // Nearly standard normal: the sum of twelve uniforms has mean 6 and variance 1, and needs no
  // function of the mathematics library, whose last bits also differ.
  double Normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += Uniform();
    return sum;
  }

 private:
  uint64_t state_;
};

PaddedMatrix RandomRows(size_t rows, const AlsSettings& settings) {
  PaddedMatrix factors(rows, settings.factors);
  const double stddev = settings.init_stddev / std::sqrt(static_cast<double>(settings.factors));
  SplitMix64 random(settings.seed);
  for (size_t r = 0; r < rows; ++r) {
    for (float& value : std::span(factors.row(r), settings.factors)) {
      value = static_cast<float>(stddev * random.Normal());
    }
  }
  return factors;
}

}  // namespace

float SuitableUnobservedWeight(const SparseRows& by_person) {
  constexpr double kCellsWorth = 520;
  constexpr double kWeightMax = 0.3;
  double sum = 0;
  for (const Cell& cell : by_person.cells) sum += cell.weight;
  if (!(sum > 0)) return kWeightMax;
  const double mean = sum / static_cast<double>(by_person.cells.size());
  return static_cast<float>(
      std::min(kWeightMax, kCellsWorth * mean / static_cast<double>(by_person.columns)));
}

FactorMatrix RandomFactors(size_t rows, const AlsSettings& settings) {
  return RandomRows(rows, settings).Unpadded();
}

AlsTrainer::AlsTrainer(const SparseRows& by_person, const AlsSettings& settings)
    : by_person_(by_person),
      by_product_(by_person.Transposed()),
      settings_(settings),
      person_order_(LongestFirst(by_person_)),
      product_order_(LongestFirst(by_product_)),
      persons_(by_person.rows(), settings.factors),
      products_(RandomRows(by_product_.rows(), settings)) {}

void AlsTrainer::StartFrom(const FactorMatrix& products) {
  products_ = PaddedMatrix(products);
  SolvePersons();
}

void AlsTrainer::SolvePersons() {
  AlsSettings exact = settings_;  // there are none yet to go on from
  exact.solver = AlsSolver::kExact;
  Sweep(by_person_, person_order_, exact, &products_, &persons_);
  has_persons_ = true;
}

void AlsTrainer::RunEpoch() {
  SweepProducts();
  SweepPersons();
}

void AlsTrainer::SweepProducts() {
  if (!has_persons_) SolvePersons();
  Sweep(by_product_, product_order_, settings_, &persons_, &products_);
}

void AlsTrainer::SweepPersons() {
  Sweep(by_person_, person_order_, settings_, &products_, &persons_);
}

AlsFactors AlsTrainer::Factors() const { return {persons_.Unpadded(), products_.Unpadded()}; }

AlsFactors TrainAls(const SparseRows& by_person, const AlsSettings& settings,
                    const std::function<void(uint32_t epochs_done)>& on_epoch) {
  AlsTrainer trainer(by_person, settings);
  for (uint32_t epoch = 1; epoch <= settings.epochs; ++epoch) {
    trainer.RunEpoch();
    if (on_epoch) on_epoch(epoch);
  }
  return trainer.Factors();
}

}  // namespace vitrine
