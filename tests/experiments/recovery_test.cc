// The simulated shop knows what everybody likes: does matrix factorization find it out?

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "experiments/simulation/shop.h"
#include "experiments/simulation/traffic.h"
#include "recommender/learn/als/als.h"
#include "recommender/learn/interactions.h"
#include "recommender/learn/item_to_item.h"
#include "store/key_format.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

constexpr size_t kListed = 20;

struct Known {
  std::vector<uint32_t> customers;  // of the truth, by row
  Interactions interactions;
};

// What the events tell about the customers who log in; all else trains, but is not judged.
Known Watch(const Shop& shop) {
  std::map<std::string, std::vector<Event>> by_person;
  int64_t newest_ms = 0;
  EXPECT_OK(Simulate(shop, [&](const Visit& visit, const Step& step) {
    if (!step.tracked) return absl::OkStatus();
    Event event = ToEvent(shop, visit, step);
    newest_ms = std::max(newest_ms, event.time_ms);
    by_person[keys::PersonPrefix(Person::Of(event))].push_back(std::move(event));
    return absl::OkStatus();
  }));
  Known known;
  InteractionsBuilder builder(WeightSettings(), newest_ms);
  for (const auto& [key, events] : by_person) {
    for (const Event& event : events) {
      for (const Item& item : event.items) builder.Add(event.kind, event.time_ms, item.product_id);
    }
    if (!builder.EndPerson()) continue;
    const Person person = keys::ParsePerson(key);
    known.customers.push_back(
        person.kind == Person::Kind::kCustomer ? Value(shop.FindCustomer(person.id)) : UINT32_MAX);
  }
  known.interactions = std::move(builder).Build();
  return known;
}

// NDCG@20 of a ranking by `scores`, the customer's 20 best liked products being the relevant ones.
double Ndcg(const Shop& shop, const Interactions& interactions, uint32_t customer,
            std::span<const float> scores) {
  std::vector<bool> liked(shop.products().size());
  for (const uint32_t product : shop.TopProducts(customer, kListed)) liked[product] = true;
  std::vector<uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + kListed, order.end(),
                    [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
  double gain = 0;
  double ideal = 0;
  for (size_t rank = 0; rank < kListed; ++rank) {
    const double discount = 1 / std::log2(static_cast<double>(rank) + 2);
    const uint32_t product = Value(shop.FindProduct(interactions.products[order[rank]]));
    if (liked[product]) gain += discount;
    ideal += discount;
  }
  return gain / ideal;
}

template <typename Scorer>
double MeanNdcg(const Shop& shop, const Known& known, const Scorer& score) {
  std::vector<float> scores(known.interactions.products.size());
  double sum = 0;
  int judged = 0;
  for (size_t row = 0; row < known.customers.size(); ++row) {
    if (known.customers[row] == UINT32_MAX) continue;
    score(row, std::span<float>(scores));
    sum += Ndcg(shop, known.interactions, known.customers[row], scores);
    ++judged;
  }
  return sum / judged;
}

TEST(MatrixFactorization, FindsTastesThatPopularityAndItemKnnDoNot) {
  const Shop shop = Value(Shop::Create({.seed = 3, .robot_share = 0}));
  const Known known = Watch(shop);
  const SparseRows& rows = known.interactions.by_person;

  AlsSettings settings;
  settings.factors = 16;
  settings.unobserved_weight = 0.02f;
  settings.regularization = 0.03f;
  const AlsFactors factors = TrainAls(rows, settings);
  const double ials = MeanNdcg(shop, known, [&](size_t row, std::span<float> scores) {
    Eigen::Map<Eigen::VectorXf>(scores.data(), static_cast<Eigen::Index>(scores.size())) =
        factors.products * factors.persons.row(static_cast<Eigen::Index>(row)).transpose();
  });
  const ItemLinkLists neighbours =
      LearnItemToItem(rows, {.links = 200, .together_min = 1}).by_cosine;
  const double knn = MeanNdcg(shop, known, [&](size_t row, std::span<float> scores) {
    ScoreByLinks(neighbours, rows.row(row), scores);
  });
  const std::vector<float> sums = rows.ColumnSums();
  const double popularity = MeanNdcg(shop, known, [&](size_t, std::span<float> scores) {
    std::copy(sums.begin(), sums.end(), scores.begin());
  });

  std::printf(
      "NDCG@20 against true taste: iALS %.3f, item-kNN %.3f (x%.2f), popularity %.3f "
      "(x%.2f)\n",
      ials, knn, ials / knn, popularity, ials / popularity);
  EXPECT_GT(ials, 1.25 * knn);
  EXPECT_GT(ials, 5 * popularity);
}

}  // namespace
}  // namespace vitrine
