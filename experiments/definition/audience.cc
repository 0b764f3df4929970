#include "experiments/definition/audience.h"

#include <cmath>
#include <optional>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "store/base/limits.h"
#include "store/base/segment_limits.h"
#include "store/base/status_macros.h"
#include "store/enum_number.h"
#include "store/event_names.h"
#include "store/key_format.h"

namespace vitrine::experiments {
namespace {

template <typename Values, typename Value>
bool Among(const Values& values, const Value& value) {
  return values.empty() || absl::c_linear_search(values, value);
}

// "en" stands for "en-GB" too.
bool Speaks(const std::vector<std::string>& languages, absl::string_view language) {
  return languages.empty() || absl::c_any_of(languages, [language](const std::string& wanted) {
           return absl::StartsWith(language, wanted) &&
                  (language.size() == wanted.size() || language[wanted.size()] == '-');
         });
}

// What the request itself says goes before what the storefront may call the same. A channel or
// device that a later version knows has no name here.
std::optional<absl::string_view> ValueOf(absl::string_view attribute, const RequestFacts& facts) {
  if (attribute == "channel") {
    if (_Channel_VALUES_TO_NAMES.count(NumberIn(facts.channel)) == 0) return std::nullopt;
    return ChannelName(facts.channel);
  }
  if (attribute == "device") {
    if (_Device_VALUES_TO_NAMES.count(NumberIn(facts.device)) == 0) return std::nullopt;
    return DeviceName(facts.device);
  }
  if (attribute == "country") return facts.country;
  if (attribute == "language") return facts.language;
  if (facts.attributes == nullptr) return std::nullopt;
  const auto found = facts.attributes->find(std::string(attribute));
  if (found == facts.attributes->end()) return std::nullopt;
  return found->second;
}

bool Holds(const AudienceCondition& condition, const RequestFacts& facts) {
  const std::optional<absl::string_view> value = ValueOf(condition.attribute, facts);
  const bool among = value && absl::c_linear_search(condition.values, *value);
  if (condition.relation == Relation::ONE_OF) return among;
  if (condition.relation == Relation::NONE_OF) return !among;
  double number = 0;
  if (!value || !absl::SimpleAtod(*value, &number) || std::isnan(number)) return false;
  return condition.relation == Relation::AT_LEAST ? number >= condition.number
                                                  : number <= condition.number;
}

bool IsInAnyOf(const std::vector<std::string>& segments, const RequestFacts& facts) {
  return facts.segments != nullptr && absl::c_any_of(segments, [&facts](const std::string& id) {
           return absl::c_linear_search(*facts.segments, id);
         });
}

absl::Status CheckSegments(absl::string_view where, const std::vector<std::string>& segments) {
  if (segments.size() > limits::kSegmentsMax) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": more than ", limits::kSegmentsMax));
  }
  for (size_t i = 0; i < segments.size(); ++i) {
    RETURN_IF_ERROR(Annotate(ValidName(segments[i]), absl::StrCat(where, "[", i, "]")));
  }
  return absl::OkStatus();
}

absl::Status CheckCondition(const AudienceCondition& condition) {
  const auto wrong = [](absl::string_view field, absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
  };
  RETURN_IF_ERROR(Annotate(ValidId(condition.attribute), "attribute"));
  switch (condition.relation) {
    case Relation::ONE_OF:
    case Relation::NONE_OF:
      if (!condition.values.empty() && condition.values.size() <= limits::kWireContainerMax) {
        break;
      }
      return wrong("values", absl::StrCat("1 to ", limits::kWireContainerMax, " are wanted"));
    case Relation::AT_LEAST:
    case Relation::AT_MOST:
      if (condition.__isset.number && std::isfinite(condition.number)) break;
      return wrong("number", "is wanted");
    default:
      return wrong("relation", "a request is compared with no product");
  }
  for (const std::string& value : condition.values) {
    if (value.size() > limits::kIdBytesMax) {
      return wrong("values", absl::StrCat("one is longer than ", limits::kIdBytesMax, " bytes"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckAudience(const Audience& audience) {
  if (audience.conditions.size() > limits::kAudienceConditionsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("audience.conditions: more than ", limits::kAudienceConditionsMax));
  }
  for (const AudienceCondition& condition : audience.conditions) {
    RETURN_IF_ERROR(Annotate(CheckCondition(condition),
                             absl::StrCat("audience.conditions[", condition.attribute, "]")));
  }
  RETURN_IF_ERROR(CheckSegments("audience.segments", audience.segments));
  return CheckSegments("audience.not_segments", audience.not_segments);
}

bool IsIn(const Audience& audience, const RequestFacts& facts) {
  return Among(audience.channels, facts.channel) && Among(audience.devices, facts.device) &&
         Among(audience.countries, facts.country) && Speaks(audience.languages, facts.language) &&
         (audience.segments.empty() || IsInAnyOf(audience.segments, facts)) &&
         !IsInAnyOf(audience.not_segments, facts) &&
         absl::c_all_of(audience.conditions, [&](const AudienceCondition& condition) {
           return Holds(condition, facts);
         });
}

}  // namespace vitrine::experiments
