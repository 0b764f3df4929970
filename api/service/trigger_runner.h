// Runs the triggers of every site of this process, now and then, on a thread that gives way to
// requests (recommender/outreach/trigger_engine.h). Their folder is <site>/outreach.

#ifndef VITRINE_API_SERVICE_TRIGGER_RUNNER_H_
#define VITRINE_API_SERVICE_TRIGGER_RUNNER_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

#include "api/service/site.h"
#include "recommender/outreach/trigger_engine.h"
#include "store/base/clock.h"

namespace vitrine {

class TriggerRunner {
 public:
  // Both must outlive this object.
  TriggerRunner(Sites* sites, const Clock* clock) : sites_(sites), clock_(clock) {}
  ~TriggerRunner() { Stop(); }

  void Start();
  // What is under way is finished.
  void Stop();

  // One run of one site, by this thread. Nothing where it has no triggers.
  absl::Status RunOnce(Site* site);

 private:
  void Loop();

  Sites* const sites_;
  const Clock* const clock_;
  absl::flat_hash_map<std::string, std::unique_ptr<TriggerEngine>> engines_;  // of the thread
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_TRIGGER_RUNNER_H_
