#include "recommender/placements/rules.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace vitrine {
namespace {

constexpr int64_t kDayMs = int64_t{24} * 60 * 60 * 1000;

bool IsWish(RuleKind kind) {
  return kind == HIDE_BOUGHT || kind == HIDE_SEEN || kind == HIDE_SHOWN_OFTEN;
}

// "price", "margin" and "stock" are numbers, and attributes that read as one are too.
std::optional<double> NumberOf(const Product& product, absl::string_view attribute) {
  const auto& set = product.__isset;
  if (attribute == "price") {
    return set.price_minor ? std::optional<double>(product.price_minor) : std::nullopt;
  }
  if (attribute == "margin") {
    return set.margin_minor ? std::optional<double>(product.margin_minor) : std::nullopt;
  }
  if (attribute == "stock") {
    return set.stock ? std::optional<double>(product.stock) : std::nullopt;
  }
  double number;
  const std::optional<absl::string_view> text = AttributeOf(product, attribute);
  if (!text || !absl::SimpleAtod(*text, &number)) return std::nullopt;
  return number;
}

bool Has(const Product& product, absl::string_view attribute, absl::string_view value) {
  const std::optional<absl::string_view> has = AttributeOf(product, attribute);
  if (!has) return false;
  return attribute == "category" ? IsInCategory(*has, value) : *has == value;
}

template <typename Values, typename Value>
bool AllowedBy(const Values& values, const Value& value) {
  return values.empty() || absl::c_linear_search(values, value);
}

}  // namespace

bool IsOnSale(const Product& product, int64_t now_ms) {
  const auto& set = product.__isset;
  return !product.withdrawn && !(set.stock && product.stock == 0) &&
         !(set.available_from_ms && now_ms < product.available_from_ms) &&
         !(set.available_to_ms && now_ms >= product.available_to_ms);
}

ShelfRules::ShelfRules(const PlacementSet& set, const Placement& placement, const ShelfFacts& facts)
    : facts_(facts) {
  for (const Rule& rule : set.rules) Take(rule);
  for (const Rule& rule : placement.rules) Take(rule);
  std::stable_partition(judges_.begin(), judges_.end(),
                        [](const Rule* rule) { return !IsWish(rule->kind); });
  std::stable_sort(pins_.begin(), pins_.end(),
                   [](const Pin& a, const Pin& b) { return a.position < b.position; });
}

void ShelfRules::Take(const Rule& rule) {
  if (!Holds(rule)) return;
  switch (rule.kind) {
    case BOOST:
      boosts_.push_back(&rule);
      return;
    case PIN:
      pins_.push_back({static_cast<size_t>(rule.position - 1), rule.product_id, rule.id});
      return;
    case CAP:
      caps_.push_back(&rule);
      return;
    case INCLUDE:
      for (const ProductCondition& condition : rule.products) {
        if (condition.attribute != "category") continue;
        if (condition.relation == AS_CURRENT) only_category_ = facts_.category;
        if (condition.relation == ONE_OF && condition.values.size() == 1) {
          only_category_ = condition.values.front();
        }
      }
      judges_.push_back(&rule);
      return;
    default:
      judges_.push_back(&rule);
  }
}

bool ShelfRules::Holds(const Rule& rule) const {
  const auto& set = rule.__isset;
  if (set.from_ms && facts_.now_ms < rule.from_ms) return false;
  if (set.to_ms && facts_.now_ms >= rule.to_ms) return false;
  if (rule.kind == HIDE_BOUGHT && !facts_.hide_bought) return false;
  if (rule.kind == HIDE_SEEN && !facts_.hide_seen) return false;
  if (!AllowedBy(rule.channels, facts_.channel) || !AllowedBy(rule.devices, facts_.device) ||
      !AllowedBy(rule.countries, facts_.country)) {
    return false;
  }
  return facts_.category.empty() ||
         absl::c_none_of(rule.except_categories, [this](const std::string& category) {
           return IsInCategory(facts_.category, category);
         });
}

