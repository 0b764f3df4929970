// A scan whose end cannot be mistaken: RocksDB's iterators end the same way on the last row and on
// a damaged block, so a Cursor that is dropped before Finish() was asked stops the process.
//
//   EventCursor cursor = house.events().History(person);
//   for (; cursor.Valid(); cursor.Next()) Use(cursor.person(), cursor.value());
//   RETURN_IF_ERROR(cursor.Finish());
//
// Leaving the loop early is fine; Finish() is still due. One thread at a time. A cursor sees the
// store as it was when the cursor was made.

#ifndef VITRINE_STORE_CURSOR_H_
#define VITRINE_STORE_CURSOR_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "store/key_format.h"
#include "store/records_types.h"

namespace rocksdb {
class Iterator;
}

namespace vitrine {

// Raw keys and values whose key starts with a prefix.
class Cursor {
 public:
  // Takes the iterator and moves it to the first key >= `start`; ends after keys with `prefix`.
  Cursor(std::unique_ptr<rocksdb::Iterator> iterator, std::string prefix, const std::string& start);
  Cursor(Cursor&&) noexcept;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();  // CHECKs that Finish() was called

  bool Valid() const { return valid_; }
  void Next();
  // Moves on to the first key >= `key`, which must not lie behind. O(log rows).
  void SkipTo(absl::string_view key);
  absl::string_view key() const;
  absl::string_view raw() const;

  // OK if the scan met no error so far. Call it once, last.
  [[nodiscard]] absl::Status Finish();

 protected:
  // Ends the scan with an error of our own (a value that does not decode).
  void Fail(absl::Status status);

 private:
  void Settle();

  std::unique_ptr<rocksdb::Iterator> iterator_;
  std::string prefix_;
  absl::Status status_;
  bool valid_ = false;
  bool finished_ = false;
};

// Rows of type Record, decoded as they are reached; a row that does not decode ends the scan with
// DataLoss.
template <typename Record>
class TypedCursor : private Cursor {
 public:
  TypedCursor(std::unique_ptr<rocksdb::Iterator> iterator, std::string prefix,
              const std::string& start);

  using Cursor::Finish;
  using Cursor::key;
  using Cursor::Valid;
  void Next() {
    Cursor::Next();
    DecodeRow();
  }
  void SkipTo(absl::string_view key) {
    Cursor::SkipTo(key);
    DecodeRow();
  }
  const Record& value() const { return record_; }

  // Whose row this is (events, sessions, robots, and exposures of somebody only).
  Person person() const { return keys::ParsePerson(key()); }

 private:
  void DecodeRow();

  Record record_;
};

using EventCursor = TypedCursor<Event>;
using ExposureCursor = TypedCursor<Exposure>;
using SessionCursor = TypedCursor<Session>;
using CustomerCursor = TypedCursor<Customer>;
using CustomerFactsCursor = TypedCursor<CustomerFacts>;
using ProductCursor = TypedCursor<Product>;
using RejectCursor = TypedCursor<Reject>;
using RobotCursor = TypedCursor<RobotVerdict>;
using SourceCursor = TypedCursor<SourceState>;

// The robots table, walked beside a scan of persons in the order of their keys.
class RobotScan {
 public:
  explicit RobotScan(RobotCursor cursor) : cursor_(std::move(cursor)) {}

  // The row of the person whose keys start so, or null. REQUIRES: persons come in ascending order;
  // the same one may come again. One seek for each row passed; nothing when none is left.
  const RobotVerdict* Find(absl::string_view person_prefix);
  bool IsRobot(absl::string_view person_prefix) {
    const RobotVerdict* const verdict = Find(person_prefix);
    return verdict != nullptr && !verdict->sources.empty();
  }
  [[nodiscard]] absl::Status Finish() { return cursor_.Finish(); }

 private:
  RobotCursor cursor_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_CURSOR_H_
