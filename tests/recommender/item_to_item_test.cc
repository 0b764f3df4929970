#include "recommender/learn/item_to_item.h"

#include <cmath>
#include <numeric>
#include <random>

#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::MakeInteractions;

constexpr ItemToItemSettings kEverything = {
    .links = 1000, .together_min = 1, .row_cells_max = SIZE_MAX, .threads = 2};

Eigen::MatrixXd Dense(const SparseRows& rows) {
  Eigen::MatrixXd dense = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(rows.rows()),
                                                static_cast<Eigen::Index>(rows.columns));
  for (size_t r = 0; r < rows.rows(); ++r) {
    for (const Cell& cell : rows.row(r)) {
      dense(static_cast<Eigen::Index>(r), cell.index) = cell.weight;
    }
  }
  return dense;
}

// By entropies, as the formula is also written: 2 rows (H(a) + H(b) - H(a, b)).
double PlainRatio(double both, double a, double b, double rows) {
  const auto entropy = [rows](std::initializer_list<double> counts) {
    double sum = 0;
    for (const double count : counts) {
      if (count > 0) sum -= count / rows * std::log(count / rows);
    }
    return sum;
  };
  if (both / rows <= a / rows * (b / rows)) return 0;
  return 2 * rows *
         (entropy({a, rows - a}) + entropy({b, rows - b}) -
          entropy({both, a - both, b - both, rows - a - b + both}));
}

const ItemLink* Find(const ItemLinks& links, uint32_t from, uint32_t to) {
  for (const ItemLink& link : links.Of(from)) {
    if (link.product == to) return &link;
  }
  return nullptr;
}

SparseRows Baskets(size_t products, const std::vector<std::vector<uint32_t>>& baskets) {
  SparseRows rows;
  rows.columns = products;
  for (const std::vector<uint32_t>& basket : baskets) {
    for (const uint32_t product : basket) rows.cells.push_back({product, 1});
    rows.offsets.push_back(rows.cells.size());
  }
  return rows;
}

TEST(ItemToItem, CountsCosinesAndRatiosAreThoseOfThePlainTwin) {
  const SparseRows rows = MakeInteractions({}, 31).by_person;
  const Eigen::MatrixXd dense = Dense(rows);
  const Eigen::MatrixXd has = (dense.array() > 0).cast<double>();
  const Eigen::MatrixXd together = has.transpose() * has;
  const Eigen::MatrixXd unit = dense.colwise().normalized();
  const Eigen::MatrixXd cosines = unit.transpose() * unit;
  const ItemToItem all = LearnItemToItem(rows, kEverything);
  const ItemLinks by_cosine = all.by_cosine, by_likelihood = all.by_likelihood;
  size_t likely = 0;
  for (uint32_t p = 0; p < rows.columns; ++p) {
    EXPECT_EQ(Find(by_cosine, p, p), nullptr) << "a product does not go with itself";
    for (uint32_t q = 0; q < rows.columns; ++q) {
      if (p == q) continue;
      const ItemLink* const cosine = Find(by_cosine, p, q);
      ASSERT_EQ(cosine != nullptr, together(p, q) > 0);
      if (cosine == nullptr) continue;
      EXPECT_EQ(cosine->together, together(p, q));
      EXPECT_NEAR(cosine->score, cosines(p, q), 1e-5);
      const double ratio = PlainRatio(together(p, q), together(p, p), together(q, q),
                                      static_cast<double>(rows.rows()));
      const ItemLink* const link = Find(by_likelihood, p, q);
      EXPECT_NEAR(link == nullptr ? 0 : link->score, ratio, 1e-3 + 1e-5 * ratio);
      likely += link != nullptr;
    }
  }
  EXPECT_GT(likely, rows.columns) << "the data says something";
}

TEST(ItemToItem, KeepsTheBestBestFirst) {
  const SparseRows rows = MakeInteractions({}, 32).by_person;
  const ItemToItem all = LearnItemToItem(rows, kEverything);
  ItemToItemSettings few_settings = kEverything;
  few_settings.links = 5;
  few_settings.threads = 1;
  const ItemToItem few = LearnItemToItem(rows, few_settings);
  const auto compare = [&](const ItemLinks& all_links, const ItemLinks& few_links) {
    for (uint32_t p = 0; p < rows.columns; ++p) {
      const std::span<const ItemLink> best = all_links.Of(p);
      ASSERT_TRUE(std::ranges::is_sorted(best, std::greater<>(), &ItemLink::score));
      ASSERT_TRUE(
          std::ranges::equal(best.first(std::min<size_t>(5, best.size())), few_links.Of(p)));
    }
  };
  compare(all.by_cosine, few.by_cosine);
  compare(all.by_likelihood, few.by_likelihood);
}

