#include "recommender/rank/blend.h"

#include <algorithm>
#include <cmath>
#include <variant>

#include "recommender/rank/session_repeat.h"
#include "recommender/rank/session_rules.h"
#include "recommender/rank/session_stan.h"
#include "recommender/rank/session_vmis.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

struct MakeVisitor {
  std::unique_ptr<SessionScorer> operator()(const VmisSettings& settings) const {
    return std::make_unique<VmisScorer>(settings);
  }
  std::unique_ptr<SessionScorer> operator()(const StanSettings& settings) const {
    return std::make_unique<StanScorer>(settings);
  }
  std::unique_ptr<SessionScorer> operator()(const RuleSettings& settings) const {
    return std::make_unique<RuleScorer>(settings);
  }
  std::unique_ptr<SessionScorer> operator()(const RepeatSettings&) const {
    return std::make_unique<RepeatScorer>();
  }
};

float Part(float score, float best, const SourceSettings& source) {
  return source.weight * std::pow(source.relative ? score / best : score, source.exponent);
}

}  // namespace

std::unique_ptr<SessionScorer> MakeScorer(const SourceSettings& settings) {
  return std::visit(MakeVisitor(), settings.scorer);
}

void BlendLists(std::span<const std::span<const Scored>> lists, const BlendSettings& settings,
                std::span<const Seen> seen, ScoreMap* blended) {
  blended->Clear();
  const auto add = [&](bool relative) {
    for (size_t s = 0; s < lists.size(); ++s) {
      const SourceSettings& source = settings.sources[s];
      if (source.relative != relative || source.weight == 0) continue;
      for (const Scored& scored : lists[s]) {
        blended->Add(scored.product, Part(scored.score, lists[s].front().score, source));
      }
    }
  };
  add(/*relative=*/true);
  for (const Seen& one : seen) blended->Multiply(one.product, settings.seen_factor);
  add(/*relative=*/false);
}

absl::StatusOr<SessionBlend> SessionBlend::Make(const BlendSettings& settings) {
  RETURN_IF_ERROR(Validate(settings));
  return SessionBlend(settings);
}

SessionBlend::SessionBlend(const BlendSettings& settings)
    : settings_(settings), lists_(settings.sources.size()), spans_(lists_.size()) {
  for (const SourceSettings& source : settings.sources) scorers_.push_back(MakeScorer(source));
}

void SessionBlend::Rank(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
                        const BlendOptions& options, std::vector<Scored>* list) {
  const auto hidden = options.hide_seen ? clicks : std::span<const uint32_t>();
  ListSeen(clicks, &seen_);
  for (size_t s = 0; s < scorers_.size(); ++s) {
    lists_[s].clear();
    spans_[s] = {};
    const SourceSettings& source = settings_.sources[s];
    if (source.weight == 0) continue;
    scores_.Clear();
    scorers_[s]->Score(index, clicks, &scores_);
    scores_.Top(settings_.depth, hidden, &lists_[s]);
    spans_[s] = lists_[s];
  }
  BlendLists(spans_, settings_, seen_, &blended_);
  blended_.Top(options.k, {}, list);
}

float SessionBlend::Given(size_t source, uint32_t product) const {
  for (const Scored& scored : lists_[source]) {
    if (scored.product == product) {
      const bool is_seen = std::any_of(seen_.begin(), seen_.end(),
                                       [&](const Seen& seen) { return seen.product == product; });
      const bool damped = is_seen && settings_.sources[source].relative;
      return (damped ? settings_.seen_factor : 1) *
             Part(scored.score, lists_[source].front().score, settings_.sources[source]);
    }
  }
  return 0;
}

}  // namespace vitrine
