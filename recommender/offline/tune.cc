#include "recommender/offline/tune.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/learn/als/als.h"
#include "recommender/learn/trainer.h"
#include "recommender/model/parallel.h"
#include "recommender/offline/holdout.h"
#include "recommender/offline/metrics.h"
#include "recommender/rank/fold_in.h"
#include "recommender/rank/ranker.h"
#include "recommender/rank/retrieval.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kCutoff = 20;
constexpr uint32_t kRungEpochs[] = {2, 4, 8, 16};
constexpr size_t kRungCases[] = {500, 1000, 2000, 10'000};
constexpr size_t kRungs = std::size(kRungEpochs);
constexpr size_t kKeepOneIn = 3;
constexpr size_t kCasesPerChunk = 16;
constexpr uint32_t kResamples = 1000;

using Protocol = EvaluateOptions::Protocol;

// A value between `low` and `high` whose logarithm is uniform.
float LogUniform(std::mt19937_64* random, double low, double high) {
  const double u = std::generate_canonical<double, 53>(*random);
  return static_cast<float>(low * std::pow(high / low, u));
}

template <typename T, size_t n>
T OneOf(std::mt19937_64* random, const T (&values)[n]) {
  return values[(*random)() % n];
}

// Everything about the data that the strength of the regularization scales with.
struct Scale {
  double degree = 1;               // cells of a person, on average
  double products = 1;             // of the catalogue
  double unobserved_weight = 0.3;  // that suits them
};

FactorizationSettings Draw(FactorizationSettings settings, const Scale& scale,
                           std::mt19937_64* random) {
  AlsSettings& als = settings.als;
  als.fit_unobserved_weight = false;
  als.unobserved_weight = scale.unobserved_weight * LogUniform(random, 0.01, 3);
  als.regularization_exponent = OneOf(random, {0.5f, 1.0f});
  // Of an average person's term, so that the draws mean the same whatever else was drawn.
  const double strength = LogUniform(random, 0.3, 60);
  als.regularization =
      static_cast<float>(strength / std::pow(scale.degree + als.unobserved_weight * scale.products,
                                             als.regularization_exponent));
  settings.weights.half_life_days = OneOf(random, {30.0, 90.0, 180.0, 365.0, 3650.0});
  settings.weights.view_item = OneOf(random, {0.3f, 1.0f, 3.0f});
  return settings;
}

// One trial under way.
struct Run {
  Trial trial;
  std::optional<Model> model = {};  // after the last rung
};

class Tuner {
 public:
  Tuner(const Visits& visits, const TuneFactorizationOptions& options)
      : visits_(visits),
        options_(options),
        start_(options.start),
        start_ns_(options.clock->SteadyNs()) {}

  absl::StatusOr<FactorizationTuning> Tune() && {
    RETURN_IF_ERROR(ChooseProtocol());
    std::mt19937_64 random(options_.seed);
    std::vector<Run> runs(options_.trials);
    for (Run& run : runs) {
      run.trial.settings = &run == &runs.front() ? start_ : Draw(start_, scale_, &random);
    }
    std::vector<Run*> going;
    for (Run& run : runs) going.push_back(&run);
    for (size_t rung = 0; rung < kRungs && !out_of_budget_; ++rung) {
      RETURN_IF_ERROR(RunRung(rung, &going));
      Halve(&going);
    }
    return Conclude(runs);
  }

 private:
  double Seconds() const {
    return static_cast<double>(options_.clock->SteadyNs() - start_ns_) * 1e-9;
  }

  absl::StatusOr<Holdout> Split(const WeightSettings& weights) const {
    EvaluateOptions options;
    options.protocol = protocol_;
    options.weights = weights;
    return Holdout::Split(visits_, options);
  }

  absl::Status ChooseProtocol() {
    absl::StatusOr<Holdout> split = Split(start_.weights);
    if (absl::IsFailedPrecondition(split.status())) {
      protocol_ = Protocol::kSessions;
      split = Split(start_.weights);
    }
    RETURN_IF_ERROR(split.status());
    const SparseRows& cells = split->training().by_person;
    scale_ = {static_cast<double>(cells.cells.size()) / static_cast<double>(cells.rows()),
              static_cast<double>(cells.columns), SuitableUnobservedWeight(cells)};
    if (std::exchange(start_.als.fit_unobserved_weight, false)) {
      start_.als.unobserved_weight = static_cast<float>(scale_.unobserved_weight);
    }
    return absl::OkStatus();
  }

  // Runs that the budget does not last for drop out; the first one always runs.
  absl::Status RunRung(size_t rung, std::vector<Run*>* going) {
    double slowest = 0;
    size_t done = 0;
    for (; done < going->size(); ++done) {
      if (done > 0 && Seconds() + slowest > options_.budget_seconds) break;
      const double before = Seconds();
      RETURN_IF_ERROR(Advance(rung, (*going)[done]));
      slowest = std::max(slowest, Seconds() - before);
      if (options_.on_trial) {
        options_.on_trial(static_cast<uint32_t>(done + 1), static_cast<uint32_t>(going->size()));
      }
    }
    if (done == going->size()) return absl::OkStatus();
    out_of_budget_ = true;
    going->resize(done);
    return absl::OkStatus();
  }

  // Trains one run up to the epochs of the rung, and asks.
  absl::Status Advance(size_t rung, Run* run) {
    const double before = Seconds();
    Trial& trial = run->trial;
    ASSIGN_OR_RETURN(const Holdout holdout, Split(trial.settings.weights));
    TrainOptions train{.weights = trial.settings.weights, .als = trial.settings.als};
    train.als.epochs = kRungEpochs[rung] - (rung == 0 ? 0 : kRungEpochs[rung - 1]);
    if (run->model) train.previous = &*run->model;
    ASSIGN_OR_RETURN(run->model, TrainModel(holdout.training(), train));
    const std::vector<ListQuality> answers = Ask(holdout, *run->model, kRungCases[rung]);
    const ListQuality mean = Mean(answers);
    // More epochs may have made it worse: then it is as good as it was.
    if (trial.rungs == 0 || mean.recall + mean.ndcg > trial.quality()) {
      trial.recall = mean.recall;
      trial.ndcg = mean.ndcg;
      trial.settings.als.epochs = kRungEpochs[rung];
    }
    trial.rungs = static_cast<uint32_t>(rung + 1);
    trial.seconds += Seconds() - before;
    return absl::OkStatus();
  }

  // Every so many-th case, so that all parts of the shop have their say.
  std::vector<ListQuality> Ask(const Holdout& holdout, const Model& model, size_t cases_max) const {
    const std::vector<Case>& cases = holdout.cases();
    std::vector<ListQuality> answers(std::min(cases_max, cases.size()));
    Chunks chunks(answers.size(), kCasesPerChunk);
    RunOnThreads(start_.als.threads, [&] {
      while (const auto chunk = chunks.Next()) {
        for (size_t i = chunk->begin; i < chunk->end; ++i) {
          answers[i] = Answer(model, holdout.Ask(cases[i * cases.size() / answers.size()]));
        }
      }
    });
    return answers;
  }

  static ListQuality Mean(const std::vector<ListQuality>& answers) {
    ListQuality mean;
    for (const ListQuality& answer : answers) {
      mean.recall += answer.recall / static_cast<double>(answers.size());
      mean.ndcg += answer.ndcg / static_cast<double>(answers.size());
    }
    return mean;
  }

  static ListQuality Answer(const Model& model, const Question& question) {
    const Eigen::VectorXf taste =
        Taste(model, question.history, question.session, RankOptions().session_share);
    std::vector<uint32_t> list;
    for (const Scored& scored :
         TopProducts(model.quantized, model.factors, taste, question.exclude, kCutoff)) {
      list.push_back(scored.product);
    }
    return Judge(list, question.targets, kCutoff);
  }

  // Leaves the best third.
  static void Halve(std::vector<Run*>* going) {
    std::ranges::stable_sort(
        *going, [](const Run* a, const Run* b) { return a->trial.quality() > b->trial.quality(); });
    const size_t keep = (going->size() + kKeepOneIn - 1) / kKeepOneIn;
    for (size_t i = keep; i < going->size(); ++i) (*going)[i]->model.reset();
    going->resize(keep);
  }

  absl::StatusOr<FactorizationTuning> Conclude(const std::vector<Run>& runs) const {
    FactorizationTuning tuning;
    tuning.out_of_budget = out_of_budget_;
    for (const Run& run : runs) {
      if (run.trial.rungs > 0) tuning.trials.push_back(run.trial);
    }
    std::ranges::stable_sort(tuning.trials, [](const Trial& a, const Trial& b) {
      return a.rungs != b.rungs ? a.rungs > b.rungs : a.quality() > b.quality();
    });
    // Trained anew, as they will be, and asked the same.
    const FactorizationSettings& best = tuning.trials.front().settings;
    ASSIGN_OR_RETURN(const std::vector<ListQuality> of_best, TrainAndAsk(best));
    ASSIGN_OR_RETURN(const std::vector<ListQuality> of_start, TrainAndAsk(start_));
    enum { kCount, kBest, kStart, kColumns };
    ClusterSums sums(std::min(of_best.size(), of_start.size()), kColumns);
    for (size_t i = 0; i < sums.clusters(); ++i) {
      sums.Of(i)[kCount] = 1;
      sums.Of(i)[kBest] = static_cast<float>(of_best[i].ndcg);
      sums.Of(i)[kStart] = static_cast<float>(of_start[i].ndcg);
    }
    tuning.cases = sums.clusters();
    tuning.gain = Bootstrap(sums, kResamples, options_.seed, start_.als.threads)
                      .Difference(kBest, kStart, kCount);
    tuning.better_than_start = tuning.gain.low > 0;
    tuning.chosen = tuning.better_than_start ? best : start_;
    return tuning;
  }

  absl::StatusOr<std::vector<ListQuality>> TrainAndAsk(
      const FactorizationSettings& settings) const {
    ASSIGN_OR_RETURN(const Holdout holdout, Split(settings.weights));
    ASSIGN_OR_RETURN(const Model model, TrainModel(holdout.training(), {.weights = settings.weights,
                                                                        .als = settings.als}));
    return Ask(holdout, model, kRungCases[kRungs - 1]);
  }

  const Visits& visits_;
  const TuneFactorizationOptions& options_;
  FactorizationSettings start_;  // what it is for these data
  const int64_t start_ns_;
  Protocol protocol_ = Protocol::kLeaveLastOut;
  Scale scale_;
  bool out_of_budget_ = false;
};

}  // namespace

