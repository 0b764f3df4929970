// How fast a simulated shop is written: events per second, with the web server's lines beside
// them, and how much of that is the simulation itself.

#include <benchmark/benchmark.h>
#include <filesystem>
#include <string>

#include "experiments/simulation/traffic.h"
#include "experiments/simulation/write_shop.h"

namespace vitrine {
namespace {

void BM_Simulate(benchmark::State& state) {
  const Shop shop = *Shop::Create({});
  int64_t events = 0;
  for (auto _ : state) {
    const absl::Status done = Simulate(shop, [&](const Visit&, const Step& step) {
      events += step.tracked;
      return absl::OkStatus();
    });
    if (!done.ok()) state.SkipWithError(done.ToString().c_str());
  }
  state.SetItemsProcessed(events);
}
BENCHMARK(BM_Simulate)->Unit(benchmark::kMillisecond);

void BM_WriteShop(benchmark::State& state) {
  const std::string directory =
      (std::filesystem::temp_directory_path() / "vitrine.simulation_benchmark").string();
  int64_t events = 0, bytes = 0;
  for (auto _ : state) {
    const auto written = WriteShop({}, directory, {.overwrite = true, .on_progress = {}});
    if (!written.ok()) {
      state.SkipWithError(written.status().ToString().c_str());
      break;
    }
    events += written->events;
    bytes += written->bytes;
  }
  state.SetItemsProcessed(events);
  state.SetBytesProcessed(bytes);
  std::filesystem::remove_all(directory);
}
BENCHMARK(BM_WriteShop)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vitrine

BENCHMARK_MAIN();
