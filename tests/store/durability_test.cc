// What was acknowledged as durable is there, or opening says what is missing; a disk that is full
// or fails is refused writing to, read from meanwhile, and written to again when it can be.

#include <atomic>
#include <csignal>
#include <fstream>
#include <random>
#include <set>
#include <sys/resource.h>
#include <thread>

#include "absl/strings/str_cat.h"

#include "store/audit_verify.h"
#include "store/watermark.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

constexpr int64_t kDay = 1'300'000'000'000;

Event View(const std::string& id) {
  return MakeEvent(id, "c1", kDay, EventKind::VIEW_ITEM, absl::StrCat("product of ", id));
}

std::set<std::string> IdsOf(const WebHouse& house) {
  std::set<std::string> ids;
  EventCursor cursor = house.Events();
  for (; cursor.Valid(); cursor.Next()) ids.insert(cursor.value().id);
  EXPECT_OK(cursor.Finish());
  return ids;
}

void Overwrite(const std::string& path, int64_t offset, char with) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offset);
  file.put(with);
}

// --- The watermark's file ---

TEST(Watermark, ReadsBackTheLastMarkAndOutlivesATornSlot) {
  TempDir dir;
  const std::string path = dir.File("mark");
  EXPECT_FALSE(Value(Watermark::Open(path))->mark().has_value());
  for (uint64_t version = 1; version <= 5; ++version) {
    const auto watermark = Value(Watermark::Open(path));
    ASSERT_OK(watermark->Advance({.version = version, .time_ms = kDay, .link = 7}));
  }
  EXPECT_EQ(Value(Watermark::Open(path))->mark()->version, 5u);
  EXPECT_EQ(Value(Watermark::Open(path))->mark()->link, 7u);
  Overwrite(path, 4096 + 20, '\x55');  // the slot of 5
  EXPECT_EQ(Value(Watermark::Open(path))->mark()->version, 4u);
  Overwrite(path, 30, '\x55');
  EXPECT_TRUE(absl::IsDataLoss(Watermark::Open(path).status()));
  EXPECT_FALSE(Value(Watermark::OpenAnyway(path))->mark().has_value());
}

// A lower version is what accepting a loss leaves.
TEST(Watermark, TheLastMarkCountsAndNotTheHighest) {
  TempDir dir;
  const std::string path = dir.File("mark");
  for (const uint64_t version : {9, 3}) {
    ASSERT_OK(Value(Watermark::Open(path))->Advance({.version = version}));
  }
  EXPECT_EQ(Value(Watermark::Open(path))->mark()->version, 3u);
}

// --- A damaged log ---

// What kill -9 would leave of an open store: its files as they are.
class DamagedLog : public ::testing::Test {
 protected:
  static constexpr int kDurable = 120;
  static constexpr int kApplied = 10;

  DamagedLog() : seed_(std::random_device{}()), random_(seed_) {
    std::printf("seed %u\n", seed_);
    const auto house = Value(WebHouse::Open({.directory = dir_.File("live/db")}));
    for (int i = 0; i < kDurable + kApplied; ++i) {
      const Ack ack = i < kDurable ? Ack::kDurable : Ack::kApplied;
      EXPECT_OK(house->Track({View(absl::StrCat("e", i))}, {}, ack).status());
    }
    fs::copy(dir_.File("live"), dir_.File("killed"), fs::copy_options::recursive);
  }

  // A fresh copy to be damaged; the log in it.
  std::string Image() {
    fs::remove_all(dir_.File("site"));
    fs::copy(dir_.File("killed"), dir_.File("site"), fs::copy_options::recursive);
    std::string log;
    for (const auto& entry : fs::directory_iterator(dir_.File("site/db"))) {
      const bool longer = log.empty() || fs::file_size(entry.path()) > fs::file_size(log);
      if (entry.path().extension() == ".log" && longer) log = entry.path();
    }
    return log;
  }

  absl::StatusOr<std::unique_ptr<WebHouse>> Open(bool accept_loss = false) {
    return WebHouse::Open({.directory = dir_.File("site/db"), .accept_loss = accept_loss});
  }

