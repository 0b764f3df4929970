// What mining looks at in the events of one visit: pages, searches, products. Pure functions.
//
// A page is named by the path of its URL ("/p/mug-red"; scheme, host, query and fragment are
// dropped) or, where the event has none, by a key of the message catalogue ("page.product"). Names
// that start with "/" are paths.

#ifndef VITRINE_RECOMMENDER_MINING_VISIT_H_
#define VITRINE_RECOMMENDER_MINING_VISIT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

// "https://shop.example/p/1?ref=x#top" -> "/p/1". Control characters become '?'; at most
// limits::kIdBytesMax bytes, cut between characters.
std::string PathOfUrl(absl::string_view url);

// The key for all pages of an event's kind: "page.product", "page.cart". Empty: the kind is no look
// at a page (add_to_cart, login), or any page may be it (page_view).
absl::string_view PageKindOf(EventKind kind);

// The page that a person looked at when this happened; nullopt if it was no look at a page.
struct Page {
  std::string exact;  // its path, else its kind
  std::string group;  // its kind, else its path

  bool operator==(const Page&) const = default;
};
std::optional<Page> PageOf(const Event& event);

// One search of a visit, and whether its results were of any use: a product was looked at, put into
// the cart or on the wish list before the next search. The same terms again, with nothing in
// between, are the same search.
struct SearchOutcome {
  std::string terms;  // in lower case (ASCII), without blanks around
  bool clicked = false;

  bool operator==(const SearchOutcome&) const = default;
};

// A visit as mining wants it. What follows is oldest first.
struct MinedVisit {
  // With those that came out of the browser's cache (mining/path_completion.h). The same one twice
  // in a row (a reload, two events of one look) is one.
  std::vector<Page> pages;
  size_t inferred = 0;  // of the pages
  std::vector<SearchOutcome> searches;
  std::vector<std::string> viewed;               // products; twice in a row is once
  std::vector<std::vector<std::string>> orders;  // products, by order
};

// REQUIRES: the events of one visit, oldest first.
MinedVisit ReadVisit(std::vector<Event> session);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MINING_VISIT_H_
