#include "api/cli/segments_json.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "store/event_names.h"
#include "store/segment_names.h"

namespace vitrine::cli {
namespace {

void DescribeTest(JsonObject* object, SegmentTest* test) {
  object->Named("measure", &test->measure, ParseSegmentMeasure, SegmentMeasureName,
                SegmentMeasureNames());
  // What says nothing is not written.
  const auto text = [object](const char* name, std::string* value) {
    object->Maybe(name, value, [value](bool reading) { return reading || !value->empty(); });
  };
  text("name", &test->name);
  object->Named("relation", &test->relation, ParseRelation, RelationName, RelationNames());
  object->Field("values", &test->values);
  object->Maybe("number", &test->number, VITRINE_SET(test, number));
  text("currency", &test->currency);
  object->Maybe("days", &test->days, [test](bool reading) { return reading || test->days != 0; });
  object->Named("kinds", &test->kinds, ParseEventKind, EventKindName, EventKindNames());
  object->Named("channels", &test->channels, ParseChannel, ChannelName, ChannelNames());
  object->Named("devices", &test->devices, ParseDevice, DeviceName, DeviceNames());
  object->Field("products", &test->products);
  object->Field("categories", &test->categories);
}

void DescribeCondition(JsonObject* object, SegmentCondition* condition) {
  object->List("any", &condition->any, DescribeTest);
  object->Maybe("negated", &condition->negated,
                [condition](bool reading) { return reading || condition->negated; });
}

void DescribeSegment(JsonObject* object, Segment* segment) {
  object->Field("id", &segment->id);
  object->Field("titles", &segment->titles);
  object->List("conditions", &segment->conditions, DescribeCondition);
}

void DescribeClustering(JsonObject* object, Clustering* clustering) {
  object->Field("id", &clustering->id);
  object->Field("currency", &clustering->currency);
  object->Field("means", &clustering->means);
  object->Field("scales", &clustering->scales);
  object->List("centroids", &clustering->centroids,
               [](JsonObject* one, std::vector<double>* centroid) { one->Field("at", centroid); });
}

void DescribeSet(JsonObject* object, SegmentSet* set) {
  object->List("segments", &set->segments, DescribeSegment, /*even_empty=*/true);
  object->List("clusterings", &set->clusterings, DescribeClustering);
}

std::string RelationText(const SegmentTest& test) {
  switch (test.relation) {
    case Relation::AT_LEAST:
      return absl::StrCat(" >= ", test.number);
    case Relation::AT_MOST:
      return absl::StrCat(" <= ", test.number);
    case Relation::NONE_OF:
      return absl::StrCat(" not ", absl::StrJoin(test.values, "|"));
    default:
      return absl::StrCat(" ", absl::StrJoin(test.values, "|"));
  }
}

template <typename Enum>
std::string NamesOf(const std::vector<Enum>& values, absl::string_view (*name_of)(Enum)) {
  return absl::StrJoin(values, "|", [name_of](std::string* out, Enum value) {
    absl::StrAppend(out, name_of(value));
  });
}

}  // namespace

std::string TestText(const SegmentTest& test) {
  std::string text(SegmentMeasureName(test.measure));
  if (!test.kinds.empty()) text = NamesOf(test.kinds, EventKindName);
  if (!test.name.empty()) absl::StrAppend(&text, "[", test.name, "]");
  absl::StrAppend(&text, RelationText(test));
  if (!test.currency.empty()) absl::StrAppend(&text, " ", test.currency);
  if (test.days > 0) absl::StrAppend(&text, " within ", test.days, " days");
  if (!test.products.empty()) absl::StrAppend(&text, " of ", absl::StrJoin(test.products, "|"));
  if (!test.categories.empty()) absl::StrAppend(&text, " in ", absl::StrJoin(test.categories, "|"));
  if (!test.channels.empty()) absl::StrAppend(&text, " on ", NamesOf(test.channels, ChannelName));
  if (!test.devices.empty()) absl::StrAppend(&text, " with ", NamesOf(test.devices, DeviceName));
  return text;
}

std::string SegmentText(const Segment& segment) {
  return absl::StrJoin(
      segment.conditions, " and ", [](std::string* out, const SegmentCondition& condition) {
        const bool several = condition.any.size() > 1;
        absl::StrAppend(out, condition.negated ? "not " : "", several ? "(" : "",
                        absl::StrJoin(condition.any, " or ",
                                      [](std::string* text, const SegmentTest& test) {
                                        text->append(TestText(test));
                                      }),
                        several ? ")" : "");
      });
}

std::string SegmentsToJson(const SegmentSetVersion& version) {
  return VersionToJson(version, DescribeSet);
}

absl::StatusOr<SegmentsDocument> SegmentsFromJson(absl::string_view text) {
  return DocumentFromJson<SegmentSet>(text, DescribeSet);
}

}  // namespace vitrine::cli