RuleVerdict ShelfRules::Judge(uint32_t number, const Product& product) const {
  using Kind = RuleVerdict::Kind;
  if (!IsOnSale(product, facts_.now_ms)) return {Kind::kNever, "stock"};
  for (const Rule* rule : judges_) {
    const bool about = IsAbout(*rule, product);
    switch (rule->kind) {
      case INCLUDE:
        if (!about) return {Kind::kNever, rule->id};
        break;
      case EXCLUDE:
        if (about) return {Kind::kNever, rule->id};
        break;
      case PRICE_WINDOW:
        if (about && !InWindow(rule->price, product)) return {Kind::kNever, rule->id};
        break;
      default:
        if (!about || !HidesFor(*rule, number)) break;
        return {IsWish(rule->kind) ? Kind::kLast : Kind::kNever, rule->id};
    }
  }
  return {};
}

double ShelfRules::Boost(const Product& product, std::vector<absl::string_view>* by) const {
  double factor = 1;
  for (const Rule* rule : boosts_) {
    if (!IsAbout(*rule, product)) continue;
    factor *= rule->factor;
    by->push_back(rule->id);
  }
  return factor;
}

bool ShelfRules::IsAbout(const Rule& rule, const Product& product) const {
  return absl::c_all_of(rule.products, [&](const ProductCondition& condition) {
    return Satisfies(condition, product);
  });
}

bool ShelfRules::Satisfies(const ProductCondition& condition, const Product& product) const {
  const auto has = [&](const std::string& value) {
    return Has(product, condition.attribute, value);
  };
  switch (condition.relation) {
    case ONE_OF:
      return absl::c_any_of(condition.values, has);
    case NONE_OF:
      return absl::c_none_of(condition.values, has);
    case AT_LEAST:
    case AT_MOST: {
      const std::optional<double> number = NumberOf(product, condition.attribute);
      if (!number) return false;
      return condition.relation == AT_LEAST ? *number >= condition.number
                                            : *number <= condition.number;
    }
    case AS_CURRENT:
    case NOT_AS_CURRENT: {
      std::optional<absl::string_view> current;
      if (facts_.current != nullptr) current = AttributeOf(*facts_.current, condition.attribute);
      if (!current && condition.attribute == "category" && !facts_.category.empty()) {
        current = facts_.category;
      }
      if (!current) return false;
      return Has(product, condition.attribute, *current) == (condition.relation == AS_CURRENT);
    }
  }
  return false;
}

bool ShelfRules::InWindow(const PriceWindow& window, const Product& product) const {
  if (!product.__isset.price_minor) return true;
  double base = 1;
  if (window.base == CURRENT_PRODUCT) {
    if (facts_.current == nullptr || !facts_.current->__isset.price_minor) return true;
    base = static_cast<double>(facts_.current->price_minor);
  } else if (window.base == CART_GAP) {
    if (!facts_.cart_gap_minor) return true;
    base = static_cast<double>(*facts_.cart_gap_minor);
  }
  const auto price = static_cast<double>(product.price_minor);
  return !(window.__isset.at_least && price < window.at_least * base) &&
         !(window.__isset.at_most && price > window.at_most * base);
}

bool ShelfRules::HidesFor(const Rule& rule, uint32_t number) const {
  if (rule.kind == HIDE_IN_CART) return absl::c_linear_search(facts_.cart, number);
  if (facts_.person == nullptr) return false;
  const PersonFacts& person = *facts_.person;
  const int64_t since_ms = rule.__isset.days ? facts_.now_ms - rule.days * kDayMs : 0;
  switch (rule.kind) {
    case HIDE_SEEN:
      return person.seen.contains(number);
    case HIDE_BOUGHT: {
      const auto it = person.bought_ms.find(number);
      return it != person.bought_ms.end() && it->second >= since_ms;
    }
    case HIDE_SHOWN_OFTEN: {
      const auto it = person.shown_ms.find(number);
      if (it == person.shown_ms.end()) return false;
      return absl::c_count_if(it->second, [&](int64_t ms) { return ms >= since_ms; }) >= rule.most;
    }
    default:
      return false;
  }
}

std::optional<absl::string_view> ShelfRules::CappedValue(const Rule& cap,
                                                         const Product& product) const {
  if (!IsAbout(cap, product)) return std::nullopt;
  return AttributeOf(product, cap.attribute);
}

}  // namespace vitrine
