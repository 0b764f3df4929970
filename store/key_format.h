// Every key in RocksDB, drawn byte by byte. DO NOT CHANGE ANY OF THEM without a version step:
// they are what is on disk.
//
// A person is a customer ('c') or, before any login, a visitor ('v'). Ids hold no control
// characters (ValidId), so 0x00 ends one and no key is a prefix of another person's.
//
//   person     +------+----------+------+
//              | kind | id       | 0x00 |
//              | 1    | 1..256   | 1    |
//              +------+----------+------+
//
// column family  key                                                          value
// -------------  -----------------------------------------------------------  ----------------
// events         | person | ~time_ms (8) | id hash (8) |                      Event
// event_ids      | first bytes of the event id (8) | XXH3-128 of it (16) |    EventIdRow, below
// sessions       | person | ~start_ms (8) |                                   Session
// customers      | customer id |                                              Customer
// products       | product id |                                               Product
// rejects        | source | 0x00 | restarts of the source (4) | line (8) |    Reject
// dirty          | person |                                                   mark (8)
// customer_facts | customer id |                                              CustomerFacts
// robots         | person |                                                   RobotVerdict
// links          'v' | visitor id | 0x00 | customer id | 0x00 | ~time_ms (8) |
//                    id hash (8) |                                            -: a login
//                'v' | visitor id | 0x00 | 0x01 |                             -: known as shared
//                'c' | customer id | 0x00 | visitor id |                      -: has such a login
//                'u' | visitor id | 0x00 | customer id |                      -: un-merged
// conflicts      | XXH3-128 of the event id (16) | content digest (8) |       Event: one that lost
// audit          | number (8) |                                               a link of the chain
// exposures      | person | ~time_ms (8) | id hash (8) |                      Exposure
//                'n' | 0x00 | ~time_ms (8) | id hash (8) |                    Exposure: of nobody
//                'i' | first bytes of its id (8) | XXH3-128 of it (16) |      key of an exposure
// ledger         'a' | account | 0x00 |                                       LedgerAccount
//                owner | 'b' | account | 0x00 |                               LedgerBalance
//                owner | 'l' | account | 0x00 | earned_ms (8) | id hash (8) | PointsLot: left of it
//                owner | 'e' | id of an earning as in 'i' (24) |              PointsLot: as earned
//                owner | 'r' | id of a reservation as in 'i' (24) |           Reservation
//                'i' | first bytes of its id (8) | XXH3-128 of it (16) |      key of a reservation
//                'x' | due_ms (8) | id as in 'i' (24) |                       key of a reservation
//                an owner is a customer (person), or the site: 's' | 0x00 |
// default        "totals", "settings", "source/" | name |                      one struct each
//                "placements/" | ~version (8) |                               PlacementVersion
//                "experiments/" | id | 0x00 | ~version (8) |                  ExperimentVersion
//                "keys/" | id of an API key |                                 ApiKey
//                "format", "version", "robot_lists" (a digest)                number (8)
//                "erasing/" | digest of a person                              Erasure, what is due
//                "erased/" | digest of a person                               up to time_ms (8)
//                "removed", "expired": store/web_house_impl.h
//
// Numbers are big-endian. ~time is the bitwise complement of the sign-flipped time, so that a scan
// of a person runs from the newest event to the oldest: the history that ranking wants is one seek
// and a few steps forward.

#ifndef VITRINE_STORE_KEY_FORMAT_H_
#define VITRINE_STORE_KEY_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

// Bumped when a key or the meaning of a value changes; a store with another one is not opened.
constexpr int64_t kStoreFormat = 2;

// Whose history an event belongs to.
struct Person {
  // DO NOT CHANGE THESE VALUES: they are the first byte of keys.
  enum class Kind : char { kCustomer = 'c', kVisitor = 'v' };

  Kind kind = Kind::kVisitor;
  std::string id;

  static Person Customer(absl::string_view id) { return {Kind::kCustomer, std::string(id)}; }
  static Person Visitor(absl::string_view id) { return {Kind::kVisitor, std::string(id)}; }

