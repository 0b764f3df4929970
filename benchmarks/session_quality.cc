// How well the next click of a session is predicted, on public session sets (../shared/data):
//
//   session_quality [SET [QUESTIONS [SECONDS]]]
//
// SET: diginetica, serenade-valid, serenade-test, eshop, msweb, baskets. SECONDS: for tuning, at
// most.
//
// Everything is chosen on the newest 6 % of the training sessions: the blend's settings on the
// older four fifths of them, whether they are better than the defaults on the rest. Then an index
// of all training sessions answers the test's questions, on one thread, products of the prefix
// among the suggestions and not. HR and MRR at 20, in percent.

#include "recommender/offline/session_quality.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "recommender/learn/session_learner.h"
#include "recommender/offline/rerank_train.h"
#include "recommender/offline/session_tune.h"
#include "recommender/rank/blend.h"
#include "recommender/rank/rerank.h"
#include "tests/recommender/session_sets.h"

namespace vitrine {
namespace {

constexpr double kTail = 0.06;
constexpr double kTuned = 0.8;  // of the tail

absl::StatusOr<std::unique_ptr<SessionIndex>> Learn(const SessionLog& log) {
  const SessionSource source = [&](const auto& add) {
    for (size_t s = 0; s < log.size(); ++s) RETURN_IF_ERROR(add(log[s]));
    return absl::OkStatus();
  };
  return LearnSessions(source, log.size(), log.clicks(),
                       {.sessions = 100'000'000, .clicks = 1'000'000'000});
}

double SecondsOf(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void PrintRow(const std::string& name, const SessionQuestions& questions,
              const std::vector<size_t>& ranks, double seconds) {
  const HitRate all = Summarize(ranks);
  const HitRate fresh = SummarizeNew(questions, ranks);
  std::printf("%-24s %6.2f %6.2f   %6.2f %6.2f   %6.0f us\n", name.c_str(), 100 * all.hit_rate,
              100 * all.mrr, 100 * fresh.hit_rate, 100 * fresh.mrr,
              1e6 * seconds / static_cast<double>(ranks.size()));
  std::fflush(stdout);
}

// How a list is made.
struct Method {
  BlendSettings blend = {};
  TreeEnsemble trees = {};  // none: the blend as it is
  bool hide_seen = false;
};

SessionRanker MakeRanker(const SessionIndex& index, const Method& method) {
  const BlendOptions options = {.k = kSessionCutoff, .hide_seen = method.hide_seen};
  if (method.trees.trees() > 0) {
    auto reranker = std::make_shared<Reranker>(*Reranker::Make(method.blend, method.trees));
    return [=, &index](std::span<const uint32_t> clicks, std::vector<Scored>* list) {
      reranker->Rank(SessionIndex::Reader(index), clicks, options, list);
    };
  }
  auto blend = std::make_shared<SessionBlend>(*SessionBlend::Make(method.blend));
  return [=, &index](std::span<const uint32_t> clicks, std::vector<Scored>* list) {
    blend->Rank(SessionIndex::Reader(index), clicks, options, list);
  };
}

void Show(const std::string& name, const SessionIndex& index, const SessionQuestions& questions,
          const Method& method) {
  std::vector<size_t> ranks;
  const double seconds = SecondsOf([&] {
    ranks = RankAll(
        questions, [&] { return MakeRanker(index, method); }, /*threads=*/1);
  });
  PrintRow(name, questions, ranks, seconds);
}

struct Chosen {
  BlendSettings blend = {};
  TreeEnsemble trees = {};  // what was learned
  bool rerank = false;      // whether it was better later
};

// Prints the table that the choice was made from.
absl::StatusOr<BlendSettings> ChooseBlend(const SessionIndex& index, const SessionQuestions& older,
                                          const SessionQuestions& newer, double seconds_max) {
  TuneOptions options;
  if (seconds_max > 0) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds_max);
    options.limits.stop = [end] { return std::chrono::steady_clock::now() >= end; };
  }
  absl::StatusOr<Tuning> tuning;
  const double seconds = SecondsOf(
      [&] { tuning = TuneBlend(index, older, newer, BlendSettings::Default(), options); });
  RETURN_IF_ERROR(tuning.status());
  for (const TuneStart& start : tuning->starts) {
    std::printf("  %-36s %6zu questions %7.2f%s\n", start.name.c_str(), start.questions,
                100 * start.gain, start.name == tuning->from ? "  <-" : "");
  }
  for (const SearchStep& step : tuning->steps) {
    std::printf("  %-28s %10.4g -> %10.4g   %+.3f\n", step.what.c_str(), step.from, step.to,
                100 * step.gain);
  }
  std::printf(
      "tuned in %.0f s, %.1f million answers; later fold, %zu questions: defaults %.2f "
      "%.2f, tuned %.2f %.2f: %s\n",
      seconds, 1e-6 * static_cast<double>(tuning->answers), newer.size(),
      100 * tuning->before.hit_rate, 100 * tuning->before.mrr, 100 * tuning->after.hit_rate,
      100 * tuning->after.mrr, tuning->better ? "used" : "not used");
  std::fflush(stdout);
  return tuning->settings;
}

absl::StatusOr<Chosen> Choose(const SessionLog& training, double seconds_max) {
  const auto tail = static_cast<size_t>(kTail * static_cast<double>(training.size()));
  const size_t head = training.size() - tail;
  const size_t fold = head + static_cast<size_t>(kTuned * static_cast<double>(tail));
  ASSIGN_OR_RETURN(const auto index, Learn(training.Slice(0, head)));
  const SessionQuestions older = AskEveryClick(training.Slice(head, fold), index.get());
  const SessionQuestions newer = AskEveryClick(training.Slice(fold, training.size()), index.get());
  const auto judge = [&](const char* name, const Method& method) {
    const HitRate rate = Summarize(RankAll(
        newer, [&] { return MakeRanker(*index, method); }, /*threads=*/0));
    std::printf("later fold, %s: %.2f %.2f\n", name, 100 * rate.hit_rate, 100 * rate.mrr);
    return rate.hit_rate + rate.mrr;
  };
  Chosen chosen;
  ASSIGN_OR_RETURN(chosen.blend, ChooseBlend(*index, older, newer, seconds_max));
  const double best = judge("blend", {.blend = chosen.blend});
  absl::StatusOr<RerankTraining> reranking;
  const double seconds =
      SecondsOf([&] { reranking = TrainReranker(*index, older, chosen.blend, {}); });
  if (!reranking.ok()) {
    std::printf("no re-ranking: %s\n", reranking.status().ToString().c_str());
    return chosen;
  }
  std::printf("%zu trees learned in %.0f s from %zu questions\n", reranking->trees.trees(), seconds,
              reranking->questions);
  chosen.trees = reranking->trees;
  chosen.rerank = judge("re-ranked", {.blend = chosen.blend, .trees = chosen.trees}) > best;
  if (!chosen.rerank) return chosen;
  // What was better once learns from everything, with as many trees.
  const SessionQuestions all = AskEveryClick(training.Slice(head, training.size()), index.get());
  ASSIGN_OR_RETURN(
      const RerankTraining again,
      TrainReranker(*index, all, chosen.blend,
                    {.trees = static_cast<uint32_t>(chosen.trees.trees()), .stopping = 0}));
  std::printf("%zu trees learned from %zu questions\n", again.trees.trees(), again.questions);
  chosen.trees = again.trees;
  return chosen;
}

absl::Status Run(const std::string& name, size_t questions, double seconds_max) {
  ASSIGN_OR_RETURN(const SessionSet set, LoadSessionSet(name));
  const SessionQuestions test = Sample(set.test, questions, 1);
  std::printf("%s: %zu sessions, %zu clicks, %zu products, %zu questions\n", name.c_str(),
              set.training.size(), set.training.clicks(), set.products.size(), test.size());
  ASSIGN_OR_RETURN(const Chosen chosen, Choose(set.training, seconds_max));
  ASSIGN_OR_RETURN(const auto index, Learn(set.training));
  std::printf("%-24s %13s   %13s\n%-24s %6s %6s   %6s %6s\n", "", "all questions", "target is new",
              "", "HR", "MRR", "HR", "MRR");
  for (SourceSettings source : chosen.blend.sources) {
    source.weight = 1;
    Show(source.name, *index, test, {.blend = {.sources = {source}, .seen_factor = 1}});
  }
  Show("vmis as Serenade", *index, test,
       {.blend = {.sources = {{"vmis", VmisSettings::Serenade(), 1, 1}}, .seen_factor = 1}});
  Show("blend, defaults", *index, test, {.blend = BlendSettings::Default()});
  Show("blend", *index, test, {.blend = chosen.blend});
  Show("blend, seen hidden", *index, test, {.blend = chosen.blend, .hide_seen = true});
  if (chosen.trees.trees() == 0) return absl::OkStatus();
  Show(chosen.rerank ? "re-ranked" : "re-ranked (not used)", *index, test,
       {.blend = chosen.blend, .trees = chosen.trees});
  Show("re-ranked, seen hidden", *index, test,
       {.blend = chosen.blend, .trees = chosen.trees, .hide_seen = true});
  return absl::OkStatus();
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  const absl::Status status = vitrine::Run(argc > 1 ? argv[1] : "diginetica",
                                           argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1e9,
                                           argc > 3 ? std::strtod(argv[3], nullptr) : 0);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
