#include "store/audit_verify.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "store/audit_chain.h"
#include "store/base/status_macros.h"
#include "store/cursor.h"
#include "store/db.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

using Kind = AuditFinding::Kind;
using Digest128 = std::array<uint8_t, 16>;

constexpr absl::string_view kAnchorMagic = "vitrine-anchor-1";

// A digest somewhere: in the chain (where it was added or removed) or in a table.
struct Sighting {
  enum class Where : uint8_t { kAdded, kRemoved, kRow };
  uint64_t high, low;
  uint64_t link : 62;
  uint64_t where : 2;

  auto Order() const { return std::tuple(high, low, where, static_cast<uint64_t>(link)); }
};
static_assert(sizeof(Sighting) == 24);

Sighting Seen(const Digest128& digest, Sighting::Where where, uint64_t link) {
  Sighting s;
  std::memcpy(&s.high, digest.data(), 8);
  std::memcpy(&s.low, digest.data() + 8, 8);
  s.link = link;
  s.where = static_cast<uint64_t>(where);
  return s;
}

Digest128 DigestOf(const Sighting& s) {
  Digest128 digest;
  std::memcpy(digest.data(), &s.high, 8);
  std::memcpy(digest.data() + 8, &s.low, 8);
  return digest;
}

// "events customer time 2011-03-13T07:06:40.000Z id 1f2e...", from a key.
std::string Describe(const AuditKey& secret, Table table, absl::string_view key) {
  const std::string name = TableName(table);
  if (table == Table::kEvents && key.size() > 17) {
    const uint64_t flipped = ~ReadBigEndian(key.substr(key.size() - 16, 8));
    const auto time_ms = static_cast<int64_t>(flipped ^ (uint64_t{1} << 63));
    return absl::StrCat(name, " ", key[0] == 'c' ? "customer" : "visitor", " time ",
                        absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(time_ms),
                                         absl::UTCTimeZone()),
                        " id ", absl::BytesToHexString(key.substr(key.size() - 8)));
  }
  if (table == Table::kConflicts) return absl::StrCat(name, " ", absl::BytesToHexString(key));
  if (table == Table::kMeta) return std::string(key);
  return absl::StrCat(name, " tag ", absl::Hex(secret.Tag(table, key), absl::kZeroPad16));
}

class Verifier {
 public:
  Verifier(const Db& db, const AuditKey& key, const VerifyOptions& options)
      : db_(db), key_(key), options_(options) {}

  absl::StatusOr<AuditFindings> Run() {
    RETURN_IF_ERROR(WalkChain());
    RETURN_IF_ERROR(CountRows());
    const uint64_t sightings = entries_ + found_.rows;
    const uint64_t fit = std::max<uint64_t>(options_.memory_bytes / sizeof(Sighting), 1);
    const uint64_t passes = sightings / fit + 1;
    for (uint64_t pass = 0; pass < passes; ++pass) RETURN_IF_ERROR(Compare(pass, passes));
    RETURN_IF_ERROR(NameRows());
    return std::move(found_);
  }

 private:
  using UseLink = std::function<void(uint64_t number, const AuditLink& link)>;
  using UseRow = std::function<void(Table table, absl::string_view key, const AuditEntry& row)>;

  void Report(AuditFinding finding) {
    ++found_.problems_found;
    if (found_.problems.size() < limits::kFindingsMax) {
      found_.problems.push_back(std::move(finding));
    }
  }

  // The links that can be read, in order.
  absl::Status ForEachLink(const UseLink& use) const {
    Cursor cursor(db_.Scan(Table::kAudit), "", "");
    for (; cursor.Valid(); cursor.Next()) {
      const absl::StatusOr<AuditLink> link = AuditLink::Decode(cursor.raw());
      if (cursor.key().size() == 8 && link.ok()) use(ReadBigEndian(cursor.key()), *link);
    }
    return cursor.Finish();
  }

  absl::Status ForEachRow(const UseRow& use) const {
    for (const Table table : AuditedTables()) {
      Cursor cursor(db_.Scan(table), "", "");
      for (; cursor.Valid(); cursor.Next()) {
        if (!Audited(table, cursor.key())) continue;
        use(table, cursor.key(),
            key_.Entry(AuditChange::kAdded, table, cursor.key(), cursor.raw()));
      }
      RETURN_IF_ERROR(cursor.Finish());
    }
    return absl::OkStatus();
  }

