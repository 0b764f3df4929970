#include "recommender/placements/reasons.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace vitrine {
namespace {

// A history of more products is explained by its links: the arithmetic would cost more than the
// ranking itself.
constexpr size_t kExplainedCellsMax = 64;
constexpr size_t kNameBytesMax = 80;

struct Template {
  const char* key;
  const char* english;
  const char* persian;
};

constexpr Template kTemplates[] = {
    {"for_you", "Picked for you", "برگزیده برای شما"},
    {"viewed", "Because you viewed {a}", "چون {a} را دیدید"},
    {"bought", "Because you bought {a}", "چون {a} را خریدید"},
    {"visit", "Others went on to this from {a}", "دیگران پس از {a} به این رسیدند"},
    {"also_viewed", "{n} who viewed {a} viewed this too",
     "{n} بیننده‌ی {a} این را هم دیدند"},
    {"bought_with", "Bought with {a} in {n} carts", "در {n} سبد همراه {a} خریده شد"},
    {"similar", "Similar to {a}", "شبیه {a}"},
    {"alike", "Like {a}", "مانند {a}"},
    {"popular", "Popular in this shop", "محبوب در این فروشگاه"},
    {"popular_in", "Popular in {c}", "محبوب در {c}"},
    {"popular_today", "Popular today", "محبوب امروز"},
    {"popular_today_in", "Popular today in {c}", "محبوب امروز در {c}"},
    {"popular_week", "Popular this week", "محبوب این هفته"},
    {"popular_week_in", "Popular this week in {c}", "محبوب این هفته در {c}"},
    {"popular_month", "Popular this month", "محبوب این ماه"},
    {"popular_month_in", "Popular this month in {c}", "محبوب این ماه در {c}"},
    {"trending", "On the rise now", "رو به رشد"},
    {"trending_in", "On the rise in {c}", "رو به رشد در {c}"},
    {"recently_viewed", "You looked at this", "این را دیده بودید"},
    {"buy_again", "You bought this before", "این را پیش‌تر خریده‌اید"},
    {"newest", "New in the shop", "تازه در فروشگاه"},
    {"search", "Fits “{a}”", "مطابق «{a}»"},
    {"pinned", "Chosen by the shop", "انتخاب فروشگاه"},
    {"explore", "New in the shop", "تازه در فروشگاه"},
};

bool NeedsName(absl::string_view text) { return text.find("{a}") != text.npos; }

absl::string_view BaseLanguage(absl::string_view language) {
  return language.substr(0, language.find('-'));
}

absl::string_view BuiltIn(absl::string_view key, absl::string_view language) {
  for (const Template& text : kTemplates) {
    if (key == text.key) return BaseLanguage(language) == "fa" ? text.persian : text.english;
  }
  return {};
}

absl::string_view TemplateOf(absl::string_view key, const PlacementSet& set,
                             absl::string_view language) {
  for (const absl::string_view wanted : {language, BaseLanguage(language)}) {
    const auto texts = set.reasons.find(std::string(wanted));
    if (texts == set.reasons.end()) continue;
    const auto text = texts->second.find(std::string(key));
    if (text != texts->second.end()) return text->second;
  }
  return BuiltIn(key, language);
}

std::string Isolated(absl::string_view name) {
  if (name.size() > kNameBytesMax) {
    size_t end = kNameBytesMax;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
    return absl::StrCat("\u2068", name.substr(0, end), "…\u2069");
  }
  return absl::StrCat("\u2068", name, "\u2069");
}

std::string Number(uint32_t number, absl::string_view language) {
  const std::string digits = absl::StrCat(number);
  if (BaseLanguage(language) != "fa") return digits;
  static constexpr std::array<const char*, 10> kDigits = {"۰", "۱", "۲", "۳", "۴",
                                                          "۵", "۶", "۷", "۸", "۹"};
  std::string persian;
  for (const char digit : digits) persian += kDigits[static_cast<size_t>(digit - '0')];
  return persian;
}

absl::string_view PopularKey(std::span<const RecipeSource> recipe) {
  // Of the windows of a recipe the first one is meant: what it names stands in front.
  for (const RecipeSource& source : recipe) {
    if (source.source != POPULAR) continue;
    if (!source.__isset.days) return "popular";
    if (source.days <= 1) return "popular_today";
    return source.days <= 7 ? "popular_week" : "popular_month";
  }
  return "popular";
}

}  // namespace

Reason ReasonFinder::Find(const ShownProduct& shown, std::span<const RecipeSource> recipe) {
  switch (shown.source) {
    case TASTE:
      return OfTaste(shown.product);
    case TOGETHER:
      return OfLinks(shown.product);
    case THIS_VISIT:
      return OfVisit();
    case ALSO_VIEWED:
      if (!context_.current || !IsKnown(*context_.current)) return {"for_you"};
      for (const ItemLink& link : context_.model->viewed_also_viewed.Of(*context_.current)) {
        if (link.product == shown.product) return {"also_viewed", context_.current, link.together};
      }
      return {"similar", context_.current};
    case BOUGHT_TOGETHER:
      return OfOrders(shown.product);
    case SIMILAR:
      return {"similar", context_.current};
    case ALIKE:
      return {"alike", context_.current};
    case POPULAR:
      return {PopularKey(recipe)};
    case TRENDING:
      return {"trending"};
    case RECENTLY_VIEWED:
      return {"recently_viewed"};
    case BUY_AGAIN:
      return {"buy_again"};
    case NEWEST:
      return {"newest"};
    case SEARCH_TERMS:
      return {"search"};
    case PINNED:
      return {"pinned"};
    case EXPLORE:
      return {"explore"};
    case FOR_YOU:
      break;
  }
  return {"for_you"};
}

