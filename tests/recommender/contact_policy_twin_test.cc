// The contact policy beside a plain twin: one that walks through time, quarter of an hour by
// quarter of an hour, and looks at each whether the rules as they are written allow it.

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "recommender/offers/contact_policy.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kStepMs = kHourMs / 4;
constexpr int64_t kDayMs = 24 * kHourMs;

struct Case {
  ContactPolicy policy;
  ContactPreference preference;
  std::vector<ConsentGiven> consents;
  std::vector<Contact> contacts;
  ProposedContact proposed;
  int64_t now_ms = 0;
};

// --- The twin ---

bool Applies(bool names_channel, Channel named, Channel channel) {
  return !names_channel || named == channel;
}

class Twin {
 public:
  explicit Twin(const Case& c) : c_(c), rule_(RuleOf(c.proposed.channel, c.proposed.purpose)) {
    const auto& wish = c.preference;
    if (!(wish.__isset.time_zone && absl::LoadTimeZone(wish.time_zone, &zone_)) &&
        !absl::LoadTimeZone(c.policy.time_zone, &zone_)) {
      zone_ = absl::UTCTimeZone();
    }
  }

  // The first instant from now on that is allowed, or -1.
  int64_t FirstAllowed() const {
    const int64_t last_ms = c_.now_ms + c_.policy.hold_days * kDayMs;
    for (int64_t t = c_.now_ms; t <= last_ms; t += kStepMs) {
      if (IsAllowed(t)) return t;
    }
    return -1;
  }

 private:
  PurposeRule RuleOf(Channel channel, const std::string& purpose) const {
    for (const bool own_channel : {true, false}) {
      for (const PurposeRule& rule : c_.policy.purposes) {
        const bool fits =
            own_channel ? rule.__isset.channel && rule.channel == channel : !rule.__isset.channel;
        if (rule.purpose == purpose && fits) return rule;
      }
    }
    return PurposeRule();
  }

  bool IsAllowed(int64_t t) const {
    const ProposedContact& proposed = c_.proposed;
    if (proposed.__isset.from_ms && t < proposed.from_ms) return false;
    if (proposed.__isset.to_ms && t >= proposed.to_ms) return false;
    for (const DoNotContact& stop : c_.preference.do_not_contact) {
      if (Applies(stop.__isset.channel, stop.channel, proposed.channel) &&
          (stop.transactional || !rule_.transactional)) {
        return false;
      }
    }
    if (rule_.transactional) return true;
    return HasConsent(t) && IsChosen() && !IsPaused(t) && IsWithinHours(t) && AreCapsKept(t);
  }

  bool HasConsent(int64_t t) const {
    int64_t yes_ms = -1;
    int64_t no_ms = -1;
    for (const ConsentGiven& given : c_.consents) {
      if (given.time_ms > c_.now_ms || given.consent.channel != c_.proposed.channel ||
          given.consent.purpose != c_.proposed.purpose) {
        continue;
      }
      int64_t& newest = given.consent.granted ? yes_ms : no_ms;
      newest = std::max(newest, given.time_ms);
    }
    if (rule_.basis == OPT_OUT) return no_ms == -1 || yes_ms > no_ms;
    if (yes_ms <= no_ms) return false;
    return c_.policy.consent_days == 0 || t < yes_ms + c_.policy.consent_days * kDayMs;
  }

  bool IsChosen() const {
    const auto& channels = c_.preference.channels;
    return channels.empty() ||
           std::count(channels.begin(), channels.end(), c_.proposed.channel) > 0;
  }

  bool IsPaused(int64_t t) const {
    for (const ContactPause& pause : c_.preference.pauses) {
      if (Applies(pause.__isset.channel, pause.channel, c_.proposed.channel) &&
          !(pause.__isset.from_ms && t < pause.from_ms) &&
          !(pause.__isset.to_ms && t >= pause.to_ms)) {
        return true;
      }
    }
    return false;
  }