  // Seals, numbers, anchors, notes. A link that is wrong does not make its successors wrong: they
  // seal what it says its seal is.
  absl::Status WalkChain() {
    absl::flat_hash_map<uint64_t, const AuditAnchor*> anchors;
    for (const AuditAnchor& anchor : options_.anchors) anchors[anchor.link] = &anchor;
    // What the next link may have sealed. A link whose content was changed still bears the seal
    // that the next one knows; of one whose seal was changed it can be computed.
    AuditHead stored, computed;
    bool known = true;  // false behind a gap
    Cursor cursor(db_.Scan(Table::kAudit), "", "");
    for (; cursor.Valid(); cursor.Next()) {
      const uint64_t number = cursor.key().size() == 8 ? ReadBigEndian(cursor.key()) : 0;
      const absl::StatusOr<AuditLink> link = AuditLink::Decode(cursor.raw());
      if (number == 0 || !link.ok()) {
        Report({.kind = Kind::kLinkChanged, .row = "", .link = number});
        gaps_ = true;
        if (number != 0) stored.number = computed.number = number;
        known = false;
        continue;
      }
      if (number != stored.number + 1) {
        ReportGap(stored.number + 1, number - 1);
        stored.number = computed.number = number - 1;
        known = false;
      }
      const Hmac::Digest seal = key_.Seal(stored, cursor.raw());
      if (known && seal != link->seal && key_.Seal(computed, cursor.raw()) != link->seal) {
        Report({Kind::kLinkChanged, "", number, link->version, link->time_ms});
      }
      known = true;
      CheckAnchor(anchors, number, *link);
      stored = {number, link->seal};
      computed = {number, seal};
      KeepLink(number, *link);
    }
    RETURN_IF_ERROR(cursor.Finish());
    for (const auto& [number, anchor] : anchors) {
      if (number > stored.number) {
        Report({Kind::kChainCut, "", number, anchor->version, anchor->time_ms});
      }
    }
    return absl::OkStatus();
  }

  void ReportGap(uint64_t from, uint64_t to) {
    gaps_ = true;
    Report({.kind = Kind::kLinkDropped, .row = absl::StrCat("links to ", to), .link = from});
  }

  void CheckAnchor(const absl::flat_hash_map<uint64_t, const AuditAnchor*>& anchors,
                   uint64_t number, const AuditLink& link) {
    const auto it = anchors.find(number);
    if (it == anchors.end() || it->second->seal == link.seal) return;
    Report({Kind::kChainCut, "", number, it->second->version, it->second->time_ms});
  }

  void KeepLink(uint64_t number, const AuditLink& link) {
    ++found_.links;
    entries_ += link.entries.size();
    for (const AuditEntry& entry : link.entries) {
      found_.removed += entry.change == AuditChange::kRemoved ? 1 : 0;
    }
    for (const AuditNote& note : link.notes) {
      if (found_.notes.size() == limits::kFindingsMax) found_.notes.erase(found_.notes.begin());
      found_.notes.push_back({link.time_ms, note.kind, note.text});
    }
    found_.head = {number, link.seal, link.version, link.time_ms, key_.id()};
  }

  absl::Status CountRows() {
    for (const Table table : AuditedTables()) {
      Cursor cursor(db_.Scan(table), "", "");
      for (; cursor.Valid(); cursor.Next()) found_.rows += Audited(table, cursor.key()) ? 1 : 0;
      RETURN_IF_ERROR(cursor.Finish());
    }
    return absl::OkStatus();
  }

  // The digests of this pass, sorted so that all sightings of one stand together.
  absl::Status Compare(uint64_t pass, uint64_t passes) {
    std::vector<Sighting> sightings;
    sightings.reserve((entries_ + found_.rows) / passes + 1024);
    const auto keep = [&](const AuditEntry& entry, Sighting::Where where, uint64_t link) {
      const Sighting s = Seen(entry.digest, where, link);
      if (s.low % passes == pass) sightings.push_back(s);
    };
    RETURN_IF_ERROR(ForEachLink([&](uint64_t number, const AuditLink& link) {
      for (const AuditEntry& entry : link.entries) {
        keep(entry,
             entry.change == AuditChange::kAdded ? Sighting::Where::kAdded
                                                 : Sighting::Where::kRemoved,
             number);
      }
    }));
    RETURN_IF_ERROR(ForEachRow([&](Table, absl::string_view, const AuditEntry& row) {
      keep(row, Sighting::Where::kRow, 0);
    }));
    std::sort(sightings.begin(), sightings.end(),
              [](const Sighting& a, const Sighting& b) { return a.Order() < b.Order(); });
    for (size_t begin = 0; begin < sightings.size();) {
      size_t end = begin;
      while (end < sightings.size() && sightings[end].high == sightings[begin].high &&
             sightings[end].low == sightings[begin].low) {
        ++end;
      }
      Judge(&sightings[begin], end - begin);
      begin = end;
    }
    return absl::OkStatus();
  }

  // All sightings of one digest.
  void Judge(const Sighting* sightings, size_t n) {
    int64_t live = 0;
    int64_t rows = 0;
    uint64_t added_in = 0;
    for (size_t i = 0; i < n; ++i) {
      const auto where = static_cast<Sighting::Where>(sightings[i].where);
      live += where == Sighting::Where::kAdded ? 1 : 0;
      live -= where == Sighting::Where::kRemoved ? 1 : 0;
      rows += where == Sighting::Where::kRow ? 1 : 0;
      if (where == Sighting::Where::kAdded)
        added_in = std::max(added_in, uint64_t{sightings[i].link});
    }
    if (live == rows) return;
    if (live == 1 && rows == 0) {
      dropped_.emplace(DigestOf(sightings[0]), added_in);
    } else if (live == 0 && rows == 1) {
      added_.insert(DigestOf(sightings[0]));
    } else if (live >= 0 || !gaps_) {  // behind a gap the link that added it may be missing
      Report({.kind = Kind::kRowTwice, .row = "", .link = added_in});
    }
  }

