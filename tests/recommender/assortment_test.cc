// Products that no model knows: where they are guessed to be, for whom they are ranked, and when
// they are tried.

#include "recommender/placements/assortment.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"

#include "recommender/placements/offers.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::TasteShape;
using testing::Value;

constexpr TasteShape kShape = {.persons = 300, .products = 240, .groups = 6};
constexpr int64_t kNowMs = 1'700'000'000'000;
constexpr int64_t kDayMs = 86'400'000;
constexpr uint32_t kSeed = 83;

// The products of a group have a category of their own, and each a word.
class AssortmentTest : public ::testing::Test {
 protected:
  AssortmentTest()
      : model_(testing::MakeModel(kShape, kSeed)), ranker_(Value(LiveRanker::Make(model_))) {
    for (uint32_t p = 0; p < kShape.products; ++p) {
      catalogue_.push_back(MakeProduct(testing::ProductName(p), GroupOf(p, kShape)));
      numbers_.push_back(p);
    }
  }

  static Product MakeProduct(const std::string& id, size_t group) {
    Product product;
    product.id = id;
    product.__set_in_catalogue(true);
    product.__set_category(absl::StrCat("group ", group));
    product.__set_name(absl::StrCat("thing number ", id.substr(1)));
    return product;
  }

  // Its number.
  uint32_t AddNew(size_t group, int64_t since_ms) {
    const auto number = static_cast<uint32_t>(catalogue_.size());
    Product product = MakeProduct(absl::StrCat("n", number), group);
    product.facts_time_ms = since_ms;
    catalogue_.push_back(std::move(product));
    numbers_.push_back(number);
    return number;
  }

  void Look() { assortment_ = std::make_unique<Assortment>(catalogue_, numbers_, model_); }

  // Somebody who bought five products of a group two days ago.
  Profile BuyerOf(uint32_t group) {
    Profile profile;
    for (uint32_t i = 0; i < 5; ++i) {
      const auto product = static_cast<uint32_t>(group + 7 * i * kShape.groups);
      profile.acts.push_back({kNowMs - 2 * kDayMs - i, PURCHASE, product});
    }
    profile.cells = CellsOf(model_, profile.acts);
    profile.taste = Taste(model_, profile.cells, {}, 0);
    return profile;
  }

  OfferContext ContextOf(const Profile& profile) const {
    OfferContext context;
    context.model = &model_;
    context.profile = &profile;
    context.assortment = assortment_.get();
    context.rank.now_ms = kNowMs;
    return context;
  }

  std::vector<Offer> Ask(const OfferContext& context, Source source, size_t depth) {
    RecipeSource from;
    from.source = source;
    return OfferMaker(context, &ranker_).Of(from, depth);
  }

  static bool Has(const std::vector<Offer>& offers, uint32_t product) {
    return std::ranges::find(offers, product, &Offer::product) != offers.end();
  }

  // How often each is drawn first, in so many shelves that try something.
  std::vector<int> TimesTried(OfferContext context, int shelves) {
    std::vector<int> times(catalogue_.size());
    for (int seed = 0; seed < shelves; ++seed) {
      context.seed = static_cast<uint64_t>(seed);
      ++times[Ask(context, EXPLORE, 1).at(0).product];
    }
    return times;
  }

  const Model model_;
  LiveRanker ranker_;
  std::vector<Product> catalogue_;
  std::vector<uint32_t> numbers_;
  std::unique_ptr<Assortment> assortment_;
};

TEST_F(AssortmentTest, TasteRanksWhatIsNewForThoseWhoWantItsLikes) {
  const uint32_t fresh = AddNew(2, kNowMs - kDayMs);
  const uint32_t old = AddNew(2, kNowMs - 40 * kDayMs);
  Look();
  const Profile fan = BuyerOf(2), other = BuyerOf(3);
  const std::vector<Offer> for_fan = Ask(ContextOf(fan), FOR_YOU, 25);
  EXPECT_TRUE(Has(for_fan, fresh));
  EXPECT_FALSE(Has(for_fan, old)) << "nobody wanted it for forty days";
  EXPECT_FALSE(Has(Ask(ContextOf(other), FOR_YOU, 25), fresh));
}

// The taste list is the best of all products, whichever matrix they are in.
TEST_F(AssortmentTest, TheTasteListIsThatOfBothMatrices) {
  for (size_t i = 0; i < 60; ++i) AddNew(i % kShape.groups, kNowMs - static_cast<int64_t>(i));
  Look();
  const Profile person = BuyerOf(1);
  const std::set<uint32_t> bought = [&] {
    std::set<uint32_t> products;
    for (const Act& act : person.acts) products.insert(act.product);
    return products;
  }();
  const GuessedProducts& guessed = assortment_->guessed();
  ASSERT_EQ(guessed.products.size(), 60u);
  std::vector<Scored> expected;
  for (uint32_t p = 0; p < kShape.products; ++p) {
    if (!bought.contains(p)) expected.push_back({p, model_.factors.row(p).dot(person.taste)});
  }
  for (size_t row = 0; row < guessed.products.size(); ++row) {
    const auto factors = guessed.factors.row(static_cast<Eigen::Index>(row));
    expected.push_back({guessed.products[row], factors.dot(person.taste)});
  }
  std::ranges::sort(expected, std::greater(), &Scored::score);
  const std::vector<Offer> offers = Ask(ContextOf(person), TASTE, 50);
  ASSERT_EQ(offers.size(), 50u);
  size_t new_ones = 0;
  for (size_t i = 0; i < offers.size(); ++i) {
    EXPECT_NEAR(offers[i].score, expected[i].score, 1e-5f) << i;
    new_ones += offers[i].product >= kShape.products;
  }
  EXPECT_GT(new_ones, 0u);
}

