#include <algorithm>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "recommender/segments/evaluate.h"
#include "tests/recommender/segments_testing.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::MakeEvent;
using testing::Number;
using testing::SegmentOf;
using testing::Words;

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kNow = 19'802 * kDayMs + 12 * 3'600'000;  // noon of 2024-03-20

// `days_ago` before kNow.
Event Did(EventKind kind, double days_ago, const std::string& product = "", int64_t price_minor = 0,
          int32_t quantity = 1) {
  static int n = 0;
  Event event = MakeEvent(absl::StrCat("e", ++n), "anna",
                          kNow - static_cast<int64_t>(days_ago * kDayMs), kind, product);
  if (!product.empty()) {
    event.items[0].__set_price_minor(price_minor);
    event.items[0].quantity = quantity;
    event.__set_currency("EUR");
  }
  return event;
}

Event Told(double days_ago, const std::string& topic, const std::string& outcome = "",
           const std::string& case_id = "") {
  Event event = Did(EventKind::CONTACT, days_ago);
  ContactNote note;
  note.contact_id = event.id;
  note.purpose = "service";
  note.inbound = true;
  note.__set_topic(topic);
  if (!outcome.empty()) note.__set_outcome(outcome);
  if (!case_id.empty()) note.__set_case_id(case_id);
  event.__set_contact(note);
  return event;
}

CustomerProfile ProfileOf(std::vector<Event> events) {
  CustomerProfile profile;
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.time_ms < b.time_ms; });
  profile.events = std::move(events);
  return profile;
}

SegmentWorld World() {
  SegmentWorld world;
  world.category_of = [](absl::string_view product) {
    return product == "boot" ? "Shoes > Boots" : product == "mug" ? "Kitchen" : "";
  };
  world.device_of = [](absl::string_view agent) {
    return agent == "phone" ? Device::MOBILE : Device::DESKTOP;
  };
  return world;
}

bool Holds(const SegmentTest& test, const CustomerProfile& profile, int64_t now_ms = kNow) {
  return EvaluateTest(test, profile, World(), now_ms).holds;
}

TEST(SegmentTest, CountsEventsOfAKindWithinAWindow) {
  const CustomerProfile profile =
      ProfileOf({Did(EventKind::VIEW_ITEM, 1, "boot"), Did(EventKind::VIEW_ITEM, 6, "mug"),
                 Did(EventKind::VIEW_ITEM, 8, "boot"), Did(EventKind::SEARCH, 2)});
  SegmentTest views = Number(SegmentMeasure::EVENT_COUNT, Relation::AT_LEAST, 3);
  views.kinds = {EventKind::VIEW_ITEM};
  EXPECT_TRUE(Holds(views, profile)) << "ever";
  views.days = 7;
  EXPECT_FALSE(Holds(views, profile));
  views.number = 2;
  EXPECT_TRUE(Holds(views, profile));
  views.categories = {"Shoes"};
  EXPECT_FALSE(Holds(views, profile));
  views.number = 1;
  EXPECT_TRUE(Holds(views, profile));
  // The one of yesterday leaves the week in six days: exactly then.
  const Membership now = EvaluateTest(views, profile, World(), kNow);
  EXPECT_EQ(now, (Membership{true, kNow + 6 * kDayMs}));
  EXPECT_TRUE(Holds(views, profile, now.until_ms - 1));
  EXPECT_FALSE(Holds(views, profile, now.until_ms));
}

TEST(SegmentTest, OneOrderIsOneHoweverManyEventsItHas) {
  std::vector<Event> events = {Did(EventKind::PURCHASE, 3, "boot", 5000),
                               Did(EventKind::PURCHASE, 3, "mug", 700),
                               Did(EventKind::PURCHASE, 1, "mug", 700)};
  events[0].__set_order_id("o1");
  events[1].__set_order_id("o1");
  const CustomerProfile profile = ProfileOf(events);
  EXPECT_TRUE(Holds(Number(SegmentMeasure::ORDER_COUNT, Relation::AT_MOST, 2), profile));
  EXPECT_FALSE(Holds(Number(SegmentMeasure::ORDER_COUNT, Relation::AT_MOST, 1), profile));
  SegmentTest boots = Number(SegmentMeasure::ORDER_COUNT, Relation::AT_LEAST, 1);
  boots.products = {"boot"};
  EXPECT_TRUE(Holds(boots, profile));
  boots.number = 2;
  EXPECT_FALSE(Holds(boots, profile));
}

