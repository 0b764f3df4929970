// Offline truth: how well each method would have ranked what people did next. The whole catalogue
// is ranked, no sampled metrics; popularity and item-kNN stand in every table as controls.

#ifndef VITRINE_RECOMMENDER_EVALUATE_H_
#define VITRINE_RECOMMENDER_EVALUATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/model/settings.h"
#include "store/base/report.h"
#include "store/web_house.h"

namespace vitrine {

struct Visits;

struct EvaluateOptions {
  enum class Protocol {
    // Each person's last session is held out, the rest is trained on; persons with one session
    // only train. Targets are the held-out products that the person had not bought before.
    kLeaveLastOut,
    // The newest `holdout_fraction` of sessions are held out whole; inside each, every product is
    // predicted, when it first appears, from those before it and the person's earlier sessions.
    kSessions,
  };

  Protocol protocol = Protocol::kLeaveLastOut;
  size_t k = 20;                  // cutoff of Recall and NDCG (kSessions: Recall and MRR)
  double holdout_fraction = 0.1;  // kSessions only
  WeightSettings weights = {};
  AlsSettings als = {};
};

struct MethodResult {
  std::string method;   // "ials", "item-knn", "popularity"
  double recall = 0;    // mean over cases of hits / min(k, targets)
  double ndcg = 0;      // binary gains, log2 discount
  double mrr = 0;       // of the first hit within k
  double coverage = 0;  // share of the catalogue that was suggested to anybody
};

struct Evaluation {
  EvaluateOptions options = {};
  int64_t cases = 0;     // persons or predictions
  int64_t products = 0;  // of the training part
  std::vector<MethodResult> methods = {};
};

// Products that nobody met in the training part cannot be ranked by any of the methods and are no
// targets. Sessions are the store's own and must be up to date. FailedPrecondition if they are not,
// or if nothing could be held out; InvalidArgument if an option is out of range.
absl::StatusOr<Evaluation> Evaluate(const WebHouse& house, const EvaluateOptions& options);

// The same from visits in memory (offline/visits.h).
absl::StatusOr<Evaluation> Evaluate(const Visits& visits, const EvaluateOptions& options);

Report EvaluationReport(const Evaluation& evaluation);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_EVALUATE_H_
