#include "recommender/mining/visit.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "recommender/mining/path_completion.h"
#include "store/base/limits.h"

namespace vitrine {
namespace {

bool IsClick(EventKind kind) {
  return kind == EventKind::VIEW_ITEM || kind == EventKind::SELECT_ITEM ||
         kind == EventKind::ADD_TO_CART || kind == EventKind::ADD_TO_WISHLIST;
}

// Two events of one look (a page_view and the view_item that it was) make one page, whose kind is
// known if one of them says so.
void AddPage(const Event& event, std::vector<Page>* pages) {
  std::optional<Page> page = PageOf(event);
  if (!page.has_value()) return;
  if (pages->empty() || pages->back().exact != page->exact) {
    pages->push_back(*std::move(page));
  } else if (pages->back().group == pages->back().exact) {
    pages->back().group = std::move(page->group);
  }
}

void AddSearch(const Event& event, std::vector<SearchOutcome>* searches) {
  std::string terms = absl::AsciiStrToLower(absl::StripAsciiWhitespace(event.search_terms));
  if (terms.empty()) return;
  const bool again =
      !searches->empty() && !searches->back().clicked && searches->back().terms == terms;
  if (!again) searches->push_back({std::move(terms)});
}

// The lines of one order may come as one event or as many.
class Orders {
 public:
  explicit Orders(std::vector<std::vector<std::string>>* orders) : orders_(*orders) {}

  void Add(const Event& event) {
    size_t at = orders_.size();
    if (event.__isset.order_id) at = by_id_.try_emplace(event.order_id, at).first->second;
    if (at == orders_.size()) orders_.emplace_back();
    for (const Item& item : event.items) orders_[at].push_back(item.product_id);
  }

 private:
  std::vector<std::vector<std::string>>& orders_;
  absl::flat_hash_map<std::string, size_t> by_id_;
};

}  // namespace

std::string PathOfUrl(absl::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  if (const size_t scheme = url.find("://"); scheme != absl::string_view::npos) {
    url.remove_prefix(scheme + 3);
    url.remove_prefix(std::min(url.find('/'), url.size()));
  }
  std::string path = url.empty() || url[0] != '/' ? absl::StrCat("/", url) : std::string(url);
  if (path.size() > limits::kIdBytesMax) {
    size_t end = limits::kIdBytesMax;
    while (end > 0 && (path[end] & 0xc0) == 0x80) --end;  // not inside of a UTF-8 character
    path.resize(end);
  }
  for (char& c : path) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = '?';
  }
  return path;
}

absl::string_view PageKindOf(EventKind kind) {
  switch (kind) {
    case EventKind::VIEW_ITEM_LIST:
      return "page.list";
    case EventKind::VIEW_ITEM:
      return "page.product";
    case EventKind::SEARCH:
      return "page.search";
    case EventKind::VIEW_CART:
      return "page.cart";
    case EventKind::BEGIN_CHECKOUT:
      return "page.checkout";
    case EventKind::PURCHASE:
      return "page.order";
    default:
      return "";
  }
}

std::optional<Page> PageOf(const Event& event) {
  const std::string kind(PageKindOf(event.kind));
  if (kind.empty() && event.kind != EventKind::PAGE_VIEW) return std::nullopt;
  std::string path = event.__isset.url ? PathOfUrl(event.url) : "";
  if (kind.empty() && path.empty()) return Page{"page.unnamed", "page.unnamed"};
  return Page{path.empty() ? kind : path, kind.empty() ? path : kind};
}

MinedVisit ReadVisit(std::vector<Event> session) {
  MinedVisit visit;
  Orders orders(&visit.orders);
  for (const Event& event : CompletePath(std::move(session))) {
    const size_t pages = visit.pages.size();
    AddPage(event, &visit.pages);
    if (event.inferred) {  // seen again, but nothing was done
      visit.inferred += visit.pages.size() - pages;
      continue;
    }
    if (event.kind == EventKind::SEARCH) AddSearch(event, &visit.searches);
    if (IsClick(event.kind) && !visit.searches.empty()) visit.searches.back().clicked = true;
    if (event.kind == EventKind::PURCHASE) orders.Add(event);
    if (event.kind != EventKind::VIEW_ITEM) continue;
    for (const Item& item : event.items) {
      if (visit.viewed.empty() || visit.viewed.back() != item.product_id) {
        visit.viewed.push_back(item.product_id);
      }
    }
  }
  return visit;
}

}  // namespace vitrine
