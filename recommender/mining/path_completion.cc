#include "recommender/mining/path_completion.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

#include "recommender/mining/visit.h"

namespace vitrine {
namespace {

// What two addresses of one page have in common.
absl::string_view AddressOf(absl::string_view url, bool with_origin) {
  url = url.substr(0, url.find('#'));
  const size_t origin = url.find("://");
  if (with_origin || origin == absl::string_view::npos) return url;
  const size_t path = url.find('/', origin + 3);
  return path == absl::string_view::npos ? absl::string_view("/") : url.substr(path);
}

bool IsPage(const Event& event) { return event.__isset.url && PageOf(event).has_value(); }

// The pages from the first to the one that is open, each reached from the one before: their places
// in the completed path.
class Path {
 public:
  Path(const std::vector<Event>& completed, bool with_origin)
      : completed_(completed), with_origin_(with_origin) {}

  // Goes back to where `next` came from; the pages seen on the way are appended to `*seen`.
  void GoBack(const Event& next, std::vector<size_t>* seen) {
    if (pages_.empty() || !next.__isset.referrer) return;
    const absl::string_view from = AddressOf(next.referrer, with_origin_);
    const auto is_origin = [&](size_t page) {
      return AddressOf(completed_[page].url, with_origin_) == from;
    };
    const auto found = std::find_if(pages_.rbegin(), pages_.rend(), is_origin);
    if (found == pages_.rend()) return;
    while (pages_.end() != found.base()) {
      pages_.pop_back();
      seen->push_back(pages_.back());
    }
  }

  // A reload opens nothing.
  bool IsOpen(const Event& page) const {
    return !pages_.empty() && completed_[pages_.back()].url == page.url;
  }
  void Open(size_t page) { pages_.push_back(page); }

 private:
  const std::vector<Event>& completed_;
  const bool with_origin_;
  std::vector<size_t> pages_;
};

// Views of `pages`, in time between the last event and `after`.
void AppendInferred(const std::vector<size_t>& pages, int64_t after_ms,
                    std::vector<Event>* completed) {
  const auto parts = static_cast<int64_t>(pages.size()) + 1;
  const int64_t before_ms = completed->empty() ? after_ms : completed->back().time_ms;
  int64_t part = 0;
  for (const size_t page : pages) {
    Event event = (*completed)[page];
    event.id.clear();
    event.time_ms = before_ms + (after_ms - before_ms) * ++part / parts;
    event.__set_inferred(true);
    completed->push_back(std::move(event));
  }
}

}  // namespace

std::vector<Event> CompletePath(std::vector<Event> session) {
  const auto has_origin = [](const Event& event) {
    return event.__isset.url && absl::StrContains(event.url, "://");
  };
  std::vector<Event> completed;
  completed.reserve(session.size());
  Path path(completed, std::any_of(session.begin(), session.end(), has_origin));
  std::vector<size_t> seen;
  for (Event& event : session) {
    if (IsPage(event) && !path.IsOpen(event)) {
      seen.clear();
      path.GoBack(event, &seen);
      AppendInferred(seen, event.time_ms, &completed);
      path.Open(completed.size());
    }
    completed.push_back(std::move(event));
  }
  return completed;
}

}  // namespace vitrine
