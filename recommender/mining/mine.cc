#include "recommender/mining/mine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "recommender/mining/visit.h"
#include "store/base/crc32c.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr int64_t kProgressEvents = 1 << 14;
constexpr int64_t kMinCountMin = 2;  // once is no pattern

absl::Status Validate(const MineOptions& options) {
  if (options.top < 1 || options.top > limits::kMinedRowsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("top: ", options.top, " is not between 1 and ", limits::kMinedRowsMax));
  }
  if (!(options.min_support > 0 && options.min_support <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("min_support: ", options.min_support, " is not above 0 and at most 1"));
  }
  if (options.from && options.to && *options.from > *options.to) {
    return absl::InvalidArgumentError("from: lies after to");
  }
  return absl::OkStatus();
}

// Keys are in the order of kind and id.
bool Before(const Person& a, const Person& b) {
  return a.kind != b.kind ? a.kind < b.kind : a.id < b.id;
}

// Of a session that no page is known of, nobody knows how it came.
std::optional<ReferrerClass> ReferrerOf(const Session& session) {
  const bool says_nothing =
      session.referrer_class == ReferrerClass::DIRECT && !session.__isset.landing_url;
  return says_nothing ? std::nullopt : std::make_optional(session.referrer_class);
}

// Sessions and events, both by person and newest first, side by side.
class Miner {
 public:
  Miner(const WebHouse& house, const MineOptions& options)
      : house_(house), options_(options), sessions_(house.Sessions()) {
    mining_.options = options;
  }

  absl::StatusOr<Mining> Run() && {
    OpenSession();
    const absl::Status events_read = house_.ForEachResolved(
        [this](const Person& person, const Event& event) { Take(person, event); });
    while (sessions_.Valid()) CloseSession();
    EndPerson();
    RETURN_IF_ERROR(sessions_.Finish());
    RETURN_IF_ERROR(events_read);
    RETURN_IF_ERROR(FindPatterns());
    return std::move(mining_);
  }

 private:
  absl::CivilDay DayOf(const Session& session) const {
    return absl::ToCivilDay(absl::FromUnixMillis(session.start_ms), options_.time_zone);
  }

  // Whether the session is a person's and began within the days asked for.
  bool Counts(const Session& session) {
    const absl::CivilDay day = DayOf(session);
    if ((options_.from && day < *options_.from) || (options_.to && day > *options_.to))
      return false;
    if (session.robot.empty()) return true;
    ++mining_.robot_sessions;
    return false;
  }

  // Takes the session at the cursor, if there is one.
  void OpenSession() {
    if (!sessions_.Valid()) return;
    const Person person = sessions_.person();
    if (person != person_) {
      EndPerson();
      person_ = person;
    }
    counts_ = Counts(sessions_.value());
    taken_.clear();
    length_ = 0;
  }

  // All of the open session's events are taken.
  void CloseSession() {
    if (counts_) {
      if (length_ > taken_.size()) ++mining_.cut_visits;
      std::reverse(taken_.begin(), taken_.end());
      visit_ = ReadVisit(std::move(taken_));
      Count(sessions_.value());
    }
    sessions_.Next();
    OpenSession();
  }

  // An event is part of the session that spans it; sessions before it in the order of keys are
  // done.
  void Take(const Person& person, const Event& event) {
    if (++events_read_ % kProgressEvents == 0 && options_.on_progress) {
      options_.on_progress(events_read_);
    }
    while (sessions_.Valid() &&
           (Before(*person_, person) ||
            (*person_ == person && sessions_.value().start_ms > event.time_ms))) {
      CloseSession();
    }
    if (!sessions_.Valid() || *person_ != person || event.time_ms > sessions_.value().end_ms) {
      ++mining_.pending_events;
      return;
    }
    ++length_;
    if (counts_ && length_ <= limits::kMinedVisitEventsMax) taken_.push_back(event);
  }

  void Count(const Session& session) {
    const auto add = [&session](Conversion* to) {
      ++to->sessions;
      to->with_order += session.orders > 0 ? 1 : 0;
    };
    if (std::exchange(person_counts_, true) == false) ++mining_.visitors;
    mining_.orders += session.orders;
    add(&mining_.all);
    add(&mining_.by_day[DayOf(session)]);
    add(&mining_.by_channel[session.channel]);
    add(&mining_.by_device[session.device]);
    add(&mining_.by_referrer[ReferrerOf(session)]);
    ++mining_.furthest[static_cast<size_t>(session.stage) - 1];
    CountVisit(session);
  }

