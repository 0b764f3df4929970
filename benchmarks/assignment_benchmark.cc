// What an assignment costs: the hash alone, the arm, an arm of an experiment with two layers.
//
//   assignment_benchmark

#include <benchmark/benchmark.h>
#include <string>
#include <vector>
#include <xxhash.h>

#include "absl/strings/str_cat.h"

#include "experiments/assignment/assigner.h"
#include "experiments/bandit/policy.h"

namespace vitrine::experiments {
namespace {

// Ids as browsers have them.
const std::vector<std::string>& Units() {
  static const auto& units = *[] {
    auto* made = new std::vector<std::string>;
    for (int i = 0; i < 4096; ++i) made->push_back(absl::StrCat("GA1.2.", 1'000'000'007L * i));
    return made;
  }();
  return units;
}

template <typename Function>
void Run(benchmark::State& state, const Function& function) {
  size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(function(Units()[next++ & 4095]));
}

void BM_PlainHash(benchmark::State& state) {
  Run(state, [](const std::string& unit) { return XXH3_64bits(unit.data(), unit.size()); });
}
BENCHMARK(BM_PlainHash);

void BM_Point(benchmark::State& state) {
  const UnitHash hash(static_cast<HashVersion>(state.range(0)), "shelf#1");
  Run(state, [&hash](const std::string& unit) { return hash.Point(unit); });
}
BENCHMARK(BM_Point)->ArgName("hash")->DenseRange(0, 2);

void BM_Assign(benchmark::State& state) {
  AssignerOptions options = {.seed = "shelf#1",
                             .hash = static_cast<HashVersion>(state.range(0)),
                             .weights = {0.25, 0.25, 0.25, 0.25}};
  for (int layer = 0; layer < state.range(1); ++layer) {
    options.layers.emplace_back(absl::StrCat("layer-", layer), std::vector<BucketRange>{{0, 1}});
  }
  const Assigner assigner = *Assigner::Create(std::move(options));
  Run(state, [&assigner](const std::string& unit) { return assigner.Assign(unit).arm; });
}
BENCHMARK(BM_Assign)->ArgNames({"hash", "layers"})->Args({0, 0})->Args({0, 2})->Args({2, 0});

void BM_BanditChoice(benchmark::State& state) {
  const BanditPolicy policy =
      *BanditPolicy::Create("offers", 1, {{"", {0.5, 0.5}}, {"loyal", {0.9, 0.1}}});
  Run(state, [&policy](const std::string& unit) { return policy.Choose("loyal", unit).arm; });
}
BENCHMARK(BM_BanditChoice);

}  // namespace
}  // namespace vitrine::experiments

BENCHMARK_MAIN();
