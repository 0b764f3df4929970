#include "recommender/offers/contact_policy.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "recommender/offers/local_clock.h"

namespace vitrine {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;

// A rule that stands in the way at some instant, and goes on to until `until_ms` at least.
struct Blocker {
  ContactRule rule = NO_RULE;
  int32_t index = -1;
  int64_t until_ms = kNever;
};

template <typename Rule>  // any with an optional channel
bool IsOf(const Rule& rule, Channel channel) {
  return !rule.__isset.channel || rule.channel == channel;
}

bool BindsPriority(int32_t below_priority, int32_t priority) {
  return below_priority == 0 || priority < below_priority;
}

// --- Windows of hours ---

bool IsOn(const HoursWindow& window, absl::CivilDay day) {
  const int32_t weekday = static_cast<int32_t>(absl::GetWeekday(day)) + 1;
  return window.days.empty() ||
         std::find(window.days.begin(), window.days.end(), weekday) != window.days.end();
}

bool IsWithin(const HoursWindow& window, absl::CivilSecond local) {
  const absl::CivilDay day(local);
  const int64_t second = local - absl::CivilSecond(day);
  const bool begun = second >= int64_t{window.from_minute} * 60;
  const bool over = second >= int64_t{window.to_minute} * 60;
  if (window.from_minute < window.to_minute) return begun && !over && IsOn(window, day);
  return (begun && IsOn(window, day)) || (!over && IsOn(window, day - 1));
}

// The next reading at which it may begin or end, or another day does.
absl::CivilSecond NextEdge(const HoursWindow& window, absl::CivilSecond local) {
  const absl::CivilSecond midnight{absl::CivilDay(local)};
  absl::CivilSecond next{absl::CivilDay(local) + 1};
  for (const int32_t minute : {window.from_minute, window.to_minute}) {
    const absl::CivilSecond edge = midnight + int64_t{minute} * 60;
    if (edge > local) next = std::min(next, edge);
  }
  return next;
}

// --- Caps ---

// Day, week or month, as its first day.
absl::CivilDay PeriodOf(CapPeriod period, int32_t first_weekday, absl::CivilDay day) {
  switch (period) {
    case CAP_WEEK: {
      const int32_t weekday = static_cast<int32_t>(absl::GetWeekday(day)) + 1;
      return day - (weekday - first_weekday + 7) % 7;
    }
    case CAP_MONTH:
      return absl::CivilDay(absl::CivilMonth(day));
    default:
      return day;
  }
}

absl::CivilDay PeriodAfter(CapPeriod period, absl::CivilDay first_day) {
  switch (period) {
    case CAP_WEEK:
      return first_day + 7;
    case CAP_MONTH:
      return absl::CivilDay(absl::CivilMonth(first_day) + 1);
    default:
      return first_day + 1;
  }
}

bool IsAbout(const FrequencyCap& cap, Channel channel, absl::string_view purpose) {
  return IsOf(cap, channel) &&
         (cap.purposes.empty() ||
          std::find(cap.purposes.begin(), cap.purposes.end(), purpose) != cap.purposes.end());
}

// One cap, with the contacts that it counts.
class CapState {
 public:
  CapState(const FrequencyCap& cap, Blocker blocker, int32_t first_weekday)
      : cap_(cap), blocker_(blocker), first_weekday_(first_weekday) {}

  // REQUIRES: contacts come in ascending order of time.
  void Count(const LocalClock& clock, const Contact& contact) {
    if (!IsAbout(cap_, contact.channel, contact.purpose)) return;
    times_ms_.push_back(contact.time_ms);
    if (cap_.period == CAP_ROLLING) return;
    const absl::CivilDay day(clock.At(contact.time_ms));
    periods_.push_back(PeriodOf(cap_.period, first_weekday_, day));
  }