  void CountVisit(const Session& session) {
    mining_.page_views += static_cast<int64_t>(visit_.pages.size() - visit_.inferred);
    mining_.inferred_views += static_cast<int64_t>(visit_.inferred);
    if (!visit_.pages.empty()) {
      mining_.entries.Add(visit_.pages.front().exact);
      mining_.exits.Add(visit_.pages.back().exact);
    }
    std::vector<std::string> pages;
    for (const Page& page : visit_.pages) {
      pages.push_back(options_.group_pages ? page.group : page.exact);
    }
    mining_.flow.Add(pages);
    for (const SearchOutcome& search : visit_.searches) {
      mining_.searches.Add(search.terms);
      if (!search.clicked) mining_.unclicked.Add(search.terms);
    }
    const std::string visit_id = absl::StrCat(person_->id, "/", session.start_ms);
    if (!visit_.viewed.empty()) viewed_.Add(Crc32c(visit_id), Numbers(visit_.viewed));
    for (size_t o = visit_.orders.size(); o-- > 0;) {
      std::vector<uint32_t> basket = Numbers(visit_.orders[o]);
      std::sort(basket.begin(), basket.end());
      basket.erase(std::unique(basket.begin(), basket.end()), basket.end());
      if (basket.empty()) continue;
      baskets_.Add(Crc32c(absl::StrCat(visit_id, "/", o)), basket);
      orders_.push_back(std::move(basket));
    }
  }

  // What the person ordered, one order after the other.
  void EndPerson() {
    person_counts_ = false;
    std::vector<uint32_t> sequence;
    for (auto order = orders_.rbegin(); order != orders_.rend(); ++order) {
      for (size_t i = 0; i < order->size(); ++i) {
        sequence.push_back((*order)[i] | (i > 0 ? kTogether : 0));
      }
    }
    if (orders_.size() > 1) bought_.Add(Crc32c(person_->id), sequence);
    orders_.clear();
  }

  std::vector<uint32_t> Numbers(const std::vector<std::string>& products) {
    std::vector<uint32_t> numbers;
    for (const std::string& product : products) {
      const auto [entry, is_new] =
          numbers_.try_emplace(product, static_cast<uint32_t>(mining_.products.size()));
      if (is_new) mining_.products.push_back(product);
      numbers.push_back(entry->second);
    }
    return numbers;
  }

  absl::Status FindPatterns() {
    ASSIGN_OR_RETURN(mining_.baskets, Find(baskets_, 3, FrequentSets));
    ASSIGN_OR_RETURN(mining_.viewed, Find(viewed_, 4, PrefixSpan));
    ASSIGN_OR_RETURN(mining_.bought, Find(bought_, 4, PrefixSpan));
    return absl::OkStatus();
  }

  // Where there are more patterns than can be held, those that occur more often are the answer.
  template <typename Search>
  absl::StatusOr<MinedPatterns> Find(const SampledLists& lists, size_t length, Search search) {
    MinedPatterns found;
    found.lists = lists.lists().size();
    found.offered = lists.offered();
    const double asked = std::ceil(options_.min_support * static_cast<double>(found.lists) - 1e-9);
    found.min_count = std::max(kMinCountMin, static_cast<int64_t>(asked));
    while (true) {
      absl::StatusOr<std::vector<Pattern>> patterns =
          search(lists.lists(), {.min_count = found.min_count, .max_length = length});
      if (patterns.ok()) found.patterns = *std::move(patterns);
      if (!absl::IsResourceExhausted(patterns.status())) {
        RETURN_IF_ERROR(patterns.status());
        return found;
      }
      found.min_count *= 2;
      found.raised = true;
    }
  }

  const WebHouse& house_;
  const MineOptions& options_;
  Mining mining_;
  int64_t events_read_ = 0;
  SessionCursor sessions_;                     // at the open session
  std::optional<Person> person_;               // whose it is
  bool person_counts_ = false;                 // one of their sessions was counted
  bool counts_ = false;                        // the open session does
  std::vector<Event> taken_;                   // its events, newest first
  size_t length_ = 0;                          // and how many there are
  MinedVisit visit_;                           // of the session at hand
  std::vector<std::vector<uint32_t>> orders_;  // of the person, newest first
  absl::flat_hash_map<std::string, uint32_t> numbers_;
  SampledLists baskets_{limits::kMinedItemsMax};
  SampledLists viewed_{limits::kMinedItemsMax};
  SampledLists bought_{limits::kMinedItemsMax};
};

}  // namespace

absl::StatusOr<Mining> Mine(const WebHouse& house, const MineOptions& options) {
  RETURN_IF_ERROR(Validate(options));
  return Miner(house, options).Run();
}

}  // namespace vitrine
