#include "store/audit_chain.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <xxhash.h>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/strip.h"

#include "store/base/atomic_file.h"
#include "store/base/check.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kSealBytes = 32;
constexpr size_t kEntryBytes = 26;
constexpr absl::string_view kKeyMagic = "vitrine-audit-key-1\n";

void AppendBigEndian32(std::string* out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

// Reads a link field by field; past its end everything is zero and `ok` false.
struct Reader {
  absl::string_view rest;
  bool ok = true;

  absl::string_view Take(size_t bytes) {
    if (rest.size() < bytes) {
      ok = false;
      return {};
    }
    const absl::string_view taken = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return taken;
  }
  uint64_t Number(size_t bytes) {
    uint64_t value = 0;
    for (const char c : Take(bytes)) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }
};

// Collects the evidence that a batch changes, in the batch's order.
class EvidenceCollector : public rocksdb::WriteBatch::Handler {
 public:
  EvidenceCollector(const Db& db, const AuditKey& key, std::span<const AuditEntry> known)
      : known_(known), db_(db), key_(key) {
    entries_.reserve(known.size());
    for (size_t i = 0; i < kTables; ++i) {
      CHECK(db.table(static_cast<Table>(i))->GetID() == i) << "a column family's number changed";
    }
  }

  rocksdb::Status PutCF(uint32_t family, const rocksdb::Slice& raw_key,
                        const rocksdb::Slice& raw_value) override {
    const auto table = static_cast<Table>(family);
    const absl::string_view key = FromSlice(raw_key);
    if (!Audited(table, key)) return rocksdb::Status::OK();
    const AuditEntry added = EntryOf(table, key, FromSlice(raw_value));
    if (table != Table::kEvents && table != Table::kConflicts) {
      if (rocksdb::Status status = Remove(table, raw_key); !status.ok()) return status;
      const auto before = latest_.find(added.tag);
      const bool same_again = before != latest_.end() &&
                              entries_[before->second].change == AuditChange::kRemoved &&
                              entries_[before->second].digest == added.digest;
      if (same_again) {
        entries_[before->second].change = kCancelled;
        latest_.erase(before);
        return rocksdb::Status::OK();
      }
    }
    Add(added);
    return rocksdb::Status::OK();
  }

  rocksdb::Status DeleteCF(uint32_t family, const rocksdb::Slice& key) override {
    const auto table = static_cast<Table>(family);
    return Audited(table, FromSlice(key)) ? Remove(table, key) : rocksdb::Status::OK();
  }
  rocksdb::Status SingleDeleteCF(uint32_t family, const rocksdb::Slice& key) override {
    return DeleteCF(family, key);
  }

  // RocksDB 7.8 looks for the place of a range deletion from the hint that belongs to the rows
  // (MakeTableOptions), and would write where it should not.
  rocksdb::Status DeleteRangeCF(uint32_t, const rocksdb::Slice&, const rocksdb::Slice&) override {
    return rocksdb::Status::NotSupported("ranges are deleted row by row");
  }

  std::vector<AuditEntry> Take() {
    std::erase_if(entries_, [](const AuditEntry& entry) { return entry.change == kCancelled; });
    return std::move(entries_);
  }

 private:
  // A row that came and went within the batch.
  static constexpr AuditChange kCancelled{'\0'};

  AuditEntry EntryOf(Table table, absl::string_view key, absl::string_view value) {
    if (table == Table::kEvents && !known_.empty() && known_.front().tag == key_.Tag(table, key)) {
      const AuditEntry& entry = known_.front();
      known_ = known_.subspan(1);
      return entry;
    }
    return key_.Entry(AuditChange::kAdded, table, key, value);
  }

  void Add(const AuditEntry& entry) {
    entries_.push_back(entry);
    if (indexed_) latest_[entry.tag] = entries_.size() - 1;
  }

  // A row that this very batch put goes without a trace; else the stored one is removed. Only a
  // batch that removes anything pays for the index.
  rocksdb::Status Remove(Table table, const rocksdb::Slice& key) {
    if (!indexed_) {
      for (size_t i = 0; i < entries_.size(); ++i) latest_[entries_[i].tag] = i;
      indexed_ = true;
    }
    const auto it = latest_.find(key_.Tag(table, FromSlice(key)));
    if (it != latest_.end()) {
      AuditEntry& before = entries_[it->second];
      if (before.change == AuditChange::kAdded) before.change = kCancelled;
      return rocksdb::Status::OK();
    }
    rocksdb::PinnableSlice value;
    const rocksdb::Status found =
        db_.raw()->Get(rocksdb::ReadOptions(), db_.table(table), key, &value);
    if (found.IsNotFound()) return rocksdb::Status::OK();
    if (!found.ok()) return found;
    Add(key_.Entry(AuditChange::kRemoved, table, FromSlice(key), FromSlice(value)));
    return rocksdb::Status::OK();
  }

  std::span<const AuditEntry> known_;
  std::vector<AuditEntry> entries_;
  bool indexed_ = false;
  absl::flat_hash_map<uint64_t, size_t> latest_;  // by tag
  const Db& db_;
  const AuditKey& key_;
};

}  // namespace

