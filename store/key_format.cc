#include "store/key_format.h"

#include <algorithm>
#include <xxhash.h>

#include "absl/strings/ascii.h"

#include "store/base/check.h"
#include "store/base/limits.h"
#include "store/base/utf8.h"

namespace vitrine {
namespace {

constexpr size_t kTailBytes = 16;
constexpr size_t kIdFrontBytes = 8;

// Sign-flipped so that negative times sort before positive ones, complemented so that later ones
// come first.
uint64_t NewestFirst(int64_t time_ms) {
  return ~(static_cast<uint64_t>(time_ms) ^ (uint64_t{1} << 63));
}

}  // namespace

void AppendBigEndian(std::string* out, uint64_t value) {
  char bytes[8];
  for (int i = 7; i >= 0; --i) {
    bytes[i] = static_cast<char>(value & 0xff);
    value >>= 8;
  }
  out->append(bytes, sizeof(bytes));
}

uint64_t ReadBigEndian(absl::string_view bytes) {
  DCHECK(bytes.size() >= 8);
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

Person Person::Of(const Event& event) {
  if (event.__isset.customer_id) return Customer(event.customer_id);
  return Visitor(event.visitor_id);
}

absl::Status ValidId(absl::string_view id) {
  if (id.empty()) return absl::InvalidArgumentError("the id is empty");
  if (id.size() > limits::kIdBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("the id has ", id.size(), " bytes, at most ",
                                                   limits::kIdBytesMax, " are allowed"));
  }
  for (const char c : id) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return absl::InvalidArgumentError("the id holds a control character");
    }
  }
  if (!IsUtf8(id)) return absl::InvalidArgumentError("the id is not UTF-8");
  return absl::OkStatus();
}

absl::Status ValidName(absl::string_view name) {
  const bool clean = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' || c == '_';
  });
  if (clean && !name.empty() && name.size() <= limits::kPlacementIdBytesMax) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("is not 1 to 64 of a-z, 0-9, '-' and '_'");
}

