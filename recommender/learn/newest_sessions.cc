#include "recommender/learn/newest_sessions.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "recommender/learn/people.h"
#include "recommender/model/clicks.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {

void NewestSessions::Add(int64_t time_ms, EventKind kind, uint32_t product) {
  if (!acts_.empty() && acts_.back().time_ms - time_ms > gap_ms_) EndSession();
  acts_.push_back({time_ms, kind, product});
}

void NewestSessions::EndSession() {
  if (acts_.empty()) return;
  session_.clear();
  for (size_t i = acts_.size(); i-- > 0;) AppendClick(acts_[i].kind, acts_[i].product, &session_);
  const size_t length = std::min(session_.size(), limits::kSessionClicksMax);
  sessions_.push_back({acts_.front().time_ms, clicks_.size(), static_cast<uint32_t>(length)});
  clicks_.insert(clicks_.end(), session_.end() - static_cast<ptrdiff_t>(length), session_.end());
  acts_.clear();
  if (sessions_.size() >= 2 * max_.sessions || clicks_.size() >= 2 * max_.clicks) Prune(1);
}

void NewestSessions::Prune(size_t beyond) {
  std::ranges::stable_sort(sessions_, {}, &Kept::end_ms);
  size_t keep = 0, clicks = 0;
  while (keep < std::min(sessions_.size(), max_.sessions)) {
    clicks += sessions_[sessions_.size() - 1 - keep].length;
    if (clicks > max_.clicks) break;
    ++keep;
  }
  keep = std::min(sessions_.size(), keep + beyond);
  sessions_.erase(sessions_.begin(), sessions_.end() - static_cast<ptrdiff_t>(keep));
  std::vector<uint32_t> kept;
  for (Kept& session : sessions_) {
    const auto begin = clicks_.begin() + static_cast<ptrdiff_t>(session.begin);
    session.begin = kept.size();
    kept.insert(kept.end(), begin, begin + session.length);
  }
  clicks_ = std::move(kept);
}

void NewestSessions::Finish() {
  EndSession();
  Prune(0);
}

absl::StatusOr<NewestSessions> ReadNewestSessions(const WebHouse& house,
                                                  const WeightSettings& weights,
                                                  const SessionIndexSettings& max,
                                                  NumberOf number_of) {
  NewestSessions sessions(house.GetSettings().session_gap_ms, max);
  std::optional<Person> current;
  RETURN_IF_ERROR(ForEachEventOfPeople(house, [&](const Person& person, const Event& event) {
    if (weights.Of(event.kind) <= 0) return;
    if (person != current) {
      sessions.EndPerson();
      current = person;
    }
    // What comes out is turned round.
    for (auto item = event.items.rbegin(); item != event.items.rend(); ++item) {
      if (const auto number = number_of(item->product_id)) {
        sessions.Add(event.time_ms, event.kind, *number);
      }
    }
  }));
  sessions.Finish();
  return sessions;
}

}  // namespace vitrine
