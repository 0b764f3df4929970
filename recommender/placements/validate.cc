#include "recommender/placements/validate.h"

#include <cmath>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

absl::Status Wrong(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

absl::Status CheckRange(absl::string_view where, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();  // no NaN is
  return Wrong(where, absl::StrCat(value, " is not between ", low, " and ", high));
}

absl::Status CheckId(absl::string_view where, absl::string_view id) {
  return Annotate(ValidName(id), where);
}

absl::Status CheckText(absl::string_view where, absl::string_view text) {
  if (!text.empty() && text.size() <= limits::kTextBytesMax) return absl::OkStatus();
  return Wrong(where, absl::StrCat("is empty or longer than ", limits::kTextBytesMax, " bytes"));
}

absl::Status CheckCount(absl::string_view where, size_t count, size_t most) {
  if (count <= most) return absl::OkStatus();
  return Wrong(where, absl::StrCat("has ", count, " entries, at most ", most, " are taken"));
}

absl::Status CheckCondition(const std::string& where, const ProductCondition& condition) {
  RETURN_IF_ERROR(CheckText(where + ".attribute", condition.attribute));
  switch (condition.relation) {
    case ONE_OF:
    case NONE_OF:
      if (condition.values.empty()) return Wrong(where + ".values", "at least one is wanted");
      return CheckCount(where + ".values", condition.values.size(), limits::kWireContainerMax);
    case AT_LEAST:
    case AT_MOST:
      if (condition.__isset.number && std::isfinite(condition.number)) return absl::OkStatus();
      return Wrong(where + ".number", "is wanted for at_least and at_most");
    case AS_CURRENT:
    case NOT_AS_CURRENT:
      return absl::OkStatus();
  }
  return Wrong(where + ".relation", absl::StrCat(condition.relation, " is no relation"));
}

absl::Status CheckWindow(const std::string& where, const PriceWindow& window) {
  const auto& set = window.__isset;
  if (window.base < ABSOLUTE || window.base > CART_GAP) {
    return Wrong(where + ".base", absl::StrCat(window.base, " is no base"));
  }
  if (!set.at_least && !set.at_most) return Wrong(where, "wants at_least, at_most, or both");
  if (set.at_least) RETURN_IF_ERROR(CheckRange(where + ".at_least", window.at_least, 0, 1e15));
  if (set.at_most) RETURN_IF_ERROR(CheckRange(where + ".at_most", window.at_most, 0, 1e15));
  if (set.at_least && set.at_most && window.at_least > window.at_most) {
    return Wrong(where, "at_least is above at_most");
  }
  return absl::OkStatus();
}

// What a rule of its kind cannot do without.
absl::Status CheckKind(const std::string& where, const Rule& rule) {
  const auto& set = rule.__isset;
  const auto want = [&](bool is_set, absl::string_view field) {
    if (is_set) return absl::OkStatus();
    return Wrong(absl::StrCat(where, ".", field), "is wanted for a rule of this kind");
  };
  switch (rule.kind) {
    case INCLUDE:
    case EXCLUDE:
      return want(!rule.products.empty(), "products");
    case BOOST:
      RETURN_IF_ERROR(want(set.factor, "factor"));
      return CheckRange(where + ".factor", rule.factor, 0.001, 1000);
    case PIN:
      RETURN_IF_ERROR(want(set.position, "position"));
      RETURN_IF_ERROR(want(set.product_id && !rule.product_id.empty(), "product_id"));
      return CheckRange(where + ".position", rule.position, 1, limits::kSuggestionsMax);
    case CAP:
      RETURN_IF_ERROR(want(set.attribute && !rule.attribute.empty(), "attribute"));
      RETURN_IF_ERROR(want(set.most, "most"));
      return CheckRange(where + ".most", rule.most, 1, limits::kSuggestionsMax);
    case HIDE_SHOWN_OFTEN:
      RETURN_IF_ERROR(want(set.most, "most"));
      RETURN_IF_ERROR(want(set.days, "days"));
      return CheckRange(where + ".most", rule.most, 1, 1000);
    case PRICE_WINDOW:
      RETURN_IF_ERROR(want(set.price, "price"));
      return CheckWindow(where + ".price", rule.price);
    case HIDE_BOUGHT:
    case HIDE_IN_CART:
    case HIDE_SEEN:
      return absl::OkStatus();
  }
  return Wrong(where + ".kind", absl::StrCat(rule.kind, " is no kind of rule"));
}

absl::Status CheckRule(const std::string& where, const Rule& rule) {
  RETURN_IF_ERROR(CheckId(where + ".id", rule.id));
  RETURN_IF_ERROR(CheckKind(where, rule));
  RETURN_IF_ERROR(
      CheckCount(where + ".products", rule.products.size(), limits::kRuleConditionsMax));
  for (size_t i = 0; i < rule.products.size(); ++i) {
    RETURN_IF_ERROR(CheckCondition(absl::StrCat(where, ".products[", i, "]"), rule.products[i]));
  }
  if (rule.__isset.days) RETURN_IF_ERROR(CheckRange(where + ".days", rule.days, 1, 3650));
  if (rule.__isset.from_ms && rule.__isset.to_ms && rule.from_ms >= rule.to_ms) {
    return Wrong(where + ".to_ms", "is not after from_ms: the rule would never hold");
  }
  return absl::OkStatus();
}

// Of one list of rules; `ids` are those of the lists that hold with it.
absl::Status CheckRules(const std::string& where, const std::vector<Rule>& rules,
                        std::set<std::string> ids) {
  RETURN_IF_ERROR(CheckCount(where + "rules", rules.size(), limits::kRulesMax));
  for (const Rule& rule : rules) {
    const std::string place = absl::StrCat(where, "rules[", rule.id, "]");
    RETURN_IF_ERROR(CheckRule(place, rule));
    if (!ids.insert(rule.id).second) return Wrong(place, "there are two rules of this id");
  }
  return absl::OkStatus();
}

absl::Status CheckRecipe(const std::string& where, const std::vector<RecipeSource>& recipe) {
  if (recipe.empty()) return Wrong(where, "is empty: a shelf is made of something");
  RETURN_IF_ERROR(CheckCount(where, recipe.size(), limits::kRecipeSourcesMax));
  for (size_t i = 0; i < recipe.size(); ++i) {
    const std::string place = absl::StrCat(where, "[", i, "]");
    const RecipeSource& source = recipe[i];
    if (source.source < TASTE || source.source > FOR_YOU || source.source == PINNED) {
      return Wrong(place + ".source", absl::StrCat(source.source, " cannot be asked for products"));
    }
    // Of EXPLORE it is a part of shelves.
    const double most = source.source == EXPLORE ? 1 : 1000;
    RETURN_IF_ERROR(CheckRange(place + ".weight", source.weight, 0, most));
    if (source.__isset.days) RETURN_IF_ERROR(CheckRange(place + ".days", source.days, 1, 3650));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidatePlacements(const PlacementSet& set) {
  RETURN_IF_ERROR(CheckRules("", set.rules, {}));
  std::set<std::string> common;
  for (const Rule& rule : set.rules) common.insert(rule.id);
  RETURN_IF_ERROR(CheckCount("placements", set.placements.size(), limits::kPlacementsMax));
  std::set<std::string> ids;
  for (const Placement& placement : set.placements) {
    const std::string where = absl::StrCat("placements[", placement.id, "]");
    RETURN_IF_ERROR(CheckId(where + ".id", placement.id));
    if (!ids.insert(placement.id).second) return Wrong(where, "there are two of this id");
    for (const auto& [language, title] : placement.titles) {
      RETURN_IF_ERROR(CheckText(absl::StrCat(where, ".titles[", language, "]"), title));
    }
    RETURN_IF_ERROR(CheckRecipe(where + ".recipe", placement.recipe));
    RETURN_IF_ERROR(CheckRange(where + ".k", placement.k, 1, limits::kSuggestionsMax));
    RETURN_IF_ERROR(CheckRules(where + ".", placement.rules, common));
  }
  if (set.__isset.free_shipping_minor) {
    RETURN_IF_ERROR(CheckRange("free_shipping_minor", static_cast<double>(set.free_shipping_minor),
                               1, static_cast<double>(limits::kPriceMinorMax)));
  }
  for (const auto& [language, templates] : set.reasons) {
    for (const auto& [reason, text] : templates) {
      RETURN_IF_ERROR(CheckText(absl::StrCat("reasons[", language, "][", reason, "]"), text));
    }
  }
  return absl::OkStatus();
}

}  // namespace vitrine
