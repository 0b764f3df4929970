// The top 20 and the top 200 of all products by inner product, d=64, one thread: medians of the
// scan, of the plain scan over floats, of reading the codes of its first pass once, and of FAISS's
// flat index where libfaiss-dev is there, all of the same tastes in turn. Every list is compared
// with the plain one. Factors are of two kinds: normal, with norms all alike, the worst case; and
// with norms as a trained model has them. Then many tastes at once, on all cores. The taste of a
// new customer, by the number of products they had to do with. And a whole Recommend() for someone
// with a history of 100 events in a shop of 4,000 products, with and without a session going on.

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cmath>
#include <random>
#include <vector>

#ifdef VITRINE_FAISS
#include <faiss/IndexFlat.h>
#include <omp.h>
#endif

#include "absl/strings/str_cat.h"

#include "recommender/rank/fold_in.h"
#include "recommender/rank/ranker.h"
#include "recommender/rank/retrieval.h"
#include "store/base/check.h"

namespace vitrine {
namespace {

constexpr Eigen::Index kFactors = 64;
constexpr int64_t kNowMs = 1'700'000'000'000;

double SecondsOf(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double Percentile(std::vector<double>* seconds, double share) {
  const auto place = static_cast<size_t>(share * static_cast<double>(seconds->size()));
  std::nth_element(seconds->begin(), seconds->begin() + static_cast<ptrdiff_t>(place),
                   seconds->end());
  return (*seconds)[place];
}

double Median(std::vector<double>* seconds) { return Percentile(seconds, 0.5); }

FactorMatrix NormalFactors(Eigen::Index rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  FactorMatrix factors(rows, kFactors);
  for (float& factor : factors.reshaped()) factor = normal(random);
  return factors;
}

// With norms as trained models have them: their logarithms are normal. The spread is that of a
// model of 99,997 products with d=64 that was trained on a simulated shop's 4,575,026 cells of
// 543,424 persons: standard deviation 0.83 (the 5th, 25th, 75th, 95th, 99th and 99.9th percentiles
// are at -1.47, -.67, .57, 1.84, 2.67 and 3.17 of it from the mean; normal would be -1.64, -.67,
// .67, 1.64, 2.33 and 3.09).
FactorMatrix TrainedFactors(Eigen::Index rows, uint64_t seed) {
  constexpr float kDeviation = 0.83f;
  FactorMatrix factors = NormalFactors(rows, seed);
  std::mt19937_64 random(seed + 1);
  std::normal_distribution<float> normal;
  for (auto row : factors.rowwise()) {
    row *= std::exp(kDeviation * normal(random)) / row.norm();
  }
  return factors;
}

FactorMatrix Factors(bool trained, Eigen::Index rows) {
  return trained ? TrainedFactors(rows, 1) : NormalFactors(rows, 1);
}

// What FAISS's flat index takes for one taste; nothing where there is no FAISS.
class Faiss {
 public:
#ifdef VITRINE_FAISS
  explicit Faiss(const FactorMatrix& factors) : index_(factors.cols()) {
    omp_set_num_threads(1);
    index_.add(factors.rows(), factors.data());
  }
  void Search(const Eigen::VectorXf& taste, size_t k) {
    std::vector<float> scores(k);
    std::vector<faiss::Index::idx_t> products(k);
    index_.search(1, taste.data(), static_cast<faiss::Index::idx_t>(k), scores.data(),
                  products.data());
    benchmark::DoNotOptimize(scores.data());
  }

 private:
  faiss::IndexFlatIP index_;
#else
  explicit Faiss(const FactorMatrix&) {}
  void Search(const Eigen::VectorXf&, size_t) {}
#endif
};

void BM_TopProducts(benchmark::State& state) {
  const Eigen::Index products = state.range(0);
  const FactorMatrix factors = Factors(state.range(1) != 0, products);
  const auto k = static_cast<size_t>(state.range(2));
  const QuantizedFactors quantized(factors);
  const FactorMatrix tastes = NormalFactors(64, 2);
  const ProductSet exclude(static_cast<size_t>(products));
  Faiss faiss(factors);
  std::vector<double> fast, plain, read, other;
  Eigen::Index turn = 0;
  for (auto _ : state) {
    const Eigen::VectorXf taste = tastes.row(turn++ % tastes.rows()).transpose();
    std::vector<Scored> list, twin;
    fast.push_back(SecondsOf([&] { list = TopProducts(quantized, factors, taste, exclude, k); }));
    state.SetIterationTime(fast.back());
    plain.push_back(SecondsOf([&] { twin = TopProducts(factors, taste, exclude, k); }));
    CHECK(list == twin);
    other.push_back(SecondsOf([&] { faiss.Search(taste, k); }));
    // The bytes of a whole first pass, as floats are read: what the memory gives.
    const auto bytes = quantized.blocks() * quantized.slices() * QuantizedFactors::kSliceBytes;
    const Eigen::Map<const Eigen::VectorXf> codes(
        reinterpret_cast<const float*>(quantized.codes(0)), static_cast<Eigen::Index>(bytes / 4));
    read.push_back(SecondsOf([&] { benchmark::DoNotOptimize(codes.sum()); }));
  }
  const double median = Median(&fast);
  state.counters["p50_us"] = median * 1e6;
  state.counters["p90_us"] = Percentile(&fast, 0.9) * 1e6;
  state.counters["plain_us"] = Median(&plain) * 1e6;
  state.counters["faiss_us"] = Median(&other) * 1e6;
  state.counters["read_us"] = Median(&read) * 1e6;
  state.counters["x_read"] = median / Median(&read);
}
void ForKinds(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"products", "trained", "k"})->UseManualTime()->Unit(benchmark::kMicrosecond);
}
BENCHMARK(BM_TopProducts)
    ->Apply(ForKinds)
    ->ArgsProduct({{4'000}, {0, 1}, {20, 200}})
    ->Iterations(2'000);
BENCHMARK(BM_TopProducts)
    ->Apply(ForKinds)
    ->ArgsProduct({{50'000}, {0, 1}, {20, 200}})
    ->Iterations(500);
BENCHMARK(BM_TopProducts)
    ->Apply(ForKinds)
    ->ArgsProduct({{1'000'000}, {0, 1}, {20, 200}})
    ->Iterations(50);

void BM_TopProductsForAll(benchmark::State& state) {
  constexpr Eigen::Index kPersons = 20'000;
  const FactorMatrix factors = Factors(state.range(1) != 0, 41'000);
  const QuantizedFactors quantized(factors);
  const FactorMatrix tastes = NormalFactors(kPersons, 2);
  for (auto _ : state) {
    benchmark::DoNotOptimize(TopProductsForAll(quantized, factors, tastes, nullptr, 20,
                                               static_cast<uint32_t>(state.range(0))));
  }
  state.counters["persons/s"] =
      benchmark::Counter(kPersons, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(BM_TopProductsForAll)
    ->ArgNames({"threads", "trained"})
    ->ArgsProduct({{1, 2}, {0, 1}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// In the order of their numbers.
std::string ProductName(size_t product) {
  return absl::StrCat("product-", absl::Dec(product, absl::kZeroPad8));
}

Model MakeModel(size_t products, Eigen::Index d = kFactors) {
  ModelParts model;
  model.als.factors = static_cast<uint32_t>(d);
  model.newest_ms = kNowMs;
  model.factors = 0.1f * FactorMatrix::Random(static_cast<Eigen::Index>(products), d);
  for (size_t p = 0; p < products; ++p) {
    model.products.push_back(ProductName(p));
    model.popularity.push_back(static_cast<float>(products - p));
  }
  absl::StatusOr<Model> made = MakeModel(std::move(model));
  CHECK(made.ok()) << made.status();
  return *std::move(made);
}

// A new customer: from the row of their cells to their taste.
void BM_FoldIn(benchmark::State& state) {
  const Model model = MakeModel(40'000, state.range(0));
  std::mt19937 random(3);
  std::vector<std::vector<Cell>> customers(256);
  for (std::vector<Cell>& cells : customers) {
    for (int64_t i = 0; i < state.range(1); ++i) {
      cells.push_back({static_cast<uint32_t>(random() % model.products.size()), 1.0f});
    }
    MergeCells(model.weights.cell_weight_max, &cells);
  }
  std::vector<double> seconds;
  for (auto _ : state) {
    const std::vector<Cell>& cells = customers[seconds.size() % customers.size()];
    seconds.push_back(SecondsOf([&] { benchmark::DoNotOptimize(Taste(model, cells, {}, 0)); }));
  }
  state.counters["p50_us"] = Median(&seconds) * 1e6;
}
BENCHMARK(BM_FoldIn)
    ->ArgNames({"d", "cells"})
    ->ArgsProduct({{64, 128}, {1, 10, 50, 200}})
    ->Iterations(20'000)
    ->Unit(benchmark::kMicrosecond);

Event MakeEvent(EventKind kind, int64_t time_ms, size_t product) {
  Event event;
  event.kind = kind;
  event.time_ms = time_ms;
  event.items.emplace_back();
  event.items[0].product_id = ProductName(product);
  return event;
}

void BM_Recommend(benchmark::State& state) {
  static const Model& model = *new Model(MakeModel(4'000));
  std::mt19937 random(1);
  std::vector<Event> history;
  for (int i = 0; i < 100; ++i) {
    const int64_t minutes_ago = i < state.range(0) ? i + 1 : 1440 * (i + 1);
    history.push_back(MakeEvent(i % 3 == 0 ? PURCHASE : VIEW_ITEM, kNowMs - minutes_ago * 60'000,
                                random() % model.products.size()));
  }
  const RankOptions options{.k = 20, .now_ms = kNowMs};
  double best = 1e9;
  for (auto _ : state) {
    best = std::min(
        best, SecondsOf([&] { benchmark::DoNotOptimize(Recommend(model, history, options)); }));
  }
  state.counters["best_us"] = best * 1e6;
}
BENCHMARK(BM_Recommend)->ArgName("session_events")->Arg(0)->Arg(3)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vitrine

BENCHMARK_MAIN();