  std::optional<Blocker> At(const LocalClock& clock, int64_t time_ms) const {
    Blocker blocker = blocker_;
    if (cap_.most >= 1) {
      blocker.until_ms =
          cap_.period == CAP_ROLLING ? RollingUntil(time_ms) : PeriodUntil(clock, time_ms);
    }
    if (blocker.until_ms <= time_ms) return std::nullopt;
    return blocker;
  }

 private:
  // With any `most` contacts on end that fit into one span, nothing else does.
  int64_t RollingUntil(int64_t time_ms) const {
    const int64_t span_ms = cap_.hours * kHourMs;
    const auto most = static_cast<size_t>(cap_.most);
    int64_t until_ms = time_ms;
    for (size_t first = 0; first + most <= times_ms_.size(); ++first) {
      const int64_t last_ms = times_ms_[first + most - 1];
      if (last_ms - times_ms_[first] >= span_ms) continue;
      const int64_t from_ms = last_ms - span_ms;  // neither end included
      const int64_t to_ms = times_ms_[first] + span_ms;
      if (from_ms < time_ms && time_ms < to_ms) until_ms = std::max(until_ms, to_ms);
    }
    return until_ms;
  }

  int64_t PeriodUntil(const LocalClock& clock, int64_t time_ms) const {
    const absl::CivilDay period =
        PeriodOf(cap_.period, first_weekday_, absl::CivilDay(clock.At(time_ms)));
    if (std::count(periods_.begin(), periods_.end(), period) < cap_.most) return time_ms;
    return clock.Reaches(time_ms, absl::CivilSecond(PeriodAfter(cap_.period, period)));
  }

  const FrequencyCap& cap_;
  const Blocker blocker_;
  const int32_t first_weekday_;
  std::vector<int64_t> times_ms_;
  std::vector<absl::CivilDay> periods_;
};

// --- All rules ---

absl::TimeZone ZoneOf(const ContactFacts& facts) {
  absl::TimeZone zone;
  if (facts.preference.__isset.time_zone && absl::LoadTimeZone(facts.preference.time_zone, &zone)) {
    return zone;
  }
  if (absl::LoadTimeZone(facts.policy.time_zone, &zone)) return zone;
  return absl::UTCTimeZone();
}

class Judge {
 public:
  Judge(const ContactFacts& facts, const ProposedContact& proposed, int64_t now_ms)
      : facts_(facts),
        proposed_(proposed),
        purpose_(PurposeRuleOf(facts.policy, proposed.channel, proposed.purpose)),
        zone_(ZoneOf(facts)),
        clock_(zone_),
        consent_until_ms_(ConsentUntil(now_ms)) {
    if (!purpose_.transactional) CountContacts();
  }

  ContactVerdict Verdict(int64_t now_ms) const {
    ContactVerdict verdict;
    verdict.time_zone = zone_.name();
    const int64_t last_ms = now_ms + facts_.policy.hold_days * kDayMs;
    Blocker decided;
    for (int64_t time_ms = now_ms;; time_ms = decided.until_ms) {
      const std::vector<Blocker> blockers = At(time_ms);
      if (time_ms == now_ms) verdict.now = RulesOf(blockers);
      if (blockers.empty()) {
        verdict.outcome = time_ms == now_ms ? CONTACT_ALLOWED : CONTACT_HELD;
        if (time_ms != now_ms) verdict.__set_until_ms(time_ms);
        break;
      }
      decided = *std::max_element(
          blockers.begin(), blockers.end(),
          [](const Blocker& a, const Blocker& b) { return a.until_ms < b.until_ms; });
      if (decided.until_ms > last_ms) {
        verdict.outcome = CONTACT_REFUSED;
        if (decided.until_ms != kNever) decided = {HELD_TOO_LONG};
        break;
      }
    }
    verdict.rule = decided.rule;
    verdict.index = decided.index;
    return verdict;
  }

 private:
  static std::vector<ContactRule> RulesOf(const std::vector<Blocker>& blockers) {
    std::vector<ContactRule> rules;
    for (const Blocker& blocker : blockers) rules.push_back(blocker.rule);
    std::sort(rules.begin(), rules.end());
    rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
    return rules;
  }

