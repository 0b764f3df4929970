#include "recommender/model/settings.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// Also refuses NaN, for which every comparison is false.
absl::Status InRange(absl::string_view name, double value, double least, double most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is ", value, ", must be from ", least, " to ", most));
}

constexpr double kTiny = 1e-6;
constexpr double kHuge = 1e6;

}  // namespace

float WeightSettings::Of(EventKind kind) const {
  switch (kind) {
    case PAGE_VIEW:
      return page_view;
    case VIEW_ITEM:
      return view_item;
    case ADD_TO_CART:
      return add_to_cart;
    case ADD_TO_WISHLIST:
      return add_to_wishlist;
    case PURCHASE:
      return purchase;
    default:
      return 0;
  }
}

absl::string_view SolverName(AlsSolver solver) {
  switch (solver) {
    case AlsSolver::kExact:
      return "exact";
    case AlsSolver::kConjugateGradient:
      return "cg";
    case AlsSolver::kBlocks:
      return "ials++";
  }
  return "";
}

std::optional<AlsSolver> SolverOfName(absl::string_view name) {
  for (const AlsSolver solver :
       {AlsSolver::kExact, AlsSolver::kConjugateGradient, AlsSolver::kBlocks}) {
    if (name == SolverName(solver)) return solver;
  }
  return std::nullopt;
}

absl::Status Validate(const WeightSettings& weights) {
  RETURN_IF_ERROR(InRange("page_view", weights.page_view, 0, kHuge));
  RETURN_IF_ERROR(InRange("view_item", weights.view_item, 0, kHuge));
  RETURN_IF_ERROR(InRange("add_to_cart", weights.add_to_cart, 0, kHuge));
  RETURN_IF_ERROR(InRange("add_to_wishlist", weights.add_to_wishlist, 0, kHuge));
  RETURN_IF_ERROR(InRange("purchase", weights.purchase, 0, kHuge));
  RETURN_IF_ERROR(InRange("cell_weight_max", weights.cell_weight_max, kTiny, kHuge));
  return InRange("half_life_days", weights.half_life_days, kTiny, kHuge);
}

absl::Status Validate(const AlsSettings& als) {
  RETURN_IF_ERROR(InRange("factors", als.factors, 1, limits::kFactorsMax));
  RETURN_IF_ERROR(InRange("cg_steps", als.cg_steps, 1, limits::kCgStepsMax));
  RETURN_IF_ERROR(InRange("block", als.block, 16, limits::kFactorsMax));
  if (als.block % 16 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("block is ", als.block, ", must be a multiple of 16"));
  }
  RETURN_IF_ERROR(InRange("epochs", als.epochs, 1, limits::kEpochsMax));
  RETURN_IF_ERROR(InRange("unobserved_weight", als.unobserved_weight, 0, kHuge));
  RETURN_IF_ERROR(InRange("regularization", als.regularization, kTiny, kHuge));
  RETURN_IF_ERROR(InRange("regularization_exponent", als.regularization_exponent, 0, 2));
  RETURN_IF_ERROR(InRange("init_stddev", als.init_stddev, kTiny, kHuge));
  return InRange("threads", als.threads, 0, limits::kThreadsMax);
}

}  // namespace vitrine