bool ReasonFinder::CanExplainTaste(uint32_t product) const {
  const std::vector<Cell>& cells = context_.profile->cells;
  return IsKnown(product) && !cells.empty() && cells.size() <= kExplainedCellsMax;
}

void ReasonFinder::Prepare(std::span<const ShownProduct> shelf) {
  std::vector<uint32_t> products;
  for (const ShownProduct& shown : shelf) {
    if (shown.source == TASTE && CanExplainTaste(shown.product)) products.push_back(shown.product);
  }
  if (!products.empty()) Explain(products);
}

void ReasonFinder::Explain(std::span<const uint32_t> products) {
  const Profile& profile = *context_.profile;
  const size_t acts =
      CurrentSession(profile.acts, context_.rank.now_ms, context_.rank.session_gap_ms);
  if (context_.memo != nullptr && context_.memo->FindStrongest(acts, products, &strongest_)) return;
  if (explainer_ == nullptr) {
    explainer_ = std::make_unique<Explainer>(
        *context_.model, profile, CellsOf(*context_.model, std::span(profile.acts).first(acts)),
        context_.rank.session_share);
  }
  const std::vector<Contribution> strongest = explainer_->Strongest(products);
  for (size_t i = 0; i < products.size(); ++i) strongest_[products[i]] = strongest[i];
  if (context_.memo != nullptr) context_.memo->KeepStrongest(acts, strongest_);
}

Reason ReasonFinder::OfTaste(uint32_t product) {
  if (!CanExplainTaste(product)) return OfLinks(product);
  if (!strongest_.contains(product)) Explain({&product, 1});
  const Contribution& strongest = strongest_[product];
  return strongest.score > 0 ? OfHistory(strongest.product) : Reason{"for_you"};
}

// Links of cosines are the same both ways, so those of the product lead to the history; one whose
// list is full of others is told without.
Reason ReasonFinder::OfLinks(uint32_t product) {
  if (!IsKnown(product)) return {"for_you"};
  if (weights_.empty()) {
    for (const Cell& cell : context_.profile->cells) weights_[cell.index] = cell.weight;
  }
  float most = 0;
  uint32_t from = 0;
  for (const ItemLink& link : context_.model->viewed_also_viewed.Of(product)) {
    const auto it = weights_.find(link.product);
    if (it == weights_.end() || it->second * link.score <= most) continue;
    most = it->second * link.score;
    from = link.product;
  }
  return most > 0 ? OfHistory(from) : Reason{"for_you"};
}

Reason ReasonFinder::OfVisit() const {
  for (const Act& act : context_.profile->acts) {
    if (act.product != Act::kNoProduct) return {"visit", act.product};
  }
  return {"for_you"};
}

Reason ReasonFinder::OfOrders(uint32_t product) const {
  Reason best = {"for_you"};
  const auto look = [&](uint32_t from) {
    if (!IsKnown(from)) return;
    for (const ItemLink& link : context_.model->bought_together.Of(from)) {
      if (link.product == product && link.together > best.count) {
        best = {"bought_with", from, link.together};
      }
    }
  };
  if (context_.current) look(*context_.current);
  for (const uint32_t from : context_.cart) look(from);
  return best;
}

// What the person did with a product of their history.
Reason ReasonFinder::OfHistory(uint32_t product) const {
  const bool bought = absl::c_any_of(context_.profile->acts, [&](const Act& act) {
    return act.product == product && act.kind == PURCHASE;
  });
  return {bought ? "bought" : "viewed", product};
}

std::string ReasonText(const Reason& reason, const PlacementSet& set, absl::string_view language,
                       absl::string_view name, absl::string_view category) {
  absl::string_view text;
  if (!category.empty()) text = TemplateOf(absl::StrCat(reason.key, "_in"), set, language);
  if (text.empty()) text = TemplateOf(reason.key, set, language);
  if (NeedsName(text) && name.empty()) text = TemplateOf("for_you", set, language);
  // In one step: what a name holds is no template.
  return absl::StrReplaceAll(text, {{"{a}", Isolated(name)},
                                    {"{c}", Isolated(category)},
                                    {"{n}", Number(reason.count, language)}});
}

absl::string_view InLanguage(const std::map<std::string, std::string>& texts,
                             absl::string_view language) {
  for (const absl::string_view wanted :
       {language, BaseLanguage(language), absl::string_view("en")}) {
    const auto it = texts.find(std::string(wanted));
    if (it != texts.end()) return it->second;
  }
  return {};
}

std::string TitleText(const Placement& placement, absl::string_view language) {
  const absl::string_view title = InLanguage(placement.titles, language);
  return std::string(title.empty() ? absl::string_view(placement.id) : title);
}

}  // namespace vitrine
