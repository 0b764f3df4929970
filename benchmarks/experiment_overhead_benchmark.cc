// What experiments cost a recommend: the same shelf without one, with one and with five that run,
// of customers seen before, without a socket, on one thread.
//
//   experiment_overhead_benchmark DATA SITE [rounds [requests a round]]
//
// DATA is written to (placements, experiments, exposures): take a copy. The four shelves (one
// without experiments twice, which says what the machine does by itself) take turns, so that
// whatever else it does falls on all. A round gives one median each and their ratios; printed are
// the median of rounds and the middle 80 %.

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "api/service/site.h"
#include "api/service/storefront.h"
#include "benchmarks/customers.h"
#include "store/base/check.h"
#include "store/base/clock.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

constexpr uint64_t kSeed = 1;
constexpr int kExperiments[] = {0, 0, 1, 5};  // of each shelf
constexpr size_t kShelves = std::size(kExperiments);

std::string ShelfName(size_t shelf) { return absl::StrCat("overhead-", shelf); }

// The first experiment's treatment has a recipe: the shelf's own, so that the same products are
// shown and only the way there differs. The others tell the storefront something.
Experiment ExperimentOn(const Placement& placement, int number) {
  Experiment experiment;
  experiment.id = absl::StrCat(placement.id, "-", number);
  experiment.placement = placement.id;
  experiment.unit = ExperimentUnit::CUSTOMER;
  experiment.planned_units = 10'000;
  experiment.audience.channels = {Channel::WEB, Channel::APP};
  experiment.arms.resize(2);
  experiment.arms[0].id = "as-it-is";
  experiment.arms[1].id = "other";
  if (number == 0) {
    experiment.arms[1].recipe = placement.recipe;
  } else {
    experiment.arms[1].parameters[absl::StrCat("colour-", number)] = "blue";
  }
  return experiment;
}

void SetUp(Site* site) {
  const PlacementVersion now = *site->placements();
  PlacementSet content = now.content;
  const auto home = std::find_if(content.placements.begin(), content.placements.end(),
                                 [](const Placement& one) { return one.id == "home"; });
  CHECK(home != content.placements.end());
  const Placement model = *home;
  for (size_t shelf = 0; shelf < kShelves; ++shelf) {
    content.placements.push_back(model);
    content.placements.back().id = ShelfName(shelf);
  }
  Value(site->SetPlacements(content, now.version, "benchmark", ""));
  for (size_t shelf = 0; shelf < kShelves; ++shelf) {
    Placement placement = model;
    placement.id = ShelfName(shelf);
    for (int i = 0; i < kExperiments[shelf]; ++i) {
      const Experiment experiment = ExperimentOn(placement, i);
      Value(site->SetExperiment(experiment, 0, "benchmark", ""));
      Value(site->MoveExperiment(experiment.id, ExperimentStatus::RUNNING, Clock::System().NowMs(),
                                 "benchmark", ""));
    }
  }
}

double Us(Storefront* storefront, RecommendRequest* request, size_t shelf) {
  request->__set_placement(ShelfName(shelf));
  RecommendReply reply;
  const int64_t start_ns = Clock::System().SteadyNs();
  storefront->recommend(reply, *request);
  const double us = static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-3;
  CHECK(reply.arms.size() == static_cast<size_t>(kExperiments[shelf]));
  return us;
}

void Run(const std::string& data, const std::string& name, size_t rounds, size_t requests) {
  auto sites = Value(Sites::OpenOne(data, name, /*create=*/false));
  Site* const site = Value(sites->Find(name));
  SetUp(site);
  Storefront storefront(sites.get(), &Clock::System());
  const std::vector<std::string> customers = ShuffledCustomers(site->house(), kSeed);
  RecommendRequest request;
  request.context.site = name;
  request.context.deadline_ms = 10'000;
  request.k = 20;
  std::vector<double> medians[kShelves], ratios[kShelves];
  size_t asked = 0;
  std::mt19937_64 random(kSeed);
  size_t turns[kShelves] = {0, 1, 2, 3};
  for (size_t round = 0; round < rounds; ++round) {
    std::vector<double> us[kShelves];
    for (size_t i = 0; i < requests; ++i, ++asked) {
      request.context.__set_customer_id(customers[asked % customers.size()]);
      Us(&storefront, &request, asked % kShelves);  // who is not known yet is read
      std::shuffle(std::begin(turns), std::end(turns), random);
      for (const size_t shelf : turns) us[shelf].push_back(Us(&storefront, &request, shelf));
    }
    for (size_t shelf = 0; shelf < kShelves; ++shelf) {
      medians[shelf].push_back(QuantileOf(us[shelf], 0.5));
      ratios[shelf].push_back(medians[shelf].back() / medians[0].back());
    }
  }
  std::printf("%s: %zu customers, seed %d, %zu rounds of %zu requests\n", name.c_str(),
              customers.size(), static_cast<int>(kSeed), rounds, requests);
  for (size_t shelf = 0; shelf < kShelves; ++shelf) {
    std::printf("  %d experiments: p50 %6.1f us, of that without %.3f (%.3f to %.3f)\n",
                kExperiments[shelf], QuantileOf(medians[shelf], 0.5),
                QuantileOf(ratios[shelf], 0.5), QuantileOf(ratios[shelf], 0.1),
                QuantileOf(ratios[shelf], 0.9));
  }
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  size_t rounds = 30, requests = 500;
  if (argc < 3 || (argc > 3 && (!absl::SimpleAtoi(argv[3], &rounds) || rounds < 1)) ||
      (argc > 4 && (!absl::SimpleAtoi(argv[4], &requests) || requests < 1))) {
    std::fprintf(stderr, "usage: experiment_overhead_benchmark DATA SITE [rounds [requests]]\n");
    return 2;
  }
  vitrine::Run(argv[1], argv[2], rounds, requests);
  return 0;
}
