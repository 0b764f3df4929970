#include "recommender/outreach/triggers.h"

#include <algorithm>
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

Event Did(EventKind kind, int64_t time_ms, const std::vector<std::string>& products,
          int32_t quantity = 1) {
  Event event;
  event.id = absl::StrCat("e", time_ms);
  event.kind = kind;
  event.time_ms = time_ms;
  event.__set_customer_id("ann");
  std::vector<Item> items;
  for (const std::string& product : products) {
    Item& item = items.emplace_back();
    item.product_id = product;
    item.quantity = quantity;
  }
  event.__set_items(items);
  return event;
}

Trigger Made(TriggerKind kind) {
  Trigger trigger;
  trigger.id = "t";
  trigger.kind = kind;
  trigger.channels = {EMAIL};
  return trigger;
}

// Of a history given oldest first.
std::vector<Cause> Causes(const Trigger& trigger, std::vector<Event> events, int64_t now_ms = kNow,
                          std::vector<ProductChange> changes = {}) {
  std::reverse(events.begin(), events.end());
  TriggerFacts facts;
  facts.customer_id = "ann";
  facts.events = events;
  facts.now_ms = now_ms;
  facts.changes = changes;
  return CausesOf(trigger, facts);
}

TEST(Triggers, ACartIsLeftWhenNothingWasOrderedInTime) {
  const Trigger trigger = Made(CART_ABANDONED);
  std::vector<Event> events = {Did(ADD_TO_CART, kNow - kHour, {"a"}),
                               Did(ADD_TO_CART, kNow - 2 * kMinute, {"b"})};
  const std::vector<Cause> left = Causes(trigger, events);
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].due_ms, kNow + 58 * kMinute);
  EXPECT_THAT(left[0].products, ElementsAre("a", "b"));
  EXPECT_EQ(Causes(trigger, events, kNow + kHour)[0].id, left[0].id);  // the same whenever

  events.push_back(Did(REMOVE_FROM_CART, kNow - kMinute, {"b"}));
  EXPECT_THAT(Causes(trigger, events)[0].products, ElementsAre("a"));
  events.push_back(Did(ADD_TO_CART, kNow - 1, {"c"}));  // goes on: another cause
  EXPECT_NE(Causes(trigger, events)[0].id, left[0].id);
  EXPECT_THAT(Causes(trigger, events, kNow + 73 * kHour), IsEmpty());  // too long ago
  events.push_back(Did(PURCHASE, kNow, {"a"}));
  EXPECT_THAT(Causes(trigger, events), IsEmpty());
}

TEST(Triggers, OfACartThatWasEmptiedNothingIsSaid) {
  EXPECT_THAT(Causes(Made(CART_ABANDONED), {Did(ADD_TO_CART, kNow - 5, {"a"}, 2),
                                            Did(REMOVE_FROM_CART, kNow - 4, {"a"}, 2)}),
              IsEmpty());
}

TEST(Triggers, ADisabledOneSaysNothing) {
  Trigger trigger = Made(CART_ABANDONED);
  trigger.enabled = false;
  EXPECT_THAT(Causes(trigger, {Did(ADD_TO_CART, kNow - 5, {"a"})}), IsEmpty());
}

TEST(Triggers, ProductsThatChangedConcernWhoeverWantedThemLately) {
  ProductChange back;
  back.product_id = "a";
  back.back_ms = kNow - kHour;
  const Trigger trigger = Made(BACK_IN_STOCK);
  const auto causes = [&](std::vector<Event> events) {
    return Causes(trigger, std::move(events), kNow, {back});
  };
  EXPECT_THAT(causes({Did(VIEW_ITEM, kNow - 29 * kDay, {"a"})}), SizeIs(1));
  EXPECT_THAT(causes({Did(ADD_TO_WISHLIST, kNow - kDay, {"b", "a"})}), SizeIs(1));
  EXPECT_THAT(causes({Did(VIEW_ITEM, kNow - 31 * kDay, {"a"})}), IsEmpty());
  EXPECT_THAT(causes({Did(VIEW_ITEM, kNow - kDay, {"b"})}), IsEmpty());
  EXPECT_THAT(causes({Did(VIEW_ITEM, kNow - 1, {"a"})}), IsEmpty());  // they see it themselves
  EXPECT_THAT(causes({Did(VIEW_ITEM, kNow - kDay, {"a"}), Did(PURCHASE, kNow - 5, {"a"})}),
              IsEmpty());
}

TEST(Triggers, APriceHasToDropByEnough) {
  ProductChange change;
  change.product_id = "a";
  change.drop_ms = kNow - kHour;
  change.price_before_minor = 1000;
  const auto causes = [&](int64_t price) {
    change.price_minor = price;
    return Causes(Made(PRICE_DROP), {Did(VIEW_ITEM, kNow - kDay, {"a"})}, kNow, {change}).size();
  };
  EXPECT_EQ(causes(950), 1u);
  EXPECT_EQ(causes(951), 0u);
  EXPECT_EQ(causes(1100), 0u);
  change.back_ms = change.drop_ms;
  change.drop_ms = 0;
  EXPECT_EQ(causes(0), 0u);
}

