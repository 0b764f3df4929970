// The part of Privacy that carries out erasures which a restored backup does not know of.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_split.h"

#include "store/base/status_macros.h"
#include "store/privacy.h"
#include "store/removal.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

// What stands around an id in a line of CSV, JSON, a URL or a log.
constexpr absl::string_view kSeparators = " \t\r\n,;|\"'`&?=/\\{}[]()<>";

template <typename Cursor, typename Use>
absl::Status ForEach(Cursor cursor, Use use) {
  absl::Status status;
  for (; status.ok() && cursor.Valid(); cursor.Next()) status = use(cursor);
  const absl::Status read = cursor.Finish();
  RETURN_IF_ERROR(read);
  return status;
}

}  // namespace

// Those among the ids of a store whose digests are wanted, each once.
class Privacy::PersonFinder {
 public:
  PersonFinder(WebHouse* house, const Erased* wanted)
      : house_(*house), impl_(*house->impl_), wanted_(*wanted) {}

  // Looks at every id that stands in a table.
  absl::Status TryAll() {
    const auto event = [&](const EventCursor& at) { return Try(at.value()); };
    RETURN_IF_ERROR(ForEach(house_.Events(), event));
    RETURN_IF_ERROR(ForEach(house_.Conflicts(), event));
    for (const Person::Kind kind : {Person::Kind::kCustomer, Person::Kind::kVisitor}) {
      RETURN_IF_ERROR(
          ForEach(impl_.Scan<Exposure>(Table::kExposures, std::string(1, static_cast<char>(kind))),
                  [&](const ExposureCursor& at) { return Try(at.person()); }));
    }
    RETURN_IF_ERROR(ForEach(Cursor(impl_.db->Scan(Table::kLedger), "c", "c"),
                            [&](const Cursor& at) { return Try(keys::ParsePerson(at.key())); }));
    RETURN_IF_ERROR(ForEach(house_.Customers(), [&](const CustomerCursor& at) {
      return Try(Person::Customer(at.value().id));
    }));
    RETURN_IF_ERROR(ForEach(house_.AllCustomerFacts(), [&](const CustomerFactsCursor& at) {
      return Try(Person::Customer(at.value().id));
    }));
    RETURN_IF_ERROR(ForEach(Cursor(impl_.db->Scan(Table::kLinks), "", ""),
                            [&](const Cursor& at) { return TryLink(at.key()); }));
    return ForEach(impl_.Scan<Reject>(Table::kRejects, ""),
                   [&](const RejectCursor& at) { return Try(at.key(), at.value()); });
  }

  // Customers come before visitors: whose a visitor is, is seen from the customer's side.
  std::vector<std::pair<Person, int64_t>> TakeFound() && {
    std::stable_partition(found_.begin(), found_.end(), [](const auto& found) {
      return found.first.kind == Person::Kind::kCustomer;
    });
    return std::move(found_);
  }

 private:
  absl::Status Try(Person person) {
    if (!tried_.insert(person).second) return absl::OkStatus();
    std::string digest;
    {
      absl::MutexLock lock(&impl_.commit_mutex);
      ASSIGN_OR_RETURN(digest, impl_.DigestOf(person));
    }
    const auto it = wanted_.find(digest);
    if (it != wanted_.end()) found_.emplace_back(std::move(person), it->second);
    return absl::OkStatus();
  }

  absl::Status Try(const Event& event) {
    if (event.__isset.customer_id) RETURN_IF_ERROR(Try(Person::Customer(event.customer_id)));
    if (event.__isset.visitor_id) RETURN_IF_ERROR(Try(Person::Visitor(event.visitor_id)));
    return absl::OkStatus();
  }

  // A link is kept when the login that it stands for has expired.
  absl::Status TryLink(absl::string_view key) {
    const std::vector<absl::string_view> parts = absl::StrSplit(key, '\0');
    const bool of_visitor = key[0] == static_cast<char>(Person::Kind::kVisitor);
    const absl::string_view first = parts[0].substr(1);
    const absl::string_view second = parts.size() > 1 ? parts[1] : "";
    RETURN_IF_ERROR(Try(Person::Customer(of_visitor ? second : first)));
    return Try(Person::Visitor(of_visitor ? first : second));
  }

  absl::Status Try(absl::string_view key, const Reject& reject) {
    const std::optional<Event> tracked = TrackedEvent(key, reject);
    if (tracked.has_value()) return Try(*tracked);
    RETURN_IF_ERROR(TryWords(reject.raw));
    return TryWords(reject.detail);
  }

  absl::Status TryWords(absl::string_view text) {
    for (const absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(kSeparators))) {
      if (!ValidId(word).ok()) continue;
      RETURN_IF_ERROR(Try(Person::Customer(word)));
      RETURN_IF_ERROR(Try(Person::Visitor(word)));
    }
    return absl::OkStatus();
  }

  const WebHouse& house_;
  WebHouse::Impl& impl_;
  const Erased& wanted_;
  absl::flat_hash_set<Person> tried_;
  std::vector<std::pair<Person, int64_t>> found_;
};

absl::StatusOr<std::vector<Erasure>> Privacy::EraseAgain(const Erased& erased) {
  WebHouse::Impl& impl = *house_->impl_;
  const Erased known = house_->ErasedPersons();
  Erased news;
  for (const auto& [digest, up_to_ms] : erased) {
    const auto it = known.find(digest);
    if (it == known.end() || it->second < up_to_ms) news[digest] = up_to_ms;
  }
  if (news.empty()) return std::vector<Erasure>();

  PersonFinder finder(house_, &news);
  RETURN_IF_ERROR(finder.TryAll());

  std::vector<Erasure> due;
  for (const auto& [person, up_to_ms] : std::move(finder).TakeFound()) {
    ASSIGN_OR_RETURN(due.emplace_back(), Begin(person, up_to_ms));
  }
  {
    absl::MutexLock lock(&impl.commit_mutex);
    RETURN_IF_ERROR(impl.Writable());
    std::map<std::string, int64_t> no_rows;
    Removal removal(&impl, &no_rows);
    for (const auto& [digest, up_to_ms] : news) removal.Remember(digest, up_to_ms);
    RETURN_IF_ERROR(removal.Write());
  }
  return Finish(std::move(due));
}

}  // namespace vitrine