TEST_F(AssortmentTest, AKeptRankingIsAskedForAnewWhenGuessesChange) {
  const Profile fan = BuyerOf(2);
  const RankMemo memo;
  Look();
  OfferContext before = ContextOf(fan);
  before.memo = &memo;
  Ask(before, FOR_YOU, 25);
  const uint32_t fresh = AddNew(2, kNowMs - kDayMs);
  Look();
  OfferContext after = ContextOf(fan);
  after.memo = &memo;
  EXPECT_TRUE(Has(Ask(after, FOR_YOU, 25), fresh));
}

TEST_F(AssortmentTest, AProductNobodyTouchedHasSimilarOnes) {
  const uint32_t cold = AddNew(4, kNowMs - 100 * kDayMs);
  Look();
  const Profile nobody;
  OfferContext context = ContextOf(nobody);
  context.current = cold;
  const std::vector<Offer> similar = Ask(context, SIMILAR, 10);
  ASSERT_EQ(similar.size(), 10u);
  EXPECT_GE(std::ranges::count_if(similar,
                                  [](const Offer& o) { return GroupOf(o.product, kShape) == 4; }),
            8);
  context.current = cold + 1;  // neither known nor guessed
  EXPECT_TRUE(Ask(context, SIMILAR, 10).empty());
}

TEST_F(AssortmentTest, TriesWhatIsNewAndDidNotEarnItsPlaceYet) {
  const uint32_t fresh = AddNew(2, kNowMs - kDayMs);
  const uint32_t tried_out = AddNew(2, kNowMs - kDayMs);
  const uint32_t old = AddNew(2, kNowMs - 40 * kDayMs);
  const uint32_t later = AddNew(2, kNowMs + kDayMs);
  const uint32_t popular = model_.by_popularity.front(), hardly = model_.by_popularity.back();
  for (const uint32_t known : {popular, hardly}) {
    catalogue_[known].__set_available_from_ms(kNowMs - kDayMs);
  }
  Look();
  const uint32_t noted = AddNew(1, kNowMs);  // a moment ago: the catalogue was not looked at since
  const uint32_t noted_list[] = {noted};
  const Profile nobody;
  OfferContext context = ContextOf(nobody);
  context.noted = noted_list;
  context.trial = [=](uint32_t product) {
    return product == tried_out ? Trial{.shown = 500, .taken = 9} : Trial();
  };
  std::set<uint32_t> offered;
  for (const Offer& offer : Ask(context, EXPLORE, 20)) {
    EXPECT_EQ(offer.source, EXPLORE);
    offered.insert(offer.product);
  }
  EXPECT_EQ(offered, (std::set{fresh, hardly, noted}))
      << "old " << old << ", later " << later << ", popular " << popular;
}

TEST_F(AssortmentTest, TriesAProductOnThoseWhoWantItsLikes) {
  const uint32_t second = AddNew(2, kNowMs - kDayMs), third = AddNew(3, kNowMs - kDayMs);
  Look();
  const Profile fan = BuyerOf(2), other = BuyerOf(3), nobody;
  EXPECT_GT(TimesTried(ContextOf(fan), 1000)[second], 600);
  EXPECT_GT(TimesTried(ContextOf(other), 1000)[third], 600);
  EXPECT_NEAR(TimesTried(ContextOf(nobody), 1000)[second], 500, 60);
}

TEST_F(AssortmentTest, AShelfTriesAsOftenAsTheRecipeSays) {
  for (int i = 0; i < 5; ++i) AddNew(2, kNowMs - kDayMs);
  Look();
  const Profile person = BuyerOf(2);
  OfferContext context = ContextOf(person);
  std::vector<RecipeSource> recipe(2);
  recipe[0].source = POPULAR;
  recipe[1].source = EXPLORE;
  recipe[1].weight = 0.2;
  int tried = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    context.seed = seed;
    const OfferMaker::Mixed mixed = OfferMaker(context, &ranker_).Mix(recipe, 30);
    EXPECT_EQ(mixed.scored.size(), 30u);
    EXPECT_FALSE(std::ranges::any_of(mixed.scored,
                                     [](const Offer& offer) { return offer.source == EXPLORE; }));
    tried += !mixed.tried.empty();
  }
  EXPECT_NEAR(tried, 200, 40);
  // By itself it makes the shelf.
  recipe.erase(recipe.begin());
  const OfferMaker::Mixed alone = OfferMaker(context, &ranker_).Mix(recipe, 30);
  EXPECT_EQ(alone.scored.size(), 5u);
  EXPECT_TRUE(alone.tried.empty());
}

}  // namespace
}  // namespace vitrine
