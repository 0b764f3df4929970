// The part of a WebHouse that knows who is who: links between visitors and customers, and the
// histories that follow from them.

#include <algorithm>
#include <memory>
#include <rocksdb/iterator.h>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

constexpr size_t kAll = SIZE_MAX;

// Reads links with one iterator, whatever is asked.
class LinkReader {
 public:
  explicit LinkReader(const Db& db) : links_(db.Scan(Table::kLinks)) {}

  struct Customers {
    std::vector<std::string> ids;  // sorted
    bool known_as_shared = false;
  };

  // Who logged in as the visitor: one seek a customer, however many logins there were.
  absl::StatusOr<Customers> CustomersOf(absl::string_view visitor, size_t limit) {
    Customers found;
    std::string key = keys::PersonPrefix(Person::Visitor(visitor));
    const size_t prefix_size = key.size();
    links_->Seek(key);
    while (StartsWith(absl::string_view(key).substr(0, prefix_size)) && found.ids.size() < limit) {
      const absl::string_view rest = FromSlice(links_->key()).substr(prefix_size);
      if (rest == "\x01") {
        found.known_as_shared = true;
        links_->Next();
        continue;
      }
      found.ids.emplace_back(rest.substr(0, rest.find('\0')));
      key.resize(prefix_size);
      absl::StrAppend(&key, found.ids.back(), "\x01");  // behind all logins of this customer
      links_->Seek(key);
    }
    RETURN_IF_ERROR(status());
    return found;
  }

  // Only the ends of a timeline matter where one customer is alone, and nothing where too many are.
  absl::StatusOr<Timeline> TimelineOf(absl::string_view visitor, size_t customers_max) {
    ASSIGN_OR_RETURN(const Customers customers, CustomersOf(visitor, customers_max + 1));
    if (customers.ids.empty()) return Timeline();
    std::vector<Login> logins;
    if (customers.ids.size() > 1 && customers.ids.size() <= customers_max) {
      ASSIGN_OR_RETURN(logins, LoginsOf(visitor));
    } else {
      for (const std::string& id : customers.ids) logins.push_back({0, 0, id});
    }
    ASSIGN_OR_RETURN(std::vector<std::string> unlinked, Ends(keys::UnlinkKey(visitor, ""), kAll));
    return Timeline(std::move(logins), std::move(unlinked), customers_max);
  }

  absl::StatusOr<std::vector<std::string>> VisitorsOf(absl::string_view customer, size_t limit) {
    return Ends(keys::VisitorOfKey(customer, ""), limit);
  }

 private:
  absl::StatusOr<std::vector<Login>> LoginsOf(absl::string_view visitor) {
    std::vector<Login> logins;
    const std::string prefix = keys::PersonPrefix(Person::Visitor(visitor));
    for (links_->Seek(prefix); StartsWith(prefix); links_->Next()) {
      const absl::string_view key = FromSlice(links_->key());
      const absl::string_view rest = key.substr(prefix.size());
      if (rest == "\x01") continue;
      const absl::string_view tail = keys::EventTail(key);
      logins.push_back({keys::TimeOfTail(tail), ReadBigEndian(tail.substr(8)),
                        std::string(rest.substr(0, rest.find('\0')))});
    }
    RETURN_IF_ERROR(status());
    return logins;
  }

  // What follows `prefix` in the keys that have it.
  absl::StatusOr<std::vector<std::string>> Ends(const std::string& prefix, size_t limit) {
    std::vector<std::string> ends;
    for (links_->Seek(prefix); StartsWith(prefix) && ends.size() < limit; links_->Next()) {
      ends.emplace_back(FromSlice(links_->key()).substr(prefix.size()));
    }
    RETURN_IF_ERROR(status());
    return ends;
  }

  bool StartsWith(absl::string_view prefix) const {
    return links_->Valid() && links_->key().starts_with(ToSlice(prefix));
  }
  absl::Status status() const { return FromRocks(links_->status(), "reading the links"); }

  const std::unique_ptr<rocksdb::Iterator> links_;
};

// The newest `limit` of rows (events or exposures) that are offered person by person.
template <typename Record>
class Newest {
 public:
  explicit Newest(size_t limit) : limit_(limit) {}

  // False if it is too old to be among them, as is then all that is older.
  bool Offer(absl::string_view key, const Record& record) {
    const absl::string_view tail = keys::EventTail(key);
    if (limit_ == 0 || (!oldest_.empty() && tail > oldest_)) return false;
    entries_.push_back({std::string(tail), record});
    if (entries_.size() / 2 >= limit_) Cut();
    return true;
  }

  std::vector<Record> Take() && {
    Cut();
    std::vector<Record> records;
    records.reserve(entries_.size());
    for (Entry& entry : entries_) records.push_back(std::move(entry.record));
    return records;
  }

 private:
  struct Entry {
    std::string tail;
    Record record;
  };

  void Cut() {
    // Two ids with one hash, of one millisecond: still one order.
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.tail, a.record.id) < std::tie(b.tail, b.record.id);
    });
    if (entries_.size() <= limit_) return;
    entries_.resize(limit_);
    oldest_ = entries_.back().tail;
  }

  const size_t limit_;
  std::vector<Entry> entries_;
  std::string oldest_;  // empty: nothing is too old so far
};

