// How much of the rate at which products are ranked for many remains of it in a campaign: histories
// read, tastes folded in, the policy asked, contacts planned, lines written and synced. Both in one
// run, on one generated catalogue of 41,000 products and 64 factors.
//
//   build/release/bin/campaign_benchmark [PERSONS]

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "recommender/outreach/campaign.h"
#include "recommender/rank/fold_in.h"
#include "recommender/rank/retrieval.h"
#include "store/base/check.h"
#include "store/base/clock.h"
#include "store/offer_book.h"

namespace vitrine {
namespace {

constexpr int kProducts = 41'000;
constexpr int kFactors = 64;
constexpr int kEvents = 20;  // of a person
constexpr size_t kBlock = 1024;
constexpr int kRuns = 3;

Model MadeModel(std::mt19937_64* random) {
  std::normal_distribution<float> normal(0, 0.1F);
  ModelParts parts;
  parts.id = "generated";
  parts.als.factors = kFactors;
  parts.factors = FactorMatrix(kProducts, kFactors);
  for (int i = 0; i < kProducts; ++i) {
    parts.products.push_back(absl::StrCat("p", 100'000 + i));
    parts.popularity.push_back(1);
    for (int f = 0; f < kFactors; ++f) parts.factors(i, f) = normal(*random);
  }
  absl::StatusOr<Model> model = MakeModel(std::move(parts));
  CHECK(model.ok()) << model.status().ToString();
  return *std::move(model);
}

std::vector<std::string> MakePersons(int persons, WebHouse* house, std::mt19937_64* random) {
  std::vector<std::string> names;
  std::vector<Event> events;
  const int64_t now_ms = Clock::System().NowMs();
  for (int i = 0; i < persons; ++i) {
    names.push_back(absl::StrCat("customer", i));
    for (int e = 0; e < kEvents; ++e) {
      Event& event = events.emplace_back();
      event.id = absl::StrCat("e", i, "-", e);
      event.time_ms = now_ms - 1000 * (e + 1);
      event.kind = e % 5 == 0 ? PURCHASE : VIEW_ITEM;
      event.__set_customer_id(names.back());
      Item item;
      item.product_id = absl::StrCat("p", 100'000 + (*random)() % kProducts);
      event.__set_items({item});
    }
    if (events.size() < 10'000 && i + 1 < persons) continue;
    CHECK(house->Track(std::exchange(events, {}), {}, Ack::kApplied).ok());
  }
  return names;
}

// Persons a second.
double RankingRate(const Model& model, const WebHouse& house,
                   const std::vector<std::string>& persons) {
  FactorMatrix tastes(static_cast<Eigen::Index>(persons.size()), kFactors);
  for (size_t i = 0; i < persons.size(); ++i) {
    const auto history = house.ResolvedHistory(Person::Customer(persons[i]), SIZE_MAX);
    CHECK(history.ok());
    tastes.row(static_cast<Eigen::Index>(i)) = MakeProfile(model, *history).taste.transpose();
  }
  const int64_t begin = Clock::System().SteadyNs();
  TopProductsForAll(model.quantized, model.factors, tastes, nullptr, 5, 0);
  const int64_t end = Clock::System().SteadyNs();
  return 1e9 * static_cast<double>(persons.size()) / static_cast<double>(end - begin);
}

double CampaignRate(const Model& model, WebHouse* house, const std::vector<std::string>& persons,
                    const std::string& id, const std::string& file) {
  CampaignOptions options;
  options.id = id;
  Campaign campaign(house, model, options, &Clock::System());
  CHECK(campaign.Prepare().ok());
  absl::StatusOr<Outbox> out = Outbox::Open(file);
  CHECK(out.ok()) << out.status().ToString();
  CampaignOutcome outcome;
  const int64_t begin = Clock::System().SteadyNs();
  for (size_t i = 0; i < persons.size(); i += kBlock) {
    const std::span<const std::string> all(persons);
    const absl::Status sent =
        campaign.Send(all.subspan(i, std::min(kBlock, all.size() - i)), &*out, &outcome);
    CHECK(sent.ok()) << sent.ToString();
  }
  const int64_t end = Clock::System().SteadyNs();
  CHECK(outcome.now == static_cast<int64_t>(persons.size()));
  return 1e9 * static_cast<double>(persons.size()) / static_cast<double>(end - begin);
}

void Run(int persons) {
  std::mt19937_64 random(1);
  const Model model = MadeModel(&random);
  const std::string folder =
      std::filesystem::temp_directory_path() / absl::StrCat("campaign_benchmark.", ::getpid());
  {
    auto house = WebHouse::Open({.directory = folder + "/db"});
    CHECK(house.ok()) << house.status().ToString();
    ContactPolicy policy;
    PurposeRule& rule = policy.purposes.emplace_back();
    rule.purpose = "marketing";
    rule.basis = OPT_OUT;
    FrequencyCap& cap = policy.caps.emplace_back();
    cap.period = CAP_WEEK;
    cap.most = 1000;
    CHECK(OfferBook(house->get()).SetPolicy(policy, 0, "benchmark", "").ok());
    const std::vector<std::string> names = MakePersons(persons, house->get(), &random);
    std::printf("%d persons of %d events, %d products, %d factors, seed 1\n", persons, kEvents,
                kProducts, kFactors);
    for (int run = 0; run < kRuns; ++run) {  // in turns
      const double ranked = RankingRate(model, **house, names);
      const double sent = CampaignRate(model, house->get(), names, absl::StrCat("run", run),
                                       absl::StrCat(folder, "/run", run, ".jsonl"));
      std::printf("ranking alone %.0f/s, campaign %.0f/s, ratio %.2f\n", ranked, sent,
                  sent / ranked);
    }
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  vitrine::Run(argc > 1 ? std::atoi(argv[1]) : 8192);
  return 0;
}
