// Offline truth: how well each method would have ranked what people did next. The whole catalogue
// is ranked, no sampled metrics; popularity and item-kNN stand in every table as controls. What is
// measured, and how each measure is defined: offline/metrics.h; how sure it is:
// offline/bootstrap.h; the methods: offline/methods.h.

#ifndef VITRINE_RECOMMENDER_EVALUATE_H_
#define VITRINE_RECOMMENDER_EVALUATE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "recommender/model/settings.h"
#include "recommender/offline/bootstrap.h"
#include "recommender/offline/metrics.h"
#include "store/base/report.h"
#include "store/web_house.h"

namespace vitrine {

struct Visits;

struct EvaluateOptions {
  enum class Protocol {
    // Each person's last session is held out, the rest is trained on; persons with one session
    // only train. One list a person.
    kLeaveLastOut,
    // What happened before a point in time is trained on; everything that a person did from then on
    // is to be found. One list a person, also for those who are new.
    kTimeSplit,
    // The newest `holdout_fraction` of sessions are held out whole; inside each, every product is
    // predicted from those before it and the person's earlier sessions.
    kSessions,
    // The visits bring their test part (Visit::test), and say what of it is asked.
    kGivenSplit,
  };

  // What is not suggested, and so is no target either.
  enum class Hide {
    kServed,   // as Recommend does: what the person bought before, or met in the visit going on
    kKnown,    // everything that the person met before
    kNothing,  // repeats are asked for
  };

  Protocol protocol = Protocol::kLeaveLastOut;
  Hide hide = Hide::kServed;
  RecallOf recall = RecallOf::kReachable;
  size_t k = 20;  // length of the lists
  // kSessions: share of the sessions. kTimeSplit without `split_ms`: share of the events.
  double holdout_fraction = 0.1;
  std::optional<int64_t> split_ms = {};  // kTimeSplit: the first moment that is held out
  size_t cases_max = 200'000;            // of more, so many are drawn
  bool tune = false;  // the session blend's settings, on the training part's newest sessions
  uint32_t resamples = 1000;  // of the bootstrap
  uint64_t seed = 1;          // of cases and resamples
  WeightSettings weights = {};
  AlsSettings als = {};  // its threads are those of the whole evaluation

  // Called on the caller's thread: what is being done, and how much of it (all: 0 if not known).
  std::function<void(absl::string_view what, int64_t done, int64_t all)> on_progress = {};
};

enum class Measure { kRecall, kNdcg, kMrr, kHitRate, kMap, kPrecision, kNovelty };
constexpr size_t kMeasures = 7;

// "recall", "ndcg", "mrr", "hr", "map", "precision", "novelty".
absl::string_view NameOf(Measure measure);

enum class Verdict {
  kBetter,   // than the best control, beyond chance: the interval of the difference is above 0
  kNoWorse,  // it has 0 in it
  kWorse,    // it is below 0
};

// Against the control that is best by a measure, on the same cases.
struct Comparison {
  std::string control;
  Interval difference;
  Verdict verdict = Verdict::kNoWorse;
};

struct MethodResult {
  std::string method;
  bool control = false;
  std::array<Interval, kMeasures> measures = {};  // means over cases
  double coverage = 0;                            // share of the catalogue suggested to anybody
  double gini = 0;                                // of how often products were suggested
  std::vector<Interval> recall_at = {};           // by Evaluation::cutoffs
  std::vector<Interval> segment_ndcg = {};        // by Evaluation::segments
  // By measure; empty for controls. Not of novelty, of which more is not better.
  std::vector<Comparison> comparisons = {};
  double seconds = 0;  // of processor time that all lists took

  const Interval& Of(Measure measure) const { return measures[static_cast<size_t>(measure)]; }
};

// Persons (or moments) of whom so much was known.
struct EvaluationSegment {
  size_t known_min = 0;  // events
  size_t known_max = 0;
  int64_t cases = 0;
};

struct Evaluation {
  EvaluateOptions options = {};
  int64_t cases = 0;      // lists that each method made
  int64_t all_cases = 0;  // that they were drawn from
  int64_t clusters = 0;   // persons that they are of
  int64_t persons = 0;    // of the training part
  int64_t products = 0;
  int64_t interactions = 0;     // different products of each person
  int64_t unknown_targets = 0;  // left out: nobody in the training part met them
  std::vector<size_t> cutoffs = {};
  std::vector<EvaluationSegment> segments = {};
  std::vector<MethodResult> methods = {};
  std::vector<Report::Message> notes = {};  // what tuning found
};

// Sessions are the store's own and must be up to date. FailedPrecondition if they are not, or if
// nothing could be held out; InvalidArgument if an option is out of range.
absl::StatusOr<Evaluation> Evaluate(const WebHouse& house, const EvaluateOptions& options);

// The same from visits in memory (offline/visits.h).
absl::StatusOr<Evaluation> Evaluate(const Visits& visits, const EvaluateOptions& options);

// `data`: what it was, as the reader knows it.
Report EvaluationReport(const Evaluation& evaluation, absl::string_view data);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_EVALUATE_H_
