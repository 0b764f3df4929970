#include "recommender/rank/mix.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Value;

using Lists = std::array<std::vector<Scored>, kMixSources>;

MixSpans Spans(const Lists& lists) {
  MixSpans spans;
  for (size_t s = 0; s < kMixSources; ++s) spans[s] = lists[s];
  return spans;
}

std::vector<uint32_t> ProductsOf(const std::vector<Scored>& list) {
  std::vector<uint32_t> products;
  for (const Scored& scored : list) products.push_back(scored.product);
  return products;
}

// Everything that a request has, made up: few products and scores, so that there are ties.
struct Drawn {
  MixSettings settings;
  Lists lists;
  std::vector<uint32_t> exclude;
  std::vector<uint32_t> known;
  std::vector<uint32_t> refill;
  MixRequest request;
};

constexpr uint32_t kProducts = 60;

std::vector<uint32_t> DrawProducts(std::mt19937* random, size_t count) {
  std::vector<uint32_t> products(kProducts);
  for (uint32_t p = 0; p < kProducts; ++p) products[p] = p;
  for (size_t i = 0; i < count; ++i)
    std::swap(products[i], products[i + (*random)() % (kProducts - i)]);
  products.resize(count);
  return products;
}

void Draw(uint32_t seed, Drawn* drawn) {
  std::mt19937 random(seed);
  drawn->settings.depth = 1 + random() % 30;
  for (MixRecipe& recipe : drawn->settings.recipes) {
    for (MixWeight& source : recipe.sources) {
      source = {static_cast<float>(random() % 4), static_cast<float>(1 + random() % 4) / 2};
    }
  }
  for (std::vector<Scored>& list : drawn->lists) {
    float score = static_cast<float>(1 + random() % 100) / 10;
    for (const uint32_t product : DrawProducts(&random, random() % 40)) {
      list.push_back({product, score});
      if (random() % 2 == 0) score *= 0.75f;
    }
  }
  drawn->exclude = DrawProducts(&random, random() % 30);
  drawn->known = DrawProducts(&random, random() % 30);
  drawn->refill = DrawProducts(&random, random() % kProducts);
  drawn->request = {.k = 1 + random() % 40,
                    .situation = static_cast<Situation>(random() % kSituations),
                    .exclude = drawn->exclude,
                    .known = drawn->known,
                    .hide_known = random() % 2 == 0,
                    .refill = drawn->refill};
}

// The formula and the rules, one product after the other.
std::vector<uint32_t> PlainMix(const Drawn& drawn) {
  const std::set<uint32_t> exclude(drawn.exclude.begin(), drawn.exclude.end());
  std::set<uint32_t> hidden = exclude;
  if (drawn.request.hide_known) hidden.insert(drawn.known.begin(), drawn.known.end());
  std::map<uint32_t, double> scores;
  for (size_t s = 0; s < kMixSources; ++s) {
    const MixWeight& weight = drawn.settings[drawn.request.situation].sources[s];
    std::vector<Scored> shown;
    for (const Scored& scored : drawn.lists[s]) {
      if (hidden.count(scored.product) == 0) shown.push_back(scored);
    }
    if (shown.size() > drawn.settings.depth) shown.resize(drawn.settings.depth);
    if (weight.weight == 0) continue;
    for (const Scored& scored : shown) {
      scores[scored.product] += static_cast<double>(
          weight.weight * std::pow(scored.score / shown.front().score, weight.exponent));
    }
  }
  std::vector<std::pair<float, uint32_t>> order;
  for (const auto& [product, score] : scores) {
    order.push_back({-static_cast<float>(score), product});
  }
  std::sort(order.begin(), order.end());
  std::vector<uint32_t> list;
  for (const auto& [score, product] : order) list.push_back(product);
  for (const std::set<uint32_t>& without : {hidden, exclude}) {
    for (const uint32_t product : drawn.refill) {
      const bool listed = std::find(list.begin(), list.end(), product) != list.end();
      if (without.count(product) == 0 && !listed) list.push_back(product);
    }
  }
  if (list.size() > drawn.request.k) list.resize(drawn.request.k);
  return list;
}

