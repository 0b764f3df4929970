// Whoever changes evidence behind the web house's back is found out, and nobody else is.

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <sys/stat.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "store/audit_chain.h"
#include "store/audit_verify.h"
#include "store/web_house.h"
#include "tests/testing/raw_store.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeEvent;
using ::testing::Not;
using testing::RawStore;
using testing::TempDir;
using testing::Value;
using Kind = AuditFinding::Kind;

constexpr int64_t kDay = 1'300'000'000'000;

class AuditTest : public ::testing::Test {
 protected:
  AuditTest() : seed_(std::random_device{}()), random_(seed_) {
    std::printf("seed %u\n", seed_);
    Open();
  }

  void Open() {
    house_.reset();
    house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  }

  // Events of few persons in batches of 1 to 50: some sent twice, some with another content.
  void Fill(int events) {
    while (events > 0) {
      std::vector<Event> batch;
      for (int i = 1 + static_cast<int>(random_() % 50); i > 0; --i, --events) {
        const uint64_t id = random_() % 20 == 0 ? random_() % (made_ + 1) : made_++;
        const uint64_t person = random_() % 40;
        batch.push_back(MakeEvent(absl::StrCat("e", id),
                                  absl::StrCat(person % 3 == 0 ? "v:" : "", "p", person),
                                  kDay + static_cast<int64_t>(random_() % 1'000'000),
                                  EventKind::VIEW_ITEM, absl::StrCat("product", random_() % 90)));
      }
      EXPECT_OK(house_->Track(batch, {}, Ack::kApplied).status());
    }
  }

  AuditFindings Verify(std::vector<AuditAnchor> anchors = {},
                       size_t memory_bytes = limits::kVerifyBytesMax) {
    house_.reset();
    return Value(VerifyAudit({dir_.File("db"), dir_.File("audit.key"), anchors, memory_bytes}));
  }

  std::vector<Kind> KindsFound(std::vector<AuditAnchor> anchors = {}) {
    std::vector<Kind> kinds;
    for (const AuditFinding& f : Verify(std::move(anchors)).problems) kinds.push_back(f.kind);
    return kinds;
  }

  static std::string IdOf(const std::string& event_key) {
    return absl::BytesToHexString(event_key.substr(event_key.size() - 8));
  }

  const unsigned seed_;
  std::mt19937 random_;
  TempDir dir_;
  std::unique_ptr<WebHouse> house_;
  uint64_t made_ = 0;
};

TEST_F(AuditTest, FindsNothingInAStoreThatNobodyTouched) {
  Fill(3000);
  Open();
  SiteSettings settings;
  for (const int64_t gap : {1000, 2000, 1000}) {
    settings.session_gap_ms = gap;
    ASSERT_OK(house_->SetSettings(settings));
  }
  const Totals totals = house_->GetTotals();
  EXPECT_GT(totals.conflicts, 0);
  const AuditFindings found = Verify();
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_EQ(found.rows, totals.events + totals.conflicts + 1u);
  EXPECT_GT(found.removed, 2u);  // settings that were replaced, events that lost
}

