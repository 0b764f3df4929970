#include "recommender/offline/visits.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"

#include "store/base/status_macros.h"

namespace vitrine {
namespace {

class Loader {
 public:
  Loader(const WebHouse& house, const WeightSettings& weights) : house_(house), weights_(weights) {}

  absl::StatusOr<Visits> Load() && {
    absl::Status status;
    RETURN_IF_ERROR(house_.ForEachResolved([&](const Person& person, const Event& event) {
      if (status.ok()) status = Add(person, event);
    }));
    RETURN_IF_ERROR(status);
    EndPerson();
    return std::move(visits_);
  }

 private:
  // Events come by person, newest first.
  absl::Status Add(const Person& person, const Event& event) {
    if (weights_.Of(event.kind) <= 0 || event.items.empty()) return absl::OkStatus();
    if (person != person_) {
      EndPerson();
      RETURN_IF_ERROR(LoadSessions(person));
      person_ = person;
    }
    if (!sessions_.empty() && !sessions_.front().robot.empty()) return absl::OkStatus();
    while (session_ < sessions_.size() && event.time_ms < sessions_[session_].start_ms) ++session_;
    if (session_ == sessions_.size() || event.time_ms > sessions_[session_].end_ms) {
      return absl::FailedPreconditionError(
          "an event lies in no session: sessions must be up to date before evaluation");
    }
    const int64_t start_ms = sessions_[session_].start_ms;
    if (backwards_.empty() || backwards_.back().start_ms != start_ms) {
      backwards_.push_back({start_ms, {}});
    }
    // From the last item on, as everything here is turned round at the end.
    for (auto item = event.items.rbegin(); item != event.items.rend(); ++item) {
      backwards_.back().actions.push_back({event.time_ms, Number(item->product_id), event.kind});
    }
    return absl::OkStatus();
  }

  absl::Status LoadSessions(const Person& person) {
    sessions_.clear();
    session_ = 0;
    SessionCursor cursor = house_.SessionsOf(person);
    for (; cursor.Valid(); cursor.Next()) sessions_.push_back(cursor.value());
    return cursor.Finish();
  }

  void EndPerson() {
    if (backwards_.empty()) return;
    std::reverse(backwards_.begin(), backwards_.end());
    for (Visit& visit : backwards_) std::reverse(visit.actions.begin(), visit.actions.end());
    visits_.persons.push_back(std::exchange(backwards_, {}));
  }

  uint32_t Number(const std::string& product) {
    const auto [entry, is_new] =
        numbers_.try_emplace(product, static_cast<uint32_t>(visits_.products.size()));
    if (is_new) visits_.products.push_back(product);
    return entry->second;
  }

  const WebHouse& house_;
  const WeightSettings& weights_;
  Visits visits_;
  absl::flat_hash_map<std::string, uint32_t> numbers_;
  std::optional<Person> person_;
  std::vector<Session> sessions_;  // of person_, newest first
  size_t session_ = 0;
  std::vector<Visit> backwards_;  // of person_, everything newest first
};

}  // namespace

absl::StatusOr<Visits> LoadVisits(const WebHouse& house, const WeightSettings& weights) {
  return Loader(house, weights).Load();
}

}  // namespace vitrine
