#include "recommender/rank/session_rules.h"

namespace vitrine {
namespace {

constexpr size_t kAhead = 8;          // sessions that are asked for before their use
constexpr float kNegligible = 1e-4f;  // weight of a premise

}  // namespace

void RuleScorer::CollectAround(std::span<const uint32_t> clicks, size_t at, float weight) {
  const size_t last = std::min(clicks.size() - 1, at + settings_.steps);
  for (size_t i = at + 1; i <= last; ++i) {
    row_.push_back({clicks[i], weight * distance_power_(i - at)});
  }
  if (settings_.backward == 0) return;
  const size_t first = at > settings_.steps ? at - settings_.steps : 0;
  for (size_t i = first; i < at; ++i) {
    row_.push_back({clicks[i], weight * settings_.backward * distance_power_(at - i)});
  }
}

void RuleScorer::CollectRules(const SessionIndex::Reader& index, uint32_t product) {
  row_.clear();
  const SessionIndex::Sessions sessions = index.SessionsOf(product);
  const size_t count = std::min<size_t>(sessions.size(), settings_.sessions_per_product);
  for (size_t s = 0; s < count; ++s) {
    if (s + 2 * kAhead < count) index.PrefetchStart(sessions[s + 2 * kAhead]);
    if (s + kAhead < count) index.PrefetchClicks(sessions[s + kAhead]);
    const auto clicks = index.Clicks(sessions[s]);
    const float weight = recency_(index.end() - sessions[s]);
    for (size_t at = 0; at < clicks.size(); ++at) {
      if (clicks[at] == product) CollectAround(clicks, at, weight);
    }
  }
}

void RuleScorer::Score(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
                       ScoreMap* scores) {
  ListSeen(clicks.last(std::min<size_t>(clicks.size(), settings_.last_clicks)), &query_);
  for (const Seen& seen : query_) {
    const float premise = std::pow(settings_.item_decay, static_cast<float>(seen.distance));
    if (premise < kNegligible) break;
    CollectRules(index, seen.product);
    float sum = 0;
    for (const Scored& rule : row_) sum += rule.score;
    if (sum == 0) continue;
    const float factor = premise * std::pow(sum, -settings_.row_exponent);
    for (const Scored& rule : row_) scores->Add(rule.product, factor * rule.score);
  }
  DividePopularity(index, popularity_power_, scores);
}

}  // namespace vitrine
