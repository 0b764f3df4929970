#include "api/cli/outreach_json.h"

#include <map>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "recommender/outreach/triggers.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

// Enums that only these documents have, by their names in small letters without a common beginning.
template <typename Enum>
class EnumNames {
 public:
  EnumNames(const std::map<int, const char*>& generated, absl::string_view prefix) {
    for (const auto& [value, name] : generated) {
      const std::string lower = absl::AsciiStrToLower(name);
      names_[static_cast<Enum>(value)] = std::string(absl::StripPrefix(lower, prefix));
    }
  }
  void Describe(JsonObject* object, const char* field, Enum* value) const {
    object->Named(
        field, value,
        [this](absl::string_view text) -> std::optional<Enum> {
          for (const auto& [known, name] : names_) {
            if (name == text) return known;
          }
          return std::nullopt;
        },
        [this](Enum known) { return names_.at(known); },
        absl::StrJoin(names_, ", ",
                      [](std::string* out, const auto& entry) { *out += entry.second; }));
  }

 private:
  std::map<Enum, std::string> names_;
};

template <typename Record>
void DescribeChannel(JsonObject* object, Record* record) {
  if (!object->Goes("channel", VITRINE_SET(record, channel))) return;
  object->Named("channel", &record->channel, ParseChannel, ChannelName, ChannelNames());
}

// "21:30"; 24:00 is the end of the day. What is none of the day is left for validation to refuse.
void DescribeTimeOfDay(JsonObject* object, const char* name, int32_t* minute) {
  std::string text = absl::StrFormat("%02d:%02d", *minute / 60, *minute % 60);
  object->Field(name, &text);
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  int hours = 0, minutes = 0;
  const bool reads = parts.size() == 2 && absl::SimpleAtoi(parts[0], &hours) &&
                     absl::SimpleAtoi(parts[1], &minutes) && hours >= 0 && hours <= 24 &&
                     minutes >= 0 && minutes < 60;
  *minute = reads ? hours * 60 + minutes : -1;
}