namespace keys {

std::string PersonPrefix(const Person& person) {
  std::string key;
  key.reserve(person.id.size() + 2 + 16);
  key.push_back(static_cast<char>(person.kind));
  key.append(person.id);
  key.push_back('\0');
  return key;
}

std::string TimePrefix(const Person& person, int64_t time_ms) {
  std::string key = PersonPrefix(person);
  AppendBigEndian(&key, NewestFirst(time_ms));
  return key;
}

std::string EventKey(const Person& person, int64_t time_ms, absl::string_view event_id) {
  std::string key = TimePrefix(person, time_ms);
  AppendBigEndian(&key, XXH3_64bits(event_id.data(), event_id.size()));
  return key;
}

std::string ExposureKey(const Exposure& exposure) {
  std::string key =
      exposure.__isset.customer_id  ? PersonPrefix(Person::Customer(exposure.customer_id))
      : exposure.__isset.visitor_id ? PersonPrefix(Person::Visitor(exposure.visitor_id))
                                    : std::string(kNobodyPrefix);
  AppendBigEndian(&key, NewestFirst(exposure.time_ms));
  AppendBigEndian(&key, XXH3_64bits(exposure.id.data(), exposure.id.size()));
  return key;
}

std::string ExposureIdKey(absl::string_view exposure_id) {
  return absl::StrCat("i", EventIdKey(exposure_id));
}

std::string LoginKey(absl::string_view visitor, absl::string_view event_key) {
  return absl::StrCat(PersonPrefix(Person::Visitor(visitor)), event_key.substr(1));
}

std::string SharedKey(absl::string_view visitor) {
  return absl::StrCat(PersonPrefix(Person::Visitor(visitor)), "\x01");
}

std::string VisitorOfKey(absl::string_view customer, absl::string_view visitor) {
  return absl::StrCat(PersonPrefix(Person::Customer(customer)), visitor);
}

std::string UnlinkKey(absl::string_view visitor, absl::string_view customer) {
  std::string key = absl::StrCat(PersonPrefix(Person::Visitor(visitor)), customer);
  key[0] = 'u';
  return key;
}

std::string EventIdKey(absl::string_view event_id) {
  const XXH128_hash_t hash = XXH3_128bits(event_id.data(), event_id.size());
  std::string key(event_id.substr(0, kIdFrontBytes));
  key.resize(kIdFrontBytes);
  key.reserve(kEventIdKeyBytes);
  AppendBigEndian(&key, hash.high64);
  AppendBigEndian(&key, hash.low64);
  return key;
}

std::string ConflictKey(absl::string_view event_id_key, uint64_t digest) {
  std::string key(event_id_key);
  AppendBigEndian(&key, digest);
  return key;
}

std::string LedgerOwnerPrefix(absl::string_view customer) {
  return customer.empty() ? std::string("s\0", 2) : PersonPrefix(Person::Customer(customer));
}

std::string LedgerAccountKey(absl::string_view account) {
  return absl::StrCat("a", account, absl::string_view("\0", 1));
}

std::string LedgerBalanceKey(absl::string_view owner, absl::string_view account) {
  return absl::StrCat(owner, "b", account, absl::string_view("\0", 1));
}

std::string LedgerLotPrefix(absl::string_view owner, absl::string_view account) {
  return absl::StrCat(owner, "l", account, absl::string_view("\0", 1));
}

std::string LedgerLotKey(absl::string_view owner, absl::string_view account, int64_t earned_ms,
                         absl::string_view id) {
  std::string key = LedgerLotPrefix(owner, account);
  AppendBigEndian(&key, static_cast<uint64_t>(earned_ms));
  AppendBigEndian(&key, XXH3_64bits(id.data(), id.size()));
  return key;
}

std::string LedgerEarningKey(absl::string_view owner, absl::string_view id) {
  return absl::StrCat(owner, "e", EventIdKey(id));
}

std::string LedgerReservationKey(absl::string_view owner, absl::string_view id) {
  return absl::StrCat(owner, "r", EventIdKey(id));
}

std::string LedgerIdKey(absl::string_view reservation_id) {
  return absl::StrCat("i", EventIdKey(reservation_id));
}

std::string LedgerDueKey(int64_t due_ms, absl::string_view reservation_id) {
  std::string key = "x";
  AppendBigEndian(&key, static_cast<uint64_t>(due_ms));
  return key + EventIdKey(reservation_id);
}

std::string SessionKey(const Person& person, int64_t start_ms) {
  std::string key = PersonPrefix(person);
  AppendBigEndian(&key, NewestFirst(start_ms));
  return key;
}

std::string RejectKey(absl::string_view source, int32_t generation, int64_t line) {
  std::string key(source);
  key.push_back('\0');
  for (int shift = 24; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(static_cast<uint32_t>(generation) >> shift & 0xff));
  }
  AppendBigEndian(&key, static_cast<uint64_t>(line));
  return key;
}

absl::string_view RejectSource(absl::string_view key) { return key.substr(0, key.find('\0')); }

std::string SourceKey(absl::string_view source) { return absl::StrCat("source/", source); }

Person ParsePerson(absl::string_view key) {
  const size_t end = key.find('\0', 1);
  CHECK(end != absl::string_view::npos) << "not a person's key";
  return {static_cast<Person::Kind>(key[0]), std::string(key.substr(1, end - 1))};
}

absl::string_view EventTail(absl::string_view key) {
  DCHECK(key.size() > kTailBytes);
  return key.substr(key.size() - kTailBytes);
}

int64_t TimeOfTail(absl::string_view tail) {
  return static_cast<int64_t>(~ReadBigEndian(tail) ^ (uint64_t{1} << 63));
}

}  // namespace keys

std::string EventIdRow::Encode() const {
  std::string row;
  row.reserve(8 + event_key.size());
  AppendBigEndian(&row, digest);
  row.append(event_key.data(), event_key.size());
  return row;
}

EventIdRow EventIdRow::Decode(absl::string_view row) {
  CHECK(row.size() >= 8) << "short row in event_ids";
  return {ReadBigEndian(row), row.substr(8)};
}

}  // namespace vitrine