TEST(SegmentTest, MoneyCountsInItsCurrencyAndOfItsProducts) {
  std::vector<Event> events = {Did(EventKind::PURCHASE, 40, "boot", 5000, 2),
                               Did(EventKind::PURCHASE, 10, "mug", 700),
                               Did(EventKind::REFUND, 5, "boot", 5000)};
  events.push_back(Did(EventKind::PURCHASE, 1, "mug", 90'000));
  events.back().__set_currency("JPY");
  const CustomerProfile profile = ProfileOf(events);
  SegmentTest bought = Number(SegmentMeasure::BOUGHT_MINOR, Relation::AT_LEAST, 10'700);
  bought.currency = "EUR";
  EXPECT_TRUE(Holds(bought, profile));
  bought.number = 10'701;
  EXPECT_FALSE(Holds(bought, profile));
  bought.categories = {"Shoes"};
  bought.number = 10'000;
  EXPECT_TRUE(Holds(bought, profile));
  SegmentTest share = Number(SegmentMeasure::RETURNED_SHARE, Relation::AT_LEAST, 0.4);
  share.currency = "EUR";
  EXPECT_TRUE(Holds(share, profile));
  share.currency = "USD";
  EXPECT_FALSE(Holds(share, profile)) << "who bought nothing has no share, high or low";
  share.relation = Relation::AT_MOST;
  EXPECT_FALSE(Holds(share, profile));
}

TEST(SegmentTest, AShareGrowsWhenPurchasesLeaveTheWindow) {
  const CustomerProfile profile = ProfileOf({Did(EventKind::PURCHASE, 29, "boot", 9000),
                                             Did(EventKind::PURCHASE, 10, "mug", 1000),
                                             Did(EventKind::REFUND, 9, "mug", 1000)});
  SegmentTest share = Number(SegmentMeasure::RETURNED_SHARE, Relation::AT_LEAST, 0.5, 30);
  share.currency = "EUR";
  EXPECT_EQ(EvaluateTest(share, profile, World(), kNow), (Membership{false, kNow + kDayMs}));
  EXPECT_TRUE(Holds(share, profile, kNow + kDayMs));
}

TEST(SegmentTest, WhatWasOnlySentToThemIsNoVisit) {
  std::vector<Event> events = {Did(EventKind::PAGE_VIEW, 20), Did(EventKind::VIEW_ITEM, 19.999),
                               Did(EventKind::PAGE_VIEW, 10)};
  Event mail = Did(EventKind::CONTACT, 1);
  mail.channel = Channel::EMAIL;
  ContactNote note;
  note.contact_id = "m1";
  note.purpose = "marketing";
  mail.__set_contact(note);
  events.push_back(mail);
  const SegmentTest two = Number(SegmentMeasure::VISIT_COUNT, Relation::AT_LEAST, 3);
  EXPECT_FALSE(Holds(two, ProfileOf(events)));
  const SegmentTest away = Number(SegmentMeasure::DAYS_SINCE_LAST_SEEN, Relation::AT_LEAST, 7);
  EXPECT_TRUE(Holds(away, ProfileOf(events)));
  events.back().contact.progress = ContactProgress::WAS_OPENED;
  EXPECT_TRUE(Holds(two, ProfileOf(events)));
  EXPECT_FALSE(Holds(away, ProfileOf(events)));
}

TEST(SegmentTest, DaysSinceGrowByThemselves) {
  const CustomerProfile profile = ProfileOf({Did(EventKind::PURCHASE, 20, "mug", 1)});
  const SegmentTest lapsed = Number(SegmentMeasure::DAYS_SINCE_LAST_ORDER, Relation::AT_LEAST, 30);
  EXPECT_EQ(EvaluateTest(lapsed, profile, World(), kNow), (Membership{false, kNow + 10 * kDayMs}));
  EXPECT_TRUE(Holds(lapsed, profile, kNow + 10 * kDayMs));
  const SegmentTest fresh = Number(SegmentMeasure::DAYS_SINCE_LAST_ORDER, Relation::AT_MOST, 30);
  EXPECT_EQ(EvaluateTest(fresh, profile, World(), kNow),
            (Membership{true, kNow + 10 * kDayMs + 1}));
  EXPECT_FALSE(Holds(lapsed, ProfileOf({}))) << "who never ordered is neither";
  EXPECT_FALSE(Holds(fresh, ProfileOf({})));
}

TEST(SegmentTest, DevicesAndChannelsSayWhichEventsCount) {
  std::vector<Event> events = {Did(EventKind::VIEW_ITEM, 1), Did(EventKind::VIEW_ITEM, 2)};
  events[0].__set_user_agent("phone");
  events[1].channel = Channel::APP;
  const CustomerProfile profile = ProfileOf(events);
  SegmentTest test = Number(SegmentMeasure::EVENT_COUNT, Relation::AT_LEAST, 1);
  test.devices = {Device::MOBILE};
  EXPECT_TRUE(Holds(test, profile));
  test.channels = {Channel::APP};
  EXPECT_FALSE(Holds(test, profile));
  test.devices = {Device::UNKNOWN_DEVICE};
  EXPECT_TRUE(Holds(test, profile));
}

TEST(SegmentTest, TheFileSaysWhoTheyAre) {
  CustomerProfile profile = ProfileOf({Did(EventKind::VIEW_ITEM, 1)});
  profile.events[0].__set_country("FR");
  const SegmentTest french = Words(SegmentMeasure::COUNTRY_IS, Relation::ONE_OF, {"FR", "BE"});
  EXPECT_TRUE(Holds(french, profile)) << "where the file says nothing, the events do";
  profile.facts.emplace();
  profile.facts->__set_country("DE");
  profile.facts->__set_language("en-GB");
  profile.facts->__set_attributes({{"tier", "gold"}, {"age", "42"}});
  EXPECT_FALSE(Holds(french, profile));
  EXPECT_TRUE(Holds(Words(SegmentMeasure::LANGUAGE_IS, Relation::ONE_OF, {"en"}), profile));
  EXPECT_FALSE(Holds(Words(SegmentMeasure::LANGUAGE_IS, Relation::ONE_OF, {"e"}), profile));
  SegmentTest tier = Words(SegmentMeasure::ATTRIBUTE_IS, Relation::ONE_OF, {"gold"});
  tier.name = "tier";
  EXPECT_TRUE(Holds(tier, profile));
  tier.name = "shoe size";
  EXPECT_FALSE(Holds(tier, profile));
  tier.relation = Relation::NONE_OF;
  EXPECT_TRUE(Holds(tier, profile)) << "who has none has none of them";
  SegmentTest age = Number(SegmentMeasure::ATTRIBUTE_IS, Relation::AT_LEAST, 40);
  age.name = "age";
  EXPECT_TRUE(Holds(age, profile));
  age.name = "tier";
  EXPECT_FALSE(Holds(age, profile));
}

TEST(SegmentTest, TheNewestWordOnConsentCounts) {
  const auto say = [](double days_ago, bool granted, Channel channel = Channel::EMAIL) {
    Event event = Did(EventKind::CONSENT, days_ago);
    Consent consent;
    consent.channel = channel;
    consent.purpose = "marketing";
    consent.granted = granted;
    event.__set_consent(consent);
    return event;
  };
  const CustomerProfile profile =
      ProfileOf({say(9, true), say(3, false), say(1, true, Channel::SMS)});
  SegmentTest test = Words(SegmentMeasure::CONSENT_IS, Relation::ONE_OF, {"granted"});
  test.name = "marketing";
  test.channels = {Channel::EMAIL};
  EXPECT_FALSE(Holds(test, profile));
  EXPECT_TRUE(Holds(test, profile, kNow - 5 * kDayMs));
  test.channels = {Channel::SMS};
  EXPECT_TRUE(Holds(test, profile));
  test.name = "service";
  test.values = {"unknown"};
  EXPECT_TRUE(Holds(test, profile));
}

TEST(SegmentTest, ComplaintsCasesAndRatings) {
  Event rating = Did(EventKind::RATING, 4);
  Rating nps;
  nps.value = 3;
  nps.best = 10;
  nps.about = "nps";
  rating.__set_rating(nps);
  const CustomerProfile profile = ProfileOf(
      {Told(9, "complaint", "open", "k1"), Told(8, "complaint", "", "k1"),
       Told(7, "complaint", "refunded", "k1"), Told(6, "delivery", "open", "k2"), rating});
  EXPECT_TRUE(Holds(Number(SegmentMeasure::COMPLAINT_COUNT, Relation::AT_LEAST, 1), profile));
  EXPECT_FALSE(Holds(Number(SegmentMeasure::COMPLAINT_COUNT, Relation::AT_LEAST, 2), profile))
      << "one case is one complaint";
  EXPECT_TRUE(Holds(Number(SegmentMeasure::OPEN_CASE_COUNT, Relation::AT_MOST, 1), profile));
  EXPECT_FALSE(Holds(Number(SegmentMeasure::OPEN_CASE_COUNT, Relation::AT_LEAST, 1), profile,
                     kNow - 7 * kDayMs));
  EXPECT_TRUE(Holds(Number(SegmentMeasure::OPEN_CASE_COUNT, Relation::AT_LEAST, 1), profile,
                    kNow - 8 * kDayMs));
  SegmentTest detractor = Number(SegmentMeasure::LAST_RATING, Relation::AT_MOST, 0.6, 30);
  detractor.name = "nps";
  EXPECT_EQ(EvaluateTest(detractor, profile, World(), kNow),
            (Membership{true, kNow + 26 * kDayMs}));
  detractor.name = "product";
  EXPECT_FALSE(Holds(detractor, profile));
}

TEST(Segment, AllConditionsMustHoldAnyTestOfThemDoes) {
  const CustomerProfile profile = ProfileOf({Did(EventKind::VIEW_ITEM, 1, "boot")});
  const SegmentTest yes = Number(SegmentMeasure::EVENT_COUNT, Relation::AT_LEAST, 1);
  const SegmentTest no = Number(SegmentMeasure::EVENT_COUNT, Relation::AT_LEAST, 2);
  const auto in = [&](const Segment& segment) {
    return EvaluateSegment(segment, profile, World(), kNow).holds;
  };
  EXPECT_TRUE(in(SegmentOf("s", {yes, yes})));
  EXPECT_FALSE(in(SegmentOf("s", {yes, no})));
  Segment any = SegmentOf("s", {no});
  any.conditions[0].any.push_back(yes);
  EXPECT_TRUE(in(any));
  any.conditions[0].negated = true;
  EXPECT_FALSE(in(any));
  any.conditions[0].any.pop_back();
  EXPECT_TRUE(in(any));
}

// Nobody is woken up for a condition that cannot change anything yet.
TEST(Segment, AConditionThatFailsLongerThanOthersDecides) {
  const CustomerProfile profile = ProfileOf({Did(EventKind::PURCHASE, 20, "mug", 100)});
  const Segment segment =
      SegmentOf("s", {Number(SegmentMeasure::DAYS_SINCE_LAST_ORDER, Relation::AT_LEAST, 30),
                      Number(SegmentMeasure::DAYS_SINCE_FIRST_SEEN, Relation::AT_LEAST, 365)});
  EXPECT_EQ(EvaluateSegment(segment, profile, World(), kNow),
            (Membership{false, kNow + 345 * kDayMs}));
}

// --- What holds for anything whatever ---

class RandomSegments {
 public:
  explicit RandomSegments(uint64_t seed) : rng_(seed) {}

  int Below(int n) { return static_cast<int>(rng_() % static_cast<uint64_t>(n)); }

  CustomerProfile Profile() {
    std::vector<Event> events;
    for (int n = Below(25); n > 0; --n) {
      // Some of them have not happened yet.
      const double days_ago = Below(4000) / 40.0 - 10;
      const int kind = Below(8);
      if (kind == 0) {
        events.push_back(Told(days_ago, Below(2) ? "complaint" : "return",
                              Below(3) ? "open" : "resolved", absl::StrCat("k", Below(3))));
        continue;
      }
      static constexpr EventKind kKinds[] = {EventKind::VIEW_ITEM, EventKind::PURCHASE,
                                             EventKind::REFUND, EventKind::RATING};
      events.push_back(Did(kKinds[kind % 4], days_ago, Below(2) ? "boot" : "mug",
                           100 * (1 + Below(9)), 1 + Below(3)));
      Event& event = events.back();
      if (event.kind == EventKind::PURCHASE && Below(2)) {
        event.__set_order_id(absl::StrCat("o", Below(5)));
      }
      if (event.kind == EventKind::RATING) {
        Rating rating;
        rating.value = Below(6);
        event.__set_rating(rating);
      }
      if (Below(3) == 0) event.channel = Channel::APP;
      if (Below(4) == 0) event.__set_country(Below(2) ? "FR" : "DE");
    }
    return ProfileOf(std::move(events));
  }

  SegmentTest Test() {
    static constexpr SegmentMeasure kNumbers[] = {
        SegmentMeasure::EVENT_COUNT,     SegmentMeasure::VISIT_COUNT,
        SegmentMeasure::ORDER_COUNT,     SegmentMeasure::COMPLAINT_COUNT,
        SegmentMeasure::BOUGHT_MINOR,    SegmentMeasure::RETURNED_MINOR,
        SegmentMeasure::RETURNED_SHARE,  SegmentMeasure::DAYS_SINCE_FIRST_SEEN,
        SegmentMeasure::OPEN_CASE_COUNT, SegmentMeasure::DAYS_SINCE_LAST_SEEN,
        SegmentMeasure::LAST_RATING,     SegmentMeasure::DAYS_SINCE_LAST_ORDER};
    if (Below(12) == 0) return Words(SegmentMeasure::COUNTRY_IS, Relation::ONE_OF, {"FR"});
    const SegmentMeasure measure = kNumbers[Below(std::size(kNumbers))];
    SegmentTest test = Number(measure, Below(2) ? Relation::AT_LEAST : Relation::AT_MOST, Below(5));
    if (measure == SegmentMeasure::BOUGHT_MINOR || measure == SegmentMeasure::RETURNED_MINOR) {
      test.number = 250.0 * Below(12);
    }
    if (measure == SegmentMeasure::RETURNED_SHARE || measure == SegmentMeasure::LAST_RATING) {
      test.number = Below(10) / 10.0;
    }
    const bool since = measure >= SegmentMeasure::DAYS_SINCE_FIRST_SEEN &&
                       measure <= SegmentMeasure::DAYS_SINCE_LAST_ORDER;
    if (since) test.number = Below(400) / 7.0;
    if (!since && measure != SegmentMeasure::OPEN_CASE_COUNT)
      test.days = Below(3) ? 1 + Below(60) : 0;
    test.currency = "EUR";
    if (Below(3) == 0) test.categories = {"Shoes"};
    if (Below(4) == 0) test.channels = {Channel::APP};
    return test;
  }

  Segment Make() {
    Segment segment;
    segment.id = "s";
    for (int c = 1 + Below(3); c > 0; --c) {
      SegmentCondition& condition = segment.conditions.emplace_back();
      for (int t = 1 + Below(2); t > 0; --t) condition.any.push_back(Test());
      condition.negated = Below(4) == 0;
    }
    return segment;
  }

 private:
  std::mt19937_64 rng_;
};

// A plain twin of time: what has not happened yet is not there at all, and nothing is remembered.
bool HoldsThen(const Segment& segment, const CustomerProfile& profile, int64_t then_ms) {
  CustomerProfile past = profile;
  std::erase_if(past.events, [then_ms](const Event& event) { return event.time_ms > then_ms; });
  return EvaluateSegment(segment, past, World(), then_ms).holds;
}

TEST(Segment, NothingChangesBeforeItSaysSo) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  RandomSegments random(seed);
  int64_t changes = 0, wakes = 0;
  for (int i = 0; i < 1500; ++i) {
    const CustomerProfile profile = random.Profile();
    const Segment segment = random.Make();
    // From wake to wake, as an index goes; in between, at every instant at which anything may
    // change by itself, it must be as it was said to be.
    std::set<int64_t> instants;
    for (const Event& event : profile.events) {
      instants.insert({event.time_ms, event.time_ms - 1});
      for (const SegmentCondition& condition : segment.conditions) {
        for (const SegmentTest& test : condition.any) {
          const int64_t window = event.time_ms + test.days * kDayMs;
          const int64_t since = event.time_ms + static_cast<int64_t>(test.number * kDayMs);
          instants.insert({window - 1, window, since - 1, since, since + 1});
        }
      }
    }
    int64_t at = kNow;
    Membership said = EvaluateSegment(segment, profile, World(), at);
    for (const int64_t instant : instants) {
      if (instant < kNow) continue;
      while (instant >= said.until_ms) {
        ++wakes;
        ASSERT_GT(said.until_ms, at);
        at = said.until_ms;
        const Membership next = EvaluateSegment(segment, profile, World(), at);
        changes += next.holds != said.holds;
        said = next;
      }
      ASSERT_EQ(said.holds, HoldsThen(segment, profile, instant)) << "case " << i;
    }
  }
  EXPECT_GT(changes, 200);
  // Most wakes find a change: few customers are looked at for nothing.
  EXPECT_LT(wakes, 3 * changes);
}

TEST(SegmentTest, StagesAndWorthChangeOnTheDayThatIsSaid) {
  std::vector<std::vector<PurchaseDay>> shop;
  std::mt19937_64 rng(7);
  for (int c = 0; c < 400; ++c) {
    std::vector<PurchaseDay> days;
    for (int32_t day = 19'000 + static_cast<int32_t>(rng() % 300); day < 19'800;
         day += 1 + static_cast<int32_t>(rng() % 90)) {
      days.push_back({.day = day, .orders = 1, .amount_minor = 1000, .margin_minor = 300});
      if (rng() % 20 == 0) break;  // and never again
    }
    shop.push_back(std::move(days));
  }
  const ValueModel model = FitValueModel(shop, 19'800, {});
  ASSERT_OK(model.purchases_status);
  SegmentWorld world = World();
  world.value = &model;
  const std::vector<SegmentTest> tests = {
      Words(SegmentMeasure::LIFE_STAGE_IS, Relation::ONE_OF, {"active", "loyal"}),
      Words(SegmentMeasure::LIFE_STAGE_IS, Relation::ONE_OF, {"at_risk"}),
      Words(SegmentMeasure::LIFE_STAGE_IS, Relation::NONE_OF, {"lapsed"}),
      Number(SegmentMeasure::ALIVE, Relation::AT_LEAST, 0.7),
      Number(SegmentMeasure::LIFETIME_VALUE_MINOR, Relation::AT_MOST, 500)};
  int changes = 0;
  for (int c = 0; c < 60; ++c) {
    CustomerProfile profile;
    profile.days = shop[c];
    for (const SegmentTest& test : tests) {
      Membership said = EvaluateTest(test, profile, world, kNow);
      for (int32_t day = 19'803; day < 20'400; day += 1 + static_cast<int32_t>(rng() % 60)) {
        const int64_t instant = day * kDayMs;
        while (instant >= said.until_ms) {
          const Membership next = EvaluateTest(test, profile, world, said.until_ms);
          changes += next.holds != said.holds;
          said = next;
        }
        const Membership then = EvaluateTest(test, profile, world, instant);
        ASSERT_EQ(then.holds, said.holds) << "customer " << c << ", day " << day;
      }
    }
  }
  EXPECT_GT(changes, 60);
}

}  // namespace
}  // namespace vitrine
