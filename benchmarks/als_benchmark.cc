// Seconds per epoch (a person sweep and a product sweep) of exact iALS, on made-up data of the
// shape of the Gowalla check-ins: 29,858 persons, 40,981 products, 810,128 cells, with as uneven
// degrees.
//
// Beside it, in the same run, stands what this machine multiplies: a large product of matrices on
// as many threads. `limit` is the epoch's own arithmetic at that rate, `x_limit` how many times as
// long the epoch takes.

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cmath>
#include <random>
#include <vector>

#include "recommender/learn/als/als.h"
#include "recommender/model/parallel.h"

namespace vitrine {
namespace {

constexpr size_t kPersons = 29'858;
constexpr size_t kProducts = 40'981;
constexpr size_t kCells = 810'128;

double SecondsOf(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// An index that is the more likely the lower it is, about as 1 / rank^0.6.
uint32_t DrawUneven(size_t size, std::mt19937_64* random) {
  const double uniform = std::uniform_real_distribution<double>()(*random);
  return static_cast<uint32_t>(static_cast<double>(size) * std::pow(uniform, 2.5));
}

SparseRows GowallaShape() {
  std::mt19937_64 random(1);
  std::vector<std::vector<Cell>> rows(kPersons);
  for (size_t cells = 0; cells < kCells; ++cells) {
    rows[DrawUneven(kPersons, &random)].push_back({DrawUneven(kProducts, &random), 1});
  }
  SparseRows out;
  out.columns = kProducts;
  for (std::vector<Cell>& row : rows) {
    MergeCells(1, &row);
    out.cells.insert(out.cells.end(), row.begin(), row.end());
    out.offsets.push_back(out.cells.size());
  }
  return out;
}

// 2 n d^2 / 2 per side for the rank updates, d^3 / 3 + 2 d^2 per row to solve, d^2 per row for the
// Gramian.
double FlopsPerEpoch(const SparseRows& rows, double d) {
  const auto count = static_cast<double>(rows.rows() + rows.columns);
  return 2 * static_cast<double>(rows.cells.size()) * d * d + count * (d * d * d / 3 + 3 * d * d);
}

double FlopsPerSecond(uint32_t threads) {
  constexpr Eigen::Index kSize = 768;
  constexpr size_t kProductsEach = 8;
  Chunks chunks(threads * kProductsEach, 1);
  const double seconds = SecondsOf([&] {
    RunOnThreads(threads, [&] {
      const Eigen::MatrixXf a = Eigen::MatrixXf::Random(kSize, kSize);
      Eigen::MatrixXf c = a;
      while (chunks.Next()) c.noalias() = a * a;
      benchmark::DoNotOptimize(c.data());
    });
  });
  return 2.0 * kSize * kSize * kSize * static_cast<double>(threads * kProductsEach) / seconds;
}

void BM_AlsEpoch(benchmark::State& state) {
  static const SparseRows& by_person = *new SparseRows(GowallaShape());
  static const SparseRows& by_product = *new SparseRows(by_person.Transposed());
  const AlsSettings settings{.factors = static_cast<uint32_t>(state.range(0)),
                             .unobserved_weight = 0.01f,
                             .regularization = 0.0046f,
                             .threads = static_cast<uint32_t>(state.range(1))};
  AlsFactors factors{RandomFactors(by_person.rows(), settings), {}};
  double best = 1e9;
  for (auto _ : state) {
    best = std::min(best, SecondsOf([&] {
                      SolveAll(by_product, factors.persons, settings, &factors.products);
                      SolveAll(by_person, factors.products, settings, &factors.persons);
                    }));
  }
  const double flops = FlopsPerEpoch(by_person, settings.factors);
  const double limit = flops / FlopsPerSecond(settings.threads);
  state.counters["best_s"] = best;
  state.counters["GFLOP/s"] = flops / best * 1e-9;
  state.counters["limit_s"] = limit;
  state.counters["x_limit"] = best / limit;
}
BENCHMARK(BM_AlsEpoch)
    ->ArgNames({"d", "threads"})
    ->Args({64, 1})
    ->Args({64, 2})
    ->Args({128, 2})
    ->UseRealTime()
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vitrine

BENCHMARK_MAIN();
