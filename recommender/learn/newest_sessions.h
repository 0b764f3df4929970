// The newest sessions of a shop's history, in the order in which they ended: what the session index
// and its tuning are made of.

#ifndef VITRINE_RECOMMENDER_LEARN_NEWEST_SESSIONS_H_
#define VITRINE_RECOMMENDER_LEARN_NEWEST_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "recommender/model/session_index.h"
#include "recommender/model/settings.h"
#include "store/records_types.h"
#include "store/web_house.h"

namespace vitrine {

// Gathers acts person by person, each one's newest first, as the store gives them; a pause longer
// than the gap ends a session. Keeps at most twice what `max` allows, and gives the newest of it.
class NewestSessions {
 public:
  NewestSessions(int64_t gap_ms, const SessionIndexSettings& max) : gap_ms_(gap_ms), max_(max) {}

  // `product`: by number (model/clicks.h says what becomes a click).
  void Add(int64_t time_ms, EventKind kind, uint32_t product);
  // To be called after each person.
  void EndPerson() { EndSession(); }

  // Puts them in order; nothing can be added afterwards.
  void Finish();
  size_t size() const { return sessions_.size(); }
  size_t clicks() const { return clicks_.size(); }
  int64_t end_ms(size_t session) const { return sessions_[session].end_ms; }
  // Oldest click first.
  std::span<const uint32_t> operator[](size_t session) const {
    return {clicks_.data() + sessions_[session].begin, sessions_[session].length};
  }

 private:
  struct Act {
    int64_t time_ms = 0;
    EventKind kind = VIEW_ITEM;
    uint32_t product = 0;
  };
  struct Kept {
    int64_t end_ms = 0;
    uint64_t begin = 0;  // in clicks_
    uint32_t length = 0;
  };

  void EndSession();
  // Leaves the newest sessions that fit, in order, and `beyond` older ones: where one did not fit,
  // older ones that come later must not either, so that the order of persons leaves no trace.
  void Prune(size_t beyond);

  const int64_t gap_ms_;
  const SessionIndexSettings max_;
  std::vector<Act> acts_;  // of the session that is being added, newest first
  std::vector<uint32_t> session_;
  std::vector<Kept> sessions_;
  std::vector<uint32_t> clicks_;
};

// The newest sessions of people in `house` (a checkpoint, or a store nobody writes to), already
// finished. `number_of` gives products their numbers; acts on a product without one are left out.
// O(events).
using NumberOf = absl::FunctionRef<std::optional<uint32_t>(absl::string_view product)>;
absl::StatusOr<NewestSessions> ReadNewestSessions(const WebHouse& house,
                                                  const WeightSettings& weights,
                                                  const SessionIndexSettings& max,
                                                  NumberOf number_of);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_NEWEST_SESSIONS_H_
