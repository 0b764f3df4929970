#include "store/backup.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "absl/strings/str_cat.h"

#include "store/backup_files.h"
#include "store/base/clock.h"
#include "tests/testing/process.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using testing::FileText;
using ::testing::HasSubstr;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

constexpr int64_t kDay = 1'300'000'000'000;

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

uint32_t ModeOf(const std::string& path) {
  struct stat facts;
  EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 0777;
}

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() {
    fs::create_directories(site_ + "/models");
    WriteFile(site_ + "/watermark", "7");
    ::chmod((site_ + "/watermark").c_str(), 0640);
    WriteFile(site_ + "/models/m1.model", std::string(10'000, 'm'));
    WriteFile(site_ + "/models/CURRENT", "m1\n");
    house_ = Value(WebHouse::Open({.directory = site_ + "/db"}));
  }

  void Add(int events) {
    std::vector<Event> batch;
    for (int i = 0; i < events; ++i) {
      batch.push_back(MakeEvent(absl::StrCat("e", next_), absl::StrCat("c", next_ % 7),
                                kDay + next_, EventKind::VIEW_ITEM, absl::StrCat("p", next_ % 50)));
      ++next_;
    }
    ASSERT_OK(house_->Track(batch, {}, Ack::kDurable).status());
  }

  absl::StatusOr<BackupManifest> TryBackUp(int keep = 0, const std::string& site = "gifts") {
    return MakeBackup(*house_, site, site_, {.directory = folder_, .keep = keep}, clock_);
  }
  BackupManifest BackUp(int keep = 0) { return Value(TryBackUp(keep)); }

  absl::Status Verify(uint32_t id) { return VerifyBackup(folder_, id, clock_).status(); }
  absl::Status Restore(uint32_t id, const std::string& to) {
    return RestoreBackup(folder_, id, dir_.File(to), clock_).status();
  }

  static std::set<std::string> EventIds(const WebHouse& house) {
    std::set<std::string> ids;
    EventCursor cursor = house.Events();
    for (; cursor.Valid(); cursor.Next()) ids.insert(cursor.value().id);
    EXPECT_OK(cursor.Finish());
    return ids;
  }

  std::vector<uint32_t> Ids() {
    std::vector<uint32_t> ids;
    for (const BackupManifest& made : Value(ListBackups(folder_)).backups) ids.push_back(made.id);
    return ids;
  }

  TempDir dir_;
  const std::string site_ = dir_.File("data-gifts");
  const std::string folder_ = dir_.File("backups");
  SimClock clock_{kDay};
  std::unique_ptr<WebHouse> house_;
  int next_ = 0;
};

TEST_F(BackupTest, GivesBackEachStateThatWasThere) {
  Add(100);
  const uint32_t first = BackUp().id;
  Add(50);
  const uint32_t second = BackUp().id;
  Add(1);
  for (const auto& [id, events] : {std::pair(first, 100), std::pair(second, 150)}) {
    const std::string to = absl::StrCat("back", id);
    ASSERT_OK(Restore(id, to));
    auto house = Value(WebHouse::Open({.directory = dir_.File(to + "/db"), .create = false}));
    EXPECT_EQ(EventIds(*house).size(), static_cast<size_t>(events));
    EXPECT_EQ(house->GetTotals().events, events);
    EXPECT_EQ(FileText(dir_.File(to + "/audit.key")), FileText(site_ + "/audit.key"));
    EXPECT_EQ(ModeOf(dir_.File(to + "/audit.key")), 0600u);
    EXPECT_EQ(FileText(dir_.File(to + "/watermark")), "7");
    EXPECT_EQ(ModeOf(dir_.File(to + "/watermark")), 0640u);
    EXPECT_EQ(ModeOf(absl::StrCat(folder_, "/site/", id, "/audit.key")), 0600u);
    EXPECT_EQ(FileText(dir_.File(to + "/models/m1.model")), std::string(10'000, 'm'));
    EXPECT_EQ(FileText(dir_.File(to + "/models/CURRENT")), "m1\n");
    ASSERT_OK(
        house->Track({MakeEvent("new", "c1", kDay, EventKind::LOGIN)}, {}, Ack::kDurable).status());
  }
}

TEST_F(BackupTest, CopiesOnlyWhatIsNew) {
  std::mt19937_64 random(7);  // text that does not compress
  for (int i = 0; i < 100; ++i) {
    Event event = MakeEvent(absl::StrCat("x", i), "c1", kDay, EventKind::SEARCH);
    std::string text;
    while (text.size() < 2000) text += static_cast<char>('!' + random() % 90);
    event.__set_search_terms(text);
    ASSERT_OK(house_->Track({event}, {}, Ack::kApplied).status());
  }
  const BackupManifest first = BackUp();
  EXPECT_GT(first.new_bytes, 190'000);
  Add(1);
  const BackupManifest second = BackUp();
  EXPECT_GT(second.Bytes(), 190'000);
  EXPECT_LT(second.new_bytes, 190'000);
  EXPECT_OK(Verify(first.id));
  EXPECT_OK(Verify(second.id));
}

// Whatever happens to any file of a backup, it is found, named, and the backup is not restored.
TEST_F(BackupTest, AnyFileThatIsFlippedCutOrGoneIsFound) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  Add(300);
  const BackupManifest made = BackUp();
  std::vector<std::string> paths = {absl::StrCat("manifests/", made.id)};
  for (const BackupFile& file : made.files) paths.push_back(file.path);
  int damages = 0;
  for (const std::string& name : paths) {
    const std::string path = absl::StrCat(folder_, "/", name);
    const std::string sound = FileText(path);
    std::vector<std::string> damaged = {sound + "x"};
    if (!sound.empty()) {
      std::string flipped = sound;
      flipped[random() % sound.size()] ^= static_cast<char>(1 << random() % 8);
      damaged.push_back(flipped);
      damaged.push_back(sound.substr(0, random() % sound.size()));
    }
    for (const std::string& bytes : damaged) {
      WriteFile(path, bytes);
      const absl::Status status = Verify(made.id);
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(name));
      EXPECT_TRUE(absl::IsDataLoss(Restore(made.id, "back")));
      ++damages;
    }
    fs::remove(path);
    EXPECT_FALSE(Verify(made.id).ok()) << name;
    WriteFile(path, sound);
  }
  EXPECT_GT(damages, 30);
  EXPECT_FALSE(fs::exists(dir_.File("back")));
  EXPECT_OK(Verify(made.id));
  EXPECT_OK(Restore(made.id, "back"));
}

TEST_F(BackupTest, IsNeverPutOverASite) {
  Add(1);
  const uint32_t id = BackUp().id;
  EXPECT_TRUE(absl::IsAlreadyExists(RestoreBackup(folder_, id, site_, clock_).status()));
  fs::create_directories(dir_.File("empty"));
  EXPECT_TRUE(absl::IsAlreadyExists(Restore(id, "empty")));
  fs::create_symlink(dir_.File("nowhere"), dir_.File("link"));
  EXPECT_TRUE(absl::IsAlreadyExists(Restore(id, "link")));
}

TEST_F(BackupTest, WhatARestoreThatDiedLeftIsInNobodysWay) {
  Add(10);
  const uint32_t id = BackUp().id;
  fs::create_directories(dir_.File(".restoring-back/db"));
  WriteFile(dir_.File(".restoring-back/db/000009.sst"), "half");
  ASSERT_OK(Restore(id, "back"));
  EXPECT_FALSE(fs::exists(dir_.File(".restoring-back")));
  EXPECT_FALSE(fs::exists(dir_.File("back/db/000009.sst")));
}

TEST_F(BackupTest, OneThatWasInterruptedIsNone) {
  Add(10);
  BackUp();
  const uint32_t interrupted = BackUp().id;
  fs::remove(absl::StrCat(folder_, "/manifests/", interrupted));  // it is written last
  EXPECT_THAT(Ids(), ElementsAre(1));
  EXPECT_TRUE(absl::IsNotFound(Verify(interrupted)));
  const BackupManifest next = BackUp();
  EXPECT_THAT(Ids(), ElementsAre(1, next.id));
  EXPECT_FALSE(fs::exists(absl::StrCat(folder_, "/site/", interrupted)) && next.id != interrupted);
  EXPECT_OK(Verify(next.id));
}

TEST_F(BackupTest, KeepsAsManyAsAskedAndPurgesTheOld) {
  for (int i = 0; i < 5; ++i) {
    Add(10);
    clock_.Advance(1);
    BackUp(/*keep=*/3);
  }
  EXPECT_THAT(Ids(), ElementsAre(3, 4, 5));
  EXPECT_THAT(Value(PurgeBackups(folder_, kDay + 4, 0)), ElementsAre(3));
  EXPECT_THAT(Value(PurgeBackups(folder_, 0, 1)), ElementsAre(4));
  EXPECT_THAT(Ids(), ElementsAre(5));
  // Nothing is left that the last one does not hold.
  std::set<std::string> held;
  const BackupManifest last = Value(ListBackups(folder_)).backups.at(0);
  for (const BackupFile& file : last.files) held.insert(file.path);
  for (const char* room : {"db", "site"}) {
    for (const auto& entry : fs::recursive_directory_iterator(absl::StrCat(folder_, "/", room))) {
      if (!entry.is_regular_file()) continue;
      EXPECT_TRUE(held.contains(fs::relative(entry.path(), folder_).string())) << entry.path();
    }
  }
  EXPECT_OK(Verify(5));
}

TEST_F(BackupTest, ADamagedManifestStopsNoLaterBackup) {
  Add(10);
  const uint32_t damaged = BackUp().id;
  WriteFile(absl::StrCat(folder_, "/manifests/", damaged), "vitrine backup 1\nid 1\n");
  const uint32_t next = BackUp().id;
  EXPECT_OK(Verify(next));
  EXPECT_TRUE(absl::IsDataLoss(Verify(damaged)));
  EXPECT_EQ(Value(ListBackups(folder_)).damaged.size(), 1u);
  EXPECT_THAT(Value(PurgeBackups(folder_, kDay * 2, 0)), ElementsAre(next));
}

TEST_F(BackupTest, OneFolderHoldsOneSite) {
  BackUp();
  const absl::Status status = TryBackUp(0, "fashion").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("gifts"));
}

TEST_F(BackupTest, SaysHowOldAndHowFast) {
  EXPECT_TRUE(absl::IsNotFound(ReadBackupState(site_).status()));
  Add(10);
  const BackupManifest made = BackUp();
  BackupState state = Value(ReadBackupState(site_));
  EXPECT_EQ(state.backup.at_ms, kDay);
  EXPECT_EQ(state.backup.bytes, made.Bytes());
  EXPECT_FALSE(state.verified.has_value());
  ASSERT_OK(Verify(made.id));
  ASSERT_OK(Restore(made.id, "back"));
  state = Value(ReadBackupState(site_));
  ASSERT_TRUE(state.verified.has_value() && state.restored.has_value());
  EXPECT_EQ(state.restored->bytes, made.Bytes());
}

TEST(BackupManifestText, ReadsWhatItWrote) {
  BackupManifest manifest;
  manifest.id = 7;
  manifest.site = "gifts";
  manifest.taken_at_ms = kDay;
  manifest.version = 12;
  manifest.seconds = 0.1;
  manifest.files = {{"site/7/a name with blanks", 3, 0xdeadbeef, 0600}, {"db/meta/7", 0, 0, 0}};
  EXPECT_EQ(Value(ParseManifest(FormatManifest(manifest))), manifest);
  manifest.files[0].path = "../outside";
  EXPECT_TRUE(absl::IsDataLoss(ParseManifest(FormatManifest(manifest)).status()));
}

}  // namespace
}  // namespace vitrine
