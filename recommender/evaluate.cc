#include "recommender/evaluate.h"

#include <atomic>
#include <functional>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/learn/item_to_item.h"
#include "recommender/learn/trainer.h"
#include "recommender/model/parallel.h"
#include "recommender/offline/holdout.h"
#include "recommender/offline/metrics.h"
#include "recommender/offline/visits.h"
#include "recommender/rank/fold_in.h"
#include "recommender/rank/ranker.h"
#include "recommender/rank/retrieval.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kNeighbours = 100;
constexpr size_t kCasesPerChunk = 16;

// Fills in a score for every product. Thread-safe.
using Scorer = std::function<void(const Question&, std::span<float> scores)>;

Scorer ByPopularity(const Model& model) {
  return [&model](const Question&, std::span<float> scores) {
    std::copy(model.popularity.begin(), model.popularity.end(), scores.begin());
  };
}

// What Recommend does for the same history.
Scorer ByTaste(const Model& model) {
  return [&model](const Question& question, std::span<float> scores) {
    const Eigen::VectorXf taste =
        Taste(model, question.history, question.session, RankOptions().session_share);
    if (taste.isZero(0)) return ByPopularity(model)(question, scores);
    Eigen::Map<Eigen::VectorXf>(scores.data(), model.factors.rows()).noalias() =
        model.factors * taste;
  };
}

// Products that are nobody's neighbour come last, by popularity: the control deserves that much.
Scorer ByNeighbours(const Model& model, const ItemLinkLists& neighbours) {
  return [&](const Question& question, std::span<float> scores) {
    ScoreByLinks(neighbours, question.history, scores);
    for (size_t p = 0; p < scores.size(); ++p) {
      if (scores[p] == 0) scores[p] = -1 / (1 + model.popularity[p]);
    }
  };
}

// Answers every case on all cores. Sums run in the order of the cases, so that the result does not
// depend on the threads.
MethodResult Measure(const std::string& name, const Scorer& score, const Holdout& holdout,
                     const EvaluateOptions& options) {
  const std::vector<Case>& cases = holdout.cases();
  const size_t products = holdout.training().products.size();
  std::vector<ListQuality> qualities(cases.size());
  std::vector<std::atomic<bool>> suggested(products);
  Chunks chunks(cases.size(), kCasesPerChunk);
  RunOnThreads(options.als.threads, [&] {
    std::vector<float> scores(products);
    std::vector<uint32_t> list;
    while (const auto chunk = chunks.Next()) {
      for (size_t c = chunk->begin; c < chunk->end; ++c) {
        const Question question = holdout.Ask(cases[c]);
        score(question, scores);
        list.clear();
        for (const Scored& scored : TopScores(scores, question.exclude, options.k)) {
          list.push_back(scored.product);
          suggested[scored.product].store(true, std::memory_order_relaxed);
        }
        qualities[c] = Judge(list, question.targets, options.k);
      }
    }
  });

  MethodResult result{.method = name};
  const auto n = static_cast<double>(cases.size());
  for (const ListQuality& quality : qualities) {
    result.recall += quality.recall / n;
    result.ndcg += quality.ndcg / n;
    result.mrr += quality.reciprocal_rank / n;
  }
  for (const std::atomic<bool>& was : suggested) {
    result.coverage += was ? 1.0 / static_cast<double>(products) : 0;
  }
  return result;
}

absl::Status Validate(const EvaluateOptions& options) {
  RETURN_IF_ERROR(Validate(options.weights));
  RETURN_IF_ERROR(Validate(options.als));
  if (options.k == 0) return absl::InvalidArgumentError("k must be at least 1");
  if (!(options.holdout_fraction > 0 && options.holdout_fraction < 1)) {
    return absl::InvalidArgumentError("holdout_fraction must lie between 0 and 1");
  }
  return absl::OkStatus();
}

absl::string_view NameOf(EvaluateOptions::Protocol protocol) {
  return protocol == EvaluateOptions::Protocol::kLeaveLastOut ? "leave-last-out" : "sessions";
}

}  // namespace

absl::StatusOr<Evaluation> Evaluate(const WebHouse& house, const EvaluateOptions& options) {
  RETURN_IF_ERROR(Validate(options));
  ASSIGN_OR_RETURN(const Visits visits, LoadVisits(house, options.weights));
  return Evaluate(visits, options);
}

absl::StatusOr<Evaluation> Evaluate(const Visits& visits, const EvaluateOptions& options) {
  RETURN_IF_ERROR(Validate(options));
  ASSIGN_OR_RETURN(const Holdout holdout, Holdout::Split(visits, options));
  const TrainOptions train{.weights = options.weights, .als = options.als};
  ASSIGN_OR_RETURN(const Model model, TrainModel(holdout.training(), train));
  const ItemLinkLists neighbours =
      LearnItemToItem(holdout.training().by_person, {.links = kNeighbours,
                                                     .together_min = 1,
                                                     .row_cells_max = SIZE_MAX,
                                                     .threads = options.als.threads})
          .by_cosine;

  Evaluation evaluation{.options = options};
  evaluation.cases = static_cast<int64_t>(holdout.cases().size());
  evaluation.products = static_cast<int64_t>(model.products.size());
  evaluation.methods = {
      Measure("ials", ByTaste(model), holdout, options),
      Measure("item-knn", ByNeighbours(model, neighbours), holdout, options),
      Measure("popularity", ByPopularity(model), holdout, options),
  };
  return evaluation;
}

Report EvaluationReport(const Evaluation& evaluation) {
  const size_t k = evaluation.options.k;
  Report::Table table;
  table.name = "methods";
  table.title = absl::StrCat("Held-out ranking (", NameOf(evaluation.options.protocol), ")");
  table.columns = {{"method"},
                   {absl::StrCat("recall@", k), 4},
                   {absl::StrCat("ndcg@", k), 4},
                   {absl::StrCat("mrr@", k), 4},
                   {"coverage", 4}};
  for (const MethodResult& result : evaluation.methods) {
    table.rows.push_back({result.method, result.recall, result.ndcg, result.mrr, result.coverage});
  }
  Report report;
  report.tables.push_back(std::move(table));
  report.notes.push_back(absl::StrCat(evaluation.cases, " cases, each ranking all of ",
                                      evaluation.products, " products"));
  return report;
}

}  // namespace vitrine