  static bool Covers(const HoursWindow& window, absl::CivilMinute local) {
    const absl::CivilDay day(local);
    const auto on = [&window](absl::CivilDay d) {
      static constexpr int kNumbers[] = {1, 2, 3, 4, 5, 6, 7};
      const int number = kNumbers[static_cast<int>(absl::GetWeekday(d))];
      return window.days.empty() || std::count(window.days.begin(), window.days.end(), number) > 0;
    };
    // It is the window of this day, or that of the day before, which may reach into this one.
    for (const absl::CivilDay begins : {day, day - 1}) {
      const absl::CivilMinute from = absl::CivilMinute(begins) + window.from_minute;
      absl::CivilMinute to = absl::CivilMinute(begins) + window.to_minute;
      if (to < from) to += 24 * 60;
      if (on(begins) && from <= local && local < to) return true;
    }
    return false;
  }

  bool IsWithinHours(int64_t t) const {
    const auto local = absl::ToCivilMinute(absl::FromUnixMillis(t), zone_);
    for (const HoursWindow& quiet : c_.policy.quiet_hours) {
      const bool binds = quiet.below_priority == 0 || rule_.priority < quiet.below_priority;
      if (binds && Applies(quiet.__isset.channel, quiet.channel, c_.proposed.channel) &&
          Covers(quiet, local)) {
        return false;
      }
    }
    bool any = false;
    for (const HoursWindow& window : c_.preference.hours) {
      if (!Applies(window.__isset.channel, window.channel, c_.proposed.channel)) continue;
      any = true;
      if (Covers(window, local)) return true;
    }
    return !any;
  }

  static bool Matches(const FrequencyCap& cap, Channel channel, const std::string& purpose) {
    return Applies(cap.__isset.channel, cap.channel, channel) &&
           (cap.purposes.empty() ||
            std::count(cap.purposes.begin(), cap.purposes.end(), purpose) > 0);
  }

  bool AreCapsKept(int64_t t) const {
    for (const auto* const caps : {&c_.policy.caps, &c_.preference.caps}) {
      for (const FrequencyCap& cap : *caps) {
        const bool binds = cap.below_priority == 0 || rule_.priority < cap.below_priority;
        if (binds && Matches(cap, c_.proposed.channel, c_.proposed.purpose) && !IsKept(cap, t)) {
          return false;
        }
      }
    }
    return true;
  }

  bool IsKept(const FrequencyCap& cap, int64_t t) const {
    std::vector<int64_t> times;
    for (const Contact& contact : c_.contacts) {
      if (!contact.inbound && contact.state != FAILED &&
          !RuleOf(contact.channel, contact.purpose).transactional &&
          Matches(cap, contact.channel, contact.purpose)) {
        times.push_back(contact.time_ms);
      }
    }
    if (cap.period == CAP_ROLLING) return IsRollingKept(cap, t, times);
    int count = 0;
    for (const int64_t time : times) count += IsSamePeriod(cap.period, time, t) ? 1 : 0;
    return count < cap.most;
  }

  // Spans that matter begin at a contact, or at the new one.
  static bool IsRollingKept(const FrequencyCap& cap, int64_t t, std::vector<int64_t> times) {
    times.push_back(t);
    for (const int64_t begin : times) {
      if (begin > t || t >= begin + cap.hours * kHourMs) continue;
      int count = 0;
      for (const int64_t time : times) {
        count += begin <= time && time < begin + cap.hours * kHourMs ? 1 : 0;
      }
      if (count > cap.most) return false;
    }
    return true;
  }

  bool IsSamePeriod(CapPeriod period, int64_t a, int64_t b) const {
    absl::CivilDay first = absl::ToCivilDay(absl::FromUnixMillis(a), zone_);
    absl::CivilDay second = absl::ToCivilDay(absl::FromUnixMillis(b), zone_);
    if (period == CAP_DAY) return first == second;
    if (period == CAP_MONTH) return absl::CivilMonth(first) == absl::CivilMonth(second);
    const auto weekday = static_cast<absl::Weekday>(c_.policy.first_weekday - 1);
    const auto begin = [weekday](absl::CivilDay d) {
      while (absl::GetWeekday(d) != weekday) --d;
      return d;
    };
    return begin(first) == begin(second);
  }

