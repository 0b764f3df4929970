#include "recommender/rank/mix.h"

#include <algorithm>
#include <cmath>

#include "store/base/status_macros.h"

namespace vitrine {
namespace {

bool IsBefore(const Scored& a, const Scored& b) {
  return a.score != b.score ? a.score > b.score : a.product < b.product;
}

bool Has(const std::vector<uint32_t>& sorted, uint32_t product) {
  return std::binary_search(sorted.begin(), sorted.end(), product);
}

}  // namespace

void MixLists::Clear(size_t count, std::span<const uint32_t> hidden) {
  count_ = count;
  hidden_ = hidden;
  for (auto& list : lists_) list.clear();
}

void MixLists::SetTaste(const QuantizedFactors& quantized, const FactorView& factors,
                        const Eigen::VectorXf& taste) {
  std::vector<Scored>& list = At(MixSource::kTaste);
  list.clear();
  if (taste.isZero(0)) return;
  const auto products = static_cast<size_t>(factors.rows());
  if (excluded_.size() < products) excluded_ = ProductSet(products);
  for (const uint32_t product : Hidden()) {
    if (product < products) excluded_.Insert(product);
  }
  for (const Scored& scored : TopProducts(quantized, factors, taste, excluded_, count_)) {
    if (scored.score > 0) list.push_back({SiteOf(scored.product), scored.score});
  }
  for (const uint32_t product : Hidden()) {
    if (product < products) excluded_.Remove(product);
  }
}

void MixLists::AddGuessed(const GuessedProducts& guessed, size_t rows,
                          const Eigen::VectorXf& taste) {
  if (rows == 0 || taste.isZero(0)) return;
  std::vector<Scored>& list = At(MixSource::kTaste);
  const Eigen::VectorXf scores = guessed.factors.topRows(static_cast<Eigen::Index>(rows)) * taste;
  const float bar = list.size() < count_ ? 0 : list.back().score;
  for (size_t row = 0; row < rows; ++row) {
    const float score = scores[static_cast<Eigen::Index>(row)];
    const uint32_t product = guessed.products[row];
    if (!(score > bar) || std::ranges::binary_search(hidden_, product)) continue;
    list.push_back({product, score});
  }
  std::sort(list.begin(), list.end(), IsBefore);
  if (list.size() > count_) list.resize(count_);
}

void MixLists::SetLinks(const ItemLinks& links, std::span<const Cell> history) {
  scores_.Clear();
  for (const Cell& cell : history) {
    for (const ItemLink& link : links.Of(cell.index)) {
      scores_.Add(SiteOf(link.product), cell.weight * link.score);
    }
  }
  for (const uint32_t product : Hidden()) scores_.Add(product, -scores_.Get(product));
  scores_.Top(count_, {}, &At(MixSource::kLinks));
}

void MixLists::SetPopular(std::span<const uint32_t> by_popularity,
                          std::span<const float> popularity) {
  std::vector<Scored>& list = At(MixSource::kPopular);
  list.clear();
  for (const uint32_t product : by_popularity.first(std::min(count_, by_popularity.size()))) {
    if (popularity[product] > 0) list.push_back({SiteOf(product), popularity[product]});
  }
}

void MixLists::SetSession(std::span<const Scored> list) {
  At(MixSource::kSession).assign(list.begin(), list.end());
}

void MixLists::SetRerankedSession(std::span<const Scored> list) {
  SetSession(list);
  std::vector<Scored>& own = At(MixSource::kSession);
  for (size_t i = own.size(); i-- > 0;) {
    own[i].score = std::max(std::exp(own[i].score - own[0].score), 1e-30f);
  }
}

MixSpans SpansOf(const MixLists& lists) {
  MixSpans spans;
  for (size_t s = 0; s < kMixSources; ++s) spans[s] = lists.Of(static_cast<MixSource>(s));
  return spans;
}

absl::StatusOr<Mix> Mix::Make(const MixSettings& settings) {
  RETURN_IF_ERROR(Validate(settings));
  return Mix(settings);
}

void Mix::Hide(const MixRequest& request) {
  exclude_.assign(request.exclude.begin(), request.exclude.end());
  std::sort(exclude_.begin(), exclude_.end());
  hidden_ = exclude_;
  if (!request.hide_known) return;
  hidden_.insert(hidden_.end(), request.known.begin(), request.known.end());
  std::sort(hidden_.begin(), hidden_.end());
}

Mix::Row* Mix::RowOf(uint32_t product) {
  // Places are small whole numbers, which a float holds as they are.
  if (const auto place = static_cast<size_t>(places_.Get(product)); place > 0) {
    return &rows_[place - 1];
  }
  rows_.push_back({product});
  places_.Add(product, static_cast<float>(rows_.size()));
  return &rows_.back();
}

void Mix::Add(std::span<const Scored> list, size_t source, const MixWeight& weight) {
  if (weight.weight == 0) return;
  size_t taken = 0;
  float best = 0;
  for (const Scored& scored : list) {
    if (Has(hidden_, scored.product)) continue;
    if (taken++ == 0) best = scored.score;
    const float part = scored.score / best;
    RowOf(scored.product)->given[source] =
        weight.weight * (weight.exponent == 1 ? part : std::pow(part, weight.exponent));
    if (taken == settings_.depth) return;
  }
}

void Mix::Rank(const MixSpans& lists, const MixRequest& request, std::vector<Scored>* list) {
  Hide(request);
  places_.Clear();
  rows_.clear();
  const MixRecipe& recipe = settings_[request.situation];
  for (size_t s = 0; s < kMixSources; ++s) Add(lists[s], s, recipe.sources[s]);
  scored_.clear();
  for (const Row& row : rows_) {
    // In double, so that the order of the sources does not show in the last bit.
    double sum = 0;
    for (const float given : row.given) sum += static_cast<double>(given);
    scored_.push_back({row.product, static_cast<float>(sum)});
  }
  const auto count = static_cast<ptrdiff_t>(std::min(request.k, scored_.size()));
  std::partial_sort(scored_.begin(), scored_.begin() + count, scored_.end(), IsBefore);
  list->assign(scored_.begin(), scored_.begin() + count);
  FillUp(request, list);
}

void Mix::FillUp(const MixRequest& request, std::vector<Scored>* list) {
  if (list->size() >= request.k) return;
  listed_.Clear();
  for (const Scored& scored : *list) listed_.Add(scored.product, 1);
  const auto fill = [&](std::span<const uint32_t> products, const std::vector<uint32_t>& without) {
    for (const uint32_t product : products) {
      if (list->size() >= request.k) return;
      if (Has(without, product) || listed_.Get(product) > 0) continue;
      list->push_back({product, 0});
      listed_.Add(product, 1);
    }
  };
  fill(request.refill, hidden_);
  fill(request.refill, exclude_);
}

float Mix::Given(MixSource source, uint32_t product) const {
  const auto place = static_cast<size_t>(places_.Get(product));
  return place == 0 ? 0 : rows_[place - 1].given[static_cast<size_t>(source)];
}

}  // namespace vitrine
