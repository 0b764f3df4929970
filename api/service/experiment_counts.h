// What experiments counted, kept between reports of them, so that the next report counts only who
// did something since.

#ifndef VITRINE_API_SERVICE_EXPERIMENT_COUNTS_H_
#define VITRINE_API_SERVICE_EXPERIMENT_COUNTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "store/web_house.h"

namespace vitrine {

namespace experiments {
struct ExperimentCounts;  // experiments/analysis/experiment_counts.h
}  // namespace experiments

// Of one site. Thread-safe. Memory: that of a UnitCounter for each of the limits::kOutcomesKeptMax
// experiments that were asked for last; nothing, and hardly any time, before one is.
class KeptExperimentCounts {
 public:
  KeptExperimentCounts();
  ~KeptExperimentCounts();

  // Reads a whole copy of the site, and removes it.
  using ReadCopy =
      std::function<absl::Status(const std::function<absl::Status(const WebHouse&)>& read)>;

  // As of now, or of a moment since this was called. `house` is the site's own. The first time, and
  // whenever so much changed that it is no dearer, all units are read from a copy, else those that
  // changed from `house`. Two who ask for one experiment get it one after the other.
  absl::StatusOr<experiments::ExperimentCounts> Count(const Experiment& experiment,
                                                      const WebHouse& house,
                                                      const ReadCopy& read_copy);

  // Whether there is anything to tell.
  bool wanted() const;
  // Something was written of these persons, and can be read. They are counted again.
  void NoteChanged(std::span<const Person> persons);
  // These shelves were.
  void NoteShown(std::span<const Exposure> shelves);
  // So was something of everybody, or of nobody knows whom.
  void Forget();

 private:
  struct Kept;

  std::shared_ptr<Kept> Find(const std::string& id);
  // Takes what changed; false: all did.
  bool Take(Kept* kept, std::vector<Person>* changed);
  absl::Status CountAll(const Experiment& experiment, const ReadCopy& read_copy, Kept* kept);
  absl::Status CountChanged(const WebHouse& house, const std::vector<Person>& changed, Kept* kept);
  void Note(Kept* kept, Person person) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Kept>> kept_ ABSL_GUARDED_BY(mutex_);
  int64_t asked_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_EXPERIMENT_COUNTS_H_
