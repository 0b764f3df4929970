#include "experiments/attribution/placement_tally.h"

#include <tuple>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine {
namespace {

std::string ValueOf(PlacementKey key, const Exposure& shelf, size_t position) {
  const ExposedProduct& product = shelf.products[position];
  switch (key) {
    case PlacementKey::kPlacement:
      return shelf.placement;
    case PlacementKey::kSource:
      return std::string(SourceName(product.source));
    case PlacementKey::kRule:
      return product.rule;
    case PlacementKey::kArm:
      return absl::StrJoin(shelf.arms, " ", [](std::string* out, const ExposedArm& arm) {
        absl::StrAppend(out, arm.experiment, ":", arm.arm);
      });
    case PlacementKey::kPosition:
      return absl::StrCat(absl::Dec(position + 1, absl::kZeroPad3));
  }
  return "";
}

}  // namespace

absl::string_view PlacementKeyName(PlacementKey key) {
  switch (key) {
    case PlacementKey::kPlacement:
      return "placement";
    case PlacementKey::kSource:
      return "source";
    case PlacementKey::kRule:
      return "rule";
    case PlacementKey::kArm:
      return "arm";
    case PlacementKey::kPosition:
      return "position";
  }
  return "";
}

absl::Status PlacementTally::Find(const Exposure& shelf, size_t position, ShownCounts** counts) {
  std::vector<std::string> values;
  values.reserve(by_.size());
  for (const PlacementKey key : by_) values.push_back(ValueOf(key, shelf, position));
  const auto [group, is_new] = groups_.try_emplace(std::move(values));
  *counts = &group->second;
  if (!is_new || groups_.size() <= limits::kReportGroupsMax) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("there are more than ", limits::kReportGroupsMax,
                   " rows: ask for a shorter time, or for fewer keys at once"));
}

absl::Status PlacementTally::AddShelf(const Exposure& shelf) {
  if (!period_.Holds(shelf)) return absl::OkStatus();
  absl::flat_hash_set<const ShownCounts*> seen;
  for (size_t position = 0; position < shelf.products.size(); ++position) {
    ShownCounts* counts;
    RETURN_IF_ERROR(Find(shelf, position, &counts));
    ++counts->shown;
    counts->shelves += seen.insert(counts).second ? 1 : 0;
  }
  return absl::OkStatus();
}

absl::Status PlacementTally::AddCredits(std::span<const Exposure> shelves,
                                        std::span<const Event> events, const Crediting& crediting) {
  absl::flat_hash_set<std::tuple<size_t, size_t, Credited>> places;  // each counts once
  absl::flat_hash_set<std::pair<size_t, const ShownCounts*>> orders;
  for (const Credit& credit : crediting.credits) {
    const Exposure& shelf = shelves[credit.shelf];
    if (!period_.Holds(shelf)) continue;
    ShownCounts* counts;
    RETURN_IF_ERROR(Find(shelf, credit.position, &counts));
    const bool first = places.insert({credit.shelf, credit.position, credit.as}).second;
    if (credit.as == Credited::kClick) counts->clicked += first ? 1 : 0;
    if (credit.as == Credited::kCart) counts->carted += first ? 1 : 0;
    if (credit.as == Credited::kPurchase) {
      counts->orders += orders.insert({credit.event, counts}).second ? 1 : 0;
    }
    if (credit.value_minor != 0) {
      counts->revenue_minor[events[credit.purchase].currency] += credit.value_minor;
    }
  }
  return absl::OkStatus();
}

}  // namespace vitrine