// Rows of a table that a history is made of: events, or exposures. For one person after the other,
// with one iterator over the rows: to make one takes longer than to move it.
template <typename Record>
class HistoryOf {
 public:
  using Use = absl::FunctionRef<void(const Record&)>;

  struct Wanted {
    int64_t since_ms = INT64_MIN;  // older ones are left out
    size_t limit = kAll;           // the newest
    size_t customers_max = 0;
  };

  HistoryOf(const Db& db, Table table, const Wanted& wanted)
      : since_ms_(wanted.since_ms),
        limit_(wanted.limit),
        customers_max_(wanted.customers_max),
        links_(db),
        rows_(db.Scan(table)) {}

  absl::Status ForEachOf(const Person& person, Use use) {
    if (person.kind == Person::Kind::kVisitor) {
      ASSIGN_OR_RETURN(const Timeline timeline, links_.TimelineOf(person.id, customers_max_));
      return ForEachIn(person, timeline.Owned(""), use);
    }
    const size_t visitors_max = limit_ == kAll ? kAll : limits::kVisitorsReadMax;
    ASSIGN_OR_RETURN(const auto visitors, links_.VisitorsOf(person.id, visitors_max));
    if (visitors.empty()) return ForEachIn(person, {Timeline::Span()}, use);
    Newest<Record> newest(limit_);
    const auto offer = [&newest](absl::string_view key, const Record& record) {
      return newest.Offer(key, record);
    };
    RETURN_IF_ERROR(Read(person, {}, offer).status());
    for (const std::string& visitor : visitors) {
      ASSIGN_OR_RETURN(const Timeline timeline, links_.TimelineOf(visitor, customers_max_));
      for (const Timeline::Span& span : timeline.Owned(person.id)) {
        RETURN_IF_ERROR(Read(Person::Visitor(visitor), span, offer).status());
      }
    }
    for (const Record& record : std::move(newest).Take()) use(record);
    return absl::OkStatus();
  }

 private:
  using UseMore = absl::FunctionRef<bool(absl::string_view key, const Record&)>;

  // Those under one person's name in these times, which come newest first.
  absl::Status ForEachIn(const Person& person, const std::vector<Timeline::Span>& spans, Use use) {
    size_t used = 0;
    for (const Timeline::Span& span : spans) {
      ASSIGN_OR_RETURN(const bool more,
                       Read(person, span, [&](absl::string_view, const Record& record) {
                         if (used == limit_) return false;
                         ++used;
                         use(record);
                         return true;
                       }));
      if (!more) break;
    }
    return absl::OkStatus();
  }

  // Those under one person's name in one of their times, newest first, as long as `use` wants
  // more. True if it did to the end.
  absl::StatusOr<bool> Read(const Person& person, const Timeline::Span& span, UseMore use) {
    const std::string prefix = keys::PersonPrefix(person);
    const std::string start =
        span.to_ms == Timeline::Span().to_ms ? prefix : keys::TimePrefix(person, span.to_ms - 1);
    const int64_t from_ms = std::max(span.from_ms, since_ms_);
    bool more = true;
    for (rows_->Seek(ToSlice(start)); more && rows_->Valid(); rows_->Next()) {
      if (!rows_->key().starts_with(prefix)) break;
      Record record;
      RETURN_IF_ERROR(DecodeRecord(FromSlice(rows_->value()), &record));
      if (record.time_ms < from_ms) break;
      more = use(FromSlice(rows_->key()), record);
    }
    RETURN_IF_ERROR(FromRocks(rows_->status(), "reading a history"));
    return more;
  }

  const int64_t since_ms_;
  const size_t limit_;
  const size_t customers_max_;
  LinkReader links_;
  const std::unique_ptr<rocksdb::Iterator> rows_;
};

}  // namespace

absl::Mutex& WebHouse::derive_mutex() const { return impl_->derive_mutex; }

absl::StatusOr<Timeline> WebHouse::TimelineOf(absl::string_view visitor) const {
  return LinkReader(*impl_->db.Hold()).TimelineOf(visitor, impl_->CustomersMax());
}

absl::StatusOr<std::vector<std::string>> WebHouse::VisitorsOf(absl::string_view customer,
                                                              size_t limit) const {
  return LinkReader(*impl_->db.Hold()).VisitorsOf(customer, limit);
}

absl::StatusOr<std::vector<std::string>> WebHouse::CustomersOf(absl::string_view visitor) const {
  const size_t most = impl_->CustomersMax();
  const std::shared_ptr<const Db> db = impl_->db.Hold();
  LinkReader links(*db);
  ASSIGN_OR_RETURN(LinkReader::Customers found, links.CustomersOf(visitor, most + 1));
  if (found.ids.size() <= most) return std::move(found.ids);
  if (found.known_as_shared) return std::vector<std::string>();
  ASSIGN_OR_RETURN(found, links.CustomersOf(visitor, kAll));
  return std::move(found.ids);
}

