#include "recommender/patterns/page_flow.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace vitrine {
namespace {

constexpr char kBetween = '\x1f';  // pages of a key
constexpr char kMore[] = "\x1e";   // behind the last page of a path that was cut

double Share(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace

PageFlow::PageFlow(size_t capacity, size_t path_pages)
    : path_pages_(path_pages), paths_(capacity), transitions_(capacity), departures_(capacity) {}

void PageFlow::Add(std::span<const std::string> pages) {
  if (pages.empty()) return;
  std::string path;
  size_t length = 0;
  for (size_t i = 0; i < pages.size(); ++i) {
    const bool ends = i + 1 == pages.size();
    departures_.Add(pages[i]);
    transitions_.Add(ends ? absl::StrCat(pages[i], std::string(1, kBetween))
                          : absl::StrCat(pages[i], std::string(1, kBetween), pages[i + 1]));
    if (i > 0 && pages[i] == pages[i - 1]) continue;
    if (++length > path_pages_) continue;
    if (length > 1) path.push_back(kBetween);
    path += pages[i];
  }
  if (length > path_pages_) path += kMore;
  paths_.Add(path);
}

std::vector<PathCount> PageFlow::TopPaths(size_t k) const {
  std::vector<PathCount> paths;
  for (const auto& [key, count] : paths_.Top(k)) {
    PathCount& path = paths.emplace_back();
    absl::string_view pages = key;
    path.goes_on = absl::ConsumeSuffix(&pages, kMore);
    path.pages = absl::StrSplit(pages, kBetween);
    path.count = count;
    path.share = Share(count, visits());
  }
  return paths;
}

std::vector<Transition> PageFlow::TopTransitions(size_t k) const {
  std::vector<Transition> transitions;
  for (const auto& [key, count] : transitions_.Top(k)) {
    const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(key, kBetween);
    transitions.push_back({std::string(ends.first), std::string(ends.second), count,
                           Share(count, departures_.CountOf(ends.first))});
  }
  return transitions;
}

int64_t PageFlow::error() const {
  return std::max({paths_.error(), transitions_.error(), departures_.error()});
}

}  // namespace vitrine
