#include "recommender/offline/methods.h"

#include <algorithm>
#include <utility>

#include "recommender/learn/item_to_item.h"
#include "recommender/learn/session_learner.h"
#include "recommender/learn/trainer.h"
#include "recommender/offline/session_tune.h"
#include "recommender/rank/blend.h"
#include "recommender/rank/fold_in.h"
#include "recommender/rank/mix.h"
#include "recommender/rank/ranker.h"
#include "recommender/rank/retrieval.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kNeighbours = 100;
// Of the training sessions, the newest, that settings are chosen by; and the older part of them,
// that they are tuned on: the rest says whether they are any better.
constexpr double kTail = 0.06;
constexpr double kTuned = 0.8;

// Puts the most popular products behind what is in the list, until there are k.
void FillUp(const Model& model, const ProductSet& exclude, size_t k, std::vector<uint32_t>* list) {
  const size_t own = list->size();
  for (const uint32_t product : model.by_popularity) {
    if (list->size() >= k) return;
    if (exclude.Contains(product)) continue;
    if (std::find(list->begin(), list->begin() + static_cast<ptrdiff_t>(own), product) !=
        list->begin() + static_cast<ptrdiff_t>(own)) {
      continue;
    }
    list->push_back(product);
  }
}

Ranker ByPopularity(const Learned& learned) {
  return [&learned](const Question& question, size_t k, std::vector<uint32_t>* list) {
    list->clear();
    FillUp(learned.model, question.exclude, k, list);
  };
}

// What Recommend does for the same history.
Ranker ByTaste(const Learned& learned) {
  return [&learned](const Question& question, size_t k, std::vector<uint32_t>* list) {
    const Model& model = learned.model;
    list->clear();
    const Eigen::VectorXf taste =
        Taste(model, question.history, question.session, RankOptions().session_share);
    if (!taste.isZero(0)) {
      for (const Scored& scored :
           TopProducts(model.quantized, model.factors, taste, question.exclude, k)) {
        list->push_back(scored.product);
      }
    }
    FillUp(model, question.exclude, k, list);
  };
}

// Products that are nobody's neighbour come last, by popularity: the control deserves that much.
Ranker ByNeighbours(const Learned& learned) {
  std::vector<float> scores(learned.model.products.size());
  return
      [&learned, scores](const Question& question, size_t k, std::vector<uint32_t>* list) mutable {
        ScoreByLinks(learned.neighbours, question.history, scores);
        list->clear();
        for (const Scored& scored : TopScores(scores, question.exclude, k)) {
          if (scored.score > 0) list->push_back(scored.product);
        }
        FillUp(learned.model, question.exclude, k, list);
      };
}

// Those who clicked like this, in the visit going on or else in the last one.
Ranker BySessions(const Learned& learned) {
  auto blend = std::make_shared<SessionBlend>(*SessionBlend::Make(learned.blend));
  std::vector<Scored> ranked;
  return [&learned, blend, ranked](const Question& question, size_t k,
                                   std::vector<uint32_t>* list) mutable {
    list->clear();
    if (!question.clicks().empty()) {
      // All that the sources name: what is excluded leaves room.
      const size_t all = blend->settings().sources.size() * blend->settings().depth;
      blend->Rank(SessionIndex::Reader(*learned.sessions), question.clicks(), {.k = all}, &ranked);
      for (const Scored& scored : ranked) {
        if (list->size() == k) break;
        if (!question.exclude.Contains(scored.product)) list->push_back(scored.product);
      }
    }
    FillUp(learned.model, question.exclude, k, list);
  };
}

// What a server mixes (rank/live_ranker.h), by its settings.
struct Mixer {
  SessionBlend session;
  Mix mix;
  MixLists lists = MixLists();
  std::vector<Scored> clicked = {};
  std::vector<uint32_t> exclude = {};
  std::vector<Scored> mixed = {};
};

Ranker ByMix(const Learned& learned) {
  auto mixer = std::make_shared<Mixer>(
      Mixer{*SessionBlend::Make(learned.blend), *Mix::Make(MixSettings::Default())});
  return [&learned, mixer](const Question& question, size_t k, std::vector<uint32_t>* list) {
    const Model& model = learned.model;
    mixer->exclude.clear();
    for (uint32_t p = 0; p < model.products.size(); ++p) {
      if (question.exclude.Contains(p)) mixer->exclude.push_back(p);
    }
    const size_t count = mixer->mix.settings().depth + mixer->exclude.size();
    MixLists& lists = mixer->lists;
    lists.Clear(count);
    lists.SetTaste(model.quantized, model.factors,
                   Taste(model, question.history, question.session, RankOptions().session_share));
    lists.SetLinks(learned.neighbours, question.history);
    const bool visiting = learned.sessions != nullptr && !question.session.empty();
    if (visiting) {
      mixer->session.Rank(SessionIndex::Reader(*learned.sessions), question.clicks(), {.k = count},
                          &mixer->clicked);
      lists.SetSession(mixer->clicked);
    }
    MixRequest request;
    request.k = k;
    request.situation = visiting ? Situation::kVisit : Situation::kHome;
    request.exclude = mixer->exclude;
    request.refill = model.by_popularity;
    mixer->mix.Rank(SpansOf(lists), request, &mixer->mixed);
    list->clear();
    for (const Scored& scored : mixer->mixed) list->push_back(scored.product);
  };
}