TEST(Triggers, WhoStaysAwayForLongerThanUsualMayLapse) {
  Trigger trigger = Made(LAPSE_RISK);
  std::vector<Event> events = {Did(PURCHASE, kNow - 50 * kDay, {"a"})};
  EXPECT_EQ(Causes(trigger, events)[0].due_ms, kNow + 70 * kDay);    // twice 60 days, as of others
  events.push_back(Did(PURCHASE, kNow - 50 * kDay + kHour, {"b"}));  // the same visit
  events.push_back(Did(PURCHASE, kNow - 40 * kDay, {"a"}));
  events.push_back(Did(PURCHASE, kNow - 20 * kDay, {"a"}));
  events.push_back(Did(PURCHASE, kNow - 8 * kDay, {"a"}));
  // The median of 10, 20 and 12 days (the first less an hour), twice, after the last.
  EXPECT_EQ(Causes(trigger, events)[0].due_ms, kNow + 16 * kDay);
  EXPECT_THAT(Causes(trigger, {}), IsEmpty());
}

TEST(Triggers, WhatIsBoughtAgainAndAgainIsDueAfterItsOwnGap) {
  const std::vector<Event> events = {Did(PURCHASE, kNow - 70 * kDay, {"coffee"}),
                                     Did(PURCHASE, kNow - 40 * kDay, {"coffee"}),
                                     Did(PURCHASE, kNow - 12 * kDay, {"coffee", "cup"})};
  const std::vector<Cause> causes = Causes(Made(BUY_AGAIN_DUE), events);
  ASSERT_THAT(causes, SizeIs(1));
  EXPECT_THAT(causes[0].products, ElementsAre("coffee"));
  EXPECT_EQ(causes[0].due_ms, kNow - 12 * kDay + 29 * kDay);
}

TEST(Triggers, BirthdaysComeByTheirOwnClockAndOnceAYear) {
  TriggerFacts facts;
  facts.customer_id = "ann";
  facts.time_zone = "Asia/Tehran";
  facts.birthday = "1990-11-20";
  facts.now_ms = kNow;  // 2023-11-14
  const Trigger trigger = Made(BIRTHDAY);
  const std::vector<Cause> causes = CausesOf(trigger, facts);
  ASSERT_THAT(causes, SizeIs(1));
  EXPECT_EQ(absl::FormatTime(absl::RFC3339_sec, absl::FromUnixMillis(causes[0].due_ms),
                             absl::UTCTimeZone()),
            "2023-11-20T05:30:00+00:00");  // 9:00 at +03:30
  facts.now_ms = causes[0].due_ms + kDay;
  EXPECT_EQ(CausesOf(trigger, facts)[0].id, causes[0].id);  // still valid
  facts.now_ms = causes[0].due_ms + 4 * kDay;
  EXPECT_NE(CausesOf(trigger, facts)[0].id, causes[0].id);  // that of the next year

  const auto due = [&](const std::string& birthday) -> std::string {
    facts.birthday = birthday;
    facts.time_zone = "";
    facts.now_ms = kNow;
    const std::vector<Cause> found = CausesOf(trigger, facts);
    return found.empty() ? ""
                         : absl::FormatTime("%Y-%m-%d", absl::FromUnixMillis(found[0].due_ms),
                                            absl::UTCTimeZone());
  };
  EXPECT_EQ(due("02-28"), "2024-02-28");
  EXPECT_EQ(due("02-29"), "2024-02-29");
  EXPECT_EQ(due("13-01"), "");
  EXPECT_EQ(due("yesterday"), "");
  facts.now_ms = kNow + 200 * kDay;
  facts.birthday = "02-29";
  EXPECT_EQ(absl::FormatTime("%Y-%m-%d", absl::FromUnixMillis(CausesOf(trigger, facts)[0].due_ms),
                             absl::UTCTimeZone()),
            "2025-02-28");
}

TEST(Triggers, TheFirstOrderIsOneForEver) {
  const Trigger trigger = Made(FIRST_ORDER);
  std::vector<Event> events = {Did(PURCHASE, kNow - 2 * kHour, {"a"})};
  const std::vector<Cause> causes = Causes(trigger, events);
  ASSERT_THAT(causes, SizeIs(1));
  EXPECT_EQ(causes[0].due_ms, kNow - kHour);
  events.push_back(Did(PURCHASE, kNow - kHour, {"b"}));
  EXPECT_EQ(Causes(trigger, events)[0].id, causes[0].id);
}

TEST(Triggers, AMistakeIsNamed) {
  TriggerSet set;
  set.triggers = {Made(BIRTHDAY)};
  EXPECT_OK(ValidateTriggers(set));
  const auto fault = [&](auto change) {
    TriggerSet wrong = set;
    change(&wrong);
    return std::string(ValidateTriggers(wrong).message());
  };
  EXPECT_THAT(fault([](TriggerSet* s) { s->triggers[0].id = "A b"; }), HasSubstr("triggers[0].id"));
  EXPECT_THAT(fault([](TriggerSet* s) { s->triggers[0].channels.clear(); }),
              HasSubstr("triggers[0].channels"));
  EXPECT_THAT(fault([](TriggerSet* s) { s->triggers[0].least_drop = 1.5; }),
              HasSubstr("least_drop"));
  EXPECT_THAT(fault([](TriggerSet* s) { s->triggers[0].at_minute = 1440; }),
              HasSubstr("at_minute"));
  EXPECT_THAT(fault([](TriggerSet* s) { s->triggers.push_back(s->triggers[0]); }),
              HasSubstr("triggers[1].id"));
}

}  // namespace
}  // namespace vitrine
