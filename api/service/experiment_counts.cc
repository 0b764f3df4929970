#include "api/service/experiment_counts.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"

#include "experiments/analysis/unit_counter.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {

using experiments::UnitCounter;

struct KeptExperimentCounts::Kept {
  absl::Mutex counting;                // held while units are read
  std::unique_ptr<UnitCounter> units;  // guarded by it; null: all are to be read
  // These are guarded by mutex_ of the whole.
  absl::flat_hash_set<Person> changed;
  bool all_changed = true;
  int64_t asked = 0;
};

KeptExperimentCounts::KeptExperimentCounts() = default;
KeptExperimentCounts::~KeptExperimentCounts() = default;

absl::StatusOr<experiments::ExperimentCounts> KeptExperimentCounts::Count(
    const Experiment& experiment, const WebHouse& house, const ReadCopy& read_copy) {
  const std::shared_ptr<Kept> kept = Find(experiment.id);
  absl::MutexLock lock(&kept->counting);
  std::vector<Person> changed;
  const bool some = Take(kept.get(), &changed);
  absl::Status status;
  if (some && kept->units != nullptr && kept->units->CountsAlike(experiment)) {
    status = CountChanged(house, changed, kept.get());
  } else {
    status = CountAll(experiment, read_copy, kept.get());
  }
  if (!status.ok()) {
    kept->units = nullptr;
    return status;
  }
  return kept->units->Counts();
}

absl::Status KeptExperimentCounts::CountAll(const Experiment& experiment, const ReadCopy& read_copy,
                                            Kept* kept) {
  kept->units = std::make_unique<UnitCounter>(experiment);
  return read_copy([kept](const WebHouse& copy) {
    return kept->units->CountAll(copy, /*on_progress=*/nullptr);
  });
}

absl::Status KeptExperimentCounts::CountChanged(const WebHouse& house,
                                                const std::vector<Person>& changed, Kept* kept) {
  absl::flat_hash_set<Person> persons(changed.begin(), changed.end());
  for (const Person& person : changed) {
    if (person.kind != Person::Kind::kVisitor) continue;
    ASSIGN_OR_RETURN(const std::vector<std::string> customers, house.CustomersOf(person.id));
    for (const std::string& customer : customers) persons.insert(Person::Customer(customer));
  }
  // Whether somebody is a robot shows when their rows are derived: until then they may change again
  // without having done anything.
  for (const Person& person : persons) {
    ASSIGN_OR_RETURN(const uint64_t mark, house.MarkOf(person));
    if (mark == 0) continue;
    absl::MutexLock lock(&mutex_);
    Note(kept, person);
  }
  return kept->units->CountAgain(house, {persons.begin(), persons.end()});
}

bool KeptExperimentCounts::wanted() const {
  absl::ReaderMutexLock lock(&mutex_);
  return !kept_.empty();
}

void KeptExperimentCounts::NoteChanged(std::span<const Person> persons) {
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, kept] : kept_) {
    for (const Person& person : persons) Note(kept.get(), person);
  }
}

void KeptExperimentCounts::NoteShown(std::span<const Exposure> shelves) {
  absl::MutexLock lock(&mutex_);
  for (const Exposure& shelf : shelves) {
    for (const ExposedArm& arm : shelf.arms) {
      const auto kept = kept_.find(arm.experiment);
      if (kept == kept_.end()) continue;
      if (shelf.__isset.customer_id) Note(kept->second.get(), Person::Customer(shelf.customer_id));
      if (shelf.__isset.visitor_id) Note(kept->second.get(), Person::Visitor(shelf.visitor_id));
    }
  }
}

void KeptExperimentCounts::Forget() {
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, kept] : kept_) {
    kept->all_changed = true;
    kept->changed.clear();
  }
}

void KeptExperimentCounts::Note(Kept* kept, Person person) {
  if (kept->all_changed) return;
  kept->changed.insert(std::move(person));
  if (kept->changed.size() <= limits::kOutcomesChangedMax) return;
  kept->all_changed = true;
  kept->changed.clear();
}

std::shared_ptr<KeptExperimentCounts::Kept> KeptExperimentCounts::Find(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<Kept>& kept = kept_[id];
  if (kept == nullptr) kept = std::make_shared<Kept>();
  kept->asked = ++asked_;
  const std::shared_ptr<Kept> found = kept;
  if (kept_.size() > limits::kOutcomesKeptMax) {
    kept_.erase(std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
      return a.second->asked < b.second->asked;
    }));
  }
  return found;
}

// What comes from now on is for the next time.
bool KeptExperimentCounts::Take(Kept* kept, std::vector<Person>* changed) {
  absl::MutexLock lock(&mutex_);
  const bool some = !std::exchange(kept->all_changed, false);
  changed->assign(kept->changed.begin(), kept->changed.end());
  kept->changed.clear();
  return some;
}

}  // namespace vitrine