void DescribeWindow(JsonObject* object, HoursWindow* window) {
  DescribeTimeOfDay(object, "from", &window->from_minute);
  DescribeTimeOfDay(object, "to", &window->to_minute);
  static const auto* const kDays =
      new std::vector<std::string>{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  object->Named(
      "days", &window->days,
      [](absl::string_view text) -> std::optional<int32_t> {
        for (size_t i = 0; i < kDays->size(); ++i) {
          if ((*kDays)[i] == text) return static_cast<int32_t>(i) + 1;
        }
        return std::nullopt;
      },
      [](int32_t day) { return day >= 1 && day <= 7 ? (*kDays)[day - 1] : std::string("?"); },
      absl::StrJoin(*kDays, ", "));
  DescribeChannel(object, window);
  object->Field("below_priority", &window->below_priority);
}

void DescribeCap(JsonObject* object, FrequencyCap* cap) {
  static const auto* const kNames = new EnumNames<CapPeriod>(_CapPeriod_VALUES_TO_NAMES, "cap_");
  kNames->Describe(object, "period", &cap->period);
  object->Field("most", &cap->most);
  object->Field("hours", &cap->hours);
  DescribeChannel(object, cap);
  object->Field("purposes", &cap->purposes);
  object->Field("below_priority", &cap->below_priority);
}

void DescribePurpose(JsonObject* object, PurposeRule* rule) {
  static const auto* const kNames = new EnumNames<ConsentBasis>(_ConsentBasis_VALUES_TO_NAMES, "");
  object->Field("purpose", &rule->purpose);
  DescribeChannel(object, rule);
  kNames->Describe(object, "basis", &rule->basis);
  object->Field("transactional", &rule->transactional);
  object->Field("priority", &rule->priority);
}

void DescribePolicy(JsonObject* object, ContactPolicy* policy) {
  object->List("purposes", &policy->purposes, DescribePurpose, true);
  object->List("quiet_hours", &policy->quiet_hours, DescribeWindow, true);
  object->List("caps", &policy->caps, DescribeCap, true);
  object->Field("time_zone", &policy->time_zone);
  object->Field("first_weekday", &policy->first_weekday);
  object->Field("consent_days", &policy->consent_days);
  object->Field("hold_days", &policy->hold_days);
}

void DescribePause(JsonObject* object, ContactPause* pause) {
  if (object->Goes("from", VITRINE_SET(pause, from_ms))) object->Time("from", &pause->from_ms);
  if (object->Goes("to", VITRINE_SET(pause, to_ms))) object->Time("to", &pause->to_ms);
  DescribeChannel(object, pause);
}

void DescribeDoNotContact(JsonObject* object, DoNotContact* stop) {
  static const auto* const kNames =
      new EnumNames<DoNotContactReason>(_DoNotContactReason_VALUES_TO_NAMES, "");
  kNames->Describe(object, "reason", &stop->reason);
  object->Time("time", &stop->time_ms);
  DescribeChannel(object, stop);
  object->Maybe("note", &stop->note, VITRINE_SET(stop, note));
  object->Field("transactional", &stop->transactional);
}

void DescribePreference(JsonObject* object, ContactPreference* preference) {
  object->Field("customer_id", &preference->customer_id);
  object->Named("channels", &preference->channels, ParseChannel, ChannelName, ChannelNames());
  object->List("hours", &preference->hours, DescribeWindow, true);
  object->Maybe("time_zone", &preference->time_zone, VITRINE_SET(preference, time_zone));
  object->List("pauses", &preference->pauses, DescribePause, true);
  object->List("do_not_contact", &preference->do_not_contact, DescribeDoNotContact, true);
  object->List("caps", &preference->caps, DescribeCap, true);
}

void DescribeTrigger(JsonObject* object, Trigger* trigger) {
  static const auto* const kNames = new EnumNames<TriggerKind>(_TriggerKind_VALUES_TO_NAMES, "");
  object->Field("id", &trigger->id);
  kNames->Describe(object, "kind", &trigger->kind);
  object->Field("enabled", &trigger->enabled);
  object->Named("channels", &trigger->channels, ParseChannel, ChannelName, ChannelNames());
  object->Field("purpose", &trigger->purpose);
  object->Field("delay_minutes", &trigger->delay_minutes);
  object->Field("interest_days", &trigger->interest_days);
  object->Field("least_drop", &trigger->least_drop);
  object->Field("gap_factor", &trigger->gap_factor);
  object->Field("usual_gap_days", &trigger->usual_gap_days);
  object->Field("valid_hours", &trigger->valid_hours);
  DescribeTimeOfDay(object, "at", &trigger->at_minute);
  object->Field("texts", &trigger->texts);
}

void DescribeTriggers(JsonObject* object, TriggerSet* triggers) {
  object->List("triggers", &triggers->triggers, DescribeTrigger, true);
}

}  // namespace

std::string PolicyToJson(const ContactPolicyVersion& version) {
  return VersionToJson(version, DescribePolicy);
}

absl::StatusOr<Document<ContactPolicy>> PolicyFromJson(absl::string_view json) {
  return DocumentFromJson<ContactPolicy>(json, DescribePolicy);
}

std::string TriggersToJson(const TriggerSetVersion& version) {
  return VersionToJson(version, DescribeTriggers);
}

absl::StatusOr<Document<TriggerSet>> TriggersFromJson(absl::string_view json) {
  return DocumentFromJson<TriggerSet>(json, DescribeTriggers);
}

std::string PreferenceToJson(const ContactPreference& preference) {
  JsonObject object = JsonObject::Writing();
  ContactPreference copy = preference;
  DescribePreference(&object, &copy);
  return object.Finish().dump(2) + "\n";
}

absl::StatusOr<Document<ContactPreference>> PreferenceFromJson(absl::string_view json) {
  return DocumentFromJson<ContactPreference>(json, DescribePreference);
}

std::string LocalTimeText(int64_t time_ms, const std::string& zone) {
  absl::TimeZone local = absl::UTCTimeZone();
  if (!zone.empty()) absl::LoadTimeZone(zone, &local);
  return absl::StrCat(
      absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", absl::FromUnixMillis(time_ms), local), " (",
      local.name(), ")");
}

}  // namespace vitrine::cli