  // Pairs rows that should not be there with digests that have no row: the same key in both is a
  // changed row.
  absl::Status NameRows() {
    if (dropped_.empty() && added_.empty()) return absl::OkStatus();
    struct Lost {
      AuditFinding finding;
      Table table;
      bool changed = false;
    };
    absl::flat_hash_map<uint64_t, Lost> lost;  // by tag
    RETURN_IF_ERROR(ForEachLink([&](uint64_t number, const AuditLink& link) {
      for (const AuditEntry& entry : link.entries) {
        const auto it = dropped_.find(entry.digest);
        if (it == dropped_.end() || it->second != number) continue;
        if (entry.change != AuditChange::kAdded) continue;
        lost[entry.tag] = {
            {Kind::kRowDropped, TableName(entry.table), number, link.version, link.time_ms},
            entry.table};
      }
    }));
    RETURN_IF_ERROR(ForEachRow([&](Table table, absl::string_view key, const AuditEntry& row) {
      if (!added_.contains(row.digest)) return;
      const auto it = lost.find(row.tag);
      if (it == lost.end()) {
        Report({.kind = Kind::kRowAdded, .row = Describe(key_, table, key)});
        return;
      }
      it->second.changed = true;
      it->second.finding.kind = Kind::kRowChanged;
      it->second.finding.row = Describe(key_, table, key);
    }));
    // The key of a dropped event stands in event_ids still.
    Cursor ids(db_.Scan(Table::kEventIds), "", "");
    for (; ids.Valid(); ids.Next()) {
      if (ids.raw().size() < 8) continue;
      const absl::string_view key = EventIdRow::Decode(ids.raw()).event_key;
      const auto it = lost.find(key_.Tag(Table::kEvents, key));
      if (it != lost.end()) it->second.finding.row = Describe(key_, Table::kEvents, key);
    }
    RETURN_IF_ERROR(ids.Finish());
    for (auto& [tag, row] : lost) Report(std::move(row.finding));
    return absl::OkStatus();
  }

  const Db& db_;
  const AuditKey& key_;
  const VerifyOptions& options_;
  AuditFindings found_;
  uint64_t entries_ = 0;
  bool gaps_ = false;                                 // links are missing or cannot be read
  absl::flat_hash_map<Digest128, uint64_t> dropped_;  // to the link that added it
  absl::flat_hash_set<Digest128> added_;
};

}  // namespace

absl::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kRowChanged:
      return "row_changed";
    case Kind::kRowDropped:
      return "row_dropped";
    case Kind::kRowAdded:
      return "row_added";
    case Kind::kLinkChanged:
      return "link_changed";
    case Kind::kLinkDropped:
      return "link_dropped";
    case Kind::kChainCut:
      return "chain_cut";
    case Kind::kRowTwice:
      return "row_twice";
  }
  return "unknown";
}

std::string AuditAnchor::Format() const {
  return absl::StrCat(kAnchorMagic, " key ", key_id, " link ", link, " version ", version,
                      " time_ms ", time_ms, " seal ", absl::BytesToHexString(AsBytes(seal)));
}

absl::StatusOr<AuditAnchor> AuditAnchor::Parse(absl::string_view line) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(absl::StripAsciiWhitespace(line), ' ', absl::SkipEmpty());
  AuditAnchor anchor;
  const bool shaped =
      words.size() == 11 && words[0] == kAnchorMagic && words[1] == "key" && words[3] == "link" &&
      words[5] == "version" && words[7] == "time_ms" && words[9] == "seal" &&
      words[10].size() == 2 * anchor.seal.size() && absl::SimpleAtoi(words[4], &anchor.link) &&
      absl::SimpleAtoi(words[6], &anchor.version) && absl::SimpleAtoi(words[8], &anchor.time_ms);
  if (!shaped) {
    return absl::InvalidArgumentError(
        absl::StrCat("not an anchor of an audit chain: '", line, "'"));
  }
  const std::string seal = absl::HexStringToBytes(words[10]);
  std::memcpy(anchor.seal.data(), seal.data(), anchor.seal.size());
  anchor.key_id = std::string(words[2]);
  return anchor;
}

absl::StatusOr<AuditFindings> VerifyAudit(const VerifyOptions& options) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const AuditKey> key, AuditKey::Read(options.key_path));
  for (const AuditAnchor& anchor : options.anchors) {
    if (anchor.key_id == key->id()) continue;
    return absl::FailedPreconditionError(absl::StrCat("the anchor of link ", anchor.link,
                                                      " was made under key ", anchor.key_id,
                                                      "; this store's is ", key->id()));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Db> db, Db::Open(options.directory, Db::Mode::kReadOnly,
                                                          MakeDbBudget(64 << 20, 1 << 20)));
  RETURN_IF_ERROR(FromRocks(db->raw()->VerifyChecksum(), "reading every block of the store"));
  return Verifier(*db, *key, options).Run();
}

}  // namespace vitrine
