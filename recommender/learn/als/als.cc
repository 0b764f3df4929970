#include "recommender/learn/als/als.h"

#include <cmath>

#include "recommender/model/parallel.h"
#include "recommender/model/row_solver.h"

namespace vitrine {
namespace {

// Rows a thread takes at a time: few, because one row may have thousands of cells.
constexpr size_t kRowsPerChunk = 16;

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

}  // namespace

FactorMatrix RandomFactors(size_t rows, const AlsSettings& settings) {
  FactorMatrix factors(static_cast<Eigen::Index>(rows), settings.factors);
  const double stddev = settings.init_stddev / std::sqrt(static_cast<double>(settings.factors));
  SplitMix64 random(settings.seed);
  for (float& value : factors.reshaped<Eigen::RowMajor>()) {
    value = static_cast<float>(stddev * random.Normal());
  }
  return factors;
}

void SolveAll(const SparseRows& rows, const FactorMatrix& fixed, const AlsSettings& settings,
              FactorMatrix* solved) {
  const FactorMatrix gramian = Gramian(fixed, settings.threads);
  solved->resize(static_cast<Eigen::Index>(rows.rows()), fixed.cols());
  Chunks chunks(rows.rows(), kRowsPerChunk);
  RunOnThreads(settings.threads, [&] {
    RowSolver solver(fixed, gramian, settings);
    while (const auto chunk = chunks.Next()) {
      for (size_t r = chunk->begin; r < chunk->end; ++r) {
        solver.Solve(rows.row(r), solved->row(static_cast<Eigen::Index>(r)).data());
      }
    }
  });
}

AlsFactors TrainAls(const SparseRows& by_person, const AlsSettings& settings,
                    const std::function<void(uint32_t epochs_done)>& on_epoch) {
  const SparseRows by_product = by_person.Transposed();
  AlsFactors factors;
  factors.persons = RandomFactors(by_person.rows(), settings);
  for (uint32_t epoch = 1; epoch <= settings.epochs; ++epoch) {
    SolveAll(by_product, factors.persons, settings, &factors.products);
    SolveAll(by_person, factors.products, settings, &factors.persons);
    if (on_epoch) on_epoch(epoch);
  }
  return factors;
}

}  // namespace vitrine
