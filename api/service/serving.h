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
#include "recommender/placements/assortment.h"
#include "recommender/placements/rank_memo.h"
#include "recommender/rank/fold_in.h"
#include "recommender/rank/live_ranker.h"
#include "recommender/rank/trends.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/row_cache.h"
#include "store/base/status_macros.h"

namespace vitrine {

// A person as requests want to have them, and what was worked out for the last one.
struct KnownPerson {
  Profile profile;
  RankMemo memo;
};

// Thread-safe.
struct Serving {
  // InvalidArgument if the model's settings do not fit together.
  static absl::StatusOr<std::shared_ptr<Serving>> Make(std::shared_ptr<const Model> model) {
    ASSIGN_OR_RETURN(LiveRanker ranker, LiveRanker::Make(*model));
    ASSIGN_OR_RETURN(std::unique_ptr<Trends> trends, Trends::Make({}, &Clock::System()));
    std::shared_ptr<Serving> serving(new Serving(std::move(model), std::move(trends)));
    serving->Return(std::make_unique<LiveRanker>(std::move(ranker)));
    return serving;
  }

  const std::shared_ptr<const Model> model;
  Catalogue catalogue;
  RowCache<KnownPerson> profiles{limits::kProfilesCachedMax};  // by keys::PersonPrefix

  // What is popular and on the rise now, by numbers of the catalogue.
  const std::unique_ptr<Trends> trends;

  // What the catalogue says as a whole; null until it was looked at.
  std::shared_ptr<const Assortment> assortment() const {
    absl::ReaderMutexLock lock(&mutex_);
    return assortment_;
  }
  void SetAssortment(std::shared_ptr<const Assortment> assortment) {
    absl::MutexLock lock(&mutex_);
    assortment_ = std::move(assortment);
  }

  // This came into the catalogue just now; and the last ones that did, the last one first, no
  // product twice.
  void NoteNew(uint32_t number) {
    absl::MutexLock lock(&mutex_);
    std::erase(noted_, number);
    noted_.insert(noted_.begin(), number);
    if (noted_.size() > limits::kSuggestionsMax) noted_.pop_back();
  }
  std::vector<uint32_t> noted() const {
    absl::ReaderMutexLock lock(&mutex_);
    return noted_;
  }

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
  // That wait for the next request.
  size_t rankers() const {
    absl::ReaderMutexLock lock(&mutex_);
    return rankers_.size();
  }

 private:
  Serving(std::shared_ptr<const Model> served, std::unique_ptr<Trends> watched)
      : model(std::move(served)), catalogue(model), trends(std::move(watched)) {}

  mutable absl::Mutex mutex_;
  std::vector<std::unique_ptr<LiveRanker>> rankers_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<SessionIndex> sessions_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Assortment> assortment_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint32_t> noted_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_SERVING_H_