absl::StatusOr<std::unique_ptr<SessionIndex>> IndexOf(const SessionLog& log) {
  const SessionSource source = [&](const auto& add) {
    for (size_t s = 0; s < log.size(); ++s) RETURN_IF_ERROR(add(log[s]));
    return absl::OkStatus();
  };
  return LearnSessions(
      source, log.size(), log.clicks(),
      {.sessions = limits::kIndexedSessionsMax, .clicks = limits::kIndexedClicksMax});
}

// The defaults, or what was tuned on the newest sessions if it is better on those still newer.
absl::StatusOr<BlendSettings> TunedBlend(const SessionLog& log, const EvaluateOptions& options,
                                         std::vector<Report::Message>* notes) {
  const BlendSettings defaults = BlendSettings::Default();
  const auto tail = static_cast<size_t>(kTail * static_cast<double>(log.size()));
  const size_t head = log.size() - tail;
  const size_t fold = head + static_cast<size_t>(kTuned * static_cast<double>(tail));
  ASSIGN_OR_RETURN(const auto index, IndexOf(log.Slice(0, head)));
  const SessionQuestions older = AskEveryClick(log.Slice(head, fold), index.get());
  const SessionQuestions newer = AskEveryClick(log.Slice(fold, log.size()), index.get());
  if (older.size() == 0 || newer.size() == 0) {
    notes->push_back({"evaluate.too_few_to_tune"});
    return defaults;
  }
  ASSIGN_OR_RETURN(const Tuning tuning,
                   TuneBlend(*index, older, newer, defaults,
                             {.seed = options.seed, .threads = options.als.threads}));
  notes->push_back({tuning.better ? "evaluate.tuned" : "evaluate.tuned_in_vain",
                    {static_cast<int64_t>(older.size()), static_cast<int64_t>(newer.size()),
                     100 * tuning.after.hit_rate, 100 * tuning.after.mrr,
                     100 * tuning.before.hit_rate, 100 * tuning.before.mrr}});
  return tuning.settings;
}

}  // namespace

absl::StatusOr<Learned> Learn(const Holdout& holdout, const EvaluateOptions& options) {
  const auto say = [&](absl::string_view what, int64_t done, int64_t all) {
    if (options.on_progress) options.on_progress(what, done, all);
  };
  Learned learned;
  say("training ials", 0, options.als.epochs);
  TrainOptions train{.weights = options.weights, .als = options.als};
  train.on_progress = [&](const TrainProgress& progress) {
    say("training ials", progress.epoch, progress.epochs);
  };
  ASSIGN_OR_RETURN(learned.model, TrainModel(holdout.training(), train));
  say("finding neighbours", 0, 0);
  learned.neighbours =
      LearnItemToItem(holdout.training().by_person, {.links = kNeighbours,
                                                     .together_min = 1,
                                                     .row_cells_max = SIZE_MAX,
                                                     .threads = options.als.threads})
          .by_cosine;
  if (!holdout.visits().ordered) return learned;
  say("learning sessions", 0, 0);
  const SessionLog log = holdout.TrainingSessions();
  if (options.tune) {
    say("tuning the session blend", 0, 0);
    ASSIGN_OR_RETURN(learned.blend, TunedBlend(log, options, &learned.notes));
  }
  ASSIGN_OR_RETURN(learned.sessions, IndexOf(log));
  return learned;
}

std::vector<Method> MethodsOf(const Learned& learned) {
  const auto with = [&learned](Ranker (*make)(const Learned&)) {
    return [&learned, make] { return make(learned); };
  };
  std::vector<Method> methods;
  methods.push_back({"blend", false, with(ByMix)});
  methods.push_back({"ials", false, with(ByTaste)});
  if (learned.sessions != nullptr) methods.push_back({"session-blend", false, with(BySessions)});
  methods.push_back({"item-knn", true, with(ByNeighbours)});
  methods.push_back({"popularity", true, with(ByPopularity)});
  return methods;
}

}  // namespace vitrine
