// What a URL of a shop means: the rules of its mapping, first match wins.
//
//   [[url]]
//   match = "/product/{id}"          a template of the path, perhaps with parameters:
//   "/s?q={query}" kind = "view_item"
//
// In a template {name} stands for one part of the path (no slash), {name...} for the rest of it,
// slashes and all. Parameters may come in any order and among others. A slash at the end of the
// path is as good as none. Instead of `match`, `regex` is an RE2 expression for path and query,
// found anywhere unless ^ and $ say otherwise, whose named groups capture: "^/p(?P<id>\\d+)".
//
// Captures are called id (of a product), name, category, quantity, order, query, customer; those
// that begin with _ are captured for nothing. They are percent-decoded, and + in a parameter is a
// blank.

#ifndef VITRINE_INGEST_URL_RULES_H_
#define VITRINE_INGEST_URL_RULES_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

struct UrlRule {
  std::vector<std::string> match;  // any of these templates,
  std::string regex;               // or this
  std::vector<std::string> methods = {"GET"};
  EventKind kind = EventKind::PAGE_VIEW;
  std::string ignore;              // not empty: the reason to leave the request out
  std::optional<Channel> channel;  // else the mapping's
};

enum class UrlPart : uint8_t { kId, kName, kCategory, kQuantity, kOrder, kQuery, kCustomer };
constexpr size_t kUrlParts = 7;

// What a rule captured, decoded; empty: nothing.
using UrlParts = std::array<std::string, kUrlParts>;

// Not thread-safe: keeps its buffers.
class UrlRules {
 public:
  // InvalidArgument that says which rule is wrong with what.
  static absl::StatusOr<UrlRules> Compile(const std::vector<UrlRule>& rules);

  UrlRules(UrlRules&&) noexcept;
  UrlRules& operator=(UrlRules&&) noexcept;
  ~UrlRules();

  static constexpr int kNone = -1;

  // The number (from 0) of the first rule for this request, and what it captured; kNone if there
  // is none. `path` and `query` as they stand in the URL, without the question mark. Linear in
  // their length for each rule whose beginning fits.
  int Find(absl::string_view method, absl::string_view path, absl::string_view query,
           UrlParts* parts);

 private:
  struct Impl;
  UrlRules();
  std::unique_ptr<Impl> impl_;
};

// Whether a rule of this kind is for something that the visitor did (rather than saw), so that a
// redirect is an answer as good as a page.
bool IsAction(EventKind kind);

}  // namespace vitrine

#endif  // VITRINE_INGEST_URL_RULES_H_
