#include "store/event_names.h"

#include <map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"

#include "store/base/check.h"
#include "store/enum_number.h"

namespace vitrine {
namespace {

// The names of one enum, both ways. The generated tables hold them as in records.thrift: upper
// case, and OTHER_CHANNEL, which is "other" outside, or UNKNOWN_DEVICE.
template <typename Enum>
class Names {
 public:
  explicit Names(const std::map<int, const char*>& generated) {
    for (const auto& [value, upper] : generated) {
      const std::string lower = absl::AsciiStrToLower(upper);
      const std::string name = lower == "other_channel"    ? "other"
                               : lower == "unknown_device" ? "unknown"
                                                           : lower;
      if (names_.size() <= static_cast<size_t>(value)) names_.resize(value + 1);
      names_[value] = name;
      values_[name] = static_cast<Enum>(value);
      in_order_.push_back(name);
    }
  }

  std::optional<Enum> Find(absl::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }

  absl::string_view NameOf(Enum value) const {
    const auto index = static_cast<size_t>(value);
    CHECK(index < names_.size() && !names_[index].empty()) << "no name for " << index;
    return names_[index];
  }

  bool Has(Enum value) const {
    const auto index = static_cast<size_t>(value);
    return index < names_.size() && !names_[index].empty();
  }

  std::string Joined() const { return absl::StrJoin(in_order_, ", "); }

