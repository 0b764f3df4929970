#include "recommender/rank/session_vmis.h"

namespace vitrine {
namespace {

constexpr float kMatchStep = 0.1f;
constexpr float kMatchMin = 0.05f;

float MatchWeight(uint32_t distance) {
  return std::max(1 - kMatchStep * static_cast<float>(1 + distance), kMatchMin);
}

}  // namespace

void VmisScorer::FindNeighbours(const SessionIndex::Reader& index, size_t clicks) {
  // Whole numbers, so that their sums are exact and what is equally similar stays so.
  weights_.clear();
  for (const Seen& seen : query_) weights_.push_back(static_cast<float>(clicks - seen.distance));
  const float scale = 1 / static_cast<float>(query_.size());
  neighbours_.clear();
  MergeSessions(index, query_, weights_, settings_.recent_sessions,
                [&](uint32_t session, float weight, uint32_t match) {
                  neighbours_.push_back(
                      {weight * scale * length_power_(index.Length(session)), session, match});
                  return neighbours_.size() < settings_.recent_sessions;
                });
  KeepMostSimilar(settings_.neighbours, &neighbours_);
}

void VmisScorer::Score(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
                       ScoreMap* scores) {
  clicks = clicks.last(std::min<size_t>(clicks.size(), settings_.last_clicks));
  if (clicks.empty()) return;
  ListSeen(clicks, &query_);
  FindNeighbours(index, clicks.size());
  const uint32_t last = clicks.back();
  for (size_t n = 0; n < neighbours_.size(); ++n) {
    const Neighbour& neighbour = neighbours_[n];
    const float weight = neighbour.similarity * MatchWeight(query_[neighbour.match].distance);
    const auto its = index.Clicks(neighbour.session);
    for (size_t i = 0; i < its.size(); ++i) {
      const auto here = its.begin() + static_cast<ptrdiff_t>(i);
      if (std::find(its.begin(), here, its[i]) != here) continue;  // once per session
      if (settings_.hide_last && its[i] == last) continue;
      scores->Add(its[i], weight);
    }
  }
  // The idf does not depend on the neighbour: once per product is enough.
  const float pairs_per_session =
      settings_.idf_of_pairs
          ? std::log(static_cast<float>(index.pairs()) / static_cast<float>(index.sessions()))
          : 0;
  scores->ForEach([&](uint32_t product, float& score) {
    const float idf = settings_.idf_weight * (InverseFrequency(index, product) + pairs_per_session);
    const float factor = settings_.idf_offset + idf;
    if (factor > 0) score *= factor;
  });
}

}  // namespace vitrine
