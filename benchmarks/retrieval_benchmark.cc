// The top 20 of all products by inner product, d=64, one thread, beside reading the same bytes
// once: `x_read` says how many times as long the scan takes. And a whole Recommend() for someone
// with a history of 100 events in a shop of 4,000 products, with and without a session going on.

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <random>

#include "absl/strings/str_cat.h"

#include "recommender/rank/ranker.h"
#include "recommender/rank/retrieval.h"

namespace vitrine {
namespace {

constexpr Eigen::Index kFactors = 64;
constexpr int64_t kNowMs = 1'700'000'000'000;

double SecondsOf(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void BM_TopProducts(benchmark::State& state) {
  const Eigen::Index products = state.range(0);
  const FactorMatrix factors = FactorMatrix::Random(products, kFactors);
  const Eigen::VectorXf taste = Eigen::VectorXf::Random(kFactors);
  const ProductSet exclude(static_cast<size_t>(products));
  double best = 1e9;
  double best_read = 1e9;
  for (auto _ : state) {
    best = std::min(best, SecondsOf([&] {
                      benchmark::DoNotOptimize(TopProducts(factors, taste, exclude, 20));
                    }));
    state.PauseTiming();
    best_read = std::min(best_read, SecondsOf([&] { benchmark::DoNotOptimize(factors.sum()); }));
    state.ResumeTiming();
  }
  const double bytes = static_cast<double>(factors.size()) * sizeof(float);
  state.counters["best_us"] = best * 1e6;
  state.counters["read_us"] = best_read * 1e6;
  state.counters["GB/s"] = bytes / best * 1e-9;
  state.counters["x_read"] = best / best_read;
}
BENCHMARK(BM_TopProducts)
    ->ArgName("products")
    ->Arg(4'000)
    ->Arg(50'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMicrosecond);

Model MakeModel(size_t products) {
  Model model;
  model.als.factors = kFactors;
  model.newest_ms = kNowMs;
  model.factors = 0.1f * FactorMatrix::Random(static_cast<Eigen::Index>(products), kFactors);
  for (size_t p = 0; p < products; ++p) {
    model.products.push_back(absl::StrCat("product-", p));
    model.popularity.push_back(static_cast<float>(products - p));
  }
  model.Derive();
  return model;
}

Event MakeEvent(EventKind kind, int64_t time_ms, size_t product) {
  Event event;
  event.kind = kind;
  event.time_ms = time_ms;
  event.items.emplace_back();
  event.items[0].product_id = absl::StrCat("product-", product);
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
