// Segments of a site: set, kept, asked for, and who is in an experiment by them.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "api/service/site_segments.h"
#include "tests/api/service_testing.h"
#include "tests/recommender/segments_testing.h"

namespace vitrine::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// The site itself goes by the machine's clock.
class SegmentsTest : public ServiceTest {
 protected:
  SegmentsTest() { Shop()->segments().Start(); }

  static SegmentSet Buyers() {
    SegmentSet set;
    set.segments.push_back(
        SegmentOf("big-buyers", {Number(SegmentMeasure::ORDER_COUNT, Relation::AT_LEAST, 7)}));
    set.segments.push_back(
        SegmentOf("buyers", {Number(SegmentMeasure::ORDER_COUNT, Relation::AT_LEAST, 1)}));
    return set;
  }
  SegmentSetVersion Set(const SegmentSet& set, int64_t based_on) {
    SegmentSetVersion version;
    backoffice_->set_segments(version, "shop", set, based_on, "op", "a test");
    return version;
  }
  Segments Now() {
    Segments segments;
    backoffice_->segments(segments, "shop");
    return segments;
  }
  std::vector<std::string> Of(const std::string& customer) {
    std::vector<std::string> ids;
    backoffice_->segments_of(ids, "shop", customer);
    return ids;
  }
  std::vector<std::string> Members(const std::string& id, const std::string& after, int32_t limit) {
    std::vector<std::string> members;
    backoffice_->segment_members(members, "shop", id, after, limit);
    return members;
  }
  void Buy(const std::string& customer) {
    Event event = MakeEvent(absl::StrCat("later-", ++bought_), customer, kNow, EventKind::PURCHASE,
                            ProductId(0, 0));
    TrackReply reply;
    TrackRequest request;
    request.context = ContextOf(customer);
    request.events = {event};
    storefront_->track(reply, request);
  }

  int bought_ = 0;
};

TEST_F(SegmentsTest, ASiteWithoutSegmentsHasNone) {
  const Segments now = Now();
  EXPECT_EQ(now.version.version, 0);
  EXPECT_EQ(now.counted, 0);
  EXPECT_THROW(Of("c1"), NotFound);
}

TEST_F(SegmentsTest, EverybodyIsLookedAtAndThenWhoDidSomething) {
  EXPECT_EQ(Set(Buyers(), 0).version, 1);
  Shop()->segments().Settle();
  const Segments now = Now();
  EXPECT_EQ(now.counted, 1);
  EXPECT_EQ(now.customers, 80);
  ASSERT_THAT(now.sizes, SizeIs(2));
  EXPECT_EQ(now.sizes[0].customers, 0);
  EXPECT_EQ(now.sizes[1].customers, 80);
  EXPECT_THAT(Of("c1"), ElementsAre("buyers"));
  Buy("c1");
  Buy("new-one");
  Shop()->segments().Settle();
  EXPECT_THAT(Of("c1"), ElementsAre("big-buyers", "buyers"));
  EXPECT_THAT(Of("new-one"), ElementsAre("buyers"));
  EXPECT_THAT(Members("big-buyers", "", 10), ElementsAre("c1"));
  EXPECT_THAT(Members("buyers", "c1", 2), ElementsAre("c10", "c11"));
  EXPECT_EQ(Now().customers, 81);
}

// The promise of a second: here by the machine's clock, which nothing else but a stopped machine
// holds up so long.
TEST_F(SegmentsTest, FollowsAnEventWithinASecond) {
  Set(Buyers(), 0);
  Shop()->segments().Settle();
  const absl::Time start = absl::Now();
  Buy("c1");
  Shop()->segments().Settle();
  EXPECT_THAT(Of("c1"), Contains("big-buyers"));
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
}

TEST_F(SegmentsTest, AWrongOneIsRefusedByItsPlace) {
  SegmentSet set = Buyers();
  set.segments[1].conditions[0].any[0].days = 9999;
  try {
    Set(set, 0);
    FAIL() << "taken";
  } catch (const InvalidRequest& e) {
    EXPECT_THAT(e.message, HasSubstr("segments[1].conditions[0].any[0].days: "));
  }
  Set(Buyers(), 0);
  EXPECT_THROW(Set(Buyers(), 0), InvalidRequest) << "somebody set them meanwhile";
  std::vector<SegmentSetVersion> history;
  backoffice_->segment_history(history, "shop", 10);
  EXPECT_THAT(history, SizeIs(1));
}