// 20 pairs that are often bought together, and a bestseller that eight of ten baskets hold whatever
// else is in them.
TEST(ItemToItem, ABestsellerGoesWithNothingByLikelihood) {
  constexpr uint32_t kSeed = 5, kPairs = 20, kBestseller = 2 * kPairs;
  std::printf("seed %u\n", kSeed);
  std::mt19937 random(kSeed);
  std::vector<std::vector<uint32_t>> baskets(4000);
  for (std::vector<uint32_t>& basket : baskets) {
    const uint32_t pair = random() % kPairs;
    const uint32_t draw = random() % 4;  // one of the two, the other, both, nothing
    if (draw != 1 && draw != 3) basket.push_back(2 * pair);
    if (draw != 0 && draw != 3) basket.push_back(2 * pair + 1);
    if (random() % 10 < 8) basket.push_back(kBestseller);
  }
  const ItemToItem learned = LearnItemToItem(Baskets(kBestseller + 1, baskets), kEverything);
  const ItemLinks likely = learned.by_likelihood;
  double bestseller_sum = 0;
  for (uint32_t p = 0; p < kBestseller; ++p) {
    const uint32_t companion = p ^ 1;
    EXPECT_EQ(likely.Of(p).front().product, companion);
    EXPECT_GT(likely.Of(p).front().score, 100);
    const ItemLink* const met = Find(learned.by_cosine, p, kBestseller);
    ASSERT_NE(met, nullptr);
    EXPECT_GT(met->together, Find(learned.by_cosine, p, companion)->together) << "that is the trap";
    if (const ItemLink* const link = Find(likely, p, kBestseller)) bestseller_sum += link->score;
  }
  EXPECT_LT(bestseller_sum / kBestseller, 1.5) << "of independent products it is 1/2";
}

TEST(ItemToItem, TheRatioOfIndependentCountsIsNothing) {
  EXPECT_EQ(LogLikelihoodRatio(25, 50, 50, 100), 0);
  EXPECT_EQ(LogLikelihoodRatio(10, 50, 50, 100), 0) << "they avoid each other";
  EXPECT_EQ(LogLikelihoodRatio(0, 0, 0, 0), 0);
  EXPECT_EQ(LogLikelihoodRatio(7, 7, 20, 20), 0) << "who has everything tells nothing";
  // Dunning's own example: "the swiss", 110 times in 31,777 pairs of words, of 2,552 and 221.
  EXPECT_NEAR(LogLikelihoodRatio(110, 2552, 221, 31777), 270.72, 0.01);
}

TEST(ItemToItem, OnePersonMakesNoLink) {
  const SparseRows rows = Baskets(4, {{0, 1}, {0, 2}, {0, 2}, {3}});
  const ItemToItem learned = LearnItemToItem(rows, {});
  const ItemLinks links = learned.by_cosine;
  ASSERT_EQ(links.Of(0).size(), 1u);
  EXPECT_EQ(links.Of(0)[0].product, 2u);
  EXPECT_EQ(links.Of(0)[0].together, 2u);
  EXPECT_TRUE(links.Of(1).empty());
  EXPECT_TRUE(links.Of(3).empty());
}

TEST(ItemToItem, OfAHeavyRowASampleIsCounted) {
  std::vector<std::vector<uint32_t>> baskets(1, std::vector<uint32_t>(200));
  std::iota(baskets[0].begin(), baskets[0].end(), 0u);
  ItemToItemSettings settings = kEverything;
  settings.row_cells_max = 20;
  const SparseRows rows = Baskets(200, baskets);
  const ItemToItem one = LearnItemToItem(rows, settings);
  EXPECT_EQ(one.by_cosine.links.size(), 20u * 19u);
  settings.threads = 1;
  EXPECT_EQ(LearnItemToItem(rows, settings).by_cosine.links, one.by_cosine.links);
  settings.seed = 2;
  EXPECT_NE(LearnItemToItem(rows, settings).by_cosine.links, one.by_cosine.links);
}

TEST(ItemToItem, OddWeightsAreLeftOut) {
  SparseRows rows = Baskets(3, {{0, 1, 2}, {0, 1}, {}});
  rows.cells[2].weight = std::numeric_limits<float>::quiet_NaN();
  rows.cells[3].weight = std::numeric_limits<float>::infinity();
  const ItemToItem learned = LearnItemToItem(rows, kEverything);
  ASSERT_EQ(learned.by_cosine.links.size(), 2u);
  for (const ItemLink& link : learned.by_cosine.links) EXPECT_TRUE(std::isfinite(link.score));
}

TEST(ItemToItem, ScoresByWhatGoesWithTheHistory) {
  const std::vector<uint64_t> offsets = {0, 2, 3, 3};
  const std::vector<ItemLink> links = {{1, 9, 0.5f}, {2, 9, 0.25f}, {0, 9, 0.5f}};
  std::vector<float> scores(3, 99);
  const std::vector<Cell> history = {{0, 2}, {1, 1}};
  ScoreByLinks({offsets, links}, history, scores);
  EXPECT_THAT(scores, ::testing::ElementsAre(0.5f, 1.0f, 0.5f));
}

}  // namespace
}  // namespace vitrine