std::string keys::AuditKeyOf(uint64_t number) {
  std::string key;
  AppendBigEndian(&key, number);
  return key;
}

bool Audited(Table table, absl::string_view key) {
  switch (table) {
    case Table::kEvents:
    case Table::kConflicts:
    case Table::kCustomerFacts:
      return true;
    case Table::kLinks:  // the others follow from events
      return !key.empty() && key[0] == 'u';
    case Table::kLedger:  // ids and what is due follow from reservations
      return !key.empty() && (key[0] == 'a' || key[0] == 'c' || key[0] == 's');
    case Table::kMeta:
      return key == "settings" || absl::StartsWith(key, "placements/") ||
             absl::StartsWith(key, "experiments/") || absl::StartsWith(key, "keys/") ||
             absl::StartsWith(key, "offers/") || absl::StartsWith(key, "contact_policy/") ||
             absl::StartsWith(key, "segments/") || absl::StartsWith(key, "triggers/");
    default:
      return false;
  }
}

std::vector<Table> AuditedTables() {
  return {Table::kEvents, Table::kConflicts, Table::kCustomerFacts,
          Table::kLinks,  Table::kMeta,      Table::kLedger};
}

// --- Links as bytes ---

std::string AuditLink::Encode() const {
  std::string out(AsBytes(seal));
  out.reserve(kSealBytes + 22 + entries.size() * kEntryBytes);
  AppendBigEndian(&out, version);
  AppendBigEndian(&out, static_cast<uint64_t>(time_ms));
  AppendBigEndian32(&out, static_cast<uint32_t>(entries.size()));
  for (const AuditEntry& entry : entries) {
    out.push_back(static_cast<char>(entry.change));
    out.push_back(static_cast<char>(entry.table));
    AppendBigEndian(&out, entry.tag);
    out.append(reinterpret_cast<const char*>(entry.digest.data()), entry.digest.size());
  }
  out.push_back(static_cast<char>(notes.size() >> 8));
  out.push_back(static_cast<char>(notes.size()));
  for (const AuditNote& note : notes) {
    out.push_back(static_cast<char>(note.kind.size()));
    out.append(note.kind);
    AppendBigEndian32(&out, static_cast<uint32_t>(note.text.size()));
    out.append(note.text);
  }
  return out;
}

absl::StatusOr<AuditLink> AuditLink::Decode(absl::string_view row) {
  AuditLink link;
  Reader reader{row};
  const absl::string_view seal = reader.Take(kSealBytes);
  if (reader.ok) std::memcpy(link.seal.data(), seal.data(), kSealBytes);
  link.version = reader.Number(8);
  link.time_ms = static_cast<int64_t>(reader.Number(8));
  const uint64_t entries = reader.Number(4);
  if (entries > reader.rest.size() / kEntryBytes) reader.ok = false;
  for (uint64_t i = 0; reader.ok && i < entries; ++i) {
    AuditEntry& entry = link.entries.emplace_back();
    entry.change = static_cast<AuditChange>(reader.Number(1));
    entry.table = static_cast<Table>(reader.Number(1));
    entry.tag = reader.Number(8);
    const absl::string_view digest = reader.Take(entry.digest.size());
    if (reader.ok) std::memcpy(entry.digest.data(), digest.data(), digest.size());
    const bool known = entry.change == AuditChange::kAdded || entry.change == AuditChange::kRemoved;
    if (!known || static_cast<size_t>(entry.table) >= kTables) reader.ok = false;
  }
  const uint64_t notes = reader.Number(2);
  for (uint64_t i = 0; reader.ok && i < notes; ++i) {
    AuditNote& note = link.notes.emplace_back();
    note.kind = std::string(reader.Take(reader.Number(1)));
    note.text = std::string(reader.Take(reader.Number(4)));
  }
  if (!reader.ok || !reader.rest.empty()) {
    return absl::DataLossError("a link of the audit chain cannot be read");
  }
  return link;
}

// --- AuditKey ---

AuditKey::AuditKey(absl::string_view bytes) : hmac_(bytes) {
  const Hmac::Digest seed = hmac_.Of({"tag seed"});
  std::memcpy(&tag_seed_, seed.data(), sizeof(tag_seed_));
}