 private:
  std::vector<std::string> names_;  // by value
  absl::flat_hash_map<std::string, Enum> values_;
  std::vector<std::string> in_order_;
};

const Names<EventKind>& Kinds() {
  static const auto* const kinds = new Names<EventKind>(_EventKind_VALUES_TO_NAMES);
  return *kinds;
}

const Names<Channel>& Channels() {
  static const auto* const channels = new Names<Channel>(_Channel_VALUES_TO_NAMES);
  return *channels;
}

const Names<ContactProgress>& ContactProgresses() {
  static const auto* const names = new Names<ContactProgress>(_ContactProgress_VALUES_TO_NAMES);
  return *names;
}

const Names<Source>& Sources() {
  static const auto* const names = new Names<Source>(_Source_VALUES_TO_NAMES);
  return *names;
}

const Names<RuleKind>& RuleKinds() {
  static const auto* const names = new Names<RuleKind>(_RuleKind_VALUES_TO_NAMES);
  return *names;
}

const Names<Relation>& Relations() {
  static const auto* const names = new Names<Relation>(_Relation_VALUES_TO_NAMES);
  return *names;
}

const Names<PriceBase>& PriceBases() {
  static const auto* const names = new Names<PriceBase>(_PriceBase_VALUES_TO_NAMES);
  return *names;
}

const Names<Device>& Devices() {
  static const auto* const names = new Names<Device>(_Device_VALUES_TO_NAMES);
  return *names;
}

const Names<ExperimentUnit>& ExperimentUnits() {
  static const auto* const names = new Names<ExperimentUnit>(_ExperimentUnit_VALUES_TO_NAMES);
  return *names;
}

const Names<ExperimentStatus>& ExperimentStatuses() {
  static const auto* const names = new Names<ExperimentStatus>(_ExperimentStatus_VALUES_TO_NAMES);
  return *names;
}

const Names<ExperimentMetric>& ExperimentMetrics() {
  static const auto* const names = new Names<ExperimentMetric>(_ExperimentMetric_VALUES_TO_NAMES);
  return *names;
}

const Names<AssignmentHash>& AssignmentHashes() {
  static const auto* const names = new Names<AssignmentHash>(_AssignmentHash_VALUES_TO_NAMES);
  return *names;
}

const Names<EventMeasure>& EventMeasures() {
  static const auto* const names = new Names<EventMeasure>(_EventMeasure_VALUES_TO_NAMES);
  return *names;
}

const Names<MetricUse>& MetricUses() {
  static const auto* const names = new Names<MetricUse>(_MetricUse_VALUES_TO_NAMES);
  return *names;
}

const Names<ExperimentKind>& ExperimentKinds() {
  static const auto* const names = new Names<ExperimentKind>(_ExperimentKind_VALUES_TO_NAMES);
  return *names;
}

const Names<SegmentBy>& SegmentBys() {
  static const auto* const names = new Names<SegmentBy>(_SegmentBy_VALUES_TO_NAMES);
  return *names;
}

}  // namespace

std::optional<EventKind> ParseEventKind(absl::string_view name) { return Kinds().Find(name); }
std::optional<Channel> ParseChannel(absl::string_view name) { return Channels().Find(name); }

absl::string_view EventKindName(EventKind kind) { return Kinds().NameOf(kind); }
absl::string_view ChannelName(Channel channel) { return Channels().NameOf(channel); }

bool IsChannel(const Channel& field) {
  const int32_t number = NumberIn(field);
  return number >= Channel::WEB && number <= Channel::ATM;
}

std::optional<ContactProgress> ParseContactProgress(absl::string_view name) {
  return ContactProgresses().Find(name);
}
absl::string_view ContactProgressName(ContactProgress progress) {
  return ContactProgresses().NameOf(progress);
}

std::optional<Source> ParseSource(absl::string_view name) { return Sources().Find(name); }
absl::string_view SourceName(Source source) {
  return Sources().Has(source) ? Sources().NameOf(source) : "unknown";
}

std::optional<RuleKind> ParseRuleKind(absl::string_view name) { return RuleKinds().Find(name); }
absl::string_view RuleKindName(RuleKind kind) { return RuleKinds().NameOf(kind); }

std::optional<Relation> ParseRelation(absl::string_view name) { return Relations().Find(name); }
absl::string_view RelationName(Relation relation) { return Relations().NameOf(relation); }

std::optional<PriceBase> ParsePriceBase(absl::string_view name) { return PriceBases().Find(name); }
absl::string_view PriceBaseName(PriceBase base) { return PriceBases().NameOf(base); }

std::optional<Device> ParseDevice(absl::string_view name) { return Devices().Find(name); }
absl::string_view DeviceName(Device device) { return Devices().NameOf(device); }

std::optional<ExperimentUnit> ParseExperimentUnit(absl::string_view name) {
  return ExperimentUnits().Find(name);
}
absl::string_view ExperimentUnitName(ExperimentUnit unit) { return ExperimentUnits().NameOf(unit); }

std::optional<ExperimentStatus> ParseExperimentStatus(absl::string_view name) {
  return ExperimentStatuses().Find(name);
}
absl::string_view ExperimentStatusName(ExperimentStatus status) {
  return ExperimentStatuses().NameOf(status);
}

std::optional<ExperimentMetric> ParseExperimentMetric(absl::string_view name) {
  return ExperimentMetrics().Find(name);
}
absl::string_view ExperimentMetricName(ExperimentMetric metric) {
  return ExperimentMetrics().NameOf(metric);
}

std::optional<AssignmentHash> ParseAssignmentHash(absl::string_view name) {
  return AssignmentHashes().Find(name);
}
absl::string_view AssignmentHashName(AssignmentHash hash) {
  return AssignmentHashes().NameOf(hash);
}

std::optional<EventMeasure> ParseEventMeasure(absl::string_view name) {
  return EventMeasures().Find(name);
}
absl::string_view EventMeasureName(EventMeasure measure) { return EventMeasures().NameOf(measure); }

std::optional<MetricUse> ParseMetricUse(absl::string_view name) { return MetricUses().Find(name); }
absl::string_view MetricUseName(MetricUse use) { return MetricUses().NameOf(use); }

std::optional<ExperimentKind> ParseExperimentKind(absl::string_view name) {
  return ExperimentKinds().Find(name);
}
absl::string_view ExperimentKindName(ExperimentKind kind) { return ExperimentKinds().NameOf(kind); }

std::optional<SegmentBy> ParseSegmentBy(absl::string_view name) { return SegmentBys().Find(name); }
absl::string_view SegmentByName(SegmentBy by) { return SegmentBys().NameOf(by); }

std::string EventKindNames() { return Kinds().Joined(); }
std::string ChannelNames() { return Channels().Joined(); }
std::string ContactProgressNames() { return ContactProgresses().Joined(); }
std::string SourceNames() { return Sources().Joined(); }
std::string RuleKindNames() { return RuleKinds().Joined(); }
std::string RelationNames() { return Relations().Joined(); }
std::string PriceBaseNames() { return PriceBases().Joined(); }
std::string DeviceNames() { return Devices().Joined(); }
std::string ExperimentUnitNames() { return ExperimentUnits().Joined(); }
std::string ExperimentStatusNames() { return ExperimentStatuses().Joined(); }
std::string ExperimentMetricNames() { return ExperimentMetrics().Joined(); }
std::string AssignmentHashNames() { return AssignmentHashes().Joined(); }
std::string EventMeasureNames() { return EventMeasures().Joined(); }
std::string MetricUseNames() { return MetricUses().Joined(); }
std::string ExperimentKindNames() { return ExperimentKinds().Joined(); }
std::string SegmentByNames() { return SegmentBys().Joined(); }

}  // namespace vitrine
