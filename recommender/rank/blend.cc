#include "recommender/rank/blend.h"

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

void AddToBlend(std::span<const Scored> list, const SourceSettings& source, ScoreMap* scores) {
  for (const Scored& scored : list) {
    scores->Add(scored.product, Part(scored.score, list.front().score, source));
  }
}

absl::StatusOr<SessionBlend> SessionBlend::Make(const BlendSettings& settings) {
  RETURN_IF_ERROR(Validate(settings));
  return SessionBlend(settings);
}

SessionBlend::SessionBlend(const BlendSettings& settings)
    : settings_(settings), lists_(settings.sources.size()) {
  for (const SourceSettings& source : settings.sources) scorers_.push_back(MakeScorer(source));
}

void SessionBlend::Rank(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
                        const BlendOptions& options, std::vector<Scored>* list) {
  const auto hidden = options.hide_seen ? clicks : std::span<const uint32_t>();
  blended_.Clear();
  for (size_t s = 0; s < scorers_.size(); ++s) {
    lists_[s].clear();
    const SourceSettings& source = settings_.sources[s];
    if (source.weight == 0) continue;
    scores_.Clear();
    scorers_[s]->Score(index, clicks, &scores_);
    scores_.Top(settings_.depth, hidden, &lists_[s]);
    AddToBlend(lists_[s], source, &blended_);
  }
  blended_.Top(options.k, {}, list);
}

float SessionBlend::Given(size_t source, uint32_t product) const {
  for (const Scored& scored : lists_[source]) {
    if (scored.product == product) {
      return Part(scored.score, lists_[source].front().score, settings_.sources[source]);
    }
  }
  return 0;
}

}  // namespace vitrine
