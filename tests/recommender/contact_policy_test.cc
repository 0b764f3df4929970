#include "recommender/offers/contact_policy.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

absl::TimeZone Zone(const std::string& name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone)) << name;
  return zone;
}

// "2024-03-10 02:30" by the clock of a zone, or with an offset: "2024-11-03 01:30 -0400".
int64_t At(const std::string& local, const std::string& zone = "UTC") {
  absl::Time time;
  std::string error;
  const bool has_offset = local.size() > 16;
  EXPECT_TRUE(absl::ParseTime(has_offset ? "%Y-%m-%d %H:%M %z" : "%Y-%m-%d %H:%M", local,
                              Zone(zone), &time, &error))
      << error;
  return absl::ToUnixMillis(time);
}

HoursWindow Hours(int from_hour, int to_hour, std::vector<int32_t> days = {}) {
  HoursWindow window;
  window.from_minute = from_hour * 60;
  window.to_minute = to_hour * 60;
  window.days = std::move(days);
  return window;
}

FrequencyCap Cap(CapPeriod period, int32_t most, int32_t hours = 0) {
  FrequencyCap cap;
  cap.period = period;
  cap.most = most;
  cap.hours = hours;
  return cap;
}

template <typename Rule>
Rule On(Channel channel, Rule rule) {
  rule.__set_channel(channel);
  return rule;
}

PurposeRule Purpose(const std::string& name, ConsentBasis basis, bool transactional = false,
                    int32_t priority = 0) {
  PurposeRule rule;
  rule.purpose = name;
  rule.basis = basis;
  rule.transactional = transactional;
  rule.priority = priority;
  return rule;
}

class ContactPolicyTest : public ::testing::Test {
 protected:
  ContactPolicyTest() {
    policy_.purposes = {Purpose("news", OPT_OUT), Purpose("order", OPT_IN, true)};
    preference_.customer_id = "ann";
  }

  void LiveIn(const std::string& zone) { preference_.__set_time_zone(zone); }

  void Had(const std::vector<int64_t>& times_ms, Channel channel = EMAIL,
           const std::string& purpose = "news", ContactState state = SENT) {
    for (const int64_t time_ms : times_ms) {
      Contact& contact = contacts_.emplace_back();
      contact.time_ms = time_ms;
      contact.channel = channel;
      contact.purpose = purpose;
      contact.state = state;
    }
  }

  void Said(int64_t time_ms, bool granted, Channel channel = EMAIL,
            const std::string& purpose = "ads") {
    ConsentGiven& given = consents_.emplace_back();
    given.time_ms = time_ms;
    given.consent.channel = channel;
    given.consent.purpose = purpose;
    given.consent.granted = granted;
  }

  ContactVerdict Judge(int64_t now_ms, Channel channel = EMAIL,
                       const std::string& purpose = "news") {
    ProposedContact proposed;
    proposed.channel = channel;
    proposed.purpose = purpose;
    return Judge(now_ms, proposed);
  }
  ContactVerdict Judge(int64_t now_ms, const ProposedContact& proposed) {
    return JudgeContact({policy_, preference_, consents_, contacts_}, proposed, now_ms);
  }

  void ExpectAllowed(const ContactVerdict& verdict) {
    EXPECT_EQ(verdict.outcome, CONTACT_ALLOWED) << NameOf(verdict.rule);
    EXPECT_EQ(verdict.rule, NO_RULE);
    EXPECT_FALSE(verdict.__isset.until_ms);
    EXPECT_THAT(verdict.now, IsEmpty());
  }
  void ExpectHeld(const ContactVerdict& verdict, int64_t until_ms, ContactRule rule) {
    EXPECT_EQ(verdict.outcome, CONTACT_HELD);
    EXPECT_EQ(absl::FromUnixMillis(verdict.until_ms), absl::FromUnixMillis(until_ms));
    EXPECT_EQ(NameOf(verdict.rule), NameOf(rule));
  }
  void ExpectRefused(const ContactVerdict& verdict, ContactRule rule) {
    EXPECT_EQ(verdict.outcome, CONTACT_REFUSED);
    EXPECT_EQ(NameOf(verdict.rule), NameOf(rule));
  }

