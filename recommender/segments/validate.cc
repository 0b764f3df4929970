#include "recommender/segments/validate.h"

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "recommender/customers/life_cycle.h"
#include "recommender/segments/behaviour.h"
#include "store/base/limits.h"
#include "store/base/segment_limits.h"
#include "store/base/status_macros.h"
#include "store/enum_number.h"
#include "store/event_names.h"
#include "store/key_format.h"
#include "store/segment_names.h"

namespace vitrine {
namespace {

absl::Status Wrong(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

absl::Status CheckCount(absl::string_view where, size_t count, size_t least, size_t most) {
  if (count >= least && count <= most) return absl::OkStatus();
  return Wrong(where,
               absl::StrCat("has ", count, " entries, ", least, " to ", most, " are wanted"));
}

bool IsAmong(SegmentMeasure measure, std::initializer_list<SegmentMeasure> measures) {
  return absl::c_linear_search(measures, measure);
}

// What a measure is compared as.
bool IsWord(SegmentMeasure measure) {
  return NumberIn(measure) < NumberIn(SegmentMeasure::EVENT_COUNT);
}

bool HasDays(SegmentMeasure measure) {
  return IsAmong(measure, {SegmentMeasure::EVENT_COUNT, SegmentMeasure::VISIT_COUNT,
                           SegmentMeasure::ORDER_COUNT, SegmentMeasure::COMPLAINT_COUNT,
                           SegmentMeasure::BOUGHT_MINOR, SegmentMeasure::RETURNED_MINOR,
                           SegmentMeasure::RETURNED_SHARE, SegmentMeasure::LAST_RATING});
}

bool IsMoney(SegmentMeasure measure) {
  return IsAmong(measure, {SegmentMeasure::BOUGHT_MINOR, SegmentMeasure::RETURNED_MINOR,
                           SegmentMeasure::RETURNED_SHARE});
}

// Which events it goes by can be said.
bool HasFilter(SegmentMeasure measure) {
  return HasDays(measure) ||
         IsAmong(measure,
                 {SegmentMeasure::DAYS_SINCE_FIRST_SEEN, SegmentMeasure::DAYS_SINCE_LAST_SEEN,
                  SegmentMeasure::DAYS_SINCE_LAST_ORDER, SegmentMeasure::OPEN_CASE_COUNT});
}

class TestCheck {
 public:
  TestCheck(std::string where, const SegmentTest& test, const SegmentSet& set)
      : where_(std::move(where)), test_(test), set_(set) {}

  absl::Status Check() const {
    if (!IsSegmentMeasure(test_.measure)) {
      return At("measure", absl::StrCat(NumberIn(test_.measure), " is no measure"));
    }
    RETURN_IF_ERROR(CheckRelation());
    RETURN_IF_ERROR(CheckName());
    RETURN_IF_ERROR(CheckWords());
    RETURN_IF_ERROR(CheckFilter());
    RETURN_IF_ERROR(CheckEnums());
    return CheckUnits();
  }

 private:
  absl::Status At(absl::string_view field, absl::string_view what) const {
    return Wrong(absl::StrCat(where_, ".", field), what);
  }
  // Of a field that says nothing with this measure.
  absl::Status MeansNothing(absl::string_view field) const {
    return At(field, absl::StrCat("means nothing with ", SegmentMeasureName(test_.measure)));
  }

  absl::Status CheckRelation() const {
    const bool word = IsWord(test_.measure);
    const bool number = !word || test_.measure == SegmentMeasure::ATTRIBUTE_IS;
    switch (NumberIn(test_.relation)) {
      case static_cast<int32_t>(Relation::ONE_OF):
      case static_cast<int32_t>(Relation::NONE_OF):
        if (!word) return At("relation", "a number is at_least or at_most another");
        if (test_.__isset.number) return At("number", "is for at_least and at_most");
        return CheckCount(where_ + ".values", test_.values.size(), 1, limits::kSegmentValuesMax);
      case static_cast<int32_t>(Relation::AT_LEAST):
      case static_cast<int32_t>(Relation::AT_MOST):
        if (!number) return At("relation", "a word is one_of or none_of some");
        if (!test_.values.empty()) return At("values", "are for one_of and none_of");
        if (!test_.__isset.number || !std::isfinite(test_.number)) return At("number", "is wanted");
        return absl::OkStatus();
      default:
        return At("relation", "one_of, none_of, at_least and at_most are there");
    }
  }

  absl::Status CheckName() const {
    const bool wanted = IsAmong(
        test_.measure,
        {SegmentMeasure::ATTRIBUTE_IS, SegmentMeasure::CONSENT_IS, SegmentMeasure::CLUSTER_IS});
    if (wanted) RETURN_IF_ERROR(Annotate(ValidId(test_.name), where_ + ".name"));
    if (wanted || test_.name.empty()) return absl::OkStatus();
    if (test_.measure != SegmentMeasure::LAST_RATING) return MeansNothing("name");
    return Annotate(ValidId(test_.name), where_ + ".name");
  }

  absl::Status CheckWords() const {
    for (const std::string& value : test_.values) {
      if (value.size() > limits::kIdBytesMax) {
        return At("values", absl::StrCat("one is longer than ", limits::kIdBytesMax, " bytes"));
      }
      if (test_.measure == SegmentMeasure::LIFE_STAGE_IS &&
          absl::c_none_of(kLifeStages,
                          [&](LifeStage stage) { return LifeStageName(stage) == value; })) {
        return At("values", absl::StrCat(value, " is no stage"));
      }
      if (test_.measure == SegmentMeasure::CONSENT_IS && value != "granted" && value != "refused" &&
          value != "unknown") {
        return At("values", "consent is granted, refused or unknown");
      }
    }
    return test_.measure == SegmentMeasure::CLUSTER_IS ? CheckCluster() : absl::OkStatus();
  }

  absl::Status CheckCluster() const {
    const auto clustering = absl::c_find_if(
        set_.clusterings, [this](const Clustering& one) { return one.id == test_.name; });
    if (clustering == set_.clusterings.end()) return At("name", "there is no such clustering");
    for (const std::string& value : test_.values) {
      size_t number;
      if (!absl::SimpleAtoi(value, &number) || number < 1 ||
          number > clustering->centroids.size()) {
        return At("values", absl::StrCat(value, " is none of its centroids, 1 to ",
                                         clustering->centroids.size()));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckFilter() const {
    const SegmentMeasure measure = test_.measure;
    if (!test_.kinds.empty() && measure != SegmentMeasure::EVENT_COUNT)
      return MeansNothing("kinds");
    if (measure == SegmentMeasure::CONSENT_IS) {
      RETURN_IF_ERROR(CheckCount(where_ + ".channels", test_.channels.size(), 1, 1));
    } else if (!test_.channels.empty() && !HasFilter(measure)) {
      return MeansNothing("channels");
    }
    if (!HasFilter(measure)) {
      if (!test_.devices.empty()) return MeansNothing("devices");
      if (!test_.products.empty()) return MeansNothing("products");
      if (!test_.categories.empty()) return MeansNothing("categories");
    }
    RETURN_IF_ERROR(CheckIds("products", test_.products));
    return CheckIds("categories", test_.categories);
  }

  absl::Status CheckIds(absl::string_view field, const std::vector<std::string>& ids) const {
    RETURN_IF_ERROR(
        CheckCount(absl::StrCat(where_, ".", field), ids.size(), 0, limits::kSegmentValuesMax));
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i].empty() || ids[i].size() > limits::kTextBytesMax) {
        return At(absl::StrCat(field, "[", i, "]"), "is empty, or too long");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckEnums() const {
    for (const EventKind& kind : test_.kinds) {
      if (_EventKind_VALUES_TO_NAMES.count(NumberIn(kind)) == 0) {
        return At("kinds", absl::StrCat(NumberIn(kind), " is no kind"));
      }
    }
    for (const Channel& channel : test_.channels) {
      if (!IsChannel(channel)) {
        return At("channels", absl::StrCat(NumberIn(channel), " is no channel"));
      }
    }
    for (const Device& device : test_.devices) {
      if (_Device_VALUES_TO_NAMES.count(NumberIn(device)) == 0) {
        return At("devices", absl::StrCat(NumberIn(device), " is no device"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckUnits() const {
    if (test_.days != 0 && !HasDays(test_.measure)) return MeansNothing("days");
    if (test_.days < 0 || test_.days > limits::kSegmentDaysMax) {
      return At("days", absl::StrCat(test_.days, " is not between 1 and ", limits::kSegmentDaysMax,
                                     ", nor 0: ever"));
    }
    if (IsMoney(test_.measure)) {
      if (test_.currency.size() == 3 && absl::c_all_of(test_.currency, absl::ascii_isupper)) {
        return absl::OkStatus();
      }
      return At("currency", "three capital letters are wanted: EUR");
    }
    if (!test_.currency.empty()) return MeansNothing("currency");
    const bool of_days = IsAmong(
        test_.measure, {SegmentMeasure::DAYS_SINCE_FIRST_SEEN, SegmentMeasure::DAYS_SINCE_LAST_SEEN,
                        SegmentMeasure::DAYS_SINCE_LAST_ORDER});
    if (of_days && !(test_.number >= 0 && test_.number <= limits::kMaxAgeDays)) {
      return At("number", absl::StrCat("0 to ", limits::kMaxAgeDays, " days are wanted"));
    }
    return absl::OkStatus();
  }

  const std::string where_;
  const SegmentTest& test_;
  const SegmentSet& set_;
};

absl::Status CheckSegment(const std::string& where, const Segment& segment, const SegmentSet& set) {
  RETURN_IF_ERROR(Annotate(ValidName(segment.id), where + ".id"));
  for (const auto& [language, title] : segment.titles) {
    if (title.empty() || title.size() > limits::kTextBytesMax) {
      return Wrong(absl::StrCat(where, ".titles[", language, "]"), "is empty, or too long");
    }
  }
  const size_t n = segment.conditions.size();
  RETURN_IF_ERROR(CheckCount(where + ".conditions", n, 1, limits::kSegmentConditionsMax));
  for (size_t c = 0; c < n; ++c) {
    const std::vector<SegmentTest>& any = segment.conditions[c].any;
    const std::string place = absl::StrCat(where, ".conditions[", c, "].any");
    RETURN_IF_ERROR(CheckCount(place, any.size(), 1, limits::kSegmentTestsMax));
    for (size_t t = 0; t < any.size(); ++t) {
      RETURN_IF_ERROR(TestCheck(absl::StrCat(place, "[", t, "]"), any[t], set).Check());
    }
  }
  return absl::OkStatus();
}

absl::Status CheckClustering(const std::string& where, const Clustering& clustering) {
  RETURN_IF_ERROR(Annotate(ValidName(clustering.id), where + ".id"));
  const auto check = [&](const std::string& field, const std::vector<double>& numbers) {
    if (numbers.size() == kBehaviourSize &&
        absl::c_all_of(numbers, [](double number) { return std::isfinite(number); })) {
      return absl::OkStatus();
    }
    return Wrong(absl::StrCat(where, ".", field),
                 absl::StrCat(kBehaviourSize, " numbers are wanted"));
  };
  RETURN_IF_ERROR(check("means", clustering.means));
  RETURN_IF_ERROR(check("scales", clustering.scales));
  if (absl::c_any_of(clustering.scales, [](double scale) { return scale <= 0; })) {
    return Wrong(where + ".scales", "one is not above 0");
  }
  const size_t n = clustering.centroids.size();
  RETURN_IF_ERROR(CheckCount(where + ".centroids", n, 1, limits::kCentroidsMax));
  for (size_t c = 0; c < n; ++c) {
    RETURN_IF_ERROR(check(absl::StrCat("centroids[", c, "]"), clustering.centroids[c]));
  }
  return absl::OkStatus();
}

// That no two have one id.
template <typename List>
absl::Status CheckDiffer(absl::string_view where, const List& list) {
  std::set<std::string> ids;
  for (size_t i = 0; i < list.size(); ++i) {
    if (!ids.insert(list[i].id).second) {
      return Wrong(absl::StrCat(where, "[", i, "].id"),
                   absl::StrCat("there is another one named ", list[i].id));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateSegment(const Segment& segment, const SegmentSet& set) {
  return CheckSegment("segment", segment, set);
}

absl::Status ValidateSegments(const SegmentSet& set) {
  RETURN_IF_ERROR(CheckCount("clusterings", set.clusterings.size(), 0, limits::kClusteringsMax));
  for (size_t i = 0; i < set.clusterings.size(); ++i) {
    RETURN_IF_ERROR(CheckClustering(absl::StrCat("clusterings[", i, "]"), set.clusterings[i]));
  }
  RETURN_IF_ERROR(CheckDiffer("clusterings", set.clusterings));
  RETURN_IF_ERROR(CheckCount("segments", set.segments.size(), 0, limits::kSegmentsMax));
  for (size_t i = 0; i < set.segments.size(); ++i) {
    RETURN_IF_ERROR(CheckSegment(absl::StrCat("segments[", i, "]"), set.segments[i], set));
  }
  return CheckDiffer("segments", set.segments);
}

}  // namespace vitrine
