// Backups of a server that is being written to, against a record kept outside of it.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "api/client/client.h"
#include "store/web_house.h"
#include "tests/testing/byte_scan.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

using testing::FilesThatHold;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeEvent;
using testing::Outcome;
using testing::Process;
using testing::RunProgram;
using testing::TempDir;
using testing::Value;
using testing::Vitrine;

constexpr int64_t kDay = 1'780'000'000'000;  // May 2026: track takes nothing older than ten years
constexpr int kBackups = 8;

class BackupCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(dir_.File("first.jsonl"))
        << R"({"id":"first","time_ms":1780000000000,"kind":"login","customer_id":"c"})"
        << "\n";
    const Outcome made = Do({"ingest", "--site", "shop", "--mapping", "examples/events.toml",
                             dir_.File("first.jsonl")});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }

  std::vector<std::string> WithData(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", dir_.File("data")});
    return Vitrine(arguments);
  }
  Outcome Do(std::vector<std::string> arguments) const { return RunProgram(WithData(arguments)); }

  // Starts a server; the storefront's port.
  int Serve(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"serve", "--port", "0", "--admin-port", "0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    server_ = std::make_unique<Process>(WithData(arguments));
    while (server_->OutSoFar().find('\n') == std::string::npos) std::this_thread::yield();
    const std::vector<std::string> words =
        absl::StrSplit(server_->OutSoFar(), absl::ByAnyChar(": "));
    return std::stoi(words.at(2));
  }

  TempDir dir_;
  std::unique_ptr<Process> server_;
};

// One writer, whose events are numbered: what it was promised and what it has asked for.
class Writer {
 public:
  explicit Writer(int port) : thread_([this, port] { Run(port); }) {}
  ~Writer() { Stop(); }
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int64_t acknowledged() const { return acknowledged_; }
  int64_t sent() const { return sent_; }