  // When consent ends that there is now; 0 if there is none.
  int64_t ConsentUntil(int64_t now_ms) const {
    const ConsentGiven* newest = nullptr;
    for (const ConsentGiven& given : facts_.consents) {
      const bool is_about =
          given.consent.channel == proposed_.channel && given.consent.purpose == proposed_.purpose;
      if (!is_about || given.time_ms > now_ms) continue;
      const bool is_newer = newest == nullptr || given.time_ms > newest->time_ms ||
                            (given.time_ms == newest->time_ms && !given.consent.granted);
      if (is_newer) newest = &given;
    }
    if (newest == nullptr) return purpose_.basis == OPT_OUT ? kNever : 0;
    if (!newest->consent.granted) return 0;
    const bool stays = purpose_.basis == OPT_OUT || facts_.policy.consent_days == 0;
    return stays ? kNever : newest->time_ms + facts_.policy.consent_days * kDayMs;
  }

  void CountContacts() {
    const auto add = [this](const std::vector<FrequencyCap>& caps, ContactRule rule) {
      for (size_t i = 0; i < caps.size(); ++i) {
        const bool binds = IsAbout(caps[i], proposed_.channel, proposed_.purpose) &&
                           BindsPriority(caps[i].below_priority, purpose_.priority);
        if (!binds) continue;
        caps_.emplace_back(caps[i], Blocker{rule, static_cast<int32_t>(i)},
                           facts_.policy.first_weekday);
      }
    };
    add(facts_.policy.caps, OVER_CAP);
    add(facts_.preference.caps, OVER_OWN_CAP);
    if (caps_.empty()) return;
    std::vector<const Contact*> contacts;
    for (const Contact& contact : facts_.contacts) {
      const bool counts =
          !contact.inbound && contact.state != FAILED &&
          !PurposeRuleOf(facts_.policy, contact.channel, contact.purpose).transactional;
      if (counts) contacts.push_back(&contact);
    }
    std::sort(contacts.begin(), contacts.end(),
              [](const Contact* a, const Contact* b) { return a->time_ms < b->time_ms; });
    for (const Contact* contact : contacts) {
      for (CapState& cap : caps_) cap.Count(clock_, *contact);
    }
  }

  // What stands in the way at this instant.
  std::vector<Blocker> At(int64_t time_ms) const {
    std::vector<Blocker> blockers;
    AddDates(time_ms, &blockers);
    AddDoNotContact(&blockers);
    if (purpose_.transactional) return blockers;
    if (time_ms >= consent_until_ms_) blockers.push_back({NO_CONSENT});
    const std::vector<Channel>& chosen = facts_.preference.channels;
    if (!chosen.empty() &&
        std::find(chosen.begin(), chosen.end(), proposed_.channel) == chosen.end()) {
      blockers.push_back({NOT_A_CHOSEN_CHANNEL});
    }
    AddPauses(time_ms, &blockers);
    AddHours(time_ms, &blockers);
    for (const CapState& cap : caps_) {
      if (const auto blocker = cap.At(clock_, time_ms)) blockers.push_back(*blocker);
    }
    return blockers;
  }

  void AddDates(int64_t time_ms, std::vector<Blocker>* blockers) const {
    if (proposed_.__isset.to_ms && time_ms >= proposed_.to_ms) {
      blockers->push_back({OUTSIDE_DATES});
    } else if (proposed_.__isset.from_ms && time_ms < proposed_.from_ms) {
      blockers->push_back({OUTSIDE_DATES, -1, proposed_.from_ms});
    }
  }

  void AddDoNotContact(std::vector<Blocker>* blockers) const {
    const std::vector<DoNotContact>& all = facts_.preference.do_not_contact;
    for (size_t i = 0; i < all.size(); ++i) {
      const bool binds = all[i].transactional || !purpose_.transactional;
      if (!binds || !IsOf(all[i], proposed_.channel)) continue;
      blockers->push_back({DO_NOT_CONTACT, static_cast<int32_t>(i)});
    }
  }

