#include "store/event_writer.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <xxhash.h>

#include "store/base/check.h"
#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/cursor.h"
#include "store/identity.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

// Of two rows of facts about one product the greater one stands, so that the outcome does not
// depend on which came first: newest first, then by content.
bool LessFacts(const Product& a, const Product& b) {
  const bool a_has = a.__isset.name;  // a bit field: std::tie cannot hold it
  const bool b_has = b.__isset.name;
  return std::tie(a_has, a.facts_time_ms, a.name, a.category, a.price_minor, a.currency) <
         std::tie(b_has, b.facts_time_ms, b.name, b.category, b.price_minor, b.currency);
}

bool HasFacts(const Item& item) { return item.__isset.name; }

Product FactsOf(const Event& event, const Item& item) {
  Product product;
  product.id = item.product_id;
  if (!HasFacts(item)) return product;
  product.facts_time_ms = event.time_ms;
  product.__set_name(item.name);
  if (item.__isset.category) product.__set_category(item.category);
  if (item.__isset.price_minor) {
    product.__set_price_minor(item.price_minor);
    product.__set_currency(event.currency);
  }
  return product;
}

// The event without the facts that go to the product table.
void StripFacts(Event* event) {
  for (Item& item : event->items) {
    item.__isset.name = false;
    item.__isset.category = false;
  }
}

// The visitor and the customer of a login.
absl::string_view WithoutTail(absl::string_view login_key) {
  return login_key.substr(0, login_key.size() - keys::EventTail(login_key).size());
}

}  // namespace

EventWriter::EventWriter(const Db& db, uint64_t mark, rocksdb::WriteBatch* batch)
    : db_(db), batch_(batch) {
  AppendBigEndian(&mark_, mark);
}

absl::StatusOr<CommitResult> EventWriter::Write(std::span<const Event> events,
                                                std::span<const int32_t> robots) {
  CommitResult result;
  if (events.empty()) return result;
  Encode(events);
  RETURN_IF_ERROR(Settle(robots, &result));
  PutWinners();
  RETURN_IF_ERROR(DropLinksWithoutLogin());
  RETURN_IF_ERROR(PutProducts());
  return result;
}

void EventWriter::Encode(std::span<const Event> events) {
  candidates_.resize(events.size());
  Event lean;  // reused, so that its strings keep their room
  for (size_t i = 0; i < events.size(); ++i) {
    GatherFacts(events[i]);
    lean = events[i];
    StripFacts(&lean);
    const Person person = Person::Of(lean);
    Candidate& c = candidates_[i];
    AppendRecord(lean, &c.value);
    c.digest = XXH3_64bits(c.value.data(), c.value.size());
    c.id_key = keys::EventIdKey(lean.id);
    c.event_key = keys::EventKey(person, lean.time_ms, lean.id);
    c.person_size = person.id.size() + 2;
    if (!IsLogin(lean)) continue;
    c.login_key = keys::LoginKey(lean.visitor_id, c.event_key);
    c.visitor_size = lean.visitor_id.size() + 2;
  }
}

// Decides which event holds each id.
absl::Status EventWriter::Settle(std::span<const int32_t> robots, CommitResult* result) {
  std::vector<rocksdb::Slice> id_keys;
  id_keys.reserve(candidates_.size());
  for (const Candidate& c : candidates_) id_keys.emplace_back(c.id_key);
  ASSIGN_OR_RETURN(stored_, db_.MultiGet(Table::kEventIds, id_keys));

  holders_.reserve(candidates_.size());
  for (int i = 0; i < static_cast<int>(candidates_.size()); ++i) {
    const Candidate& c = candidates_[i];
    const Holder self = {c.digest, c.event_key, i};
    auto [it, is_first_here] = holders_.try_emplace(c.id_key, self);
    Holder& holder = it->second;
    if (is_first_here) {
      if (stored_[i].empty()) {
        const bool is_robot = std::binary_search(robots.begin(), robots.end(), i);
        ++(is_robot ? result->robot : result->accepted);
        continue;
      }
      const EventIdRow row = EventIdRow::Decode(FromSlice(stored_[i]));
      holder = {row.digest, row.event_key, kStored};
    }
    if (holder.digest == c.digest) {
      ++result->duplicate;
      continue;
    }
    ++result->conflicting_duplicate;
    RETURN_IF_ERROR(KeepLoser(c.id_key, c.digest < holder.digest ? holder : self));
    if (c.digest < holder.digest) {
      RETURN_IF_ERROR(Replace(holder));
      holder = self;
    }
  }
  return absl::OkStatus();
}

// Of all contents of an id, whatever their order, the lowest digest is the event and the others
// are conflicts.
absl::Status EventWriter::KeepLoser(absl::string_view id_key, const Holder& loser) {
  std::string key = keys::ConflictKey(id_key, loser.digest);
  if (conflicts_.contains(key)) return absl::OkStatus();
  rocksdb::PinnableSlice row;
  const absl::Status found = db_.GetRow(Table::kConflicts, key, &row);
  if (!absl::IsNotFound(found)) return found;
  if (loser.candidate != kStored) {
    Put(Table::kConflicts, key, candidates_[loser.candidate].value);
  } else {
    RETURN_IF_ERROR(db_.GetRow(Table::kEvents, loser.event_key, &row));
    Put(Table::kConflicts, key, FromSlice(row));
  }
  conflicts_.insert(std::move(key));
  return absl::OkStatus();
}