 private:
  void Run(int port) {
    auto client = Value(Connection<StorefrontClient>::Open("127.0.0.1", port, 10'000));
    while (!stop_) {
      TrackRequest request;
      request.context.site = "shop";
      request.context.deadline_ms = 10'000;
      for (int i = 0; i < 3; ++i) {
        const int64_t n = sent_++;
        request.events.push_back(MakeEvent(absl::StrCat("e", n), absl::StrCat("c", n % 40),
                                           kDay + n, EventKind::VIEW_ITEM, "p"));
      }
      TrackReply reply;
      const absl::Status status = CatchThrift([&] { client->call().track(reply, request); });
      ASSERT_TRUE(status.ok()) << status;
      ASSERT_EQ(reply.accepted, 3);
      acknowledged_ = sent_.load();
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> sent_ = 0, acknowledged_ = 0;
  std::thread thread_;
};

TEST_F(BackupCommands, EachBackupUnderLoadIsAPrefixOfWhatWasAcknowledged) {
  const std::string folder = dir_.File("backups/shop");
  const int port = Serve({"--backup-root", dir_.File("backups")});
  std::vector<std::pair<int64_t, int64_t>> bounds;
  {
    Writer writer(port);
    for (int i = 0; i < kBackups; ++i) {
      const int64_t before = writer.acknowledged();
      while (writer.acknowledged() < before + 60) std::this_thread::yield();
      const int64_t promised = writer.acknowledged();
      const Outcome made = Do({"backup", "--site", "shop", "--to", folder});
      ASSERT_EQ(made.exit_code, 0) << made.err;
      bounds.emplace_back(promised, writer.sent());
    }
  }
  const Outcome verified = RunProgram(Vitrine({"backup", "verify", "--from", folder, "--json"}));
  EXPECT_EQ(verified.exit_code, 0) << verified.out;
  for (int i = 0; i < kBackups; ++i) {
    const std::string to = dir_.File(absl::StrCat("back", i));
    const Outcome restored = RunProgram(
        Vitrine({"restore", "--from", folder, "--backup", absl::StrCat(i + 1), "--to", to}));
    ASSERT_EQ(restored.exit_code, 0) << restored.err;
    auto house = Value(WebHouse::Open({.directory = to + "/db", .create = false}));
    std::set<std::string> ids;
    EventCursor cursor = house->Events();
    for (; cursor.Valid(); cursor.Next()) ids.insert(cursor.value().id);
    ASSERT_OK(cursor.Finish());
    const auto events = static_cast<int64_t>(ids.size()) - 1;  // without "first"
    EXPECT_GE(events, bounds[i].first);
    EXPECT_LE(events, bounds[i].second);
    EXPECT_EQ(events % 3, 0);  // batches are whole
    for (int64_t n = 0; n < events; ++n) EXPECT_TRUE(ids.contains(absl::StrCat("e", n))) << n;
    EXPECT_EQ(Value(house->GetSource("track")).outcomes.at("accepted"), events);
  }
  const auto status = nlohmann::json::parse(Do({"status", "--json"}).out);
  const auto& row = status["tables"]["backups"][0];
  EXPECT_EQ(row["site"], "shop");
  EXPECT_GE(double{row["age s"]}, 0);
  EXPECT_GT(double{row["restore s/GB"]}, 0);
  EXPECT_GT(double{row["verify s/GB"]}, 0);
}

TEST_F(BackupCommands, AServerWritesOnlyUnderItsBackupRoot) {
  Serve();
  Outcome refused = Do({"backup", "--site", "shop", "--to", dir_.File("backups")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("--backup-root"));
  server_ = nullptr;
  Serve({"--backup-root", dir_.File("allowed")});
  for (const char* way_out : {"backups", "allowed/../backups", "allowed2/x"}) {
    refused = Do({"backup", "--site", "shop", "--to", dir_.File(way_out)});
    EXPECT_EQ(refused.exit_code, 1) << way_out;
    EXPECT_FALSE(fs::exists(dir_.File("backups")));
  }
  fs::create_directories(dir_.File("allowed"));
  fs::create_directory_symlink(dir_.path(), dir_.File("allowed/link"));
  EXPECT_EQ(Do({"backup", "--site", "shop", "--to", dir_.File("allowed/link/backups")}).exit_code,
            1);
  EXPECT_EQ(Do({"backup", "--site", "shop", "--to", dir_.File("allowed/shop")}).exit_code, 0);
}

// Everything that a site's folder can hold: tables, log, model, audit chain, copies, backups.
TEST_F(BackupCommands, AnErasedCustomerIsInNoFileOfTheSiteAndInNoBackupOnceTheyRotate) {
  constexpr char kMarker[] = "MARKERx7Q";
  {
    std::ofstream lines(dir_.File("more.jsonl"));
    const auto line = [&](int id, const std::string& customer, const std::string& text,
                          int product) {
      lines << nlohmann::json(
                   {{"id", text + std::to_string(id)},
                    {"time_ms", kDay + id},
                    {"kind", "purchase"},
                    {"customer_id", customer},
                    {"visitor_id", customer + "-device"},
                    {"order_id", text + "-order" + std::to_string(id)},
                    {"user_agent",
                     "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/120.0 " + text},
                    {"url", "https://shop.example/" + text},
                    {"items", {{{"product_id", "p" + std::to_string(product)}}}}})
                   .dump()
            << "\n";
    };
    for (int i = 0; i < 60; ++i) line(i, absl::StrCat("c", i % 9), "e", i % 7);
    for (int i = 60; i < 70; ++i) line(i, absl::StrCat(kMarker, "-id"), kMarker, i % 7);
    lines << "{\"id\":\"" << kMarker << "\",\"customer_id\":\"" << kMarker
          << "-id\"}\n";  // no time
  }
  const std::string folder = dir_.File("backups/shop");
  const auto do_it = [&](std::vector<std::string> arguments) {
    const Outcome outcome = Do(std::move(arguments));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  };
  do_it({"ingest", "--site", "shop", "--mapping", "examples/events.toml", dir_.File("more.jsonl")});
  do_it({"train", "--site", "shop", "--factors", "8", "--epochs", "2"});
  Serve({"--backup-root", dir_.File("backups")});
  do_it({"backup", "--site", "shop", "--to", folder});
  do_it({"mine", "--site", "shop"});
  ASSERT_FALSE(FilesThatHold(dir_.File("data"), kMarker).empty());
  do_it({"customer", "erase", "--site", "shop", "--yes", absl::StrCat(kMarker, "-id")});
  EXPECT_THAT(FilesThatHold(dir_.File("data"), kMarker), IsEmpty());
  // The folder of the backups was told at once.
  const Outcome restored =
      RunProgram(Vitrine({"restore", "--from", folder, "--to", dir_.File("again/shop")}));
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_THAT(restored.out, HasSubstr("Erased again"));
  EXPECT_THAT(FilesThatHold(dir_.File("again"), kMarker), IsEmpty());
  do_it({"backup", "--site", "shop", "--to", folder, "--keep", "1"});
  EXPECT_THAT(FilesThatHold(folder, kMarker), IsEmpty());
}

TEST_F(BackupCommands, WorkWithoutAServerAndSayWhatIsDamaged) {
  const std::string folder = dir_.File("backups");
  for (int i = 0; i < 3; ++i) {
    const Outcome made = Do({"backup", "--site", "shop", "--to", folder, "--keep", "2"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  const Outcome list = RunProgram(Vitrine({"backup", "list", "--from", folder, "--json"}));
  EXPECT_EQ(nlohmann::json::parse(list.out)["tables"]["backups"].size(), 2u) << list.out;
  std::ofstream(folder + "/db/meta/3", std::ios::app) << "x";
  const Outcome verify = RunProgram(Vitrine({"backup", "verify", "--from", folder}));
  EXPECT_EQ(verify.exit_code, 1);
  EXPECT_THAT(verify.out, HasSubstr("DAMAGED"));
  EXPECT_THAT(verify.out, HasSubstr("db/meta/3"));
  const std::vector<std::string> restore = {"restore", "--from", folder, "--to",
                                            dir_.File("data/again")};
  const Outcome refused = RunProgram(Vitrine(restore));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("db/meta/3"));
  EXPECT_FALSE(fs::exists(dir_.File("data/again")));
  std::vector<std::string> older = restore;
  older.insert(older.end(), {"--backup", "2"});
  EXPECT_EQ(RunProgram(Vitrine(older)).exit_code, 0);
  const auto sites = nlohmann::json::parse(Do({"status", "--json"}).out)["tables"]["sites"];
  ASSERT_EQ(sites.size(), 2u);
  EXPECT_EQ(sites[0]["events"], sites[1]["events"]);
  const Outcome purge =
      RunProgram(Vitrine({"backup", "purge", "--from", folder, "--older-than", "1d"}));
  EXPECT_EQ(purge.exit_code, 0) << purge.err;
  EXPECT_EQ(RunProgram(Vitrine({"backup", "purge", "--from", folder})).exit_code, 1);
}

}  // namespace
}  // namespace vitrine