TEST_F(AuditTest, NamesEveryOneOfAThousandRowsThatWereChangedDroppedAddedOrSwapped) {
  Fill(4000);
  house_.reset();
  std::map<std::string, Kind> wanted;  // by the event's id
  {
    RawStore raw(dir_.File("db"));
    RawStore::Rows rows = raw.All("events");
    std::shuffle(rows.begin(), rows.end(), random_);
    for (size_t i = 0; wanted.size() < 1000; i += 2) {
      auto& [key, value] = rows[i];
      switch (random_() % 4) {
        case 0:
          value[random_() % value.size()] ^= static_cast<char>(1 << random_() % 8);
          raw.Put("events", key, value);
          wanted[IdOf(key)] = Kind::kRowChanged;
          break;
        case 1:
          raw.Delete("events", key);
          wanted[IdOf(key)] = Kind::kRowDropped;
          break;
        case 2:
          key[key.size() - 1] ^= 1;
          raw.Put("events", key, value);
          wanted[IdOf(key)] = Kind::kRowAdded;
          break;
        default:
          auto& [other_key, other_value] = rows[i + 1];
          raw.Put("events", key, other_value);
          raw.Put("events", other_key, value);
          wanted[IdOf(key)] = wanted[IdOf(other_key)] = Kind::kRowChanged;
      }
    }
  }
  for (const size_t memory_bytes : {limits::kVerifyBytesMax, size_t{20'000}}) {
    const AuditFindings found = Verify({}, memory_bytes);
    std::map<std::string, Kind> named;
    for (const AuditFinding& f : found.problems) {
      named[f.row.substr(f.row.size() - 16)] = f.kind;
      EXPECT_THAT(f.row, HasSubstr(" time 2011-03-13T"));
      EXPECT_EQ(f.link == 0, f.kind == Kind::kRowAdded);
    }
    EXPECT_EQ(named, wanted);
    EXPECT_EQ(found.problems_found, wanted.size());
  }
}

TEST_F(AuditTest, FindsOneRowOfAnyKindAmongMany) {
  Fill(500);
  SiteSettings settings;
  settings.exclude_bought = false;
  ASSERT_OK(house_->SetSettings(settings));
  for (const std::string table : {"default", "conflicts", "events"}) {
    house_.reset();
    RawStore::Rows rows;
    {
      RawStore raw(dir_.File("db"));
      rows = raw.All(table);
      if (table == "default") {
        std::erase_if(rows, [](const auto& row) { return row.first != "settings"; });
      }
      std::string changed = rows[0].second;
      changed[changed.size() / 2] ^= 1;
      raw.Put(table, rows[0].first, changed);
    }
    EXPECT_THAT(KindsFound(), ElementsAre(Kind::kRowChanged)) << table;
    RawStore raw(dir_.File("db"));
    raw.Put(table, rows[0].first, rows[0].second);
  }
}

TEST_F(AuditTest, NamesTheLinkThatWasChangedDroppedOrMoved) {
  Fill(500);
  house_.reset();
  RawStore::Rows links;
  const auto restore = [&](size_t i) {
    RawStore(dir_.File("db")).Put("audit", links[i].first, links[i].second);
  };
  const auto found = [&] {
    std::set<std::pair<Kind, uint64_t>> links_found;
    for (const AuditFinding& f : Verify().problems) {
      if (f.row.empty() || f.kind == Kind::kLinkDropped) links_found.emplace(f.kind, f.link);
    }
    return links_found;
  };
  {
    RawStore raw(dir_.File("db"));
    links = raw.All("audit");
    ASSERT_GT(links.size(), 8u);
    std::string changed = links[3].second;
    changed[40 + random_() % 8] ^= 1;  // the time
    raw.Put("audit", links[3].first, changed);
  }
  EXPECT_THAT(found(), ElementsAre(std::pair(Kind::kLinkChanged, 4)));
  restore(3);
  {
    std::string changed = links[5].second;
    changed[random_() % 32] ^= 1;  // the seal
    RawStore(dir_.File("db")).Put("audit", links[5].first, changed);
  }
  EXPECT_THAT(found(), ElementsAre(std::pair(Kind::kLinkChanged, 6)));
  restore(5);
  RawStore(dir_.File("db")).Delete("audit", links[4].first);
  EXPECT_THAT(found(), ElementsAre(std::pair(Kind::kLinkDropped, 5)));
  RawStore(dir_.File("db")).Put("audit", links[4].first, links[6].second);
  RawStore(dir_.File("db")).Put("audit", links[6].first, links[4].second);
  EXPECT_THAT(found(), Not(IsEmpty()));
  restore(4);
  restore(6);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(AuditTest, AnAnchorShowsThatTheEndWasCutOff) {
  Fill(100);
  const AuditAnchor early = house_->Anchor();
  std::vector<Event> last_write;
  for (int i = 0; i < 10; ++i) {
    last_write.push_back(
        MakeEvent(absl::StrCat("late", i), "p", kDay + i, EventKind::PURCHASE, "product"));
  }
  ASSERT_OK(house_->Track(last_write, {}, Ack::kApplied).status());
  const AuditAnchor late = house_->Anchor();
  EXPECT_THAT(KindsFound({early, late}), IsEmpty());
  {
    RawStore raw(dir_.File("db"));
    const std::string last = raw.All("audit").back().first;
    const AuditLink link = Value(AuditLink::Decode(raw.All("audit").back().second));
    const auto key = Value(AuditKey::Read(dir_.File("audit.key")));
    for (const auto& [event, value] : raw.All("events")) {
      const uint64_t tag = key->Tag(Table::kEvents, event);
      for (const AuditEntry& entry : link.entries) {
        if (entry.tag == tag) raw.Delete("events", event);
      }
    }
    raw.Delete("audit", last);
  }
  EXPECT_THAT(KindsFound({early}), IsEmpty());
  const AuditFindings found = Verify({early, late});
  ASSERT_EQ(found.problems.size(), 1u);
  EXPECT_EQ(found.problems[0].kind, Kind::kChainCut);
  EXPECT_EQ(found.problems[0].link, late.link);
  AuditAnchor other = early;
  other.seal[3] ^= 1;
  EXPECT_THAT(KindsFound({other}), ElementsAre(Kind::kChainCut));
}

TEST_F(AuditTest, AnAnchorIsOneLineThatReadsBack) {
  Fill(10);
  const AuditAnchor anchor = house_->Anchor();
  const AuditAnchor back = Value(AuditAnchor::Parse(anchor.Format() + "\n"));
  EXPECT_EQ(back.Format(), anchor.Format());
  EXPECT_EQ(back.seal, anchor.seal);
  EXPECT_FALSE(AuditAnchor::Parse("vitrine-anchor-1 key x").ok());
  AuditAnchor foreign = anchor;
  foreign.key_id = "0000000000000000";
  house_.reset();
  EXPECT_EQ(VerifyAudit({dir_.File("db"), dir_.File("audit.key"), {foreign}}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(AuditTest, TheKeyIsPrivateAndItsLossIsSaid) {
  const std::string path = dir_.File("audit.key");
  struct stat facts;
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  house_.reset();
  std::filesystem::rename(path, dir_.File("kept"));
  absl::Status status = WebHouse::Open({.directory = dir_.File("db")}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("audit.key"));
  ASSERT_OK(AuditKey::Make(path).status());
  status = WebHouse::Open({.directory = dir_.File("db")}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  std::filesystem::rename(dir_.File("kept"), path);
  Open();
}

// What erasure and retention do: rows go by key or by range, and stay known as removed.
TEST_F(AuditTest, RowsRemovedInAWriteOfOursAreNotMissed) {
  Fill(300);
  house_.reset();
  const auto db = Value(Db::Open(dir_.File("db"), Db::Mode::kOpen, MakeDbBudget(8 << 20, 8 << 20)));
  AuditChain chain(Value(AuditKey::Read(dir_.File("audit.key"))));
  ASSERT_OK(chain.Load(*db));
  const auto events = db->table(Table::kEvents);
  rocksdb::WriteBatch range;
  ASSERT_TRUE(range.DeleteRange(events, "cp1", "cp2").ok());
  EXPECT_THAT(chain.Extend(*db, 1000, kDay, &range).message(), HasSubstr("row by row"));
  rocksdb::WriteBatch batch;
  ASSERT_TRUE(batch.Put(events, "cp1x", "came").ok());
  ASSERT_TRUE(batch.Delete(events, "cp1x").ok());  // and went
  const std::unique_ptr<rocksdb::Iterator> rows = db->Scan(Table::kEvents);
  for (rows->Seek("vp"); rows->Valid() && rows->key().starts_with("vp"); rows->Next()) {
    ASSERT_TRUE(batch.Delete(events, rows->key()).ok());
    ASSERT_TRUE(batch.Delete(events, rows->key()).ok());
  }
  chain.Note("erased", "receipt 1");
  ASSERT_OK(chain.Extend(*db, 1000, kDay, &batch));
  ASSERT_TRUE(db->raw()->Write({}, &batch).ok());
  const AuditFindings found = Value(VerifyAudit({dir_.File("db"), dir_.File("audit.key"), {}}));
  EXPECT_THAT(found.problems, IsEmpty());
  ASSERT_EQ(found.notes.size(), 1u);
  EXPECT_EQ(found.notes[0].text, "receipt 1");
}

TEST_F(AuditTest, ConflictingDuplicatesAreKeptApartWhateverCameFirst) {
  std::vector<Event> events;
  for (int i = 0; i < 60; ++i) {
    events.push_back(MakeEvent(absl::StrCat("e", i % 12), absl::StrCat("p", i % 7), kDay + i,
                               EventKind::VIEW_ITEM, "x"));
  }
  std::vector<std::string> seen;
  for (int round = 0; round < 3; ++round) {
    TempDir dir;
    auto house = Value(WebHouse::Open({.directory = dir.File("db")}));
    std::shuffle(events.begin(), events.end(), random_);
    for (size_t i = 0; i < events.size();) {
      const size_t end = std::min(events.size(), i + 1 + random_() % 30);
      EXPECT_OK(
          house->Track({events.begin() + i, events.begin() + end}, {}, Ack::kApplied).status());
      i = end;
    }
    EXPECT_OK(house->Track(events, {}, Ack::kApplied).status());
    std::string all;
    int64_t conflicts = 0;
    EventCursor cursor = house->Conflicts();
    for (; cursor.Valid(); cursor.Next(), ++conflicts) {
      absl::StrAppend(&all, cursor.value().id, " ", cursor.value().time_ms, ";");
    }
    EXPECT_OK(cursor.Finish());
    EXPECT_EQ(conflicts, 48);
    EXPECT_EQ(house->GetTotals().conflicts, 48);
    EXPECT_EQ(house->GetTotals().events, 12);
    seen.push_back(all);
  }
  for (const std::string& all : seen) EXPECT_EQ(all, seen[0]);
}

}  // namespace
}  // namespace vitrine