  ContactPolicy policy_;
  ContactPreference preference_;
  std::vector<ConsentGiven> consents_;
  std::vector<Contact> contacts_;
};

// --- Consent ---

TEST_F(ContactPolicyTest, WithoutAYesNobodyIsContactedForWhatNeedsOne) {
  const int64_t now = At("2024-05-06 12:00");
  ExpectRefused(Judge(now, EMAIL, "ads"), NO_CONSENT);  // a purpose that no rule names
  Said(now - 5, true);
  ExpectAllowed(Judge(now, EMAIL, "ads"));
  ExpectRefused(Judge(now, SMS, "ads"), NO_CONSENT);
  ExpectRefused(Judge(now, EMAIL, "surveys"), NO_CONSENT);
}

TEST_F(ContactPolicyTest, TheNewestWordCountsInWhateverOrderTheyCome) {
  const int64_t now = At("2024-05-06 12:00");
  Said(now - 3, false);
  Said(now - 9, true);
  ExpectRefused(Judge(now, EMAIL, "ads"), NO_CONSENT);
  ExpectAllowed(Judge(now - 4, EMAIL, "ads"));  // as it was then
  Said(now - 2, true);
  ExpectAllowed(Judge(now, EMAIL, "ads"));
  Said(now - 2, false);  // at the same time: no
  ExpectRefused(Judge(now, EMAIL, "ads"), NO_CONSENT);
}

TEST_F(ContactPolicyTest, WhereSilenceIsEnoughANoStillCounts) {
  const int64_t now = At("2024-05-06 12:00");
  ExpectAllowed(Judge(now));
  Said(now - 1, false, EMAIL, "news");
  ExpectRefused(Judge(now), NO_CONSENT);
  ExpectAllowed(Judge(now, SMS));
}

TEST_F(ContactPolicyTest, ConsentEndsAfterItsDaysAlsoWhileAContactIsHeld) {
  policy_.consent_days = 2;
  policy_.quiet_hours = {Hours(21, 9)};
  const int64_t given = At("2024-05-06 22:00");
  Said(given, true);
  ExpectHeld(Judge(At("2024-05-07 23:00"), EMAIL, "ads"), At("2024-05-08 09:00"), IN_QUIET_HOURS);
  ExpectAllowed(Judge(At("2024-05-08 20:59"), EMAIL, "ads"));
  // It would be held until the morning; consent ends in the night.
  ExpectRefused(Judge(At("2024-05-08 21:30"), EMAIL, "ads"), NO_CONSENT);
  EXPECT_THAT(Judge(At("2024-05-08 21:30"), EMAIL, "ads").now, ElementsAre(IN_QUIET_HOURS));
}

TEST_F(ContactPolicyTest, ARuleOfTheChannelGoesBeforeThatOfThePurpose) {
  policy_.purposes = {On(WEB, Purpose("ads", OPT_OUT)), Purpose("ads", OPT_IN)};
  const int64_t now = At("2024-05-06 12:00");
  ExpectAllowed(Judge(now, WEB, "ads"));
  ExpectRefused(Judge(now, EMAIL, "ads"), NO_CONSENT);
}

// --- Wishes ---

TEST_F(ContactPolicyTest, DoNotContactIsPerChannelOrOnAll) {
  const int64_t now = At("2024-05-06 12:00");
  DoNotContact stop;
  stop.reason = BOUNCED;
  preference_.do_not_contact = {On(EMAIL, stop)};
  ExpectRefused(Judge(now), DO_NOT_CONTACT);
  EXPECT_EQ(Judge(now).index, 0);
  ExpectAllowed(Judge(now, SMS));
  preference_.do_not_contact.push_back(stop);
  ExpectRefused(Judge(now, SMS), DO_NOT_CONTACT);
  EXPECT_EQ(Judge(now, SMS).index, 1);
}

TEST_F(ContactPolicyTest, OnAChannelThatTheyDidNotChooseNobodyIsContacted) {
  const int64_t now = At("2024-05-06 12:00");
  preference_.channels = {SMS, APP};
  ExpectRefused(Judge(now), NOT_A_CHOSEN_CHANNEL);
  ExpectAllowed(Judge(now, APP));
}

