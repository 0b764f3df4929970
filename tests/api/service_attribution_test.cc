// What is shown comes back as what it earned: recommend, track, report.

#include <string>
#include <vector>

#include "experiments/attribution/placement_report.h"
#include "ingest/formats/dialect_fields.h"
#include "tests/api/service_testing.h"

namespace vitrine {
namespace {

using testing::MakeEvent;
using testing::ServiceTest;
using testing::Value;

class AttributionTest : public ServiceTest {
 protected:
  AttributionTest() { Train(); }

  RecommendReply Show(const Context& context) {
    RecommendRequest request;
    request.context = context;
    request.k = 3;
    RecommendReply reply;
    storefront_->recommend(reply, request);
    EXPECT_EQ(reply.suggestions.size(), 3u);
    return reply;
  }

  TrackReply Track(const Context& context, Event event) {
    TrackRequest request;
    request.context = context;
    request.events = {std::move(event)};
    TrackReply reply;
    storefront_->track(reply, request);
    return reply;
  }

  struct Figures {
    int64_t shelves = 0;
    int64_t shown = 0;
    double clicked = 0;
    int64_t orders = 0;
    double revenue = 0;
  };
  Figures Earned() {
    const Report report = Value(PlacementReport(Shop()->house(), {}));
    for (const Report::Table& table : report.tables) {
      if (table.name != "overview") continue;
      const auto& row = table.rows.at(0);
      Figures figures = {std::get<int64_t>(row.at(1)), std::get<int64_t>(row.at(2)),
                         std::get<double>(row.at(3)), std::get<int64_t>(row.at(5)), 0};
      if (row.size() > 6) figures.revenue = std::get<double>(row.at(6));
      return figures;
    }
    ADD_FAILURE() << "no overview";
    return {};
  }
};

TEST_F(AttributionTest, AClickThatCarriesTheIdIsCreditedToItsShelf) {
  const Context ann = ContextOf("", "ann");
  const RecommendReply shown = Show(ann);
  EXPECT_TRUE(LooksLikeRecommendationId(shown.recommendation_id)) << shown.recommendation_id;
  EXPECT_EQ(Earned().shown, 3);
  EXPECT_EQ(Earned().clicked, 0);
  Event click = MakeEvent("click", "v:ann", clock_.NowMs(), EventKind::SELECT_ITEM,
                          shown.suggestions[1].product_id);
  click.__set_recommendation_id(shown.recommendation_id);
  EXPECT_EQ(Track(ann, click).accepted, 1);
  EXPECT_DOUBLE_EQ(Earned().clicked, 1.0 / 3);
  const Exposure kept = Value(Shop()->house().GetExposure(shown.recommendation_id));
  EXPECT_EQ(kept.placement, "home");
  EXPECT_EQ(kept.products[1].product_id, shown.suggestions[1].product_id);
  EXPECT_EQ(kept.products[1].source, shown.suggestions[1].source);
}

TEST_F(AttributionTest, AnOrderWithinTheWindowNeedsNoId) {
  const Context ann = ContextOf("c1");
  const RecommendReply shown = Show(ann);
  Event order = MakeEvent("order", "c1", clock_.NowMs() + 60'000, EventKind::PURCHASE,
                          shown.suggestions[0].product_id);
  order.items[0].__set_price_minor(1250);
  order.__set_currency("GBP");
  EXPECT_EQ(Track(ann, order).accepted, 1);
  EXPECT_EQ(Earned().orders, 1);
  EXPECT_DOUBLE_EQ(Earned().revenue, 12.5);
}

TEST_F(AttributionTest, WhoDoesNotWantToBeKnownLeavesNoShelf) {
  Context nobody = ContextOf("c1", "ann");
  nobody.personalize = false;
  const RecommendReply shown = Show(nobody);
  EXPECT_EQ(Earned().shelves, 0);
  EXPECT_TRUE(absl::IsNotFound(Shop()->house().GetExposure(shown.recommendation_id).status()));
}

TEST_F(AttributionTest, AnIdThatIsNoneIsRejectedAndOneThatNobodyKnowsIsNot) {
  const Context ann = ContextOf("", "ann");
  Event click = MakeEvent("1", "v:ann", clock_.NowMs(), EventKind::SELECT_ITEM, "p");
  click.__set_recommendation_id("control\ncharacter");
  const TrackReply refused = Track(ann, click);
  ASSERT_EQ(refused.rejects.size(), 1u);
  EXPECT_EQ(refused.rejects[0].reason, "bad_id");
  EXPECT_THAT(refused.rejects[0].detail, ::testing::StartsWith("recommendation_id: "));
  click.__set_recommendation_id("of-another-shop");
  EXPECT_EQ(Track(ann, click).accepted, 1);
  EXPECT_EQ(Earned().clicked, 0);
}

}  // namespace
}  // namespace vitrine