absl::StatusOr<std::vector<Person>> WebHouse::Affected(std::span<const Event> events) const {
  std::vector<Person> persons;
  absl::flat_hash_set<absl::string_view> visitors, customers;
  for (const Event& event : events) {
    if (event.__isset.visitor_id) visitors.insert(event.visitor_id);
    if (event.__isset.customer_id && customers.insert(event.customer_id).second) {
      persons.push_back(Person::Customer(event.customer_id));
    }
  }
  const std::shared_ptr<const Db> db = impl_->db.Hold();
  LinkReader links(*db);
  const size_t most = impl_->CustomersMax() + 1;
  for (const absl::string_view visitor : visitors) {
    persons.push_back(Person::Visitor(visitor));
    ASSIGN_OR_RETURN(const LinkReader::Customers linked, links.CustomersOf(visitor, most));
    for (const std::string& id : linked.ids) persons.push_back(Person::Customer(id));
  }
  return persons;
}

absl::Status WebHouse::ForEachOf(const Person& person, size_t limit, UseEvent use) const {
  const std::shared_ptr<const Db> db = impl_->db.Hold();
  HistoryOf<Event> history(*db, Table::kEvents,
                           {.limit = limit, .customers_max = impl_->CustomersMax()});
  return history.ForEachOf(person, use);
}

absl::Status WebHouse::ForEachExposureOf(const Person& person, int64_t since_ms, size_t limit,
                                         UseExposure use) const {
  const std::shared_ptr<const Db> db = impl_->db.Hold();
  HistoryOf<Exposure> history(
      *db, Table::kExposures,
      {.since_ms = since_ms, .limit = limit, .customers_max = impl_->CustomersMax()});
  return history.ForEachOf(person, use);
}

absl::StatusOr<std::vector<Event>> WebHouse::ResolvedHistory(const Person& person,
                                                             size_t limit) const {
  std::vector<Event> events;
  RETURN_IF_ERROR(
      ForEachOf(person, limit, [&events](const Event& event) { events.push_back(event); }));
  return events;
}

// Links are in the order of persons too: one pass over both finds who has any.
absl::Status WebHouse::ForEachResolved(
    absl::FunctionRef<void(const Person&, const Event&)> use) const {
  EventCursor events = Events();
  Cursor links(impl_->db->Scan(Table::kLinks), "", "");
  const std::shared_ptr<const Db> db = impl_->db.Hold();
  HistoryOf<Event> history(*db, Table::kEvents, {.customers_max = impl_->CustomersMax()});
  absl::Status status;
  while (status.ok() && events.Valid()) {
    const Person person = events.person();
    const std::string prefix = keys::PersonPrefix(person);
    while (links.Valid() && links.key() < absl::string_view(prefix)) links.Next();
    const bool linked = links.Valid() && absl::StartsWith(links.key(), prefix);
    const auto use_his = [&](const Event& event) { use(person, event); };
    if (linked) status = history.ForEachOf(person, use_his);
    for (; events.Valid() && absl::StartsWith(events.key(), prefix); events.Next()) {
      if (!linked) use_his(events.value());
    }
  }
  const absl::Status links_status = links.Finish();
  RETURN_IF_ERROR(events.Finish());
  RETURN_IF_ERROR(links_status);
  return status;
}

// --- Writing ---

absl::Status WebHouse::Unlink(absl::string_view customer, absl::string_view visitor) {
  return impl_->SetUnlinked(customer, visitor, true);
}

absl::Status WebHouse::Relink(absl::string_view customer, absl::string_view visitor) {
  return impl_->SetUnlinked(customer, visitor, false);
}

absl::Status WebHouse::Impl::SetUnlinked(absl::string_view customer, absl::string_view visitor,
                                         bool unlinked) {
  RETURN_IF_ERROR(ValidId(customer));
  RETURN_IF_ERROR(ValidId(visitor));
  uint64_t written;
  {
    absl::MutexLock lock(&commit_mutex);
    RETURN_IF_ERROR(Writable());
    const std::string key = keys::UnlinkKey(visitor, customer);
    const std::string needed = unlinked ? keys::VisitorOfKey(customer, visitor) : key;
    std::string row;
    const rocksdb::Status found =
        db->raw()->Get(rocksdb::ReadOptions(), db->table(Table::kLinks), needed, &row);
    if (found.IsNotFound()) {
      return absl::NotFoundError(unlinked ? "this customer never logged in on this device"
                                          : "this customer was not unlinked from this device");
    }
    RETURN_IF_ERROR(FromRocks(found, "reading the links"));
    rocksdb::WriteBatch rows = NewBatch();
    std::string mark;
    AppendBigEndian(&mark, version + 1);
    CHECK((unlinked ? rows.Put(db->table(Table::kLinks), key, "")
                    : rows.Delete(db->table(Table::kLinks), key))
              .ok());
    for (const Person& person : {Person::Customer(customer), Person::Visitor(visitor)}) {
      CHECK(rows.Put(db->table(Table::kDirty), keys::PersonPrefix(person), mark).ok());
    }
    RETURN_IF_ERROR(Write(&rows, CurrentTotals()));
    written = version;
  }
  return SyncUpTo(written);
}

}  // namespace vitrine