  // The customer if the event names one, else the visitor.
  static Person Of(const Event& event);

  bool operator==(const Person&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const Person& p) {
    return H::combine(std::move(h), static_cast<char>(p.kind), p.id);
  }
};

// OK if `id` can stand in a key: 1 to limits::kIdBytesMax bytes of UTF-8 without control
// characters. Otherwise InvalidArgument that says what is wrong, without repeating the id.
absl::Status ValidId(absl::string_view id);

// OK for a name that people give to something and that stands in URLs, files and reports: 1 to 64
// of a-z, 0-9, '-' and '_'. Otherwise InvalidArgument.
absl::Status ValidName(absl::string_view name);

namespace keys {

std::string PersonPrefix(const Person& person);
std::string EventKey(const Person& person, int64_t time_ms, absl::string_view event_id);
// Where the person's events of this time, and then those before it, begin.
std::string TimePrefix(const Person& person, int64_t time_ms);
// Ids that begin alike lie together, so that ids which follow time or a count are written in order;
// of a shorter id zero bytes make eight.
constexpr size_t kEventIdKeyBytes = 24;
std::string EventIdKey(absl::string_view event_id);
std::string ConflictKey(absl::string_view event_id_key, uint64_t digest);
// Of links. That of a login is made of the key of the event that it was, a customer's.
std::string LoginKey(absl::string_view visitor, absl::string_view event_key);
std::string SharedKey(absl::string_view visitor);
std::string VisitorOfKey(absl::string_view customer, absl::string_view visitor);
std::string UnlinkKey(absl::string_view visitor, absl::string_view customer);
// Of exposures: the customer's if it names one, else the visitor's, else nobody's.
std::string ExposureKey(const Exposure& exposure);
std::string ExposureIdKey(absl::string_view exposure_id);
// What all keys of exposures begin with that were shown to nobody known.
inline constexpr absl::string_view kNobodyPrefix("n\0", 2);
// Of the ledger. `owner`: LedgerOwnerPrefix of a customer, or of "", which is the site.
std::string LedgerOwnerPrefix(absl::string_view customer);
std::string LedgerAccountKey(absl::string_view account);
std::string LedgerBalanceKey(absl::string_view owner, absl::string_view account);
std::string LedgerLotPrefix(absl::string_view owner, absl::string_view account);
std::string LedgerLotKey(absl::string_view owner, absl::string_view account, int64_t earned_ms,
                         absl::string_view id);
std::string LedgerEarningKey(absl::string_view owner, absl::string_view id);
std::string LedgerReservationKey(absl::string_view owner, absl::string_view id);
std::string LedgerIdKey(absl::string_view reservation_id);
std::string LedgerDueKey(int64_t due_ms, absl::string_view reservation_id);
std::string SessionKey(const Person& person, int64_t start_ms);
std::string RejectKey(absl::string_view source, int32_t generation, int64_t line);
// The source at the front of a rejects key.
absl::string_view RejectSource(absl::string_view key);
std::string SourceKey(absl::string_view source);

// The person at the front of an events, sessions or dirty key, of an exposure's that has one, and
// of a login's (the visitor).
// REQUIRES: `key` was made by one of the functions above.
Person ParsePerson(absl::string_view key);

// How the key of an event, of an exposure and of a login ends: ~time_ms and id hash, 16 bytes.
absl::string_view EventTail(absl::string_view key);
int64_t TimeOfTail(absl::string_view tail);

}  // namespace keys

// Appends / reads 8 bytes, big-endian.
void AppendBigEndian(std::string* out, uint64_t value);
uint64_t ReadBigEndian(absl::string_view bytes);

// The row of `event_ids`: which content holds this id, and where it lies.
//   | content digest (8) | key in `events` |
struct EventIdRow {
  uint64_t digest = 0;
  absl::string_view event_key;

  std::string Encode() const;
  static EventIdRow Decode(absl::string_view row);  // views into `row`
};

}  // namespace vitrine

#endif  // VITRINE_STORE_KEY_FORMAT_H_
