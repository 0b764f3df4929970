#include "store/identity.h"

#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "store/base/check.h"

namespace vitrine {
namespace {

// The whole list, in lower case. Gathered from what trackers and templates are known to send.
constexpr absl::string_view kNobodysIds[] = {"",
                                             "-",
                                             "--",
                                             "0",
                                             "-1",
                                             "null",
                                             "(null)",
                                             "nil",
                                             "none",
                                             "(none)",
                                             "undefined",
                                             "nan",
                                             "n/a",
                                             "empty",
                                             "(empty)",
                                             "unknown",
                                             "anonymous",
                                             "anon",
                                             "guest",
                                             "visitor",
                                             "true",
                                             "false",
                                             "not set",
                                             "(not set)",
                                             "id",
                                             "user_id",
                                             "userid",
                                             "customer_id",
                                             "email",
                                             "distinct_id",
                                             "default",
                                             "not_logged_in",
                                             "not_authenticated",
                                             "[object object]",
                                             "00000000-0000-0000-0000-000000000000"};

// Bit n: one of `words` has n bytes.
uint64_t SizesOf(std::span<const absl::string_view> words) {
  uint64_t sizes = 0;
  for (const absl::string_view word : words) {
    CHECK(word.size() < 64);
    sizes |= uint64_t{1} << word.size();
  }
  return sizes;
}

void SortedAndOnce(std::vector<std::string>* ids) {
  std::sort(ids->begin(), ids->end());
  ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
}

}  // namespace

bool IsNobodysId(absl::string_view id) {
  id = absl::StripAsciiWhitespace(id);
  // Most ids are longer than all of them but one.
  static const uint64_t sizes = SizesOf(kNobodysIds);
  if (id.size() >= 64 || (sizes >> id.size() & 1) == 0) return false;
  return std::any_of(std::begin(kNobodysIds), std::end(kNobodysIds),
                     [id](absl::string_view known) { return absl::EqualsIgnoreCase(id, known); });
}

absl::Status DropNobodysIds(Event* event) {
  const bool customer = event->__isset.customer_id && IsNobodysId(event->customer_id);
  const bool visitor = event->__isset.visitor_id && IsNobodysId(event->visitor_id);
  if (!customer && !visitor) return absl::OkStatus();
  Event cleaned = *event;
  if (customer) {
    cleaned.customer_id.clear();
    cleaned.__isset.customer_id = false;
  }
  if (visitor) {
    cleaned.visitor_id.clear();
    cleaned.__isset.visitor_id = false;
  }
  if (!cleaned.__isset.customer_id && !cleaned.__isset.visitor_id) {
    return absl::InvalidArgumentError(
        absl::StrCat("nobodys_id: ", customer ? "customer_id" : "visitor_id",
                     " is a word for nobody, and there is no other id"));
  }
  *event = std::move(cleaned);
  return absl::OkStatus();
}

Timeline::Timeline(std::vector<Login> logins, std::vector<std::string> unlinked,
                   size_t customers_max)
    : unlinked_(std::move(unlinked)) {
  for (const Login& login : logins) customers_.push_back(login.customer);
  SortedAndOnce(&customers_);
  SortedAndOnce(&unlinked_);
  shared_ = customers_.size() > customers_max;

  turns_.push_back({std::numeric_limits<int64_t>::min(), ""});
  if (logins.empty() || shared_) return;
  std::sort(logins.begin(), logins.end(), [](const Login& a, const Login& b) {
    return std::tie(a.time_ms, a.id_hash, a.customer) < std::tie(b.time_ms, b.id_hash, b.customer);
  });
  const auto owner = [this](const Login& login) {
    return IsUnlinked(login.customer) ? std::string() : login.customer;
  };
  turns_.back().owner = owner(logins.front());
  for (const Login& login : logins) {
    // Of the logins of one millisecond the last one holds.
    if (turns_.back().from_ms == login.time_ms) turns_.pop_back();
    std::string next = owner(login);
    if (turns_.back().owner != next) turns_.push_back({login.time_ms, std::move(next)});
  }
}

absl::string_view Timeline::OwnerAt(int64_t time_ms) const {
  const auto after =
      std::upper_bound(turns_.begin(), turns_.end(), time_ms,
                       [](int64_t time, const Turn& turn) { return time < turn.from_ms; });
  return std::prev(after)->owner;  // the first turn begins with time
}

std::vector<Timeline::Span> Timeline::Owned(absl::string_view customer) const {
  std::vector<Span> spans;
  for (size_t i = turns_.size(); i-- > 0;) {
    if (turns_[i].owner != customer) continue;
    Span& span = spans.emplace_back();
    span.from_ms = turns_[i].from_ms;
    if (i + 1 < turns_.size()) span.to_ms = turns_[i + 1].from_ms;
  }
  return spans;
}

bool Timeline::IsUnlinked(absl::string_view customer) const {
  return std::binary_search(unlinked_.begin(), unlinked_.end(), customer);
}

}  // namespace vitrine
