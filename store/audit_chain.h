// The chain that makes tampering evident: every write that changes evidence adds one link, and each
// link seals the one before it.
//
// Evidence is what Audited() names: events (contacts and consents among them), conflicting
// duplicates, what an operator decided on whose history a visit is, customers' facts, settings, the
// ledger. A link holds, of every row that its write adds or removes, a digest under a key that is
// not in the store, so that a row can be erased for good while the chain stays whole; and notes,
// such as the receipt of an erasure. The link and the rows are one RocksDB write.
//
//   link   | seal (32) | version (8) | time_ms (8) | entries (4) | entry* | notes (2) | note* |
//   entry  | '+' or '-' (1) | table (1) | tag (8) | digest (16) |
//   note   | kind size (1) | kind | text size (4) | text |
//
//   digest = HMAC-SHA-256(key, table (1) | key size (4) | key | value), the first 16 bytes
//   tag    = XXH3-64(table (1) | key), seeded from the key: which row, for a person who looks into
//   it seal   = HMAC-SHA-256(key, seal of the link before | number (8) | the link behind its seal)
//
// Numbers are big-endian; the links count from 1, and the seal before the first is zeros. DO NOT
// CHANGE any of it without a version step. Whoever has the key can forge the chain: what is
// kept elsewhere (`vitrine verify --export-anchor`) shows that too.

#ifndef VITRINE_STORE_AUDIT_CHAIN_H_
#define VITRINE_STORE_AUDIT_CHAIN_H_

#include <array>
#include <cstdint>
#include <memory>
#include <rocksdb/write_batch.h>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/base/hmac.h"
#include "store/db.h"

namespace vitrine {

// DO NOT CHANGE THESE VALUES: they are on disk.
enum class AuditChange : char { kAdded = '+', kRemoved = '-' };

struct AuditEntry {
  AuditChange change = AuditChange::kAdded;
  Table table = Table::kEvents;
  uint64_t tag = 0;
  std::array<uint8_t, 16> digest = {};
};

// Something that happened beside rows. Without personal data: a note stays.
struct AuditNote {
  std::string kind;  // lower_case_with_underscores, 1 to 255 bytes
  std::string text;
};

struct AuditLink {
  Hmac::Digest seal = {};
  uint64_t version = 0;  // of the store, behind this write
  int64_t time_ms = 0;
  std::vector<AuditEntry> entries;
  std::vector<AuditNote> notes;

  std::string Encode() const;
  static absl::StatusOr<AuditLink> Decode(absl::string_view row);  // DataLoss
};

// The last link.
struct AuditHead {
  uint64_t number = 0;
  Hmac::Digest seal = {};
};

// True if rows of this kind are evidence.
bool Audited(Table table, absl::string_view key);
// The tables that hold any.
std::vector<Table> AuditedTables();

// The key of one store: 32 random bytes in a file that its owner alone can read, beside the store
// and not in it, so that a copy of the store does not hold it. Thread-safe.
class AuditKey {
 public:
  // Reads `path`. NotFound if there is none, DataLoss if it is no key.
  static absl::StatusOr<std::shared_ptr<const AuditKey>> Read(const std::string& path);
  // Makes one; AlreadyExists if the file is there.
  static absl::StatusOr<std::shared_ptr<const AuditKey>> Make(const std::string& path);

  explicit AuditKey(absl::string_view bytes);

  AuditEntry Entry(AuditChange change, Table table, absl::string_view key,
                   absl::string_view value) const;
  uint64_t Tag(Table table, absl::string_view key) const;
  Hmac::Digest Seal(const AuditHead& before, absl::string_view encoded_link) const;
  // A key for something else, of 32 bytes: says nothing of this one, nor of those for other
  // purposes.
  std::string Derive(absl::string_view purpose) const;
  // Tells keys apart without giving them away: 16 hex digits.
  std::string id() const;

 private:
  const Hmac hmac_;
  uint64_t tag_seed_ = 0;
};

// The growing end of a chain. Not thread-safe: the web house's commit mutex guards it.
class AuditChain {
 public:
  explicit AuditChain(std::shared_ptr<const AuditKey> key) : key_(std::move(key)) {}

  // Goes on behind the last link in `db`.
  absl::Status Load(const Db& db);

  // Adds to the next link. `text` is at most limits::kTextBytesMax bytes.
  void Note(absl::string_view kind, absl::string_view text);

  // Appends the link of everything that `batch` changes to it; none if it changes no evidence and
  // there is no note. What is overwritten or deleted is read from `db`, except under events and
  // conflicts, where a key is never overwritten without being deleted first. `known` are entries of
  // rows that the batch puts under events, in the batch's order: those are not worked out again.
  absl::Status Extend(const Db& db, uint64_t version, int64_t now_ms, rocksdb::WriteBatch* batch,
                      std::span<const AuditEntry> known = {});

  // The batch has been written: its link is the last one. Without it, the next Extend starts over.
  void Written();

  const AuditHead& head() const { return head_; }
  const AuditKey& key() const { return *key_; }

 private:
  const std::shared_ptr<const AuditKey> key_;
  AuditHead head_;
  AuditHead next_;
  std::vector<AuditNote> notes_;
};

namespace keys {
std::string AuditKeyOf(uint64_t number);
}

}  // namespace vitrine

#endif  // VITRINE_STORE_AUDIT_CHAIN_H_
