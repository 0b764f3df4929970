#include "recommender/offline/list_learning.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "recommender/learn/session_learner.h"
#include "recommender/offline/mix_tune.h"
#include "recommender/offline/session_log.h"
#include "recommender/offline/session_tune.h"
#include "recommender/rank/fold_in.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kTenth = 10;

SessionQuestions QuestionsOf(const NewestSessions& sessions, size_t begin, size_t end,
                             const SessionIndex& index, const ListLearningOptions& options) {
  SessionLog log;
  for (size_t s = begin; s < end; ++s) {
    if (sessions[s].size() >= 2) log.Append(sessions[s]);
  }
  return Sample(AskEveryClick(log, &index), options.questions_max, options.seed);
}

// The newest tenth decides, the one before it is chosen by, the index has all older ones.
absl::Status LearnBlend(const NewestSessions& sessions, const ListLearningOptions& options,
                        LearnedLists* learned) {
  const size_t count = std::min(sessions.size(), options.sessions_max);
  if (count < kTenth) return absl::OkStatus();
  const size_t begin = sessions.size() - count;
  const size_t later = sessions.size() - count / kTenth;
  const size_t chosen_by = later - count / kTenth;
  size_t clicks = 0;
  for (size_t s = begin; s < chosen_by; ++s) clicks += sessions[s].size();
  const SessionSource source = [&](const auto& add) {
    for (size_t s = begin; s < chosen_by; ++s) {
      if (sessions[s].size() >= 2) RETURN_IF_ERROR(add(sessions[s]));
    }
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<SessionIndex> index,
                   LearnSessions(source, chosen_by - begin, clicks, {}));
  const SessionQuestions questions = QuestionsOf(sessions, chosen_by, later, *index, options);
  const SessionQuestions decide = QuestionsOf(sessions, later, sessions.size(), *index, options);
  if (std::min(questions.size(), decide.size()) < options.questions_min) return absl::OkStatus();
  const TuneOptions tune = {.scorer_questions = options.questions_max / 4,
                            .blend_questions = options.questions_max,
                            .decision = options.decision,
                            .seed = options.seed,
                            .threads = options.threads,
                            .limits = {.answers_max = options.session_answers_max}};
  ASSIGN_OR_RETURN(const Tuning tuning,
                   TuneBlend(*index, questions, decide, BlendSettings::Default(), tune));
  learned->session = {.cases = decide.size(),
                      .before = tuning.before.hit_rate + tuning.before.mrr,
                      .after = tuning.after.hit_rate + tuning.after.mrr,
                      .used = tuning.better};
  if (tuning.better) learned->blend = tuning.settings;
  return absl::OkStatus();
}

// What the server would mix when the visit begins. A product that the model does not know is one
// that every list misses.
MixCase CaseOf(const Model& model, const HeldOutVisit& visit, const MixSettings& settings,
               MixLists* lists) {
  const Profile profile = MakeProfile(model, visit.history);
  MixCase one;
  for (const Act& act : profile.acts) {
    if (act.kind == PURCHASE && act.product != Act::kNoProduct) one.hidden.push_back(act.product);
  }
  std::ranges::sort(one.hidden);
  one.hidden.erase(std::unique(one.hidden.begin(), one.hidden.end()), one.hidden.end());
  uint32_t unknown = UINT32_MAX;
  for (const std::string& product : visit.products) {
    one.targets.push_back(model.Find(product).value_or(unknown--));
  }
  lists->Clear(settings.depth, one.hidden);
  lists->SetTaste(model.quantized, model.factors, profile.taste);
  lists->SetLinks(model.viewed_also_viewed, profile.cells);
  lists->SetPopular(model.by_popularity, model.popularity);
  for (size_t s = 0; s < kMixSources; ++s) {
    const auto list = lists->Of(static_cast<MixSource>(s));
    one.lists[s].assign(list.begin(), list.end());
  }
  return one;
}

absl::Status LearnMix(const Model& model, std::span<const HeldOutVisit> held_out,
                      const ListLearningOptions& options, LearnedLists* learned) {
  if (held_out.size() < options.visits_min) return absl::OkStatus();
  const MixSettings given = MixSettings::Default();
  MixCases choose = {.refill = {model.by_popularity.begin(), model.by_popularity.end()},
                     .situation = Situation::kHome};
  MixCases decide = choose;
  MixLists lists;
  for (size_t i = 0; i < held_out.size(); ++i) {
    MixCases& part = i % 2 == 0 ? choose : decide;
    part.cases.push_back(CaseOf(model, held_out[i], given, &lists));
  }
  const MixTuneOptions tune = {.threads = options.threads,
                               .limits = {.answers_max = options.mix_answers_max}};
  ASSIGN_OR_RETURN(const MixTuning tuning, TuneMix(choose, given, tune));
  const std::vector<float> before = GainsOf(decide, given, options.threads);
  const std::vector<float> after = GainsOf(decide, tuning.settings, options.threads);
  learned->home = {.cases = decide.cases.size(),
                   .before = Mean(before),
                   .after = Mean(after),
                   .used = StandardErrors(before, after) >= static_cast<double>(options.decision)};
  if (learned->home.used) learned->mix = tuning.settings;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LearnedLists> LearnLists(const Model& model, const NewestSessions& sessions,
                                        std::span<const HeldOutVisit> held_out,
                                        const ListLearningOptions& options) {
  LearnedLists learned;
  RETURN_IF_ERROR(LearnBlend(sessions, options, &learned));
  RETURN_IF_ERROR(LearnMix(model, held_out, options, &learned));
  return learned;
}

}  // namespace vitrine
