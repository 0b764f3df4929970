#include "api/service/live_visits.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MakeEvent;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kGap = 30 * 60 * 1000;

Event View(absl::string_view person, int64_t time_ms, absl::string_view product) {
  return MakeEvent("id", person, time_ms, VIEW_ITEM, product);
}

class LiveVisitsTest : public ::testing::Test {
 protected:
  void Add(const Event& event) { visits_.Add({&event, 1}, {}, event.time_ms, kGap); }

  LiveVisits visits_{3};
};

TEST_F(LiveVisitsTest, AVisitComesOutWhenItHasEnded) {
  Add(View("v:a", kNow, "pear"));
  Add(View("v:b", kNow + 1, "fig"));
  Add(View("v:a", kNow + kGap, "plum"));
  Add(View("v:b", kNow + kGap, "kiwi"));
  EXPECT_THAT(visits_.TakeEnded(kNow + 2 * kGap, kGap), IsEmpty());
  EXPECT_THAT(visits_.TakeEnded(kNow + 2 * kGap + 1, kGap),
              ElementsAre(ElementsAre("pear", "plum"), ElementsAre("fig", "kiwi")));
  EXPECT_THAT(visits_.TakeEnded(kNow + 9 * kGap, kGap), IsEmpty());
}

TEST_F(LiveVisitsTest, ANewVisitOfTheSamePersonEndsTheOneBefore) {
  Add(View("v:a", kNow, "pear"));
  Add(View("v:a", kNow + 1, "plum"));
  Add(View("v:a", kNow + kGap + 2, "fig"));
  EXPECT_THAT(visits_.TakeEnded(kNow + kGap + 2, kGap), ElementsAre(ElementsAre("pear", "plum")));
}

TEST_F(LiveVisitsTest, OneClickTellsNothingAndWhatIsLongAgoIsNoVisitGoingOn) {
  Add(View("v:a", kNow, "pear"));
  const Event old = View("v:a", kNow - kGap - 1, "plum");
  visits_.Add({&old, 1}, {}, kNow, kGap);
  EXPECT_THAT(visits_.TakeEnded(kNow + 9 * kGap, kGap), IsEmpty());
}

TEST_F(LiveVisitsTest, WhereThereIsNoRoomTheOneThatWaitsLongestEnds) {
  for (const char* person : {"v:a", "v:b", "v:c"}) {
    Add(View(person, kNow, "pear"));
    Add(View(person, kNow + 1, "plum"));
  }
  Add(View("v:a", kNow + 2, "fig"));
  Add(View("v:d", kNow + 3, "fig"));
  EXPECT_THAT(visits_.TakeEnded(kNow + 3, kGap), ElementsAre(ElementsAre("pear", "plum")));
  EXPECT_THAT(visits_.TakeEnded(kNow + 9 * kGap, kGap),
              ElementsAre(ElementsAre("pear", "plum"), ElementsAre("pear", "plum", "fig")));
}

TEST_F(LiveVisitsTest, NothingOfAPersonWhoIsForgottenComesOut) {
  Event login = MakeEvent("id", "ann", kNow + 2, LOGIN);
  login.__set_visitor_id("a");
  Add(View("v:a", kNow, "pear"));
  Add(View("v:a", kNow + 1, "plum"));
  Add(login);
  Add(View("bob", kNow, "pear"));
  Add(View("bob", kNow + 1, "fig"));
  visits_.Forget("ann");
  EXPECT_THAT(visits_.TakeEnded(kNow + 9 * kGap, kGap), ElementsAre(ElementsAre("pear", "fig")));
}

}  // namespace
}  // namespace vitrine
