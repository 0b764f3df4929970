// What a training was asked, what came of it, and what is remembered of it.

#ifndef VITRINE_API_SERVICE_TRAINING_RECORD_H_
#define VITRINE_API_SERVICE_TRAINING_RECORD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "recommender/model/model.h"
#include "recommender/offline/gate.h"
#include "recommender/offline/list_learning.h"

namespace vitrine {

// What is up to a training of a site beyond TrainOptions (vitrine.thrift, TrainRequest).
struct TrainWishes {
  bool warm = false;
  bool early_stop = false;
  bool force = false;
  bool learn_lists = false;
};

struct TrainOutcome {
  std::shared_ptr<const Model> model;  // the new one
  GateVerdict verdict;
  std::optional<LearnedLists> lists;  // where it was asked for
  bool published = false;
};

// The last training of a site, as <site>/models/LAST_TRAINING keeps it.
struct TrainingRecord {
  int64_t started_ms = 0;  // 0: there was none
  double seconds = 0;
  int64_t events = 0;  // that the site held when it began
  // "published", "worse" (than the model that is served, which stays), "failed".
  std::string outcome;
  std::string model_id;
  int64_t gate_visits = 0;
  double gate_ndcg = 0;
  double gate_served_ndcg = 0;
  std::string problem;  // of one that failed

  void Describe(const absl::StatusOr<TrainOutcome>& result);
};

// `site_directory` is the site's folder. NotFound if there was no training.
absl::StatusOr<TrainingRecord> ReadTrainingRecord(const std::string& site_directory);
absl::Status WriteTrainingRecord(const TrainingRecord& record, const std::string& site_directory);

// Thread-safe.
class LastTraining {
 public:
  TrainingRecord Get() const {
    absl::ReaderMutexLock lock(&mutex_);
    return record_;
  }
  void Set(const TrainingRecord& record) {
    absl::MutexLock lock(&mutex_);
    record_ = record;
  }

 private:
  mutable absl::Mutex mutex_;
  TrainingRecord record_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_TRAINING_RECORD_H_