TEST_F(ContactPolicyTest, APauseHoldsUntilItEndsAndRefusesWithoutAnEnd) {
  const int64_t now = At("2024-05-06 12:00");
  ContactPause pause;
  pause.__set_from_ms(now);
  pause.__set_to_ms(now + 5000);
  preference_.pauses = {pause};
  ExpectAllowed(Judge(now - 1));
  ExpectHeld(Judge(now), now + 5000, PAUSED_BY_CUSTOMER);
  ExpectAllowed(Judge(now + 5000));
  preference_.pauses[0].__isset.to_ms = false;
  ExpectRefused(Judge(now), PAUSED_BY_CUSTOMER);
  preference_.pauses[0] = On(SMS, preference_.pauses[0]);
  ExpectAllowed(Judge(now));
}

TEST_F(ContactPolicyTest, PreferredHoursHoldUntilTheNextOfThem) {
  preference_.hours = {Hours(18, 20, {1, 2}), Hours(10, 11, {6})};
  ExpectHeld(Judge(At("2024-05-06 12:00")), At("2024-05-06 18:00"), OUTSIDE_PREFERRED_HOURS);
  ExpectAllowed(Judge(At("2024-05-06 19:59")));
  ExpectHeld(Judge(At("2024-05-07 20:00")), At("2024-05-11 10:00"), OUTSIDE_PREFERRED_HOURS);
  preference_.hours = {On(SMS, Hours(1, 2))};
  ExpectAllowed(Judge(At("2024-05-06 12:00")));  // of mail they said nothing
}

// --- Hours and zones ---

TEST_F(ContactPolicyTest, QuietHoursHoldToTheirEdge) {
  policy_.quiet_hours = {Hours(22, 6)};
  ExpectHeld(Judge(At("2024-05-06 05:30")), At("2024-05-06 06:00"), IN_QUIET_HOURS);
  ExpectHeld(Judge(At("2024-05-05 23:30") + 1), At("2024-05-06 06:00"), IN_QUIET_HOURS);
  ExpectHeld(Judge(At("2024-05-05 22:00")), At("2024-05-06 06:00"), IN_QUIET_HOURS);
  ExpectAllowed(Judge(At("2024-05-05 22:00") - 1));
  ExpectAllowed(Judge(At("2024-05-06 06:00")));
}

TEST_F(ContactPolicyTest, AWindowAcrossMidnightBelongsToTheDayItBeginsOn) {
  policy_.quiet_hours = {Hours(22, 6, {5})};  // the night from Friday to Saturday
  ExpectHeld(Judge(At("2024-05-11 03:00")), At("2024-05-11 06:00"), IN_QUIET_HOURS);
  ExpectAllowed(Judge(At("2024-05-10 03:00")));
}

TEST_F(ContactPolicyTest, ADayOffRunsFromMidnightToMidnight) {
  policy_.quiet_hours = {Hours(0, 24, {6, 7}), Hours(21, 9)};
  // Friday evening: the night, Saturday, Sunday, and the night again.
  ExpectHeld(Judge(At("2024-05-10 22:00")), At("2024-05-13 09:00"), IN_QUIET_HOURS);
}

TEST_F(ContactPolicyTest, OffsetsAreThoseOfTheCustomersZone) {
  policy_.quiet_hours = {Hours(21, 8)};
  const int64_t now = At("2024-05-06 16:00");  // UTC
  LiveIn("Asia/Tehran");                       // +3:30
  ExpectAllowed(Judge(now));
  ExpectHeld(Judge(At("2024-05-06 17:45")), At("2024-05-07 04:30"), IN_QUIET_HOURS);
  LiveIn("Asia/Kolkata");  // +5:30
  ExpectHeld(Judge(now), At("2024-05-07 02:30"), IN_QUIET_HOURS);
  LiveIn("Asia/Kathmandu");  // +5:45
  ExpectHeld(Judge(now), At("2024-05-07 02:15"), IN_QUIET_HOURS);
  EXPECT_EQ(Judge(now).time_zone, "Asia/Kathmandu");
}

