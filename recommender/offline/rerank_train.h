// Trees that put the head of a blend's list in order, learned with XGBoost from what people clicked
// next: a softmax over the candidates of one question (ListNet's top-one loss: Cao et al., ICML
// 2007, with one target), so that what counts is the order within a question.

#ifndef VITRINE_RECOMMENDER_OFFLINE_RERANK_TRAIN_H_
#define VITRINE_RECOMMENDER_OFFLINE_RERANK_TRAIN_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

#include "recommender/model/rerank_trees.h"
#include "recommender/model/session_settings.h"
#include "recommender/offline/session_log.h"

namespace vitrine {

struct RerankOptions {
  size_t questions = 50'000;  // at most that are learned from
  uint32_t trees = 200;       // at most
  uint32_t depth = 5;         // at most TreeEnsemble::kDepthMax
  float learning_rate = 0.1f;
  float l2 = 5;            // XGBoost's lambda
  float child_weight = 2;  // XGBoost's min_child_weight
  double stopping = 0.15;  // share of the questions, the last, that decide how many trees; 0: all
  uint64_t seed = 1;
  uint32_t threads = 2;
};

struct RerankTraining {
  std::string json = {};  // XGBoost's own form; the first `trees.trees()` of it are used
  TreeEnsemble trees = {};
  size_t questions = 0;  // learned from
};

// Learns from questions about sessions that are not in the index, in the order of time.
// FailedPrecondition where there are fewer than 200 whose target is among the candidates; Internal
// if XGBoost fails, or if our walk and its own disagree by more than 1e-4.
absl::StatusOr<RerankTraining> TrainReranker(const SessionIndex& index,
                                             const SessionQuestions& questions,
                                             const BlendSettings& blend,
                                             const RerankOptions& options);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_RERANK_TRAIN_H_
