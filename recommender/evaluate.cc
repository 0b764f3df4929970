#include "recommender/evaluate.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <limits>
#include <span>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/model/parallel.h"
#include "recommender/offline/holdout.h"
#include "recommender/offline/methods.h"
#include "recommender/offline/visits.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kClustersPerChunk = 16;
constexpr size_t kCutoffs[] = {1, 2, 3, 5, 10, 20, 50, 100, 200};
constexpr std::pair<size_t, size_t> kSegments[] = {
    {0, 0}, {1, 4}, {5, 19}, {20, std::numeric_limits<size_t>::max()}};

constexpr absl::string_view kMeasureNames[kMeasures] = {"recall", "ndcg",      "mrr",    "hr",
                                                        "map",    "precision", "novelty"};

size_t SegmentOf(size_t known) {
  size_t segment = 0;
  while (known > kSegments[segment].second) ++segment;
  return segment;
}

// What this thread has had of a processor: what else runs on the machine does not count.
int64_t ThreadCpuNs() {
  timespec time = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Where everything that is counted stands in a row of ClusterSums.
class Columns {
 public:
  Columns(size_t methods, size_t cutoffs) : methods_(methods), cutoffs_(cutoffs) {}

  size_t size() const { return MethodBegin(methods_); }
  size_t Cases() const { return 0; }
  size_t SegmentCases(size_t segment) const { return 1 + segment; }
  size_t Of(size_t method, Measure measure) const {
    return MethodBegin(method) + static_cast<size_t>(measure);
  }
  size_t SegmentNdcg(size_t method, size_t segment) const {
    return MethodBegin(method) + kMeasures + segment;
  }
  size_t RecallAt(size_t method, size_t cutoff) const {
    return MethodBegin(method) + kMeasures + std::size(kSegments) + cutoff;
  }

 private:
  size_t MethodBegin(size_t method) const {
    return 1 + std::size(kSegments) + method * (kMeasures + std::size(kSegments) + cutoffs_);
  }

  size_t methods_;
  size_t cutoffs_;
};

// Answers every case by every method, and adds up how good the lists are.
class Judging {
 public:
  Judging(const Holdout& holdout, const std::vector<Method>& methods,
          const EvaluateOptions& options)
      : holdout_(holdout),
        methods_(methods),
        options_(options),
        cutoffs_(CutoffsUpTo(options.k)),
        columns_(methods.size(), cutoffs_.size()),
        cluster_begin_(ClustersOf(holdout.cases())),
        sums_(cluster_begin_.size() - 1, columns_.size()) {
    const SparseRows& by_person = holdout.training().by_person;
    std::vector<uint64_t> with(holdout.training().products.size());
    for (const Cell& cell : by_person.cells) ++with[cell.index];
    for (const uint64_t persons : with) {
      novelty_.push_back(SelfInformation(persons, by_person.rows()));
    }
    for (size_t m = 0; m < methods.size(); ++m) exposures_.emplace_back(with.size());
    nanoseconds_ = std::vector<std::atomic<int64_t>>(methods.size());
  }

  // A cluster is one thread's, so that its sums do not depend on the threads.
  void Judge() {
    const std::thread::id caller = std::this_thread::get_id();
    const auto clusters = static_cast<int64_t>(sums_.clusters());
    Chunks chunks(sums_.clusters(), kClustersPerChunk);
    RunOnThreads(options_.als.threads, [&] {
      std::vector<Ranker> rankers;
      for (const Method& method : methods_) rankers.push_back(method.make());
      while (const auto chunk = chunks.Next()) {
        if (options_.on_progress && std::this_thread::get_id() == caller) {
          options_.on_progress("ranking", static_cast<int64_t>(chunk->begin), clusters);
        }
        for (size_t c = chunk->begin; c < chunk->end; ++c) JudgeCluster(c, rankers);
      }
    });
  }

  const std::vector<size_t>& cutoffs() const { return cutoffs_; }
  const Columns& columns() const { return columns_; }
  const ClusterSums& sums() const { return sums_; }
  // How often a method suggested each product.
  std::vector<uint64_t> Exposures(size_t method) const {
    return {exposures_[method].begin(), exposures_[method].end()};
  }
  double Seconds(size_t method) const { return static_cast<double>(nanoseconds_[method]) / 1e9; }

 private:
  static std::vector<size_t> CutoffsUpTo(size_t k) {
    std::vector<size_t> cutoffs;
    for (const size_t cutoff : kCutoffs) {
      if (cutoff < k) cutoffs.push_back(cutoff);
    }
    cutoffs.push_back(k);
    return cutoffs;
  }

  // The first case of each person, and how many cases there are. Cases are ordered by person.
  static std::vector<size_t> ClustersOf(const std::vector<Case>& cases) {
    std::vector<size_t> begin;
    for (size_t c = 0; c < cases.size(); ++c) {
      if (c == 0 || cases[c].person != cases[c - 1].person) begin.push_back(c);
    }
    begin.push_back(cases.size());
    return begin;
  }

  void JudgeCluster(size_t cluster, const std::vector<Ranker>& rankers) {
    const std::span<float> row = sums_.Of(cluster);
    std::vector<uint32_t> list;
    for (size_t c = cluster_begin_[cluster]; c < cluster_begin_[cluster + 1]; ++c) {
      const Question question = holdout_.Ask(holdout_.cases()[c]);
      row[columns_.Cases()] += 1;
      row[columns_.SegmentCases(SegmentOf(question.known))] += 1;
      for (size_t m = 0; m < rankers.size(); ++m) {
        const int64_t start_ns = ThreadCpuNs();
        rankers[m](question, options_.k, &list);
        nanoseconds_[m] += ThreadCpuNs() - start_ns;
        JudgeList(m, question, list, row);
      }
    }
  }

  void JudgeList(size_t m, const Question& question, std::span<const uint32_t> list,
                 std::span<float> row) {
    const auto add = [&](size_t column, double value) { row[column] += static_cast<float>(value); };
    ListQuality whole;
    for (size_t i = 0; i < cutoffs_.size(); ++i) {
      whole = vitrine::Judge(list, question.targets, cutoffs_[i], options_.recall);
      add(columns_.RecallAt(m, i), whole.recall);
    }
    add(columns_.Of(m, Measure::kRecall), whole.recall);
    add(columns_.Of(m, Measure::kNdcg), whole.ndcg);
    add(columns_.Of(m, Measure::kMrr), whole.reciprocal_rank);
    add(columns_.Of(m, Measure::kHitRate), whole.hit);
    add(columns_.Of(m, Measure::kMap), whole.average_precision);
    add(columns_.Of(m, Measure::kPrecision), whole.precision);
    add(columns_.SegmentNdcg(m, SegmentOf(question.known)), whole.ndcg);
    double novelty = 0;
    for (const uint32_t product : list) {
      novelty += novelty_[product];
      exposures_[m][product].fetch_add(1, std::memory_order_relaxed);
    }
    if (!list.empty()) {
      add(columns_.Of(m, Measure::kNovelty), novelty / static_cast<double>(list.size()));
    }
  }

  const Holdout& holdout_;
  const std::vector<Method>& methods_;
  const EvaluateOptions& options_;
  const std::vector<size_t> cutoffs_;
  const Columns columns_;
  const std::vector<size_t> cluster_begin_;
  ClusterSums sums_;
  std::vector<double> novelty_;  // by product
  std::vector<std::vector<std::atomic<uint64_t>>> exposures_;
  std::vector<std::atomic<int64_t>> nanoseconds_;
};

MethodResult ResultOf(size_t m, const Method& method, const Judging& judging,
                      const Bootstrap& bootstrap) {
  const Columns& columns = judging.columns();
  const std::vector<uint64_t> exposures = judging.Exposures(m);
  MethodResult result{.method = method.name,
                      .control = method.control,
                      .coverage = Coverage(exposures),
                      .gini = Gini(exposures),
                      .seconds = judging.Seconds(m)};
  for (size_t i = 0; i < kMeasures; ++i) {
    result.measures[i] = bootstrap.Mean(columns.Of(m, static_cast<Measure>(i)), columns.Cases());
  }
  for (size_t i = 0; i < judging.cutoffs().size(); ++i) {
    result.recall_at.push_back(bootstrap.Mean(columns.RecallAt(m, i), columns.Cases()));
  }
  for (size_t s = 0; s < std::size(kSegments); ++s) {
    result.segment_ndcg.push_back(
        bootstrap.Mean(columns.SegmentNdcg(m, s), columns.SegmentCases(s)));
  }
  return result;
}

// The control that is best by a measure; none if there is no control.
std::optional<size_t> BestControl(const std::vector<MethodResult>& methods, Measure measure) {
  std::optional<size_t> best;
  for (size_t m = 0; m < methods.size(); ++m) {
    if (!methods[m].control) continue;
    if (!best || methods[m].Of(measure).value > methods[*best].Of(measure).value) best = m;
  }
  return best;
}

void Compare(const Columns& columns, const Bootstrap& bootstrap,
             std::vector<MethodResult>* methods) {
  for (size_t i = 0; i < kMeasures; ++i) {
    const auto measure = static_cast<Measure>(i);
    const std::optional<size_t> control = BestControl(*methods, measure);
    if (!control || measure == Measure::kNovelty) continue;
    for (size_t m = 0; m < methods->size(); ++m) {
      if ((*methods)[m].control) continue;
      const Interval difference = bootstrap.Difference(
          columns.Of(m, measure), columns.Of(*control, measure), columns.Cases());
      const Verdict verdict = difference.low > 0    ? Verdict::kBetter
                              : difference.high < 0 ? Verdict::kWorse
                                                    : Verdict::kNoWorse;
      (*methods)[m].comparisons.push_back({(*methods)[*control].method, difference, verdict});
    }
  }
}

absl::Status Validate(const EvaluateOptions& options) {
  RETURN_IF_ERROR(Validate(options.weights));
  RETURN_IF_ERROR(Validate(options.als));
  if (options.k == 0 || options.k > limits::kSuggestionsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("k must be 1 to ", limits::kSuggestionsMax, ", not ", options.k));
  }
  if (!(options.holdout_fraction > 0 && options.holdout_fraction < 1)) {
    return absl::InvalidArgumentError("holdout_fraction must lie between 0 and 1");
  }
  if (options.cases_max == 0 || options.cases_max > limits::kEvaluatedCasesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("cases_max must be 1 to ", limits::kEvaluatedCasesMax));
  }
  if (options.resamples == 0 || options.resamples > limits::kResamplesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("resamples must be 1 to ", limits::kResamplesMax));
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view NameOf(Measure measure) { return kMeasureNames[static_cast<size_t>(measure)]; }

