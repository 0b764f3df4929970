#include "recommender/rank/ranker.h"

#include "recommender/rank/retrieval.h"

namespace vitrine {
namespace {

// What the caller does not want in the list.
ProductSet Forbidden(const Model& model, const RankOptions& options) {
  ProductSet set(model.products.size());
  if (options.exclude != nullptr) {
    for (const uint32_t product : *options.exclude) {
      if (product < model.products.size()) set.Insert(product);
    }
  }
  return set;
}

// What the person has had already.
void InsertKnown(const Model& model, const Profile& profile, size_t session_acts,
                 const RankOptions& options, ProductSet* set) {
  for (size_t i = 0; i < profile.acts.size(); ++i) {
    const Act& act = profile.acts[i];
    if (act.product >= model.products.size()) continue;
    if (IsKnown(model, act, i < session_acts, options)) set->Insert(act.product);
  }
}

// Appends the most popular products outside `exclude` until the list has k.
void FillUp(const Model& model, size_t k, ProductSet exclude, RankedList* list) {
  for (const Ranked& ranked : list->products) exclude.Insert(ranked.product);
  for (const uint32_t product : model.by_popularity) {
    if (list->products.size() >= k) return;
    if (exclude.Contains(product)) continue;
    list->products.push_back({product, model.popularity[product], ListSource::kPopular});
  }
}

void Append(std::span<const Scored> scored, ListSource source, RankedList* list) {
  for (const Scored& s : scored) list->products.push_back({s.product, s.score, source});
}

}  // namespace

size_t CurrentSession(std::span<const Act> acts, int64_t now_ms, int64_t session_gap_ms) {
  int64_t later_ms = now_ms;
  size_t count = 0;
  while (count < acts.size() && later_ms - acts[count].time_ms <= session_gap_ms) {
    later_ms = acts[count++].time_ms;
  }
  return count;
}

bool IsKnown(const Model& model, const Act& act, bool in_session, const RankOptions& options) {
  if (act.product == Act::kNoProduct) return false;
  const bool bought = options.exclude_bought && act.kind == PURCHASE;
  const bool seen = options.exclude_seen && in_session && model.weights.Of(act.kind) > 0;
  return bought || seen;
}

RankedList Recommend(const Model& model, std::span<const Event> history,
                     const RankOptions& options) {
  return Recommend(model, MakeProfile(model, history), options);
}

RankedList Recommend(const Model& model, const Profile& profile, const RankOptions& options) {
  const size_t session_acts = CurrentSession(profile.acts, options.now_ms, options.session_gap_ms);
  const std::vector<Cell> session = CellsOf(model, std::span(profile.acts).first(session_acts));
  const Eigen::VectorXf taste = Taste(model, profile, session, options.session_share);

  RankedList list;
  list.history_events = profile.history_events;
  const ProductSet forbidden = Forbidden(model, options);
  ProductSet exclude = forbidden;
  InsertKnown(model, profile, session_acts, options, &exclude);
  if (!taste.isZero(0)) {
    Append(TopProducts(model.quantized, model.factors, taste, exclude, options.k),
           ListSource::kTaste, &list);
  }
  FillUp(model, options.k, exclude, &list);
  FillUp(model, options.k, forbidden, &list);
  return list;
}

namespace {

// `factors` are those of a product.
std::vector<Scored> SimilarFactorsBut(const Model& model, const Eigen::VectorXf& factors,
                                      const ProductSet& exclude, size_t k) {
  // The product's own norm scales all scores alike, and still must go for them to be cosines.
  const Eigen::VectorXf taste = factors.normalized();
  Eigen::VectorXf scores = model.factors * taste;
  scores.array() /= model.factors.rowwise().norm().array();  // 0 / 0 is never chosen
  return TopScores({scores.data(), static_cast<size_t>(scores.size())}, exclude, k);
}

}  // namespace

std::vector<Scored> SimilarFactors(const Model& model, const GuessedProducts* guessed,
                                   uint32_t product, size_t k) {
  ProductSet exclude(model.products.size());
  Eigen::VectorXf factors;
  if (product < model.products.size()) {
    factors = model.factors.row(product);
    exclude.Insert(product);
  } else {
    const auto row = guessed == nullptr ? std::nullopt : guessed->RowOf(product);
    if (!row) return {};
    factors = guessed->factors.row(*row);
  }
  std::vector<Scored> list = SimilarFactorsBut(model, factors, exclude, k);
  std::erase_if(list, [](const Scored& scored) { return scored.score <= 0; });
  return list;
}

RankedList Similar(const Model& model, uint32_t product, size_t k) {
  ProductSet exclude(model.products.size());
  exclude.Insert(product);
  RankedList list;
  for (const ItemLink& link : model.viewed_also_viewed.Of(product)) {
    if (list.products.size() == k) return list;
    list.products.push_back({link.product, link.score, ListSource::kTogether});
    exclude.Insert(link.product);
  }
  Append(SimilarFactorsBut(model, model.factors.row(product), exclude, k - list.products.size()),
         ListSource::kSimilar, &list);
  return list;
}

}  // namespace vitrine
