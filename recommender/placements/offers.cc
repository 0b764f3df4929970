#include "recommender/placements/offers.h"

#include <algorithm>
#include <utility>

#include "recommender/rank/explore.h"

namespace vitrine {
namespace {

constexpr int64_t kDayMs = int64_t{24} * 60 * 60 * 1000;
// Of a ranking that is kept for the next request: enough for nearly all shelves.
constexpr size_t kRememberedDepth = 120;
// New products that may be tried at a time, and of those drawn for one shelf: where the rules
// refuse all of these, none is.
constexpr size_t kCandidatesMax = 500;
constexpr size_t kDrawnMax = 20;

Source SourceOf(ListSource source) {
  switch (source) {
    case ListSource::kTaste:
      return TASTE;
    case ListSource::kSimilar:
      return SIMILAR;
    case ListSource::kPopular:
      return POPULAR;
    case ListSource::kVisit:
      return THIS_VISIT;
    case ListSource::kTogether:
      return TOGETHER;
  }
  return POPULAR;
}

std::vector<Offer> Label(std::span<const Scored> list, Source source, size_t depth) {
  std::vector<Offer> offers;
  for (const Scored& scored : list.first(std::min(depth, list.size()))) {
    offers.push_back({scored.product, scored.score, source});
  }
  return offers;
}

// Places instead of scores: the first of n has 1, the last 1 / n.
std::vector<Offer> ByPlace(std::span<const uint32_t> products, Source source, size_t depth) {
  std::vector<Offer> offers;
  const auto n = static_cast<double>(products.size());
  for (size_t i = 0; i < std::min(depth, products.size()); ++i) {
    offers.push_back({products[i], 1 - static_cast<double>(i) / n, source});
  }
  return offers;
}

bool IsView(EventKind kind) { return kind == VIEW_ITEM || kind == SELECT_ITEM; }

TrendList WindowOf(int32_t days) {
  if (days <= 1) return TrendList::kDay;
  return days <= 7 ? TrendList::kWeek : TrendList::kMonth;
}

}  // namespace

std::vector<Offer> OfferMaker::Of(const RecipeSource& source, size_t depth) {
  const Model& model = *context_.model;
  const bool known = context_.current && *context_.current < model.products.size();
  switch (source.source) {
    case FOR_YOU:
      return ForYou(depth);
    case TASTE:
      return Part(MixSource::kTaste, TASTE, depth);
    case THIS_VISIT:
      return Part(MixSource::kSession, THIS_VISIT, depth);
    case TOGETHER:
      return Part(MixSource::kLinks, TOGETHER, depth);
    case SIMILAR:
      return context_.current ? SimilarToCurrent(depth) : std::vector<Offer>();
    case ALSO_VIEWED: {
      std::vector<Offer> offers;
      if (!known) return offers;
      for (const ItemLink& link : model.viewed_also_viewed.Of(*context_.current)) {
        if (offers.size() == depth) break;
        offers.push_back({link.product, link.score, ALSO_VIEWED});
      }
      return offers;
    }
    case BOUGHT_TOGETHER:
      return BoughtTogether(depth);
    case POPULAR:
      return Popular(source, depth);
    case TRENDING:
      if (context_.trends == nullptr) return {};
      return Label(context_.trends->Of(TrendList::kRising, context_.category), TRENDING, depth);
    case RECENTLY_VIEWED:
      return RecentlyViewed(source, depth);
    case BUY_AGAIN:
      return BuyAgain(depth);
    case NEWEST:
      return Newest(source, depth);
    case ALIKE:
      if (context_.assortment == nullptr || context_.current_product == nullptr) return {};
      return Label(context_.assortment->Alike(*context_.current_product, depth), ALIKE, depth);
    case SEARCH_TERMS:
      if (context_.assortment == nullptr || context_.search_terms.empty()) return {};
      return Label(context_.assortment->Matching(context_.search_terms, depth), SEARCH_TERMS,
                   depth);
    case EXPLORE:
      return Explore(source, depth);
    case PINNED:
      return {};
  }
  return {};
}

OfferMaker::Mixed OfferMaker::Mix(std::span<const RecipeSource> recipe, size_t depth) {
  Mixed mixed;
  struct Most {
    size_t place;
    double given;
  };
  absl::flat_hash_map<uint32_t, Most> places;
  const bool only_explores = std::ranges::all_of(recipe, [](const RecipeSource& source) {
    return source.weight <= 0 || source.source == EXPLORE;
  });
  for (const RecipeSource& source : recipe) {
    if (source.weight <= 0) continue;
    if (source.source == EXPLORE && !only_explores) {
      if (GivesAPlace(source.weight, context_.seed)) mixed.tried = Of(source, kDrawnMax);
      continue;
    }
    const std::vector<Offer> offers = Of(source, depth);
    mixed.cut |= offers.size() >= depth;
    for (const Offer& offer : offers) {
      const double given = source.weight * offer.score / offers.front().score;
      const auto [it, is_new] = places.try_emplace(offer.product, Most{mixed.scored.size(), given});
      if (is_new) {
        mixed.scored.push_back({offer.product, given, offer.source});
        continue;
      }
      Offer& sum = mixed.scored[it->second.place];
      sum.score += given;
      if (given > it->second.given) {
        it->second.given = given;
        sum.source = offer.source;
      }
    }
  }
  std::stable_sort(mixed.scored.begin(), mixed.scored.end(),
                   [](const Offer& a, const Offer& b) { return a.score > b.score; });
  for (const RecipeSource& source : recipe) {
    if (source.weight > 0) continue;
    const std::vector<Offer> offers = Of(source, depth);
    mixed.cut |= offers.size() >= depth;
    for (const Offer& offer : offers) {
      if (!places.try_emplace(offer.product, Most{0, 0}).second) continue;
      mixed.fillers.push_back({offer.product, 0, offer.source});
    }
  }
  return mixed;
}

void OfferMaker::Rank(size_t depth, bool with_parts) {
  RankOptions options = context_.rank;
  options.guessed = Guessed();
  const RankMemo::Key key = {options.exclude_bought, options.exclude_seen,
                             options.guessed == nullptr ? 0 : options.guessed->version};
  if (ranked_ != nullptr && ranked_depth_ >= depth && ranked_key_ == key &&
      (has_parts_ || !with_parts)) {
    return;
  }
  // What a request excludes beside is its own.
  const bool remember =
      context_.memo != nullptr && (options.exclude == nullptr || options.exclude->empty()) &&
      CurrentSession(context_.profile->acts, options.now_ms, options.session_gap_ms) == 0;
  ranked_key_ = key;
  ranked_depth_ = depth;
  has_parts_ = false;
  if (remember && !with_parts) {
    ranked_ = context_.memo->Find(key, depth);
    if (ranked_ != nullptr) return;
  }
  options.k = ranked_depth_ = remember ? std::max(depth, kRememberedDepth) : depth;
  ranked_ = std::make_shared<const RankedList>(
      ranker_->Recommend(*context_.model, context_.sessions, *context_.profile, options));
  has_parts_ = true;
  if (remember) context_.memo->Keep(key, options.k, ranked_);
}

std::vector<Offer> OfferMaker::ForYou(size_t depth) {
  if (!context_.only.empty()) return ForYouAmong(context_.only, depth);
  Rank(depth, /*with_parts=*/false);
  std::vector<Offer> offers;
  for (const Ranked& ranked : ranked_->products) {
    // What is only filled up has no score, and is for the shelf to fill up with.
    if (ranked.score <= 0 || offers.size() == depth) break;
    offers.push_back({ranked.product, ranked.score, SourceOf(ranked.source)});
  }
  return offers;
}

// So few of the catalogue would be among the best of all that these are ranked by themselves.
std::vector<Offer> OfferMaker::ForYouAmong(std::span<const uint32_t> products, size_t depth) const {
  const Eigen::VectorXf taste = TasteNow();
  std::vector<Scored> scored;
  for (const uint32_t product : products) {
    const float score = TasteFor(product, taste);
    if (score > 0) scored.push_back({product, score});
  }
  std::stable_sort(scored.begin(), scored.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  return Label(scored, TASTE, depth);
}

Eigen::VectorXf OfferMaker::TasteNow() const {
  const Model& model = *context_.model;
  const size_t acts =
      CurrentSession(context_.profile->acts, context_.rank.now_ms, context_.rank.session_gap_ms);
  return Taste(model, *context_.profile,
               CellsOf(model, std::span(context_.profile->acts).first(acts)),
               context_.rank.session_share);
}

float OfferMaker::TasteFor(uint32_t product, const Eigen::VectorXf& taste) const {
  if (taste.size() == 0) return 0;  // of nobody
  if (product < context_.model->products.size()) {
    return ScoreOf(context_.model->factors, product,
                   {taste.data(), static_cast<size_t>(taste.size())});
  }
  const GuessedProducts* const guessed = Guessed();
  if (guessed == nullptr) return 0;
  const auto row = guessed->RowOf(product);
  return row ? guessed->factors.row(*row).dot(taste) : 0;
}

// One of the lists that a ranking is mixed from; what the person knows is still in it.
std::vector<Offer> OfferMaker::Part(MixSource part, Source source, size_t depth) {
  Rank(depth, /*with_parts=*/true);
  return Label(ranker_->ListOf(part, *context_.model, *context_.profile), source, depth);
}

std::vector<Offer> OfferMaker::SimilarToCurrent(size_t depth) const {
  return Label(SimilarFactors(*context_.model, Guessed(), *context_.current, depth), SIMILAR,
               depth);
}

// With what the page is about, or, in a cart, with all that it holds: products that go with several
// of them add up.
std::vector<Offer> OfferMaker::BoughtTogether(size_t depth) const {
  absl::flat_hash_map<uint32_t, float> scores;
  const auto add = [&](uint32_t product) {
    if (product >= context_.model->products.size()) return;
    for (const ItemLink& link : context_.model->bought_together.Of(product)) {
      scores[link.product] += link.score;
    }
  };
  if (context_.current) add(*context_.current);
  for (const uint32_t product : context_.cart) add(product);
  std::vector<Scored> list;
  for (const auto& [product, score] : scores) list.push_back({product, score});
  std::sort(list.begin(), list.end(), [](const Scored& a, const Scored& b) {
    return a.score != b.score ? a.score > b.score : a.product < b.product;
  });
  return Label(list, BOUGHT_TOGETHER, depth);
}

std::vector<Offer> OfferMaker::Popular(const RecipeSource& source, size_t depth) const {
  if (!source.__isset.days) return PopularEver(depth);
  if (context_.trends == nullptr) return {};
  return Label(context_.trends->Of(WindowOf(source.days), context_.category), POPULAR, depth);
}

std::vector<Offer> OfferMaker::PopularEver(size_t depth) const {
  if (!context_.category.empty() && context_.assortment != nullptr) {
    return ByPlace(context_.assortment->InCategory(context_.category), POPULAR, depth);
  }
  return ByPlace(context_.model->by_popularity, POPULAR, depth);
}

std::vector<Offer> OfferMaker::RecentlyViewed(const RecipeSource& source, size_t depth) const {
  const int64_t since_ms = source.__isset.days ? context_.rank.now_ms - source.days * kDayMs : 0;
  std::vector<uint32_t> products;
  absl::flat_hash_set<uint32_t> met;
  for (const Act& act : context_.profile->acts) {
    if (act.time_ms < since_ms || products.size() == depth) break;
    if (!IsView(act.kind) || act.product == Act::kNoProduct) continue;
    if (act.product != context_.current && met.insert(act.product).second) {
      products.push_back(act.product);
    }
  }
  return ByPlace(products, RECENTLY_VIEWED, depth);
}

// What was bought most often, and among those what was bought longest ago.
std::vector<Offer> OfferMaker::BuyAgain(size_t depth) const {
  struct Bought {
    int times = 0;
    int64_t last_ms = 0;
  };
  absl::flat_hash_map<uint32_t, Bought> bought;
  for (const Act& act : context_.profile->acts) {
    if (act.kind != PURCHASE || act.product == Act::kNoProduct) continue;
    Bought& b = bought[act.product];
    if (b.times++ == 0) b.last_ms = act.time_ms;  // newest first
  }
  std::vector<uint32_t> products;
  for (const auto& [product, ignored] : bought) products.push_back(product);
  std::sort(products.begin(), products.end(), [&](uint32_t a, uint32_t b) {
    const Bought& x = bought[a];
    const Bought& y = bought[b];
    if (x.times != y.times) return x.times > y.times;
    return x.last_ms != y.last_ms ? x.last_ms < y.last_ms : a < b;
  });
  return ByPlace(products, BUY_AGAIN, depth);
}

// Those that came in since the catalogue was looked at as a whole; then those that it says are new.
std::vector<uint32_t> OfferMaker::NewSince(int64_t since_ms, size_t most,
                                           absl::FunctionRef<bool(uint32_t)> wanted) const {
  std::vector<uint32_t> products;
  for (const uint32_t product : context_.noted) {
    if (products.size() < most && wanted(product)) products.push_back(product);
  }
  if (context_.assortment == nullptr) return products;
  const absl::flat_hash_set<uint32_t> noted(context_.noted.begin(), context_.noted.end());
  const std::span<const uint32_t> newest = context_.assortment->newest();
  for (size_t i = 0; i < newest.size() && products.size() < most; ++i) {
    const int64_t new_ms = context_.assortment->NewSinceMs(i);
    if (new_ms < since_ms) break;
    if (new_ms > context_.rank.now_ms || noted.contains(newest[i])) continue;
    if (wanted(newest[i])) products.push_back(newest[i]);
  }
  return products;
}

std::vector<Offer> OfferMaker::Newest(const RecipeSource& source, size_t depth) const {
  const int64_t since_ms = source.__isset.days ? context_.rank.now_ms - source.days * kDayMs : 0;
  return ByPlace(NewSince(since_ms, depth, [](uint32_t) { return true; }), NEWEST, depth);
}

bool OfferMaker::EarnsItsPlace(uint32_t product) const {
  const Model& model = *context_.model;
  if (product >= model.products.size()) return false;
  return model.popularity[product] >
         model.popularity[model.by_popularity[model.products.size() / 2]];
}

std::vector<Offer> OfferMaker::Explore(const RecipeSource& source, size_t depth) const {
  const ExploreSettings settings;
  const int64_t new_ms = source.__isset.days ? source.days * kDayMs : kNewMs;
  std::vector<NewProduct> candidates;
  NewSince(context_.rank.now_ms - new_ms, kCandidatesMax, [&](uint32_t product) {
    if (EarnsItsPlace(product)) return false;
    const Trial trial = context_.trial ? context_.trial(product) : Trial();
    if (trial.shown >= settings.shown_max) return false;
    candidates.push_back({.product = product, .shown = trial.shown, .taken = trial.taken});
    return true;
  });
  if (candidates.empty()) return {};
  const Eigen::VectorXf taste = TasteNow();
  for (NewProduct& candidate : candidates) candidate.taste = TasteFor(candidate.product, taste);
  return Label(DrawNew(candidates, settings, context_.seed), EXPLORE, depth);
}

}  // namespace vitrine
