// What of a write of events depends on the events alone, so that it can be worked out on another
// thread than the one that writes, before the store is locked. Internal to store.

#ifndef VITRINE_STORE_PREPARED_EVENTS_H_
#define VITRINE_STORE_PREPARED_EVENTS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "store/audit_chain.h"
#include "store/key_format.h"
#include "store/records_types.h"

namespace vitrine {

// Of two rows of facts about one product the greater one stands, so that the outcome does not
// depend on which came first: newest first, then by content.
bool LessFacts(const Product& a, const Product& b);

// The rows that events may become, by their position among the events: keys, values, digests, the
// orders in which they are to be written. Immutable, so thread-safe; holds no view of the events.
class PreparedEvents {
 public:
  // Every event was found valid (ValidateEvent). `robots` as in EventBatch; `key` (may be null) is
  // that of the audit chain. O(n log n).
  PreparedEvents(std::span<const Event> events, std::span<const int32_t> robots,
                 const AuditKey* key);

  size_t size() const { return rows_.size(); }
  // Of all keys and values together.
  size_t bytes() const { return bytes_.size(); }

  absl::string_view id_key(size_t i) const { return Bytes(rows_[i].begin, keys::kEventIdKeyBytes); }
  absl::string_view event_key(size_t i) const {
    return Bytes(rows_[i].begin + keys::kEventIdKeyBytes, rows_[i].event_key_size);
  }
  // As it is stored: without the facts that go to the table of products.
  absl::string_view value(size_t i) const {
    const Row& row = rows_[i];
    return Bytes(row.begin + keys::kEventIdKeyBytes + row.event_key_size, row.value_size);
  }
  // The person at the front of the event's key.
  absl::string_view person(size_t i) const { return event_key(i).substr(0, rows_[i].person_size); }
  // Of an event that names both a customer and a visitor, else empty.
  absl::string_view login_key(size_t i) const {
    const Row& row = rows_[i];
    return Bytes(row.begin + keys::kEventIdKeyBytes + row.event_key_size + row.value_size,
                 row.login_key_size);
  }
  // The visitor at the front of the login's key.
  absl::string_view visitor(size_t i) const {
    return login_key(i).substr(0, rows_[i].visitor_size);
  }
  uint64_t digest(size_t i) const { return rows_[i].digest; }
  bool is_robot(size_t i) const { return rows_[i].is_robot; }
  // That of the event's row; null without a key.
  const AuditEntry* audit_entry(size_t i) const { return audit_.empty() ? nullptr : &audit_[i]; }

  // Positions in the order of ids (equal ones as they came), and of keys.
  const std::vector<uint32_t>& by_id() const { return by_id_; }
  const std::vector<uint32_t>& by_key() const { return by_key_; }

  // What the events say of products, by id.
  const absl::flat_hash_map<std::string, Product>& products() const { return products_; }

 private:
  // In `bytes_`, one behind the other: key of the id, key of the event, value, key of the login.
  struct Row {
    uint64_t digest = 0;
    size_t begin = 0;
    uint32_t value_size = 0;
    uint16_t event_key_size = 0;
    uint16_t login_key_size = 0;
    uint16_t person_size = 0;
    uint16_t visitor_size = 0;
    bool is_robot = false;
  };

  absl::string_view Bytes(size_t begin, size_t size) const {
    return absl::string_view(bytes_).substr(begin, size);
  }
  void Add(const Event& event, Event* lean);
  void GatherProducts(const Event& event);
  template <typename KeyOf>
  std::vector<uint32_t> Sorted(KeyOf key_of) const;

  std::string bytes_;
  std::vector<Row> rows_;
  std::vector<AuditEntry> audit_;
  std::vector<uint32_t> by_id_, by_key_;
  absl::flat_hash_map<std::string, Product> products_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_PREPARED_EVENTS_H_
