// The names of kinds, channels and what else records.thrift counts up, as people and files write
// them: lower case, GA4's own ("view_item", "call_center").

#ifndef VITRINE_STORE_EVENT_NAMES_H_
#define VITRINE_STORE_EVENT_NAMES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

std::optional<EventKind> ParseEventKind(absl::string_view name);
std::optional<Channel> ParseChannel(absl::string_view name);
std::optional<ContactProgress> ParseContactProgress(absl::string_view name);

// REQUIRES: a value that records.thrift names.
absl::string_view EventKindName(EventKind kind);
absl::string_view ChannelName(Channel channel);
// Whether records.thrift names what stands in the field: a peer may send anything.
bool IsChannel(const Channel& field);
// "was_opened".
absl::string_view ContactProgressName(ContactProgress progress);

// "for_you", "bought_together"; "unknown" for a value of a newer version.
std::optional<Source> ParseSource(absl::string_view name);
absl::string_view SourceName(Source source);

// "hide_bought"; "one_of"; "cart_gap"; "mobile". REQUIRES: a value that records.thrift names.
std::optional<RuleKind> ParseRuleKind(absl::string_view name);
absl::string_view RuleKindName(RuleKind kind);
std::optional<Relation> ParseRelation(absl::string_view name);
absl::string_view RelationName(Relation relation);
std::optional<PriceBase> ParsePriceBase(absl::string_view name);
absl::string_view PriceBaseName(PriceBase base);
std::optional<Device> ParseDevice(absl::string_view name);
absl::string_view DeviceName(Device device);

// "visitor"; "running"; "click_rate"; "native"; "units"; "guards"; "bandit"; "by_device". REQUIRES:
// a value that records.thrift names.
std::optional<ExperimentUnit> ParseExperimentUnit(absl::string_view name);
absl::string_view ExperimentUnitName(ExperimentUnit unit);
std::optional<ExperimentStatus> ParseExperimentStatus(absl::string_view name);
absl::string_view ExperimentStatusName(ExperimentStatus status);
std::optional<ExperimentMetric> ParseExperimentMetric(absl::string_view name);
absl::string_view ExperimentMetricName(ExperimentMetric metric);
std::optional<AssignmentHash> ParseAssignmentHash(absl::string_view name);
absl::string_view AssignmentHashName(AssignmentHash hash);
std::optional<EventMeasure> ParseEventMeasure(absl::string_view name);
absl::string_view EventMeasureName(EventMeasure measure);
std::optional<MetricUse> ParseMetricUse(absl::string_view name);
absl::string_view MetricUseName(MetricUse use);
std::optional<ExperimentKind> ParseExperimentKind(absl::string_view name);
absl::string_view ExperimentKindName(ExperimentKind kind);
std::optional<SegmentBy> ParseSegmentBy(absl::string_view name);
absl::string_view SegmentByName(SegmentBy by);

// All names, for messages: "page_view, view_item_list, ...".
std::string EventKindNames();
std::string ChannelNames();
std::string ContactProgressNames();
std::string SourceNames();
std::string RuleKindNames();
std::string RelationNames();
std::string PriceBaseNames();
std::string DeviceNames();
std::string ExperimentUnitNames();
std::string ExperimentStatusNames();
std::string ExperimentMetricNames();
std::string AssignmentHashNames();
std::string EventMeasureNames();
std::string MetricUseNames();
std::string ExperimentKindNames();
std::string SegmentByNames();

}  // namespace vitrine

#endif  // VITRINE_STORE_EVENT_NAMES_H_