  // True if opening says that something is missing; else everything acknowledged is there.
  bool Noticed() {
    const auto house = Open();
    if (!house.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(house.status())) << house.status();
      return true;
    }
    const std::set<std::string> ids = IdsOf(**house);
    for (int i = 0; i < kDurable; ++i) EXPECT_TRUE(ids.contains(absl::StrCat("e", i))) << i;
    return false;
  }

  const unsigned seed_;
  std::mt19937 random_;
  TempDir dir_;
};

TEST_F(DamagedLog, IsNoticedWhereverItWasCutOrFlipped) {
  const char* const wanted = std::getenv("VITRINE_WAL_ROUNDS");
  const int rounds = wanted == nullptr ? 6 : std::atoi(wanted);
  int noticed = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::string log = Image();
    const auto size = static_cast<int64_t>(fs::file_size(log));
    const auto offset = static_cast<int64_t>(random_() % static_cast<uint64_t>(size));
    if (round % 2 == 0) {
      fs::resize_file(log, static_cast<uintmax_t>(offset));
    } else {
      std::ifstream file(log, std::ios::binary);
      file.seekg(offset);
      Overwrite(log, offset, static_cast<char>(file.get() ^ (1 << random_() % 8)));
    }
    noticed += Noticed() ? 1 : 0;
    ASSERT_FALSE(HasFailure()) << "round " << round << ", offset " << offset << " of " << size;
  }
  std::printf("%d of %d damaged logs noticed, the others lost nothing acknowledged\n", noticed,
              rounds);
}

TEST_F(DamagedLog, IsFineIfItIsNotDamaged) {
  Image();
  EXPECT_FALSE(Noticed());
  EXPECT_EQ(IdsOf(*Value(Open())).size(), size_t{kDurable + kApplied});
}

TEST_F(DamagedLog, SaysWhatIsMissingAndOpensWhenToldTo) {
  fs::remove(Image());
  const absl::Status status = Open().status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("writes 1 to ", kDurable)));
  EXPECT_THAT(std::string(status.message()), HasSubstr("--accept-loss"));
  EXPECT_TRUE(absl::IsDataLoss(Open().status()));  // asking twice changes nothing
  {
    const auto house = Value(Open(/*accept_loss=*/true));
    EXPECT_EQ(house->GetTotals().events, 0);
    EXPECT_OK(house->Track({View("e0")}, {}, Ack::kDurable).status());
  }
  EXPECT_EQ(IdsOf(*Value(Open())).size(), 1u);
  const AuditFindings found = Value(
      VerifyAudit({.directory = dir_.File("site/db"), .key_path = dir_.File("site/audit.key")}));
  EXPECT_EQ(found.problems_found, 0u);
  ASSERT_EQ(found.notes.size(), 1u);
  EXPECT_EQ(found.notes[0].kind, "accepted_loss");
  EXPECT_THAT(found.notes[0].text, HasSubstr(absl::StrCat("versions 1 to ", kDurable)));
}

// --- A full disk ---

class FullDisk : public ::testing::Test {
 protected:
  FullDisk() {
    house_ = Value(WebHouse::Open({.directory = dir_.File("site/db"),
                                   .clock = &clock_,
                                   .disk_space = [this](const std::string&) { return disk_; }}));
  }
  ~FullDisk() override { LimitFileSize(RLIM_INFINITY); }

  absl::Status Track(const std::string& id) {
    return house_->Track({View(id)}, {}, Ack::kDurable).status();
  }

  // A file that would grow beyond it cannot be written: RocksDB sees an error of the disk.
  static void LimitFileSize(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit;
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }

  // Writes until the disk fails; the ids that were acknowledged.
  std::set<std::string> WriteUntilItFails() {
    std::set<std::string> acknowledged;
    LimitFileSize(64 << 10);
    for (int i = 0; i < 100'000; ++i) {
      const std::string id = absl::StrCat("e", i);
      const absl::Status status = Track(id);
      if (!status.ok()) {
        EXPECT_TRUE(absl::IsUnavailable(status) || absl::IsResourceExhausted(status)) << status;
        return acknowledged;
      }
      acknowledged.insert(id);
    }
    ADD_FAILURE() << "the disk never failed";
    return acknowledged;
  }

  TempDir dir_;
  SimClock clock_{kDay};
  DiskSpace disk_ = {.free_bytes = 50'000'000, .total_bytes = 100'000'000};
  std::unique_ptr<WebHouse> house_;
};

