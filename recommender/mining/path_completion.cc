#include "recommender/mining/path_completion.h"

#include <algorithm>
#include <string>

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

// The pages from the first to the one that is open, each reached from the one before.
class Path {
 public:
  explicit Path(bool with_origin) : with_origin_(with_origin) {}

  // Goes back to where `next` came from; the pages seen on the way are appended to `*seen`.
  void GoBack(const Event& next, std::vector<const Event*>* seen) {
    if (pages_.empty() || !next.__isset.referrer) return;
    const absl::string_view from = AddressOf(next.referrer, with_origin_);
    const auto is_origin = [&](const Event* page) {
      return AddressOf(page->url, with_origin_) == from;
    };
    const auto found = std::find_if(pages_.rbegin(), pages_.rend(), is_origin);
    if (found == pages_.rend()) return;
    while (pages_.end() != found.base()) {
      pages_.pop_back();
      seen->push_back(pages_.back());
    }
  }

  // A reload opens nothing.
  bool IsOpen(const Event& page) const { return !pages_.empty() && pages_.back()->url == page.url; }
  void Open(const Event& page) { pages_.push_back(&page); }

 private:
  const bool with_origin_;
  std::vector<const Event*> pages_;
};

// Views of `pages`, in time between `before` and `after`.
void AppendInferred(const std::vector<const Event*>& pages, int64_t before_ms, int64_t after_ms,
                    std::vector<Event>* completed) {
  const auto parts = static_cast<int64_t>(pages.size()) + 1;
  int64_t part = 0;
  for (const Event* page : pages) {
    Event& event = completed->emplace_back(*page);
    event.id.clear();
    event.time_ms = before_ms + (after_ms - before_ms) * ++part / parts;
    event.__set_inferred(true);
  }
}

}  // namespace

std::vector<Event> CompletePath(std::span<const Event> session) {
  const auto has_origin = [](const Event& event) {
    return event.__isset.url && absl::StrContains(event.url, "://");
  };
  Path path(std::any_of(session.begin(), session.end(), has_origin));
  std::vector<Event> completed;
  for (const Event& event : session) {
    if (IsPage(event) && !path.IsOpen(event)) {
      std::vector<const Event*> seen;
      path.GoBack(event, &seen);
      if (!completed.empty()) {
        AppendInferred(seen, completed.back().time_ms, event.time_ms, &completed);
      }
      path.Open(event);
    }
    completed.push_back(event);
  }
  return completed;
}

}  // namespace vitrine