absl::StatusOr<Evaluation> Evaluate(const WebHouse& house, const EvaluateOptions& options) {
  RETURN_IF_ERROR(Validate(options));
  ASSIGN_OR_RETURN(const Visits visits, LoadVisits(house, options.weights));
  return Evaluate(visits, options);
}

absl::StatusOr<Evaluation> Evaluate(const Visits& visits, const EvaluateOptions& options) {
  RETURN_IF_ERROR(Validate(options));
  ASSIGN_OR_RETURN(const Holdout holdout, Holdout::Split(visits, options));
  ASSIGN_OR_RETURN(Learned learned, Learn(holdout, options));
  const std::vector<Method> methods = MethodsOf(learned);
  Judging judging(holdout, methods, options);
  judging.Judge();
  if (options.on_progress) options.on_progress("drawing again", 0, 0);
  const Bootstrap bootstrap(judging.sums(), options.resamples, options.seed, options.als.threads);

  Evaluation evaluation{
      .options = options,
      .cases = static_cast<int64_t>(holdout.cases().size()),
      .all_cases = holdout.all_cases(),
      .clusters = static_cast<int64_t>(judging.sums().clusters()),
      .persons = static_cast<int64_t>(holdout.training().by_person.rows()),
      .products = static_cast<int64_t>(holdout.training().products.size()),
      .interactions = static_cast<int64_t>(holdout.training().by_person.cells.size()),
      .unknown_targets = holdout.unknown_targets(),
      .cutoffs = judging.cutoffs(),
      .notes = learned.notes};
  for (size_t s = 0; s < std::size(kSegments); ++s) {
    double cases = 0;
    for (size_t c = 0; c < judging.sums().clusters(); ++c) {
      cases += static_cast<double>(judging.sums().Of(c)[judging.columns().SegmentCases(s)]);
    }
    evaluation.segments.push_back(
        {kSegments[s].first, kSegments[s].second, static_cast<int64_t>(cases)});
  }
  for (size_t m = 0; m < methods.size(); ++m) {
    evaluation.methods.push_back(ResultOf(m, methods[m], judging, bootstrap));
  }
  Compare(judging.columns(), bootstrap, &evaluation.methods);
  return evaluation;
}

}  // namespace vitrine