  const Case& c_;
  const PurposeRule rule_;
  absl::TimeZone zone_;
};

// --- Random cases, all of whose times are quarters of an hour ---

class Maker {
 public:
  explicit Maker(uint64_t seed) : random_(seed) {}

  Case Next() {
    Case c;
    c.now_ms = Around(Pick<int64_t>({1'710'000'000'000, 1'730'500'000'000, 1'647'800'000'000,
                                     1'664'000'000'000, 1'700'000'000'000, 1'711'800'000'000}),
                      6 * 96);
    MakePolicy(&c.policy);
    MakePreference(c.now_ms, &c.preference);
    for (int i = Below(4); i > 0; --i) {
      ConsentGiven& given = c.consents.emplace_back();
      given.time_ms = Around(c.now_ms, 30 * 96);
      given.consent.channel = AnyChannel();
      given.consent.purpose = AnyPurpose();
      given.consent.granted = OneIn(2);
    }
    for (int i = Below(12); i > 0; --i) {
      Contact& contact = c.contacts.emplace_back();
      contact.time_ms = Around(c.now_ms, Pick({4, 96, 10 * 96, 40 * 96}));
      contact.channel = AnyChannel();
      contact.purpose = AnyPurpose();
      contact.inbound = OneIn(8);
      contact.state = Pick({SENT, SENT, PLANNED, FAILED});
    }
    c.proposed.channel = AnyChannel();
    c.proposed.purpose = AnyPurpose();
    if (OneIn(8)) c.proposed.__set_from_ms(Around(c.now_ms, 3 * 96));
    if (OneIn(8)) c.proposed.__set_to_ms(Around(c.now_ms, 9 * 96));
    return c;
  }

 private:
  int Below(int end) { return static_cast<int>(random_() % static_cast<uint64_t>(end)); }
  bool OneIn(int n) { return Below(n) == 0; }
  template <typename T>
  T Pick(std::initializer_list<T> of) {
    return of.begin()[Below(static_cast<int>(of.size()))];
  }
  int64_t Around(int64_t time_ms, int steps) {
    return (time_ms / kStepMs + Below(2 * steps) - steps) * kStepMs;
  }
  Channel AnyChannel() { return Pick({EMAIL, EMAIL, SMS}); }
  std::string AnyPurpose() { return Pick<std::string>({"news", "news", "ads", "order"}); }

  template <typename Rule>
  void SometimesOn(Rule* rule) {
    if (OneIn(3)) rule->__set_channel(AnyChannel());
  }

  HoursWindow Window() {
    HoursWindow window;
    window.from_minute = Below(96) * 15;
    do {
      window.to_minute = (1 + Below(96)) * 15;
    } while (window.to_minute == window.from_minute);
    if (OneIn(3)) {
      for (int32_t day = 1; day <= 7; ++day) {
        if (OneIn(2)) window.days.push_back(day);
      }
    }
    SometimesOn(&window);
    window.below_priority = Pick({0, 0, 5});
    return window;
  }

  FrequencyCap Cap() {
    FrequencyCap cap;
    cap.period = Pick({CAP_ROLLING, CAP_ROLLING, CAP_DAY, CAP_WEEK, CAP_MONTH});
    cap.most = 1 + Below(3);
    if (cap.period == CAP_ROLLING) cap.hours = 1 + Below(OneIn(2) ? 30 : 300);
    if (OneIn(3)) cap.purposes = {AnyPurpose()};
    cap.below_priority = Pick({0, 0, 5});
    SometimesOn(&cap);
    return cap;
  }

  std::string AnyZone() {
    return Pick<std::string>({"Asia/Tehran", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin",
                              "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo",
                              "America/St_Johns", "Asia/Beirut", "Pacific/Apia",
                              "Africa/Casablanca", "UTC", "Nowhere/Land"});
  }