  void AddPauses(int64_t time_ms, std::vector<Blocker>* blockers) const {
    const std::vector<ContactPause>& all = facts_.preference.pauses;
    for (size_t i = 0; i < all.size(); ++i) {
      const bool begun = !all[i].__isset.from_ms || time_ms >= all[i].from_ms;
      const bool over = all[i].__isset.to_ms && time_ms >= all[i].to_ms;
      if (!begun || over || !IsOf(all[i], proposed_.channel)) continue;
      blockers->push_back({PAUSED_BY_CUSTOMER, static_cast<int32_t>(i),
                           all[i].__isset.to_ms ? all[i].to_ms : kNever});
    }
  }

  void AddHours(int64_t time_ms, std::vector<Blocker>* blockers) const {
    const absl::CivilSecond local = clock_.At(time_ms);
    bool any = false;
    bool within = false;
    absl::CivilSecond next = absl::CivilSecond::max();
    for (const HoursWindow& window : facts_.preference.hours) {
      if (!IsOf(window, proposed_.channel)) continue;
      any = true;
      within = within || IsWithin(window, local);
      next = std::min(next, NextEdge(window, local));
    }
    if (any && !within) {
      blockers->push_back({OUTSIDE_PREFERRED_HOURS, -1, clock_.Reaches(time_ms, next)});
    }
    const std::vector<HoursWindow>& quiet = facts_.policy.quiet_hours;
    for (size_t i = 0; i < quiet.size(); ++i) {
      const bool binds = IsOf(quiet[i], proposed_.channel) &&
                         BindsPriority(quiet[i].below_priority, purpose_.priority);
      if (!binds || !IsWithin(quiet[i], local)) continue;
      blockers->push_back({IN_QUIET_HOURS, static_cast<int32_t>(i),
                           clock_.Reaches(time_ms, NextEdge(quiet[i], local))});
    }
  }

  const ContactFacts& facts_;
  const ProposedContact& proposed_;
  const PurposeRule& purpose_;
  const absl::TimeZone zone_;
  const LocalClock clock_;
  const int64_t consent_until_ms_;
  std::vector<CapState> caps_;
};

}  // namespace

const PurposeRule& PurposeRuleOf(const ContactPolicy& policy, Channel channel,
                                 absl::string_view purpose) {
  static const PurposeRule* const kNone = new PurposeRule();
  const PurposeRule* found = nullptr;
  for (const PurposeRule& rule : policy.purposes) {
    if (rule.purpose != purpose || !IsOf(rule, channel)) continue;
    if (found == nullptr || rule.__isset.channel) found = &rule;
  }
  return found != nullptr ? *found : *kNone;
}

ContactVerdict JudgeContact(const ContactFacts& facts, const ProposedContact& proposed,
                            int64_t now_ms) {
  return Judge(facts, proposed, now_ms).Verdict(now_ms);
}

absl::string_view NameOf(ContactRule rule) {
  switch (rule) {
    case NO_RULE:
      return "none";
    case DO_NOT_CONTACT:
      return "do_not_contact";
    case NO_CONSENT:
      return "no_consent";
    case NOT_A_CHOSEN_CHANNEL:
      return "not_a_chosen_channel";
    case PAUSED_BY_CUSTOMER:
      return "paused_by_customer";
    case OUTSIDE_PREFERRED_HOURS:
      return "outside_preferred_hours";
    case IN_QUIET_HOURS:
      return "in_quiet_hours";
    case OVER_CAP:
      return "over_cap";
    case OVER_OWN_CAP:
      return "over_own_cap";
    case OUTSIDE_DATES:
      return "outside_dates";
    case HELD_TOO_LONG:
      return "held_too_long";
  }
  return "unknown";
}

}  // namespace vitrine