absl::StatusOr<FactorizationTuning> TuneFactorization(const Visits& visits,
                                                      const TuneFactorizationOptions& options) {
  RETURN_IF_ERROR(Validate(options.start.weights));
  RETURN_IF_ERROR(Validate(options.start.als));
  if (options.trials < 1 || options.trials > 1000) {
    return absl::InvalidArgumentError("trials must be 1 to 1000");
  }
  if (!(options.budget_seconds > 0)) {
    return absl::InvalidArgumentError("the budget must be more than 0 seconds");
  }
  return Tuner(visits, options).Tune();
}

Report TuningReport(const FactorizationTuning& tuning) {
  Report::Table table;
  table.name = "trials";
  table.title = "Settings that were tried";
  table.columns = {{"factors"},
                   {"unobserved weight", 5},
                   {"regularization", 6},
                   {"exponent", 1},
                   {"half-life days", 0},
                   {"view weight", 1},
                   {"epochs"},
                   {"rungs"},
                   {"recall@20", 4},
                   {"ndcg@20", 4},
                   {"seconds", 1}};
  for (const Trial& t : tuning.trials) {
    table.rows.push_back(
        {int64_t{t.settings.als.factors}, double{t.settings.als.unobserved_weight},
         double{t.settings.als.regularization}, double{t.settings.als.regularization_exponent},
         t.settings.weights.half_life_days, double{t.settings.weights.view_item},
         int64_t{t.settings.als.epochs}, int64_t{t.rungs}, t.recall, t.ndcg, t.seconds});
  }
  Report report;
  report.tables.push_back(std::move(table));
  return report;
}

}  // namespace vitrine
