// What answers on a site: a model, and what goes with this one model only. Swapped together.

#ifndef VITRINE_API_SERVICE_SERVING_H_
#define VITRINE_API_SERVICE_SERVING_H_

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "recommender/model/catalogue.h"
#include "recommender/model/model.h"
#include "recommender/model/session_index.h"
#include "recommender/rank/fold_in.h"
#include "store/base/limits.h"
#include "store/base/row_cache.h"

namespace vitrine {

// Thread-safe.
struct Serving {
  explicit Serving(std::shared_ptr<const Model> served)
      : model(std::move(served)), catalogue(model) {}

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

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<SessionIndex> sessions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_SERVING_H_