TEST_F(ContactPolicyTest, IranHasNoSummerTimeSince2022) {
  policy_.quiet_hours = {Hours(21, 8)};
  LiveIn("Asia/Tehran");
  ExpectHeld(Judge(At("2022-06-01 20:00")), At("2022-06-02 03:30"), IN_QUIET_HOURS);  // +4:30
  ExpectHeld(Judge(At("2023-06-01 20:00")), At("2023-06-02 04:30"), IN_QUIET_HOURS);  // +3:30
  // The clock went from 00:00 to 01:00 that night.
  policy_.quiet_hours = {};
  policy_.caps = {Cap(CAP_DAY, 1)};
  Had({At("2022-03-21 12:00", "Asia/Tehran")});
  ExpectHeld(Judge(At("2022-03-21 13:00", "Asia/Tehran")), At("2022-03-22 01:00 +0430"), OVER_CAP);
}

// The bug of another: quiet hours silently not applied where the zone is not valid.
TEST_F(ContactPolicyTest, QuietHoursHoldForThoseWhoseZoneIsNotKnown) {
  policy_.quiet_hours = {Hours(21, 8)};
  policy_.time_zone = "Europe/Berlin";
  LiveIn("Atlantis/Poseidonis");
  const ContactVerdict verdict = Judge(At("2024-05-06 20:00"));
  ExpectHeld(verdict, At("2024-05-07 06:00"), IN_QUIET_HOURS);
  EXPECT_EQ(verdict.time_zone, "Europe/Berlin");
  policy_.time_zone = "";
  ExpectHeld(Judge(At("2024-05-06 21:00")), At("2024-05-07 08:00"), IN_QUIET_HOURS);
}

TEST_F(ContactPolicyTest, AWindowWithinAGapDoesNotHappen) {
  LiveIn("America/New_York");  // 2024-03-10: from 02:00 to 03:00
  policy_.quiet_hours = {Hours(2, 3)};
  ExpectAllowed(Judge(At("2024-03-10 03:00 -0400")));
  ExpectAllowed(Judge(At("2024-03-10 03:00 -0400") - 1));
  policy_.quiet_hours = {};
  preference_.hours = {Hours(2, 3)};
  ExpectHeld(Judge(At("2024-03-10 01:00 -0500")), At("2024-03-11 02:00 -0400"),
             OUTSIDE_PREFERRED_HOURS);
}

TEST_F(ContactPolicyTest, AWindowThatEndsWithinAGapEndsWhereTheClockIsPutForward) {
  LiveIn("America/New_York");
  policy_.quiet_hours = {HoursWindow()};
  policy_.quiet_hours[0].from_minute = 22 * 60;
  policy_.quiet_hours[0].to_minute = 2 * 60 + 30;
  ExpectHeld(Judge(At("2024-03-09 23:00 -0500")), At("2024-03-10 03:00 -0400"), IN_QUIET_HOURS);
}

TEST_F(ContactPolicyTest, AWindowThatTheClockShowsTwiceHoldsTwice) {
  LiveIn("America/New_York");  // 2024-11-03: from 02:00 back to 01:00
  policy_.quiet_hours = {HoursWindow()};
  policy_.quiet_hours[0].from_minute = 60;
  policy_.quiet_hours[0].to_minute = 90;
  ExpectHeld(Judge(At("2024-11-03 01:10 -0400")), At("2024-11-03 01:30 -0400"), IN_QUIET_HOURS);
  ExpectAllowed(Judge(At("2024-11-03 01:40 -0400")));
  ExpectHeld(Judge(At("2024-11-03 01:00 -0500")), At("2024-11-03 01:30 -0500"), IN_QUIET_HOURS);
  // A night is an hour longer.
  policy_.quiet_hours = {Hours(22, 8)};
  ExpectHeld(Judge(At("2024-11-02 23:00 -0400")), At("2024-11-03 08:00 -0500"), IN_QUIET_HOURS);
}

// --- Caps ---

