#include "store/segment_names.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"

#include "store/base/check.h"
#include "store/enum_number.h"

namespace vitrine {
namespace {

const std::map<int, std::string>& Names() {
  static const auto* const names = [] {
    auto* lower = new std::map<int, std::string>();
    for (const auto& [value, upper] : _SegmentMeasure_VALUES_TO_NAMES) {
      lower->emplace(value, absl::AsciiStrToLower(upper));
    }
    return lower;
  }();
  return *names;
}

}  // namespace

std::optional<SegmentMeasure> ParseSegmentMeasure(absl::string_view name) {
  for (const auto& [value, known] : Names()) {
    if (known == name) return static_cast<SegmentMeasure>(value);
  }
  return std::nullopt;
}

absl::string_view SegmentMeasureName(SegmentMeasure measure) {
  const auto found = Names().find(NumberIn(measure));
  CHECK(found != Names().end()) << "no name for " << NumberIn(measure);
  return found->second;
}

bool IsSegmentMeasure(const SegmentMeasure& field) {
  return Names().find(NumberIn(field)) != Names().end();
}

std::string SegmentMeasureNames() {
  return absl::StrJoin(Names(), ", ",
                       [](std::string* out, const auto& name) { out->append(name.second); });
}

}  // namespace vitrine
