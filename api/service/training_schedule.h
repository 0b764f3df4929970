// Trains the sites whose turn it is, one at a time, while a server runs.

#ifndef VITRINE_API_SERVICE_TRAINING_SCHEDULE_H_
#define VITRINE_API_SERVICE_TRAINING_SCHEDULE_H_

#include <cstdint>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "api/service/site.h"
#include "store/base/clock.h"

namespace vitrine {

// When a site is due (SiteSettings.train_every_hours after its last training, or after its model
// was made), or 0 where nobody asked for a schedule.
int64_t NextTrainingMs(const SiteSettings& settings, const TrainingRecord& last,
                       const Model* served);

// Thread-safe.
class TrainingSchedule {
 public:
  // Both must outlive this object.
  TrainingSchedule(Sites* sites, const Clock* clock) : sites_(sites), clock_(clock) {}
  ~TrainingSchedule() { Stop(); }

  // Looks every minute from now on, on a thread of its own.
  void Start();
  // Ends the thread. A training under way is given up after the epoch that it is in; the next one
  // with the same data goes on from there.
  void Stop();

  // Trains, one after the other, the sites that are due and hold anything new since their last
  // training: with the settings of the model that is served, beginning from its factors. What comes
  // of it is logged and kept (Site::last_training). How many were trained.
  int RunDue();

 private:
  bool RunIfDue(Site* site);
  bool stopping();

  Sites* const sites_;
  const Clock* const clock_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_TRAINING_SCHEDULE_H_