TEST_F(ContactPolicyTest, ACalendarDayIsTheCustomersOwn) {
  policy_.caps = {Cap(CAP_DAY, 1)};
  LiveIn("America/Los_Angeles");
  Had({At("2024-05-06 23:30", "America/Los_Angeles")});
  ExpectHeld(Judge(At("2024-05-06 23:45", "America/Los_Angeles")),
             At("2024-05-07 00:00", "America/Los_Angeles"), OVER_CAP);
  ExpectAllowed(Judge(At("2024-05-07 00:00", "America/Los_Angeles")));  // half an hour later
}

TEST_F(ContactPolicyTest, ARollingDayIsTwentyFourHours) {
  policy_.caps = {Cap(CAP_ROLLING, 2, 24)};
  const int64_t first = At("2024-05-06 23:30");
  Had({first, first + 10, first + 20});  // one more than is allowed
  ExpectHeld(Judge(first + 30), At("2024-05-07 23:30") + 10, OVER_CAP);
  ExpectHeld(Judge(At("2024-05-07 23:30") + 9), At("2024-05-07 23:30") + 10, OVER_CAP);
  ExpectAllowed(Judge(At("2024-05-07 23:30") + 10));
}

TEST_F(ContactPolicyTest, WeeksBeginWhereTheShopSaysAndMonthsAreTheirOwnLength) {
  policy_.caps = {Cap(CAP_WEEK, 1)};
  Had({At("2024-05-08 12:00")});  // a Wednesday
  ExpectHeld(Judge(At("2024-05-09 12:00")), At("2024-05-13 00:00"), OVER_CAP);
  policy_.first_weekday = 6;  // Saturday, as in Iran
  ExpectHeld(Judge(At("2024-05-09 12:00")), At("2024-05-11 00:00"), OVER_CAP);
  policy_.caps = {Cap(CAP_MONTH, 1)};
  ExpectHeld(Judge(At("2024-05-09 12:00")), At("2024-06-01 00:00"), OVER_CAP);
}

TEST_F(ContactPolicyTest, CapAndQuietHoursHoldToTheFirstInstantThatBothAllow) {
  policy_.caps = {Cap(CAP_DAY, 1)};
  policy_.quiet_hours = {Hours(20, 9)};
  Had({At("2024-05-06 10:00")});
  const ContactVerdict verdict = Judge(At("2024-05-06 12:00"));
  ExpectHeld(verdict, At("2024-05-07 09:00"), IN_QUIET_HOURS);  // what gives way last
  EXPECT_THAT(verdict.now, ElementsAre(OVER_CAP));              // what stands in the way now
}

TEST_F(ContactPolicyTest, WhatIsPlannedHasItsPlaceAlready) {
  policy_.caps = {Cap(CAP_ROLLING, 1, 24)};
  const int64_t now = At("2024-05-06 12:00");
  Had({now + 3'600'000 * 10}, EMAIL, "news", PLANNED);
  // Now would be less than a day before what is planned.
  ExpectHeld(Judge(now), now + 3'600'000 * 34, OVER_CAP);
  ExpectAllowed(Judge(now - 3'600'000 * 14));
  contacts_[0].state = FAILED;
  ExpectAllowed(Judge(now));
}

// Two that are too far apart to share a span hold nothing back between them.
TEST_F(ContactPolicyTest, ARollingCapLooksAtSpansNotAtNeighbours) {
  policy_.caps = {Cap(CAP_ROLLING, 2, 24)};
  const int64_t now = At("2024-05-06 12:00");
  Had({now - 3'600'000 * 14});
  Had({now + 3'600'000 * 14}, EMAIL, "news", PLANNED);
  ExpectAllowed(Judge(now));
}

TEST_F(ContactPolicyTest, WhoCameToTheShopWasNotContacted) {
  policy_.caps = {Cap(CAP_DAY, 1)};
  Had({At("2024-05-06 10:00")}, CALL_CENTER);
  contacts_[0].inbound = true;
  ExpectAllowed(Judge(At("2024-05-06 12:00")));
}

TEST_F(ContactPolicyTest, ACustomersOwnCapStandsBesideTheSites) {
  policy_.caps = {Cap(CAP_DAY, 5)};
  preference_.caps = {On(EMAIL, Cap(CAP_MONTH, 1))};
  Had({At("2024-05-06 10:00")});
  ExpectHeld(Judge(At("2024-05-06 12:00")), At("2024-06-01 00:00"), OVER_OWN_CAP);
  ExpectAllowed(Judge(At("2024-05-06 12:00"), SMS));
}