TEST_F(FullDisk, WritingStopsBeforeAndGoesOnWhenThereIsRoom) {
  ASSERT_OK(Track("a"));
  disk_.free_bytes = disk_.total_bytes / limits::kDiskFreeShare - 1;
  EXPECT_TRUE(absl::IsResourceExhausted(Track("b")));
  EXPECT_EQ(IdsOf(*house_), std::set<std::string>{"a"});
  ++disk_.free_bytes;
  EXPECT_OK(Track("b"));
  // Of a big disk a fixed number of bytes is enough.
  disk_ = {.free_bytes = limits::kDiskFreeBytesMin, .total_bytes = int64_t{1} << 44};
  EXPECT_OK(Track("c"));
}

TEST_F(FullDisk, AfterAFailedWriteTheStoreIsReadAndOpensItselfAgain) {
  const std::set<std::string> acknowledged = WriteUntilItFails();
  ASSERT_GT(acknowledged.size(), 10u);
  disk_.free_bytes = 0;
  EXPECT_TRUE(absl::IsResourceExhausted(Track("again")));  // not before there is room
  std::set<std::string> ids = IdsOf(*house_);
  for (const std::string& id : acknowledged) EXPECT_TRUE(ids.contains(id));
  LimitFileSize(RLIM_INFINITY);
  disk_.free_bytes = 50'000'000;
  EXPECT_TRUE(absl::IsUnavailable(Track("again")));  // at most once a second
  clock_.Advance(1000);
  ASSERT_OK(Track("again"));
  ids = IdsOf(*house_);
  for (const std::string& id : acknowledged) EXPECT_TRUE(ids.contains(id));
  EXPECT_LE(ids.size(), acknowledged.size() + 2);  // and the one that failed, perhaps
  EXPECT_EQ(house_->GetTotals().events, static_cast<int64_t>(ids.size()));
  house_.reset();
  EXPECT_EQ(IdsOf(*Value(WebHouse::Open({.directory = dir_.File("site/db")}))), ids);
}

TEST_F(FullDisk, AReopeningThatFailsIsTriedAgain) {
  const std::set<std::string> acknowledged = WriteUntilItFails();
  LimitFileSize(1);
  EXPECT_TRUE(absl::IsUnavailable(Track("again")));
  EXPECT_TRUE(absl::IsUnavailable(house_->GetProduct("x").status()));
  EXPECT_TRUE(absl::IsUnavailable(house_->Checkpoint(dir_.File("copy"))));
  EventCursor cursor = house_->Events();
  EXPECT_FALSE(cursor.Valid());
  EXPECT_TRUE(absl::IsUnavailable(cursor.Finish()));
  LimitFileSize(RLIM_INFINITY);
  clock_.Advance(1000);
  ASSERT_OK(Track("again"));
  const std::set<std::string> ids = IdsOf(*house_);
  for (const std::string& id : acknowledged) EXPECT_TRUE(ids.contains(id));
}

TEST_F(FullDisk, ReadersGoOnWhileTheStoreIsOpenedAgain) {
  WriteUntilItFails();
  LimitFileSize(RLIM_INFINITY);
  std::atomic<bool> stop = false;
  std::atomic<int> reads = 0;
  std::thread reader([&] {
    while (!stop) {
      EXPECT_FALSE(IdsOf(*house_).empty());
      ++reads;
    }
  });
  while (reads < 3) std::this_thread::yield();
  clock_.Advance(1000);
  EXPECT_OK(Track("again"));
  for (const int before = reads; reads < before + 3;) std::this_thread::yield();
  stop = true;
  reader.join();
}

TEST_F(FullDisk, AScanThatIsHeldPostponesTheReopening) {
  WriteUntilItFails();
  LimitFileSize(RLIM_INFINITY);
  clock_.Advance(1000);
  {
    EventCursor held = house_->Events();
    EXPECT_TRUE(absl::IsUnavailable(Track("again")));
    EXPECT_TRUE(held.Valid());
    EXPECT_OK(held.Finish());
  }
  clock_.Advance(1000);
  EXPECT_OK(Track("again"));
}

}  // namespace
}  // namespace vitrine
