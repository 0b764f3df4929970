// The top 20 of all products by inner product, d=64, one thread: medians of the scan with its first
// pass over bytes, of the plain scan over floats, of reading those bytes once, and of FAISS's flat
// index where libfaiss-dev is there, all of the same tastes in turn. Every list is compared with
// the plain one. Then many tastes at once, on all cores. The taste of a new customer, by the number
// of products they had to do with. And a whole Recommend() for someone with a
// history of 100 events in a shop of 4,000 products, with and without a session going on.

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
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

double Median(std::vector<double>* seconds) {
  std::nth_element(seconds->begin(), seconds->begin() + static_cast<ptrdiff_t>(seconds->size() / 2),
                   seconds->end());
  return (*seconds)[seconds->size() / 2];
}

FactorMatrix NormalFactors(Eigen::Index rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  FactorMatrix factors(rows, kFactors);
  for (float& factor : factors.reshaped()) factor = normal(random);
  return factors;
}

// What FAISS's flat index takes for one taste; nothing where there is no FAISS.
class Faiss {
 public:
#ifdef VITRINE_FAISS
  explicit Faiss(const FactorMatrix& factors) : index_(factors.cols()) {
    omp_set_num_threads(1);
    index_.add(factors.rows(), factors.data());
  }
  void Search(const Eigen::VectorXf& taste) {
    float scores[20];
    faiss::Index::idx_t products[20];
    index_.search(1, taste.data(), 20, scores, products);
    benchmark::DoNotOptimize(scores);
  }

 private:
  faiss::IndexFlatIP index_;
#else
  explicit Faiss(const FactorMatrix&) {}
  void Search(const Eigen::VectorXf&) {}
#endif
};

void BM_TopProducts(benchmark::State& state) {
  const Eigen::Index products = state.range(0);
  const FactorMatrix factors = NormalFactors(products, 1);
  const QuantizedFactors quantized(factors);
  const FactorMatrix tastes = NormalFactors(64, 2);
  const ProductSet exclude(static_cast<size_t>(products));
  Faiss faiss(factors);
  std::vector<double> fast, plain, read, other;
  Eigen::Index turn = 0;
  for (auto _ : state) {
    const Eigen::VectorXf taste = tastes.row(turn++ % tastes.rows()).transpose();
    std::vector<Scored> list, twin;
    fast.push_back(SecondsOf([&] { list = TopProducts(quantized, factors, taste, exclude, 20); }));
    state.SetIterationTime(fast.back());
    plain.push_back(SecondsOf([&] { twin = TopProducts(factors, taste, exclude, 20); }));
    CHECK(list == twin);
    other.push_back(SecondsOf([&] { faiss.Search(taste); }));
    // The bytes of the first pass, as floats are read: what the memory gives.
    const auto bytes = quantized.blocks() * quantized.groups() * 64;
    const Eigen::Map<const Eigen::VectorXf> codes(
        reinterpret_cast<const float*>(quantized.codes(0)), static_cast<Eigen::Index>(bytes / 4));
    read.push_back(SecondsOf([&] { benchmark::DoNotOptimize(codes.sum()); }));
  }
  const double median = Median(&fast);
  state.counters["p50_us"] = median * 1e6;
  state.counters["plain_us"] = Median(&plain) * 1e6;
  state.counters["faiss_us"] = Median(&other) * 1e6;
  state.counters["read_us"] = Median(&read) * 1e6;
  state.counters["x_read"] = median / Median(&read);
}
void ForSizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("products")->UseManualTime()->Unit(benchmark::kMicrosecond);
}
BENCHMARK(BM_TopProducts)->Apply(ForSizes)->Arg(4'000)->Iterations(5'000);
BENCHMARK(BM_TopProducts)->Apply(ForSizes)->Arg(50'000)->Iterations(1'000);
BENCHMARK(BM_TopProducts)->Apply(ForSizes)->Arg(1'000'000)->Iterations(100);

void BM_TopProductsForAll(benchmark::State& state) {
  constexpr Eigen::Index kPersons = 20'000;
  const FactorMatrix factors = NormalFactors(41'000, 1);
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
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
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