TEST_F(ContactPolicyTest, AHigherPriorityPassesAndCounts) {
  policy_.purposes.push_back(Purpose("alarm", OPT_OUT, false, 50));
  policy_.caps = {Cap(CAP_DAY, 1)};
  policy_.caps[0].below_priority = 50;
  policy_.quiet_hours = {Hours(11, 14)};
  policy_.quiet_hours[0].below_priority = 50;
  Had({At("2024-05-06 10:00")});
  ExpectAllowed(Judge(At("2024-05-06 12:00"), EMAIL, "alarm"));
  contacts_.clear();
  Had({At("2024-05-06 10:00")}, EMAIL, "alarm");
  ExpectHeld(Judge(At("2024-05-06 15:00")), At("2024-05-07 00:00"), OVER_CAP);
}

TEST_F(ContactPolicyTest, WhatCannotGoInTimeIsRefused) {
  policy_.hold_days = 3;
  policy_.caps = {Cap(CAP_MONTH, 1)};
  Had({At("2024-05-01 10:00")});
  ExpectRefused(Judge(At("2024-05-28 12:00")), HELD_TOO_LONG);
  ExpectHeld(Judge(At("2024-05-29 12:00")), At("2024-06-01 00:00"), OVER_CAP);
  policy_.quiet_hours = {Hours(0, 24)};  // always
  ExpectRefused(Judge(At("2024-06-02 12:00")), HELD_TOO_LONG);
}

TEST_F(ContactPolicyTest, AMillisecondIsAMillisecond) {
  policy_.quiet_hours = {Hours(21, 8)};
  const int64_t begins = At("2024-05-06 21:00");
  ExpectAllowed(Judge(begins - 1));
  ExpectHeld(Judge(begins + 1), At("2024-05-07 08:00"), IN_QUIET_HOURS);
  ExpectHeld(Judge(At("2024-05-07 08:00") - 1), At("2024-05-07 08:00"), IN_QUIET_HOURS);
}

// --- What went wrong in Mautic (../shared/anchors/ingest.md, B3, has the threads) ---

// PR #4761: the fourth mail of a week was put off by three weeks instead of to the next one.
TEST_F(ContactPolicyTest, TheFourthOfAWeekGoesInTheNextOne) {
  policy_.caps = {Cap(CAP_WEEK, 3)};
  Had({At("2024-05-06 10:00"), At("2024-05-07 10:00"), At("2024-05-08 10:00")});
  // The fourth, fifth and sixth fill the next week; the seventh goes in the week after.
  for (const char* const week :
       {"2024-05-13", "2024-05-13", "2024-05-13", "2024-05-20", "2024-05-20"}) {
    const ContactVerdict verdict = Judge(At("2024-05-09 10:00"));
    ExpectHeld(verdict, At(absl::StrCat(week, " 00:00")), OVER_CAP);
    Had({verdict.until_ms}, EMAIL, "news", PLANNED);
  }
}

// PR #4761: text messages were held by the limit of mails.
TEST_F(ContactPolicyTest, EachChannelHasItsOwnCap) {
  policy_.caps = {On(EMAIL, Cap(CAP_DAY, 1)), On(SMS, Cap(CAP_DAY, 2))};
  const int64_t now = At("2024-05-06 12:00");
  Had({now - 1000});
  Had({now - 2000}, SMS);
  ExpectHeld(Judge(now), At("2024-05-07 00:00"), OVER_CAP);
  ExpectAllowed(Judge(now, SMS));
  Had({now - 500}, SMS);
  EXPECT_EQ(Judge(now, SMS).index, 1);
  ExpectAllowed(Judge(now, APP));
}

