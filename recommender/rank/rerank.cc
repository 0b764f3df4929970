#include "recommender/rank/rerank.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr float kNotNamed = -30;
constexpr float kNeverSeen = 99;

// Sessions with the product among the newest `newest` of all; numbers fall along the list.
size_t CountNewest(const SessionIndex::Reader& index, const SessionIndex::Sessions& sessions,
                   size_t newest) {
  const auto oldest = static_cast<uint32_t>(index.end() - std::min(newest, index.sessions()));
  size_t begin = 0;
  size_t end = sessions.size();
  while (begin < end) {
    const size_t middle = (begin + end) / 2;
    if (sessions[middle] >= oldest) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

}  // namespace

void RerankDescriber::DescribeSources(const SessionBlend& blend, std::span<const Scored> list,
                                      std::span<float> rows) {
  const size_t sources = blend.settings().sources.size();
  const size_t width = RerankFeatures(sources);
  places_.Clear();
  for (size_t i = 0; i < list.size(); ++i) {
    places_.Add(list[i].product, static_cast<float>(i + 1));
    for (size_t s = 0; s < sources; ++s) {
      rows[i * width + 3 * s] = 0;
      rows[i * width + 3 * s + 1] = 0;
      rows[i * width + 3 * s + 2] = kNotNamed;
    }
  }
  for (size_t s = 0; s < sources; ++s) {
    const auto named = blend.SourceList(s);
    for (size_t rank = 0; rank < named.size(); ++rank) {
      const auto place = static_cast<size_t>(places_.Get(named[rank].product));
      if (place == 0) continue;
      float* row = &rows[(place - 1) * width + 3 * s];
      row[0] = named[rank].score / named[0].score;
      row[1] = 1 / static_cast<float>(rank + 1);
      row[2] = std::log(named[rank].score + 1e-9f);
    }
  }
}

void RerankDescriber::DescribeProduct(const SessionIndex::Reader& index, const Scored& scored,
                                      size_t clicks, std::span<float> row) const {
  const auto seen = std::find_if(seen_.begin(), seen_.end(),
                                 [&](const Seen& one) { return one.product == scored.product; });
  row[0] = seen == seen_.end() ? kNeverSeen : static_cast<float>(seen->distance);
  row[1] = seen == seen_.end() ? 0 : static_cast<float>(seen->count);
  row[2] = static_cast<float>(clicks);
  row[3] = static_cast<float>(seen_.size()) / static_cast<float>(std::max<size_t>(clicks, 1));
  const SessionIndex::Sessions sessions = index.SessionsOf(scored.product);
  const auto all = static_cast<float>(index.SessionCount(scored.product));
  const auto recent = static_cast<float>(CountNewest(index, sessions, index.sessions() / 20));
  const auto newest = static_cast<float>(CountNewest(index, sessions, index.sessions() / 100));
  row[4] = std::log1p(all);
  row[5] = std::log1p(recent);
  row[6] = std::log1p(newest);
  row[7] = std::log((1 + recent) / (5 + all));
}

void RerankDescriber::Describe(const SessionIndex::Reader& index, const SessionBlend& blend,
                               std::span<const uint32_t> clicks, std::span<const Scored> list,
                               std::vector<float>* rows) {
  const size_t sources = blend.settings().sources.size();
  const size_t width = RerankFeatures(sources);
  rows->resize(list.size() * width);
  ListSeen(clicks, &seen_);
  DescribeSources(blend, list, *rows);
  for (size_t i = 0; i < list.size(); ++i) {
    const auto row = std::span(*rows).subspan(i * width + 3 * sources, 9);
    DescribeProduct(index, list[i], clicks.size(), row);
    row[8] = list[i].score / list[0].score;
  }
}

absl::StatusOr<Reranker> Reranker::Make(const BlendSettings& settings, TreeEnsemble trees) {
  ASSIGN_OR_RETURN(SessionBlend blend, SessionBlend::Make(settings));
  if (trees.features() != RerankFeatures(settings.sources.size())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "re-ranking model: it looks at ", trees.features(), " features, ", settings.sources.size(),
        " sources have ", RerankFeatures(settings.sources.size())));
  }
  return Reranker(std::move(blend), std::move(trees));
}

void Reranker::Rank(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
                    const BlendOptions& options, std::vector<Scored>* list) {
  blend_.Rank(index, clicks, {.k = kRerankDepth, .hide_seen = options.hide_seen}, &head_);
  describer_.Describe(index, blend_, clicks, head_, &rows_);
  scores_.resize(head_.size());
  trees_.Score(rows_, scores_);
  order_.resize(head_.size());
  std::iota(order_.begin(), order_.end(), 0u);
  std::sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) {
    return scores_[a] != scores_[b] ? scores_[a] > scores_[b] : a < b;
  });
  list->clear();
  for (size_t i = 0; i < std::min(options.k, order_.size()); ++i) {
    list->push_back({head_[order_[i]].product, scores_[order_[i]]});
  }
}

}  // namespace vitrine
