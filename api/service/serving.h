// What answers on a site: a model, and what goes with this one model only. Swapped together.

#ifndef VITRINE_API_SERVICE_SERVING_H_
#define VITRINE_API_SERVICE_SERVING_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "recommender/model/catalogue.h"
#include "recommender/model/model.h"
#include "recommender/model/session_index.h"
#include "recommender/rank/fold_in.h"
#include "recommender/rank/live_ranker.h"
#include "store/base/limits.h"
#include "store/base/row_cache.h"
#include "store/base/status_macros.h"

namespace vitrine {

// Thread-safe.
struct Serving {
  // InvalidArgument if the model's settings do not fit together.
  static absl::StatusOr<std::shared_ptr<Serving>> Make(std::shared_ptr<const Model> model) {
    ASSIGN_OR_RETURN(LiveRanker ranker, LiveRanker::Make(*model));
    std::shared_ptr<Serving> serving(new Serving(std::move(model)));
    serving->Return(std::make_unique<LiveRanker>(std::move(ranker)));
    return serving;
  }

  const std::shared_ptr<const Model> model;
  Catalogue catalogue;
  RowCache<Profile> profiles{limits::kProfilesCachedMax};  // by keys::PersonPrefix

  // What people clicked lately, by numbers of the catalogue; null until it is learned.
  std::shared_ptr<SessionIndex> sessions() const {
    absl::ReaderMutexLock lock(&mutex_);
    return sessions_;
  }
  void SetSessions(std::shared_ptr<SessionIndex> sessions) {
    absl::MutexLock lock(&mutex_);
    sessions_ = std::move(sessions);
  }

  // For one request at a time; to be returned for the next one.
  std::unique_ptr<LiveRanker> BorrowRanker() {
    {
      absl::MutexLock lock(&mutex_);
      if (!rankers_.empty()) {
        std::unique_ptr<LiveRanker> ranker = std::move(rankers_.back());
        rankers_.pop_back();
        return ranker;
      }
    }
    return std::make_unique<LiveRanker>(*LiveRanker::Make(*model));  // it could be made before
  }
  void Return(std::unique_ptr<LiveRanker> ranker) {
    absl::MutexLock lock(&mutex_);
    rankers_.push_back(std::move(ranker));
  }

 private:
  explicit Serving(std::shared_ptr<const Model> served)
      : model(std::move(served)), catalogue(model) {}

  mutable absl::Mutex mutex_;
  std::vector<std::unique_ptr<LiveRanker>> rankers_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<SessionIndex> sessions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_SERVING_H_
