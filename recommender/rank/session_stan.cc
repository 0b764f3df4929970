#include "recommender/rank/session_stan.h"

namespace vitrine {
namespace {

// Neighbours' clicks are asked for this many neighbours ahead of their use.
constexpr size_t kAhead = 8;

}  // namespace

StanScorer::StanScorer(const StanSettings& settings)
    : settings_(settings),
      recency_(settings.recency),
      length_power_(settings.length_exponent),
      popularity_power_(settings.popularity_exponent) {
  const Decay spread(settings.spread);
  for (size_t e = 0; e < after_.size(); ++e) {
    after_[e] = e == 0 ? settings.matched : spread(e);
    before_[e] = settings.before_match * spread(e);
  }
}

void StanScorer::FindNeighbours(const SessionIndex::Reader& index) {
  weights_.clear();
  const Decay position(settings_.position_decay);
  for (const Seen& seen : query_) {
    const float idf = InverseFrequency(index, seen.product);
    weights_.push_back(position(seen.distance) * std::pow(idf, settings_.idf_exponent));
  }
  neighbours_.clear();
  MergeSessions(index, query_, weights_, settings_.sessions_per_product,
                [&](uint32_t session, float weight, uint32_t match) {
                  neighbours_.push_back({weight * recency_(index.end() - session) *
                                             length_power_(index.Length(session)),
                                         session, match});
                  return true;
                });
  KeepMostSimilar(settings_.neighbours, &neighbours_);
}

void StanScorer::AddClicks(std::span<const uint32_t> clicks, const Neighbour& neighbour,
                           ScoreMap* scores) const {
  const uint32_t product = query_[neighbour.match].product;
  size_t match = clicks.size() - 1;
  while (match > 0 && clicks[match] != product) --match;
  for (size_t i = 0; i < match; ++i) {
    if (before_[match - i] > 0) scores->Add(clicks[i], neighbour.similarity * before_[match - i]);
  }
  for (size_t i = match; i < clicks.size(); ++i) {
    scores->Add(clicks[i], neighbour.similarity * after_[i - match]);
  }
}

void StanScorer::Score(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
                       ScoreMap* scores) {
  ListSeen(clicks.last(std::min<size_t>(clicks.size(), settings_.last_clicks)), &query_);
  FindNeighbours(index);
  for (size_t n = 0; n < neighbours_.size(); ++n) {
    if (n + 2 * kAhead < neighbours_.size()) {
      index.PrefetchStart(neighbours_[n + 2 * kAhead].session);
    }
    if (n + kAhead < neighbours_.size()) index.PrefetchClicks(neighbours_[n + kAhead].session);
    AddClicks(index.Clicks(neighbours_[n].session), neighbours_[n], scores);
  }
  DividePopularity(index, popularity_power_, scores);
}

}  // namespace vitrine