absl::Status EventWriter::Replace(const Holder& loser) {
  if (loser.candidate != kStored) return absl::OkStatus();  // it never reached the store
  Event event;
  RETURN_IF_ERROR(db_.Get(Table::kEvents, loser.event_key, &event));
  CHECK(batch_->Delete(db_.table(Table::kEvents), ToSlice(loser.event_key)).ok());
  const size_t end = loser.event_key.find('\0', 1);
  MarkDirty(loser.event_key.substr(0, end + 1));
  if (IsLogin(event)) {
    const std::string& key = gone_.emplace_back(keys::LoginKey(event.visitor_id, loser.event_key));
    CHECK(batch_->Delete(db_.table(Table::kLinks), key).ok());
    MarkDirty(absl::string_view(key).substr(0, event.visitor_id.size() + 2));
    gone_logins_.insert(key);
  }
  return absl::OkStatus();
}

// In the order of keys, table by table: where a row goes in memory is found from where the last one
// went (MakeTableOptions), and that is most of what a write costs.
void EventWriter::PutWinners() {
  std::vector<const Candidate*> winners;
  winners.reserve(candidates_.size());
  for (int i = 0; i < static_cast<int>(candidates_.size()); ++i) {
    const Candidate& c = candidates_[i];
    if (holders_.at(c.id_key).candidate == i) winners.push_back(&c);
  }
  std::sort(winners.begin(), winners.end(),
            [](const Candidate* a, const Candidate* b) { return a->event_key < b->event_key; });
  for (const Candidate* c : winners) {
    Put(Table::kEvents, c->event_key, c->value);
    const absl::string_view person = absl::string_view(c->event_key).substr(0, c->person_size);
    MarkDirty(person);
    if (!c->login_key.empty()) PutLogin(*c, person);
  }
  std::sort(winners.begin(), winners.end(),
            [](const Candidate* a, const Candidate* b) { return a->id_key < b->id_key; });
  for (const Candidate* c : winners) {
    Put(Table::kEventIds, c->id_key, EventIdRow{c->digest, c->event_key}.Encode());
  }
}

void EventWriter::PutLogin(const Candidate& c, absl::string_view customer) {
  const absl::string_view visitor = absl::string_view(c.login_key).substr(0, c.visitor_size);
  Put(Table::kLinks, c.login_key, "");
  MarkDirty(visitor);
  const absl::string_view link = WithoutTail(c.login_key);
  if (!new_links_.insert(link).second) return;
  Put(Table::kLinks, absl::StrCat(customer, visitor.substr(1, visitor.size() - 2)), "");
}

// A customer and a visitor belong together as long as there is a login that says so.
absl::Status EventWriter::DropLinksWithoutLogin() {
  for (const absl::string_view gone : gone_logins_) {
    const absl::string_view link = WithoutTail(gone);
    bool stays = new_links_.contains(link);
    Cursor logins(db_.Scan(Table::kLinks), std::string(link), std::string(link));
    for (; logins.Valid() && !stays; logins.Next()) stays = !gone_logins_.contains(logins.key());
    RETURN_IF_ERROR(logins.Finish());
    if (stays) continue;
    const std::string visitor = keys::ParsePerson(link).id;
    absl::string_view customer = link.substr(visitor.size() + 2);
    customer.remove_suffix(1);  // its zero byte
    const std::string key = keys::VisitorOfKey(customer, visitor);
    CHECK(batch_->Delete(db_.table(Table::kLinks), key).ok());
  }
  return absl::OkStatus();
}

void EventWriter::MarkDirty(absl::string_view person) {
  if (dirty_.insert(person).second) Put(Table::kDirty, person, mark_);
}

void EventWriter::GatherFacts(const Event& event) {
  for (const Item& item : event.items) {
    auto [it, is_new] = facts_.try_emplace(item.product_id);
    if (!is_new && (!HasFacts(item) || event.time_ms < it->second.facts_time_ms)) continue;
    Product product = FactsOf(event, item);
    if (is_new || LessFacts(it->second, product)) it->second = std::move(product);
  }
}

absl::Status EventWriter::PutProducts() {
  std::vector<rocksdb::Slice> ids;
  std::vector<const Product*> products;
  for (const auto& [id, product] : facts_) {
    ids.emplace_back(id);
    products.push_back(&product);
  }
  ASSIGN_OR_RETURN(const std::vector<rocksdb::PinnableSlice> rows,
                   db_.MultiGet(Table::kProducts, ids));
  for (size_t i = 0; i < ids.size(); ++i) {
    if (rows[i].empty()) {
      ++new_products_;
    } else {
      Product stored;
      RETURN_IF_ERROR(DecodeRecord(FromSlice(rows[i]), &stored));
      if (stored.in_catalogue || !LessFacts(stored, *products[i])) continue;
    }
    Put(Table::kProducts, products[i]->id, EncodeRecord(*products[i]));
    changed_products_.push_back(products[i]->id);
  }
  return absl::OkStatus();
}

void EventWriter::Put(Table table, absl::string_view key, absl::string_view value) {
  // Filling a batch in memory fails only on sizes that our limits rule out.
  CHECK(batch_->Put(db_.table(table), ToSlice(key), ToSlice(value)).ok());
}

}  // namespace vitrine
