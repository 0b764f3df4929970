// How long a report on an experiment takes: from a store that was never asked before, and again
// when some of its units did something since.
//
//   experiment_report_benchmark [exposures [FOLDER]]      10 million unless said otherwise
//
// A unit sees ten shelves of ten products on different days, views now and then what it saw, and
// one of twelve buys. Fixed seed.

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "experiments/analysis/experiment_report.h"
#include "experiments/analysis/unit_counter.h"
#include "experiments/definition/definition.h"
#include "experiments/definition/running.h"
#include "store/base/check.h"
#include "store/base/clock.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using vitrine::testing::MakeEvent;
using vitrine::testing::Value;

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kDay = 86'400'000;
constexpr int kShelvesPerUnit = 10;
constexpr int kProductsPerShelf = 10;
constexpr int kCatalogue = 5000;
constexpr unsigned kSeed = 20'261'128;

Experiment Trial(int64_t units) {
  Experiment experiment;
  experiment.id = "trial";
  experiment.placement = "home";
  experiment.planned_units = units;
  experiment.arms.resize(2);
  experiment.arms[0].id = "old";
  experiment.arms[1].id = "new";
  experiment.secondary = {ExperimentMetric::REVENUE, ExperimentMetric::CLICK_RATE};
  experiment.guardrails.emplace_back().metric = ExperimentMetric::RETURNS;
  experiment.currency = "GBP";
  experiment.cap_quantile = 0.999;
  return Value(Moved(experiment, ExperimentStatus::RUNNING, {}, kStart));
}

class Shop {
 public:
  Shop(WebHouse* house, const Experiment& experiment)
      : house_(*house),
        running_(Value(RunningExperiments::Create("shop", {experiment}))),
        random_(kSeed) {}

  void Catalogue() {
    std::vector<Product> products(kCatalogue);
    for (int p = 0; p < kCatalogue; ++p) {
      products[p].id = absl::StrCat("product-", p);
      products[p].facts_time_ms = kStart;
      products[p].__set_category(absl::StrCat("category ", p % 40));
    }
    for (int p = 0; p < kCatalogue; p += 1000) {
      CHECK(house_.UpdateProducts({products.data() + p, 1000}, Ack::kApplied).ok());
    }
  }

  // What one unit sees and does, from `from_ms` on; `visits` shelves, a day apart.
  void Visit(int64_t unit, int64_t from_ms, int visits) {
    const std::string visitor = absl::StrCat("visitor-", unit);
    for (int v = 0; v < visits; ++v) {
      const int64_t now_ms = from_ms + v * kDay + static_cast<int64_t>(random_() % (kDay / 2));
      const ChosenArm chosen =
          running_.Choose("home", {.visitor = visitor, .now_ms = now_ms}).at(0);
      Exposure& shelf = shelves_.emplace_back();
      shelf.id = absl::StrCat("6a2b4c5d-", ++shown_);
      shelf.time_ms = now_ms;
      shelf.placement = "home";
      shelf.__set_visitor_id(visitor);
      shelf.model_id = "2024-03-20T10-11-12";
      shelf.__set_device(unit % 3 == 0 ? Device::DESKTOP : Device::MOBILE);
      for (int i = 0; i < kProductsPerShelf; ++i) {
        shelf.products.emplace_back().product_id = absl::StrCat("product-", Popular());
      }
      ExposedArm& arm = shelf.arms.emplace_back();
      arm.experiment = "trial";
      arm.arm = chosen.arm->id;
      arm.propensity = chosen.propensity;
      arm.point = chosen.point;
      if (random_() % 5 == 0) Act(visitor, shelf, EventKind::VIEW_ITEM);
      if (random_() % 120 == 0) Act(visitor, shelf, EventKind::PURCHASE);
    }
    if (shelves_.size() >= 4096) Write();
  }

  void Write() {
    CHECK(house_.AddExposures(shelves_).ok());
    if (!events_.empty()) CHECK(house_.Track(events_, {}, Ack::kApplied).ok());
    shelves_.clear();
    events_.clear();
  }

 private:
  // Few products are shown often, as shops do it.
  int Popular() {
    const double part = std::uniform_real_distribution<>()(random_);
    return static_cast<int>(kCatalogue * part * part * part);
  }