TEST(Mix, IsItsFormula) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Drawn drawn;
    Draw(seed, &drawn);
    Mix mix = Value(Mix::Make(drawn.settings));
    std::vector<Scored> list = {{7, 7}};
    mix.Rank(Spans(drawn.lists), drawn.request, &list);
    EXPECT_EQ(ProductsOf(list), PlainMix(drawn));
  }
}

TEST(Mix, NeverShowsWhatIsExcludedAndHasAsManyAsThereAre) {
  for (uint32_t seed = 500; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    Drawn drawn;
    Draw(seed, &drawn);
    for (uint32_t p = 0; p < kProducts; ++p) {
      if (std::find(drawn.refill.begin(), drawn.refill.end(), p) == drawn.refill.end()) {
        drawn.refill.push_back(p);
      }
    }
    drawn.request.refill = drawn.refill;
    Mix mix = Value(Mix::Make(drawn.settings));
    std::vector<Scored> list;
    mix.Rank(Spans(drawn.lists), drawn.request, &list);
    const std::set<uint32_t> exclude(drawn.exclude.begin(), drawn.exclude.end());
    std::set<uint32_t> shown;
    for (const Scored& scored : list) {
      EXPECT_EQ(exclude.count(scored.product), 0u);
      EXPECT_TRUE(shown.insert(scored.product).second) << scored.product << " is there twice";
    }
    EXPECT_EQ(list.size(), std::min<size_t>(drawn.request.k, kProducts - exclude.size()));
  }
}

TEST(Mix, DoesNotCareWhichSourceIsWhich) {
  for (uint32_t seed = 1000; seed < 1300; ++seed) {
    SCOPED_TRACE(seed);
    Drawn drawn;
    Draw(seed, &drawn);
    std::vector<Scored> list;
    Value(Mix::Make(drawn.settings)).Rank(Spans(drawn.lists), drawn.request, &list);
    std::array<size_t, kMixSources> order = {0, 1, 2, 3};
    while (std::next_permutation(order.begin(), order.end())) {
      MixSettings settings = drawn.settings;
      Lists lists;
      for (size_t s = 0; s < kMixSources; ++s) {
        lists[s] = drawn.lists[order[s]];
        for (size_t r = 0; r < kSituations; ++r) {
          settings.recipes[r].sources[s] = drawn.settings.recipes[r].sources[order[s]];
        }
      }
      std::vector<Scored> permuted;
      Value(Mix::Make(settings)).Rank(Spans(lists), drawn.request, &permuted);
      ASSERT_EQ(permuted, list);
    }
  }
}

TEST(Mix, SaysWhatEachSourceGave) {
  MixSettings settings;
  settings[Situation::kVisit][MixSource::kTaste] = {2, 1};
  settings[Situation::kVisit][MixSource::kSession] = {3, 2};
  Mix mix = Value(Mix::Make(settings));
  std::vector<Scored> list;
  mix.Rank(Spans({{{{4, 10}, {5, 5}}, {{5, 8}, {6, 4}}, {{9, 1}}, {}}}),
           {.k = 10, .situation = Situation::kVisit}, &list);
  EXPECT_EQ(list, (std::vector<Scored>{{5, 4}, {4, 2}, {6, 0.75f}}));
  EXPECT_EQ(mix.Given(MixSource::kTaste, 5), 1);
  EXPECT_EQ(mix.Given(MixSource::kSession, 5), 3);
  EXPECT_EQ(mix.Given(MixSource::kLinks, 9), 0) << "not asked";
  EXPECT_EQ(mix.Given(MixSource::kTaste, 77), 0);
}

