// Peak memory of a training on generated interactions, less its factors: the events are fed to the
// InteractionsBuilder that training from a store feeds, person by person, and then to TrainModel.
// (Writing as many into a store first would take half an hour and show nothing of training.)
//
//   training_memory_benchmark [--millions 100] [--persons 5000000] [--products 300000]
//                             [--factors 16] [--epochs 1] [--threads 2]
//
// Every person looks at about as many products, whose popularity falls with their rank (Zipf,
// exponent 1). Fails if the peak is beyond 4 GB and the factors.

#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <sys/resource.h>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"

#include "recommender/learn/trainer.h"
#include "store/base/clock.h"

namespace vitrine {
namespace {

constexpr double kBoundGb = 4;
constexpr uint64_t kSeed = 1;

struct Size {
  double millions = 100;
  uint32_t persons = 5'000'000;
  uint32_t products = 300'000;
};

double PeakGb() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 * 1e-9;
}

double Now() { return static_cast<double>(Clock::System().SteadyNs()) * 1e-9; }

Interactions Generate(const Size& size, const WeightSettings& weights) {
  InteractionsBuilder builder(weights, /*newest_ms=*/0);
  std::mt19937_64 random(kSeed);
  const double log_products = std::log(size.products);
  const auto events = static_cast<uint64_t>(size.millions * 1e6);
  std::string product;
  for (uint64_t person = 0, done = 0; person < size.persons; ++person) {
    for (const uint64_t until = events * (person + 1) / size.persons; done < until; ++done) {
      const double u = static_cast<double>(random() >> 11) * 0x1p-53;
      product.clear();
      absl::StrAppend(&product, "product-", static_cast<uint32_t>(std::exp(u * log_products)));
      builder.Add(EventKind::VIEW_ITEM, /*time_ms=*/0, product);
    }
    builder.EndPerson();
  }
  return std::move(builder).Build();
}

int Run(const Size& size, const TrainOptions& options) {
  const double start = Now();
  const double empty_gb = PeakGb();
  const Interactions interactions = Generate(size, options.weights);
  const double built = Now();
  const SparseRows& rows = interactions.by_person;
  std::printf(
      "%.1f million events (seed %llu): %zu persons x %zu products, %.1f million cells; "
      "gathered in %.0f s, peak %.2f GB\n",
      size.millions, static_cast<unsigned long long>(kSeed), rows.rows(), rows.columns,
      static_cast<double>(rows.cells.size()) * 1e-6, built - start, PeakGb() - empty_gb);
  std::fflush(stdout);
  const absl::StatusOr<Model> model = TrainModel(interactions, options);
  if (!model.ok()) {
    std::fprintf(stderr, "%s\n", model.status().ToString().c_str());
    return 1;
  }
  const double factors_gb =
      static_cast<double>(rows.rows() + rows.columns) * 1e-9 * options.als.factors * sizeof(float);
  const double peak_gb = PeakGb() - empty_gb;
  const double rest_gb = peak_gb - factors_gb;
  std::printf(
      "d=%u, %u epochs on %u threads: %.1f s each; peak %.2f GB, %.2f of them factors, the "
      "rest %.2f GB, %.1f bytes a cell (goal: at most %.0f GB)\n",
      options.als.factors, options.als.epochs, options.als.threads,
      model->train_seconds / options.als.epochs, peak_gb, factors_gb, rest_gb,
      rest_gb * 1e9 / static_cast<double>(rows.cells.size()), kBoundGb);
  return rest_gb <= kBoundGb ? 0 : 1;
}

int Main(int argc, char** argv) {
  Size size;
  TrainOptions options;
  options.als.factors = 16;
  options.als.epochs = 1;
  options.als.threads = 2;
  CLI::App app("Peak memory of a training on generated interactions");
  app.add_option("--millions", size.millions, "events")->check(CLI::Range(0.001, 4000.0));
  app.add_option("--persons", size.persons)->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--products", size.products)->check(CLI::Range(2, 1'000'000'000));
  app.add_option("--factors", options.als.factors)->check(CLI::Range(1, 1024));
  app.add_option("--epochs", options.als.epochs)->check(CLI::Range(1, 100));
  app.add_option("--threads", options.als.threads)->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);
  return Run(size, options);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) { return vitrine::Main(argc, argv); }