  void Act(const std::string& visitor, const Exposure& shelf, EventKind kind) {
    Event event = MakeEvent(absl::StrCat("e", ++acts_), "v:" + visitor, shelf.time_ms + 1000, kind,
                            shelf.products[random_() % kProductsPerShelf].product_id);
    event.__set_recommendation_id(shelf.id);
    if (kind == EventKind::PURCHASE) {
      event.items[0].__set_price_minor(500 + static_cast<int64_t>(random_() % 5000));
      event.__set_currency("GBP");
    }
    events_.push_back(std::move(event));
  }

  WebHouse& house_;
  const RunningExperiments running_;
  std::mt19937 random_;
  std::vector<Exposure> shelves_;
  std::vector<Event> events_;
  int64_t shown_ = 0;
  int64_t acts_ = 0;
};

// On a machine that others use too, the processor's time says more than the clock's.
struct Took {
  double seconds = 0;
  double processor = 0;  // of this thread
};

double ThreadSeconds() {
  timespec now;
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

Took Seconds(const std::function<void()>& work) {
  const int64_t start_ns = Clock::System().SteadyNs();
  const double processor = ThreadSeconds();
  work();
  return {static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-9,
          ThreadSeconds() - processor};
}

double MemoryMiB() {
  FILE* const file = std::fopen("/proc/self/statm", "r");
  long all = 0, resident = 0;
  if (file == nullptr || std::fscanf(file, "%ld %ld", &all, &resident) != 2) return 0;
  std::fclose(file);
  return static_cast<double>(resident) * 4096 / (1 << 20);
}

void Say(const char* what, const Took& took) {
  std::printf("  %-40s %8.3f s, of the processor %8.3f s\n", what, took.seconds, took.processor);
}

void Told(const Experiment& experiment, const UnitCounter& units) {
  ExperimentCounts counts;
  Say("sums of all units", Seconds([&] { counts = units.Counts(); }));
  Report report;
  Say("verdict and report of them", Seconds([&] {
        const Verdict verdict = Value(JudgeExperiment(experiment, counts, kStart + 90 * kDay));
        report = Value(ReportOf(experiment, counts, verdict, {}));
      }));
  CHECK(report.tables.size() >= 5) << report.tables.size();
}

void Run(int64_t exposures, const std::string& folder) {
  const int64_t unit_count = exposures / kShelvesPerUnit;
  const Experiment experiment = Trial(unit_count);
  const auto house = Value(WebHouse::Open({.directory = folder + "/site/db"}));
  Shop shop(house.get(), experiment);
  shop.Catalogue();
  Say("writing", Seconds([&] {
        for (int64_t unit = 0; unit < unit_count; ++unit) {
          shop.Visit(unit, kStart + unit % 20 * kDay, kShelvesPerUnit);
        }
        shop.Write();
      }));
  UnitCounter units(experiment);
  const double before = MemoryMiB();
  Say("reading all, the first time", Seconds([&] { CHECK(units.CountAll(*house, nullptr).ok()); }));
  std::printf("  %lld units, %.0f MiB more memory than before\n",
              static_cast<long long>(units.units()), MemoryMiB() - before);
  Told(experiment, units);
  for (const int64_t changed : {int64_t{0}, int64_t{100}, int64_t{1000}, int64_t{10'000}}) {
    std::vector<Person> persons;
    for (int64_t unit = 0; unit < changed; ++unit) {
      const int64_t which = unit * 37 % unit_count;
      shop.Visit(which, kStart + 35 * kDay, 1);
      persons.push_back(Person::Visitor(absl::StrCat("visitor-", which)));
    }
    shop.Write();
    std::printf("again, when %lld units did something since\n", static_cast<long long>(changed));
    Say("reading those", Seconds([&] { CHECK(units.CountAgain(*house, persons).ok()); }));
    Told(experiment, units);
  }
}

}  // namespace
}  // namespace vitrine::experiments

int main(int argc, char** argv) {
  int64_t exposures = 10'000'000;
  if (argc > 1 && !absl::SimpleAtoi(argv[1], &exposures)) return 1;
  const std::string folder =
      argc > 2 ? argv[2] : (std::filesystem::temp_directory_path() / "experiment_report").string();
  std::filesystem::remove_all(folder);
  std::printf("%lld exposures, seed %u\n", static_cast<long long>(exposures),
              vitrine::experiments::kSeed);
  vitrine::experiments::Run(exposures, folder);
  std::filesystem::remove_all(folder);
  return 0;
}
