// A server that is killed, or whose disk fills up, while shops send events: what it acknowledged is
// there, once.

#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "api/client/client.h"
#include "store/audit_verify.h"
#include "store/web_house.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

using testing::MakeEvent;
using testing::Outcome;
using testing::Process;
using testing::RunProgram;
using testing::TempDir;
using testing::Value;
using testing::Vitrine;
using StorefrontConnection = Connection<StorefrontClient>;

constexpr int kTimeoutMs = 10'000;
constexpr int64_t kDay = 1'780'000'000'000;  // May 2026: track takes nothing older than ten years

// Waits for the line that says where a server listens; 0 if it ended before.
int PortOf(const Process& server) {
  std::string out;
  while ((out = server.OutSoFar()).find('\n') == std::string::npos) std::this_thread::yield();
  const std::vector<std::string> words = absl::StrSplit(out, absl::ByAnyChar(": \n"));
  int port = 0;
  EXPECT_TRUE(words.size() > 2 && absl::SimpleAtoi(words[2], &port)) << out;
  return port;
}

// What a shop was promised, outside of the store: a file that is synced after every line.
class Record {
 public:
  explicit Record(const std::string& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {}
  ~Record() { ::close(fd_); }

  void Add(const std::string& ids) {
    const std::string line = ids + "\n";
    ASSERT_EQ(::write(fd_, line.data(), line.size()), static_cast<ssize_t>(line.size()));
    ASSERT_EQ(::fdatasync(fd_), 0);
  }

 private:
  const int fd_;
};

TrackRequest RequestOf(const std::vector<std::string>& ids) {
  TrackRequest request;
  request.context.site = "shop";
  request.context.deadline_ms = kTimeoutMs;
  for (const std::string& id : ids) {
    request.events.push_back(
        MakeEvent(id, absl::StrCat("c", id.size() % 7), kDay, EventKind::VIEW_ITEM, "p"));
  }
  return request;
}

// Sends batches of new ids until the server is gone; the last, unanswered one is sent first the
// next time, as a shop would.
class Shop {
 public:
  Shop(int number, const std::string& record) : number_(number), record_(record) {}

  void SendUntilTheServerIsGone(int port) {
    auto connection = StorefrontConnection::Open("127.0.0.1", port, kTimeoutMs);
    if (!connection.ok()) return;
    while (true) {
      if (unanswered_.empty()) {
        for (int i = 0; i < 5; ++i) unanswered_.push_back(absl::StrCat(number_, "-", sent_++));
      }
      TrackReply reply;
      const TrackRequest request = RequestOf(unanswered_);
      if (!CatchThrift([&] { (*connection)->call().track(reply, request); }).ok()) return;
      EXPECT_EQ(reply.accepted + reply.duplicate, static_cast<int64_t>(unanswered_.size()));
      record_.Add(absl::StrJoin(unanswered_, " "));
      unanswered_.clear();
      ++answers_;
    }
  }

  int answers() const { return answers_; }
  int64_t sent() const { return sent_; }