TEST_F(SegmentsTest, APreviewChangesNothing) {
  SegmentPreview preview;
  backoffice_->segment_preview(
      preview, "shop",
      SegmentOf("try", {Number(SegmentMeasure::ORDER_COUNT, Relation::AT_LEAST, 6)}));
  EXPECT_EQ(preview.customers, 80);
  EXPECT_EQ(preview.members, 80);
  EXPECT_THAT(preview.sample, SizeIs(20));
  EXPECT_EQ(Now().version.version, 0);
}

TEST_F(SegmentsTest, WhoIsErasedIsInNothing) {
  Set(Buyers(), 0);
  Shop()->segments().Settle();
  std::vector<Erasure> receipts;
  backoffice_->erase_customers(receipts, "shop", {"c1"});
  Shop()->segments().Settle();
  EXPECT_THAT(Of("c1"), IsEmpty());
  EXPECT_THAT(Members("buyers", "", 1000), Not(Contains("c1")));
}

TEST_F(SegmentsTest, AreThereAgainAfterAStart) {
  Set(Buyers(), 0);
  Open();
  EXPECT_THROW(Of("c1"), Unavailable) << "nobody asked for memberships yet";
  backoffice_->CountSegments("shop");
  EXPECT_THAT(Of("c1"), ElementsAre("buyers"));
  Set({}, 1);
  EXPECT_THROW(Of("c1"), NotFound);
}

TEST_F(SegmentsTest, AreAnAudienceOfExperiments) {
  Train();
  Set(Buyers(), 0);
  Shop()->segments().Settle();
  Experiment experiment;
  experiment.id = "trial";
  experiment.hypothesis = "big buyers like two";
  experiment.placement = "home";
  experiment.unit = ExperimentUnit::CUSTOMER;
  experiment.planned_units = 1000;
  experiment.arms.resize(2);
  experiment.arms[0].id = "as-it-is";
  experiment.arms[1].id = "two";
  experiment.arms[1].__set_k(2);
  experiment.audience.segments = {"big-buyers"};
  ExperimentChange change;
  backoffice_->set_experiment(change, "shop", experiment, 0, "op", "");
  backoffice_->move_experiment(change, "shop", "trial", ExperimentStatus::RUNNING, "op", "");
  const auto is_in = [this](const Context& context) {
    PageRequest request;
    request.context = context;
    request.shelves.emplace_back().placement = "home";
    PageReply reply;
    storefront_->page(reply, request);
    return !reply.shelves.at(0).arms.empty();
  };
  EXPECT_FALSE(is_in(ContextOf("c1")));
  Buy("c1");
  Shop()->segments().Settle();
  EXPECT_TRUE(is_in(ContextOf("c1")));
  EXPECT_FALSE(is_in(ContextOf("c2")));
  EXPECT_FALSE(is_in(ContextOf("", "a-visitor")));
}

// Time alone: by a clock of the test's own.
TEST(SegmentKeeperTest, MovesWhomTimeMoves) {
  TempDir folder;
  SimClock clock(kNow);
  std::unique_ptr<WebHouse> house = Value(WebHouse::Open({.directory = folder.File("db")}));
  ASSERT_OK(house
                ->Track({MakeEvent("e1", "anna", kNow - 20 * kDayMs, EventKind::PURCHASE, "mug")},
                        {}, Ack::kApplied)
                .status());
  const auto read_copy = [&](const auto& read) { return read(*house); };
  SegmentKeeper keeper(house.get(), read_copy, &clock, "shop");
  ASSERT_OK(keeper.Load());
  keeper.Start();
  SegmentSet set;
  set.segments.push_back(
      SegmentOf("lapsed", {Number(SegmentMeasure::DAYS_SINCE_LAST_ORDER, Relation::AT_LEAST, 30)}));
  ASSERT_OK(keeper.Set(set, 0, "op", "").status());
  keeper.Settle();
  EXPECT_THAT(*keeper.index()->Of("anna"), IsEmpty());
  clock.Advance(10 * kDayMs);
  keeper.Settle();
  EXPECT_THAT(*keeper.index()->Of("anna"), ElementsAre("lapsed"));
}

}  // namespace
}  // namespace vitrine::testing
