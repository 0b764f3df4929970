// Keys: two persons, one a line, and times from the bytes behind them. A key gives back its person;
// persons' keys do not mix; a person's events run from the newest to the oldest.

#include <cstring>

#include "absl/strings/match.h"

#include "store/key_format.h"
#include "tests/fuzz/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  if (size < 16) return 0;
  int64_t times[2];
  std::memcpy(times, data, sizeof(times));
  absl::string_view rest = fuzz::Text(data + sizeof(times), size - sizeof(times));
  const absl::string_view a = fuzz::TakeLine(&rest);
  const absl::string_view b = fuzz::TakeLine(&rest);
  if (!ValidId(a).ok() || !ValidId(b).ok()) return 0;
  const Person person = Person::Customer(a);
  const Person other = Person::Customer(b);
  const std::string key = keys::EventKey(person, times[0], b);
  CHECK(keys::ParsePerson(key) == person);
  CHECK(absl::StartsWith(key, keys::PersonPrefix(person)));
  CHECK(absl::StartsWith(key, keys::PersonPrefix(other)) == (a == b));
  CHECK(!absl::StartsWith(key, keys::PersonPrefix(Person::Visitor(a))));
  if (times[0] != times[1]) {
    CHECK((key < keys::EventKey(person, times[1], b)) == (times[0] > times[1]));
  }
  const EventIdRow row = {static_cast<uint64_t>(times[1]), key};
  const std::string encoded = row.Encode();
  CHECK(EventIdRow::Decode(encoded).digest == row.digest);
  CHECK(EventIdRow::Decode(encoded).event_key == key);
  return 0;
}