TEST(Mix, ShowsWhatIsKnownOnlyWhereNothingElseIsLeft) {
  Mix mix = Value(Mix::Make(MixSettings::Default()));
  const std::vector<uint32_t> refill = {1, 2, 3, 4};
  const std::vector<uint32_t> known = {1, 8};
  const std::vector<uint32_t> exclude = {2};
  MixRequest request = {.k = 4, .exclude = exclude, .known = known, .refill = refill};
  std::vector<Scored> list;
  const Lists lists = {{{{8, 2}, {9, 1}}, {}, {}, {}}};
  mix.Rank(Spans(lists), request, &list);
  EXPECT_THAT(ProductsOf(list), ElementsAre(9, 3, 4, 1));
  request.hide_known = false;
  mix.Rank(Spans(lists), request, &list);
  EXPECT_THAT(ProductsOf(list), ElementsAre(8, 9, 1, 3));
  mix.Rank(Spans({}), {.k = 4}, &list);
  EXPECT_THAT(list, IsEmpty()) << "a shop without products";
}

TEST(Mix, NamesASettingThatIsOutOfItsRange) {
  MixSettings settings = MixSettings::Default();
  EXPECT_TRUE(Mix::Make(settings).ok());
  settings[Situation::kHome][MixSource::kLinks].weight = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(std::string(Mix::Make(settings).status().message()), HasSubstr("source links"));
  settings = MixSettings::Default();
  settings.depth = 0;
  EXPECT_THAT(std::string(Mix::Make(settings).status().message()), HasSubstr("depth is 0"));
}

// The model has three products; the site calls them 7, 5 and 2.
TEST(MixLists, SpeaksTheNumbersOfTheSite) {
  const std::vector<uint32_t> site_of = {7, 5, 2};
  MixLists lists(site_of);
  lists.Clear(10);
  ItemLinkLists links;
  links.links = {{1, 3, 2.0f}, {2, 1, 1.0f}, {2, 4, 5.0f}};
  links.offsets = {0, 2, 3, 3};
  lists.SetLinks(links, std::vector<Cell>{{0, 1}, {1, 0.5f}});
  EXPECT_THAT(lists.Of(MixSource::kLinks), ElementsAre(Scored{2, 3.5f}, Scored{5, 2}));
  lists.SetPopular(std::vector<uint32_t>{2, 0, 1}, std::vector<float>{4, 0, 9});
  EXPECT_THAT(lists.Of(MixSource::kPopular), ElementsAre(Scored{2, 9}, Scored{7, 4}));
  lists.SetSession(std::vector<Scored>{{100, 1}});
  EXPECT_THAT(lists.Of(MixSource::kSession), ElementsAre(Scored{100, 1}));

  FactorMatrix factors(3, 16);
  factors.setZero();
  factors(0, 0) = 1;
  factors(1, 0) = -1;
  factors(2, 0) = 2;
  const QuantizedFactors quantized(factors);
  Eigen::VectorXf taste = Eigen::VectorXf::Zero(16);
  lists.SetTaste(quantized, factors, taste);
  EXPECT_THAT(lists.Of(MixSource::kTaste), IsEmpty());
  taste[0] = 3;
  lists.SetTaste(quantized, factors, taste);
  EXPECT_THAT(lists.Of(MixSource::kTaste), ElementsAre(Scored{2, 6}, Scored{7, 3}));
  lists.Clear(1);
  EXPECT_THAT(lists.Of(MixSource::kTaste), IsEmpty());
}

TEST(MixLists, TakesTheTreesScoresAsLogarithms) {
  MixLists lists;
  lists.SetRerankedSession(std::vector<Scored>{{3, -1}, {1, -2}, {2, -1000}});
  const auto session = lists.Of(MixSource::kSession);
  ASSERT_EQ(session.size(), 3u);
  EXPECT_FLOAT_EQ(session[0].score, 1);
  EXPECT_FLOAT_EQ(session[1].score, std::exp(-1.0f));
  EXPECT_GT(session[2].score, 0);
}

}  // namespace
}  // namespace vitrine