 private:
  const int number_;
  Record record_;
  std::vector<std::string> unanswered_;
  int64_t sent_ = 0;
  std::atomic<int> answers_ = 0;
};

TEST(KilledServer, LosesAndDoublesNothingThatItAcknowledged) {
  const char* const wanted = std::getenv("VITRINE_CRASH_CYCLES");
  const int cycles = wanted == nullptr ? 6 : std::atoi(wanted);
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  TempDir dir;
  Value(WebHouse::Open({.directory = dir.File("data/shop/db")}));
  const std::string record = dir.File("acknowledged");
  Shop first(1, record), second(2, record);
  for (int cycle = 0; cycle < cycles; ++cycle) {
    Process server(
        Vitrine({"serve", "--data", dir.File("data"), "--port", "0", "--admin-port", "0"}));
    const int port = PortOf(server);
    ASSERT_NE(port, 0) << server.Wait().err;
    std::thread one([&] { first.SendUntilTheServerIsGone(port); });
    std::thread two([&] { second.SendUntilTheServerIsGone(port); });
    // Three times of four the server has come to answering, however slow the machine is.
    const int before = first.answers();
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (cycle % 4 != 3 && first.answers() == before) {
      if (std::chrono::steady_clock::now() > patience) {
        ADD_FAILURE() << "no answer";
        break;
      }
      std::this_thread::yield();
    }
    // The moment is the point of the test, not something to wait for.
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 300));
    server.Signal(SIGKILL);
    one.join();
    two.join();
    ASSERT_EQ(server.Wait().exit_code, 128 + SIGKILL);
  }

  const std::string text = testing::FileText(record);
  const std::set<std::string> acknowledged =
      absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  const std::string db = dir.File("data/shop/db");
  const auto house = Value(WebHouse::Open({.directory = db}));  // checks the accounting
  std::multiset<std::string> kept;
  EventCursor cursor = house->Events();
  for (; cursor.Valid(); cursor.Next()) kept.insert(cursor.value().id);
  ASSERT_OK(cursor.Finish());
  int64_t lost = 0;
  int64_t doubled = 0;
  for (const std::string& id : acknowledged) lost += kept.contains(id) ? 0 : 1;
  for (const std::string& id : kept) doubled += kept.count(id) == 1 ? 0 : 1;
  std::printf("%d kills: %zu events sent, %zu acknowledged, %zu kept; lost %ld, doubled %ld\n",
              cycles, static_cast<size_t>(first.sent() + second.sent()), acknowledged.size(),
              kept.size(), static_cast<long>(lost), static_cast<long>(doubled));
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(doubled, 0);
  EXPECT_GT(acknowledged.size(), 0u);
  const SourceState track = Value(house->GetSource("track"));
  EXPECT_EQ(track.outcomes.at("accepted"), static_cast<int64_t>(kept.size()));
  EXPECT_EQ(house->GetTotals().events, static_cast<int64_t>(kept.size()));
  const std::string copy = dir.File("copy");
  ASSERT_OK(house->Checkpoint(copy));
  const AuditFindings found = Value(VerifyAudit({.directory = copy, .key_path = AuditKeyPath(db)}));
  EXPECT_EQ(found.problems_found, 0u);
  EXPECT_EQ(found.rows, kept.size());
}

// A tmpfs in a mount namespace of the server's own.
TEST(ServerOnAFullDisk, RefusesToWriteGoesOnReadingAndResumes) {
  const Outcome can_mount =
      RunProgram({"unshare", "-m", "sh", "-c", "mount -t tmpfs none /mnt && umount /mnt"});
  if (can_mount.exit_code != 0) GTEST_SKIP() << "cannot mount a tmpfs here: " << can_mount.err;
  TempDir dir;
  const std::string data = dir.File("data");
  Value(WebHouse::Open({.directory = dir.File("seed/shop/db")}));
  std::filesystem::create_directories(data);
  const std::string serve = absl::StrCat(
      "mount -t tmpfs -o size=64m none ", data, " && cp -r ", dir.File("seed/shop"), " ", data,
      " && exec ", Vitrine({})[0], " serve --data ", data, " --port 0 --admin-port 0");
  Process server({"unshare", "-m", "sh", "-c", serve});
  const int port = PortOf(server);
  ASSERT_NE(port, 0) << server.Wait().err;
  const auto inside = [&](const std::string& command) {
    return RunProgram({"nsenter", "-t", absl::StrCat(server.pid()), "-m", "sh", "-c", command});
  };
  const auto connection = Value(StorefrontConnection::Open("127.0.0.1", port, kTimeoutMs));
  const auto track = [&](const std::string& id) {
    TrackReply reply;
    return CatchThrift([&] { connection->call().track(reply, RequestOf({id})); });
  };
  ASSERT_OK(track("before"));
  inside(absl::StrCat("cat /dev/zero > ", data, "/filler"));  // ends when the disk is full
  const absl::Status refused = track("full");
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  Pong pong;
  EXPECT_OK(CatchThrift([&] { connection->call().ping(pong); }));
  const Outcome status = inside(absl::StrCat(Vitrine({})[0], " status --data ", data, " --json"));
  EXPECT_EQ(status.exit_code, 1) << "something is wrong: " << status.err;
  EXPECT_THAT(status.out, ::testing::HasSubstr("\"disk_full\""));
  EXPECT_THAT(status.out, ::testing::HasSubstr("\"events\": 1"));

  ASSERT_EQ(inside(absl::StrCat("rm ", data, "/filler")).exit_code, 0);
  const auto freed = std::chrono::steady_clock::now();
  absl::Status resumed;
  do {
    resumed = track("after");
  } while (!resumed.ok() && std::chrono::steady_clock::now() - freed < std::chrono::seconds(5));
  EXPECT_OK(resumed);
  std::printf("resumed %.2f s after there was space\n",
              std::chrono::duration<double>(std::chrono::steady_clock::now() - freed).count());
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait().exit_code, 0);
}

}  // namespace
}  // namespace vitrine