  void MakePolicy(ContactPolicy* policy) {
    for (const char* const purpose : {"news", "ads", "order"}) {
      for (int i = Below(3); i > 0; --i) {
        PurposeRule& rule = policy->purposes.emplace_back();
        rule.purpose = purpose;
        rule.basis = Pick({OPT_IN, OPT_OUT, OPT_OUT});
        rule.transactional = rule.purpose == "order" && OneIn(2);
        rule.priority = Pick({0, 0, 5, 9});
        if (i == 2) rule.__set_channel(AnyChannel());
      }
    }
    for (int i = Below(3); i > 0; --i) policy->quiet_hours.push_back(Window());
    for (int i = Below(4); i > 0; --i) policy->caps.push_back(Cap());
    policy->time_zone = OneIn(2) ? "" : AnyZone();
    policy->first_weekday = 1 + Below(7);
    policy->consent_days = Pick({0, 0, 3, 20});
    policy->hold_days = 1 + Below(OneIn(4) ? 40 : 5);
  }

  void MakePreference(int64_t now_ms, ContactPreference* wish) {
    wish->customer_id = "ann";
    if (OneIn(6)) wish->channels = {AnyChannel()};
    for (int i = OneIn(3) ? 1 + Below(2) : 0; i > 0; --i) wish->hours.push_back(Window());
    if (!OneIn(4)) wish->__set_time_zone(AnyZone());
    for (int i = OneIn(4) ? 1 + Below(2) : 0; i > 0; --i) {
      ContactPause& pause = wish->pauses.emplace_back();
      if (!OneIn(4)) pause.__set_from_ms(Around(now_ms, 2 * 96));
      if (!OneIn(4)) pause.__set_to_ms(Around(now_ms, 5 * 96));
      SometimesOn(&pause);
    }
    if (OneIn(10)) {
      DoNotContact& stop = wish->do_not_contact.emplace_back();
      stop.transactional = OneIn(2);
      SometimesOn(&stop);
    }
    for (int i = OneIn(4) ? 1 : 0; i > 0; --i) wish->caps.push_back(Cap());
  }

  std::mt19937_64 random_;
};

TEST(ContactPolicyTwin, SaysWhatAWalkThroughTimeSays) {
  constexpr int kCases = 10'000;
  const uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  RecordProperty("seed", absl::StrCat(seed));
  Maker maker(seed);
  int allowed = 0;
  int held = 0;
  int refused = 0;
  int different = 0;
  for (int i = 0; i < kCases && different < 10; ++i) {
    const Case c = maker.Next();
    const ContactVerdict verdict =
        JudgeContact({c.policy, c.preference, c.consents, c.contacts}, c.proposed, c.now_ms);
    const int64_t wanted_ms = Twin(c).FirstAllowed();
    int64_t given_ms = -1;
    if (verdict.outcome == CONTACT_ALLOWED) given_ms = c.now_ms;
    if (verdict.outcome == CONTACT_HELD) given_ms = verdict.until_ms;
    ++(wanted_ms == -1 ? refused : wanted_ms == c.now_ms ? allowed : held);
    EXPECT_EQ(verdict.outcome == CONTACT_ALLOWED, verdict.rule == NO_RULE);
    if (given_ms == wanted_ms) continue;
    ++different;
    ADD_FAILURE() << "case " << i << " of seed " << seed << ": until " << given_ms << " by "
                  << NameOf(verdict.rule) << " in " << verdict.time_zone << ", the twin says "
                  << wanted_ms;
  }
  std::printf("%d allowed, %d held, %d refused\n", allowed, held, refused);
  // Each of them is worth something only if all of them happen.
  EXPECT_GT(allowed, kCases / 20);
  EXPECT_GT(held, kCases / 20);
  EXPECT_GT(refused, kCases / 20);
}

}  // namespace
}  // namespace vitrine
