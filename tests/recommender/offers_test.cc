#include "recommender/placements/offers.h"

#include "recommender/placements/reasons.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::TasteShape;
using testing::Value;

constexpr TasteShape kShape = {.persons = 300, .products = 400};
constexpr int64_t kNowMs = 1'700'000'000'000;
constexpr int64_t kHourMs = 3'600'000;

struct Asked {
  std::vector<Offer> offers;
  std::vector<Reason> reasons;
};

bool operator==(const Asked& a, const Asked& b) {
  return std::ranges::equal(a.offers, b.offers,
                            [](const Offer& x, const Offer& y) {
                              return x.product == y.product && x.score == y.score &&
                                     x.source == y.source;
                            }) &&
         std::ranges::equal(a.reasons, b.reasons, [](const Reason& x, const Reason& y) {
           return x.key == y.key && x.product == y.product;
         });
}

class RankMemoTest : public ::testing::Test {
 protected:
  RankMemoTest()
      : model_(testing::MakeModel(kShape, 81)), ranker_(Value(LiveRanker::Make(model_))) {}

  Profile Draw(int64_t newest_ms) {
    Profile profile;
    for (int i = 0; i < 12; ++i) {
      profile.acts.push_back({newest_ms - i * kHourMs, i % 3 == 0 ? PURCHASE : VIEW_ITEM,
                              static_cast<uint32_t>(random_() % kShape.products)});
    }
    profile.cells = CellsOf(model_, profile.acts);
    profile.taste = Taste(model_, profile.cells, {}, 0);
    return profile;
  }

  // As a request of its own would.
  Asked Ask(const Profile& profile, const RankMemo* memo, bool exclude_bought, size_t depth,
            Source source = FOR_YOU) {
    OfferContext context;
    context.model = &model_;
    context.profile = &profile;
    context.memo = memo;
    context.rank.now_ms = kNowMs;
    context.rank.exclude_bought = exclude_bought;
    OfferMaker maker(context, &ranker_);
    RecipeSource from;
    from.source = source;
    Asked asked = {maker.Of(from, depth), {}};
    std::vector<ShownProduct> shelf;
    for (const Offer& offer : asked.offers) {
      shelf.push_back({offer.product, offer.score, offer.source, {}});
    }
    ReasonFinder finder(context);
    finder.Prepare(shelf);
    for (const ShownProduct& shown : shelf) asked.reasons.push_back(finder.Find(shown, {}));
    return asked;
  }

  std::mt19937 random_{82};
  Model model_;
  LiveRanker ranker_;
};

TEST_F(RankMemoTest, ChangesNoAnswer) {
  for (int round = 0; round < 10; ++round) {
    const Profile profile = Draw(kNowMs - 48 * kHourMs);
    const RankMemo memo;
    for (int request = 0; request < 20; ++request) {
      const bool exclude_bought = random_() % 2 == 0;
      const size_t depth = 1 + random_() % 150;
      const Source source = random_() % 4 == 0 ? TOGETHER : random_() % 3 == 0 ? TASTE : FOR_YOU;
      EXPECT_TRUE(Ask(profile, &memo, exclude_bought, depth, source) ==
                  Ask(profile, nullptr, exclude_bought, depth, source))
          << "round " << round << ", request " << request;
    }
    EXPECT_NE(memo.Find({true, true}, 100), nullptr) << "round " << round;
  }
}

TEST_F(RankMemoTest, HoldsNoRankingOfAVisit) {
  const Profile profile = Draw(kNowMs - 60'000);
  const RankMemo memo;
  Ask(profile, &memo, true, 20);
  EXPECT_EQ(memo.Find({true, true}, 1), nullptr);
}

}  // namespace
}  // namespace vitrine