// PR #4761: what was taken back meanwhile still left the queue.
TEST_F(ContactPolicyTest, AHeldMessageThatIsOverDoesNotGo) {
  policy_.quiet_hours = {Hours(21, 8)};
  ProposedContact proposed;
  proposed.channel = EMAIL;
  proposed.purpose = "news";
  proposed.__set_to_ms(At("2024-05-07 08:00"));  // over when it could go
  ExpectRefused(Judge(At("2024-05-06 22:00"), proposed), OUTSIDE_DATES);
  proposed.__set_to_ms(At("2024-05-07 08:00") + 1);
  ExpectHeld(Judge(At("2024-05-06 22:00"), proposed), At("2024-05-07 08:00"), IN_QUIET_HOURS);
  // Taken back while it was held: asked again when it is due, as all that was held is.
  proposed.__set_to_ms(At("2024-05-07 07:00"));
  ExpectRefused(Judge(At("2024-05-07 08:00"), proposed), OUTSIDE_DATES);
}

// #6729: campaigns went past the rule.
TEST_F(ContactPolicyTest, ACapWithoutPurposeHoldsForAllOfThem) {
  policy_.purposes.push_back(Purpose("campaign", OPT_OUT));
  policy_.caps = {Cap(CAP_DAY, 1)};
  Had({At("2024-05-06 10:00")}, EMAIL, "campaign");
  ExpectHeld(Judge(At("2024-05-06 12:00")), At("2024-05-07 00:00"), OVER_CAP);
  ExpectHeld(Judge(At("2024-05-06 12:00"), EMAIL, "campaign"), At("2024-05-07 00:00"), OVER_CAP);
  policy_.caps[0].purposes = {"campaign"};
  ExpectAllowed(Judge(At("2024-05-06 12:00")));
}

// #6760, #6896: the rule held back what has to be said, and counted it.
TEST_F(ContactPolicyTest, TransactionalMessagesAreNeitherHeldNorCounted) {
  policy_.caps = {Cap(CAP_DAY, 1)};
  policy_.quiet_hours = {Hours(0, 24)};
  preference_.channels = {SMS};
  preference_.pauses = {ContactPause()};
  DoNotContact stop;
  stop.reason = UNSUBSCRIBED;
  preference_.do_not_contact = {stop};
  const int64_t now = At("2024-05-06 12:00");
  Had({now - 1000});
  ExpectAllowed(Judge(now, EMAIL, "order"));
  preference_.do_not_contact[0].transactional = true;  // there is no such address
  ExpectRefused(Judge(now, EMAIL, "order"), DO_NOT_CONTACT);
  preference_ = ContactPreference();
  policy_.quiet_hours = {};
  contacts_.clear();
  Had({now - 1000, now - 2000}, EMAIL, "order");
  ExpectAllowed(Judge(now));
}

// #10416, #10275, #10753: a default of 0 was a cap, and all was queued. (A cap of 0 is refused
// where policies are set: offers_validate_test.)
TEST_F(ContactPolicyTest, ANewPolicyHoldsNothingBack) {
  policy_ = ContactPolicy();
  Said(1, true);
  Had({At("2024-05-06 11:59"), At("2024-05-06 11:58")}, EMAIL, "ads");
  ExpectAllowed(Judge(At("2024-05-06 12:00"), EMAIL, "ads"));
}

// #3560: a batch that was held back was taken up again without end.
TEST_F(ContactPolicyTest, ABatchForOnePersonIsSpreadAndEnds) {
  policy_.caps = {Cap(CAP_DAY, 1), Cap(CAP_WEEK, 3), Cap(CAP_ROLLING, 2, 60)};
  policy_.quiet_hours = {Hours(18, 9)};
  policy_.hold_days = 366;
  LiveIn("Europe/Berlin");
  const int64_t now = At("2024-05-06 12:00");
  std::set<int64_t> times;
  for (int i = 0; i < 150; ++i) {
    const ContactVerdict verdict = Judge(now);
    ASSERT_NE(verdict.outcome, CONTACT_REFUSED);
    const int64_t time_ms = verdict.outcome == CONTACT_ALLOWED ? now : verdict.until_ms;
    EXPECT_TRUE(times.insert(time_ms).second);
    Had({time_ms}, EMAIL, "news", PLANNED);
  }
  // Three a week, and no more weeks than that takes.
  EXPECT_LE(*times.rbegin() - *times.begin(), int64_t{50} * 7 * 86'400'000);
}

}  // namespace
}  // namespace vitrine
