#include "recommender/rank/live_ranker.h"

#include <algorithm>
#include <utility>

#include "recommender/model/clicks.h"
#include "store/base/status_macros.h"

namespace vitrine {

absl::StatusOr<LiveRanker> LiveRanker::Make(const Model& model) {
  const BlendSettings blend = model.blend.value_or(BlendSettings::Default());
  ASSIGN_OR_RETURN(Mix mix, Mix::Make(model.mix.value_or(MixSettings::Default())));
  if (model.rerank) {
    ASSIGN_OR_RETURN(Reranker reranker, Reranker::Make(blend, *model.rerank));
    return LiveRanker(std::move(reranker), std::move(mix));
  }
  ASSIGN_OR_RETURN(SessionBlend only_blend, SessionBlend::Make(blend));
  return LiveRanker(std::move(only_blend), std::move(mix));
}

RankedList LiveRanker::Recommend(const Model& model, const SessionIndex* sessions,
                                 const Profile& profile, const RankOptions& options) {
  const size_t session_acts = CurrentSession(profile.acts, options.now_ms, options.session_gap_ms);
  const std::span<const Act> session = std::span(profile.acts).first(session_acts);
  FindClicks(model, session);
  FindHidden(model, profile, session_acts, options);

  lists_.Clear(mix_.settings().depth, hidden_);
  const Eigen::VectorXf taste =
      Taste(model, profile, CellsOf(model, session), options.session_share);
  lists_.SetTaste(model.quantized, model.factors, taste);
  if (options.guessed != nullptr) {
    lists_.AddGuessed(*options.guessed, options.guessed->NewAt(options.now_ms), taste);
  }
  const bool visiting = sessions != nullptr && !clicks_.empty();
  if (visiting) RankVisit(*sessions, mix_.settings().depth + hidden_.size());

  MixRequest request;
  request.k = options.k;
  request.situation = visiting ? Situation::kVisit : Situation::kHome;
  if (mix_.settings()[request.situation][MixSource::kLinks].weight > 0) {
    ListOf(MixSource::kLinks, model, profile);
  }
  request.exclude = exclude_;
  request.known = known_;
  request.refill = model.by_popularity;
  mix_.Rank(SpansOf(lists_), request, &list_);

  RankedList ranked;
  ranked.history_events = profile.history_events;
  for (const Scored& scored : list_) {
    ranked.products.push_back({scored.product, scored.score, SourceOf(scored.product)});
  }
  return ranked;
}

std::span<const Scored> LiveRanker::ListOf(MixSource source, const Model& model,
                                           const Profile& profile) {
  if (source == MixSource::kLinks && lists_.Of(source).empty()) {
    lists_.SetLinks(model.viewed_also_viewed, profile.cells);
  }
  return lists_.Of(source);
}

void LiveRanker::FindClicks(const Model& model, std::span<const Act> session) {
  clicks_.clear();
  for (size_t i = session.size(); i-- > 0;) {
    const Act& act = session[i];
    if (act.product == Act::kNoProduct || model.weights.Of(act.kind) <= 0) continue;
    AppendClick(act.kind, act.product, &clicks_);
  }
}

void LiveRanker::FindHidden(const Model& model, const Profile& profile, size_t session_acts,
                            const RankOptions& options) {
  exclude_.clear();
  if (options.exclude != nullptr) exclude_.assign(options.exclude->begin(), options.exclude->end());
  known_.clear();
  for (size_t i = 0; i < profile.acts.size(); ++i) {
    if (IsKnown(model, profile.acts[i], i < session_acts, options)) {
      known_.push_back(profile.acts[i].product);
    }
  }
  hidden_ = exclude_;
  hidden_.insert(hidden_.end(), known_.begin(), known_.end());
  std::sort(hidden_.begin(), hidden_.end());
  hidden_.erase(std::unique(hidden_.begin(), hidden_.end()), hidden_.end());
}

void LiveRanker::RankVisit(const SessionIndex& sessions, size_t count) {
  const SessionIndex::Reader reader(sessions);
  const BlendOptions options = {.k = count};
  if (auto* const reranker = std::get_if<Reranker>(&visit_)) {
    reranker->Rank(reader, clicks_, options, &visit_list_);
    lists_.SetRerankedSession(visit_list_);
  } else {
    std::get<SessionBlend>(visit_).Rank(reader, clicks_, options, &visit_list_);
    lists_.SetSession(visit_list_);
  }
}

// What gave most to its score.
ListSource LiveRanker::SourceOf(uint32_t product) const {
  constexpr std::pair<MixSource, ListSource> kSources[] = {
      {MixSource::kTaste, ListSource::kTaste},
      {MixSource::kSession, ListSource::kVisit},
      {MixSource::kLinks, ListSource::kTogether},
      {MixSource::kPopular, ListSource::kPopular}};
  ListSource source = ListSource::kPopular;
  float most = 0;
  for (const auto& [mixed, listed] : kSources) {
    const float given = mix_.Given(mixed, product);
    if (given <= most) continue;
    most = given;
    source = listed;
  }
  return source;
}

}  // namespace vitrine