absl::StatusOr<std::shared_ptr<const AuditKey>> AuditKey::Read(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, limits::kConfigBytesMax));
  std::string bytes;
  absl::string_view hex = text;
  if (absl::ConsumePrefix(&hex, kKeyMagic)) bytes = absl::HexStringToBytes(hex.substr(0, 64));
  if (bytes.size() != kKeyBytes || text.size() != kKeyMagic.size() + 2 * kKeyBytes + 1) {
    return absl::DataLossError(absl::StrCat(path, " is not a key of an audit chain"));
  }
  return std::make_shared<const AuditKey>(bytes);
}

absl::StatusOr<std::shared_ptr<const AuditKey>> AuditKey::Make(const std::string& path) {
  char bytes[kKeyBytes];
  if (::getrandom(bytes, sizeof(bytes), 0) != static_cast<ssize_t>(sizeof(bytes))) {
    return ErrnoStatus("cannot draw a random key for", path, errno);
  }
  // Made empty and private first, so that the bytes are never readable for others.
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) return absl::AlreadyExistsError(absl::StrCat(path, " exists"));
  if (fd < 0) return ErrnoStatus("cannot make", path, errno);
  const std::string text = absl::StrCat(
      kKeyMagic, absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes))), "\n");
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!written) {
    ::unlink(path.c_str());
    return ErrnoStatus("cannot write", path, error);
  }
  RETURN_IF_ERROR(SyncFolderOf(path));
  return std::make_shared<const AuditKey>(absl::string_view(bytes, sizeof(bytes)));
}

uint64_t AuditKey::Tag(Table table, absl::string_view key) const {
  return XXH3_64bits_withSeed(key.data(), key.size(), tag_seed_ + static_cast<uint64_t>(table));
}

AuditEntry AuditKey::Entry(AuditChange change, Table table, absl::string_view key,
                           absl::string_view value) const {
  const auto size = static_cast<uint32_t>(key.size());
  const char front[5] = {static_cast<char>(table), static_cast<char>(size >> 24),
                         static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                         static_cast<char>(size)};
  AuditEntry entry;
  entry.change = change;
  entry.table = table;
  entry.tag = Tag(table, key);
  const Hmac::Digest digest = hmac_.Of({absl::string_view(front, sizeof(front)), key, value});
  std::memcpy(entry.digest.data(), digest.data(), entry.digest.size());
  return entry;
}

Hmac::Digest AuditKey::Seal(const AuditHead& before, absl::string_view encoded_link) const {
  return hmac_.Of(
      {AsBytes(before.seal), keys::AuditKeyOf(before.number + 1), encoded_link.substr(kSealBytes)});
}

std::string AuditKey::Derive(absl::string_view purpose) const {
  return std::string(AsBytes(hmac_.Of({"derived key ", purpose})));
}

std::string AuditKey::id() const {
  return absl::BytesToHexString(AsBytes(hmac_.Of({"key id"})).substr(0, 8));
}

// --- AuditChain ---

absl::Status AuditChain::Load(const Db& db) {
  head_ = AuditHead();
  notes_.clear();
  const std::unique_ptr<rocksdb::Iterator> links = db.Scan(Table::kAudit);
  links->SeekToLast();
  if (!links->Valid()) return FromRocks(links->status(), "reading the audit chain");
  if (links->key().size() != 8 || links->value().size() < kSealBytes) {
    return absl::DataLossError("the last link of the audit chain cannot be read");
  }
  head_.number = ReadBigEndian(FromSlice(links->key()));
  std::memcpy(head_.seal.data(), links->value().data(), kSealBytes);
  return absl::OkStatus();
}

void AuditChain::Note(absl::string_view kind, absl::string_view text) {
  CHECK(!kind.empty() && kind.size() < 256 && text.size() <= limits::kTextBytesMax);
  notes_.push_back({std::string(kind), std::string(text)});
}

absl::Status AuditChain::Extend(const Db& db, uint64_t version, int64_t now_ms,
                                rocksdb::WriteBatch* batch, std::span<const AuditEntry> known) {
  next_ = head_;
  AuditLink link;
  EvidenceCollector collector(db, *key_, known);
  RETURN_IF_ERROR(FromRocks(batch->Iterate(&collector), "reading what a write replaces"));
  link.entries = collector.Take();
  if (link.entries.empty() && notes_.empty()) return absl::OkStatus();
  link.version = version;
  link.time_ms = now_ms;
  link.notes = notes_;
  std::string row = link.Encode();
  next_.seal = key_->Seal(head_, row);
  next_.number = head_.number + 1;
  row.replace(0, kSealBytes, AsBytes(next_.seal).data(), kSealBytes);
  CHECK(batch->Put(db.table(Table::kAudit), keys::AuditKeyOf(next_.number), row).ok());
  return absl::OkStatus();
}

void AuditChain::Written() {
  head_ = next_;
  notes_.clear();
}

}  // namespace vitrine
