// Access logs as files: packed, interrupted, growing, rotated.

#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "ingest/importer.h"
#include "tests/testing/packed.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Gzip;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::TempDir;
using testing::Value;
using testing::Zstd;

std::string LogLine(int i) {
  return absl::StrCat(
      "10.0.0.", i % 50, " - - [17/May/2015:", absl::Dec(i / 3600 % 24, absl::kZeroPad2), ":",
      absl::Dec(i / 60 % 60, absl::kZeroPad2), ":", absl::Dec(i % 60, absl::kZeroPad2),
      " +0000] \"GET /page/", i, " HTTP/1.1\" 200 7 \"-\" \"Mozilla\"\n");
}

std::string LogLines(int begin, int end) {
  std::string lines;
  for (int i = begin; i < end; ++i) lines += LogLine(i);
  return lines;
}

// Does one thing to the file at each wait, and then says to stop.
class Script : public FollowWaiter {
 public:
  explicit Script(std::vector<std::function<void()>> steps) : steps_(std::move(steps)) {}
  bool Wait() override {
    if (next_ == steps_.size()) stopped_ = true;
    if (stopped_) return false;
    steps_[next_++]();
    return true;
  }
  bool Stopped() override { return stopped_; }

 private:
  std::vector<std::function<void()>> steps_;
  size_t next_ = 0;
  bool stopped_ = false;
};

// Fails after some batches.
class FailingSink : public StoreSink {
 public:
  FailingSink(WebHouse* house, int batches) : StoreSink(house), left_(batches) {}
  absl::StatusOr<CommitResult> Commit(const EventBatch& batch) override {
    if (left_-- == 0) return absl::UnavailableError("killed");
    return StoreSink::Commit(batch);
  }

 private:
  int left_;
};

class FollowTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  void Append(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::app) << bytes;
  }

  absl::StatusOr<ImportSummary> Import(size_t batch_events = 100) {
    StoreSink sink(house_.get());
    return ImportFile(log_, mapping_, &sink, {.source_name = "log", .batch_events = batch_events});
  }

  ImportSummary Follow(std::vector<std::function<void()>> steps) {
    StoreSink sink(house_.get());
    Script script(std::move(steps));
    return Value(FollowFile(log_, mapping_, &sink, {.source_name = "log"}, &script));
  }

  // The pages of all events.
  std::multiset<std::string> Pages() {
    std::multiset<std::string> pages;
    EventCursor cursor = house_->Events();
    for (; cursor.Valid(); cursor.Next()) pages.insert(cursor.value().url);
    EXPECT_OK(cursor.Finish());
    return pages;
  }

  // Every line from `begin` to `end` is in, once.
  void ExpectLines(int begin, int end) {
    std::multiset<std::string> expected;
    for (int i = begin; i < end; ++i) expected.insert(absl::StrCat("/page/", i));
    EXPECT_TRUE(Pages() == expected) << Pages().size() << " of " << expected.size();
  }

  std::map<std::string, int64_t> Outcomes() { return Value(house_->GetSource("log")).outcomes; }

  TempDir folder_;
  std::string log_ = folder_.File("access.log");
  std::string rotated_ = folder_.File("access.log.1");
  Mapping mapping_ = Value(ParseMapping("format = \"access_log\"", "log.toml"));
  std::unique_ptr<WebHouse> house_ = Value(WebHouse::Open({.directory = folder_.File("site")}));
};

// --- Packed files ---

TEST_F(FollowTest, PackedFilesAreReadAsTheyAre) {
  Write(log_, Gzip(LogLines(0, 200)));
  const ImportSummary first = Value(Import());
  EXPECT_EQ(first.format, "the combined log format");
  EXPECT_THAT(AccountingReport(first).notes, Contains("It was read as the combined log format."));
  // The same bytes, packed otherwise: nothing new.
  Write(log_, Zstd(LogLines(0, 200)));
  const ImportSummary again = Value(Import());
  EXPECT_EQ(again.before, again.after);
  Write(log_, Zstd(LogLines(0, 200)) + Zstd(LogLines(200, 300)));
  EXPECT_EQ(Value(Import()).after.restarts, 0);
  ExpectLines(0, 300);
}

TEST_F(FollowTest, APackedFileGoesOnWhereItsImportWasKilled) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  // Equal lines too, that only their place tells apart.
  std::string lines;
  for (int i = 0; i < 400; ++i) lines += LogLine(i / 4);
  Write(log_, Gzip(lines));
  while (true) {
    FailingSink sink(house_.get(), static_cast<int>(random() % 4));
    if (ImportFile(log_, mapping_, &sink, {.source_name = "log", .batch_events = 1 + random() % 70})
            .ok()) {
      break;
    }
  }
  EXPECT_THAT(Outcomes(), ElementsAre(Pair("accepted", 400)));
  EXPECT_EQ(Pages().count("/page/7"), 4u);
}

TEST_F(FollowTest, OfADamagedFileTheLinesBeforeAreIn) {
  const std::string packed = Gzip(LogLines(0, 2000));
  Write(log_, packed.substr(0, packed.size() / 2));
  const absl::Status status = Import().status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("ends too early, at its byte"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("lines of it are in: mend the file"));
  const int64_t in = house_->GetTotals().events;
  EXPECT_GT(in, 500);
  EXPECT_LT(in, 2000);
  ExpectLines(0, static_cast<int>(in));
  Write(log_, packed);
  EXPECT_EQ(Value(Import()).after.restarts, 0);
  ExpectLines(0, 2000);
}

TEST_F(FollowTest, ALogThatIsReadAgainCountsDuplicatesAndKeepsRepeatedRequests) {
  const std::string twice = LogLine(1) + LogLine(1) + LogLine(2);
  Write(log_, twice);
  ASSERT_OK(Import().status());
  EXPECT_THAT(Outcomes(), ElementsAre(Pair("accepted", 3)));
  Write(log_, LogLine(0) + twice);
  ASSERT_OK(Import().status());
  EXPECT_THAT(Outcomes(), ElementsAre(Pair("accepted", 4), Pair("duplicate", 3)));
}

// --- A file that grows ---

TEST_F(FollowTest, ReadsWhatComesAndNoHalfLine) {
  Write(log_, LogLines(0, 3));
  const std::string half = LogLine(3).substr(0, 30);
  const ImportSummary summary =
      Follow({[&] { Append(log_, half); }, [&] { EXPECT_EQ(Pages().size(), 3u); },
              [&] { Append(log_, LogLine(3).substr(30) + LogLines(4, 6)); },
              [&] { ExpectLines(0, 6); }, [&] { Append(log_, half); }});
  ExpectLines(0, 6);
  EXPECT_EQ(summary.after.lines, 6);
  EXPECT_GT(house_->GetTotals().sessions, 0);
  // The next one goes on, the half line with it: the request of line 3, a second time.
  Append(log_, LogLine(3).substr(30) + LogLines(6, 8));
  EXPECT_EQ(Follow({}).after.restarts, 0);
  EXPECT_EQ(Pages().size(), 9u);
}

TEST_F(FollowTest, WaitsForAFileThatIsNotThereYet) {
  EXPECT_THAT(Follow({[&] { Write(log_, LogLine(0).substr(0, 20)); },
                      [&] { Write(log_, LogLines(0, 2)); }, [] {}})
                  .after.outcomes,
              ElementsAre(Pair("accepted", 2)));
}

TEST_F(FollowTest, FinishesARenamedFileBeforeTheNewOne) {
  Write(log_, LogLines(0, 3));
  Follow({[&] {
            std::filesystem::rename(log_, rotated_);
            Append(rotated_, LogLines(3, 5));
          },
          [&] {
            Write(log_, LogLines(7, 9));
            Append(rotated_, LogLine(5) + LogLine(6).substr(0, 20));
          },
          [&] { Append(rotated_, LogLine(6).substr(20)); }, [] {}, [] {}, [] {}, [] {},
          [&] { Append(log_, LogLines(9, 12)); }, [] {}});
  ExpectLines(0, 12);
}

TEST_F(FollowTest, FollowsAFileThatIsCopiedAndTruncated) {
  Write(log_, LogLines(0, 3));
  Follow({[&] {
            // What came between our last look and the copy is only in the copy.
            Write(rotated_, LogLines(0, 5));
            Write(log_, "");
          },
          [] {}, [&] { Append(log_, LogLines(5, 7)); }, [] {},
          [&] {
            // Truncated, and longer than before when we look.
            Write(rotated_, LogLines(5, 8));
            Write(log_, LogLines(8, 20));
          },
          [] {}, [] {}});
  ExpectLines(0, 20);
}

TEST_F(FollowTest, CatchesUpWithRotationsThatNobodyFollowed) {
  Write(log_, LogLines(0, 3));
  Follow({});
  Write(folder_.File("access.log.2.gz"), Gzip(LogLines(0, 6)));
  Write(rotated_, LogLines(6, 9));
  std::filesystem::last_write_time(
      rotated_,
      std::filesystem::last_write_time(folder_.File("access.log.2.gz")) + std::chrono::seconds(1));
  Write(folder_.File("access.log.bak"), LogLines(50, 60));  // none of ours
  Write(log_, LogLines(9, 12));
  Follow({});
  ExpectLines(0, 12);
}

TEST_F(FollowTest, StopsBetweenBatchesWithEverythingCommitted) {
  Write(log_, LogLines(0, 1000));
  struct Stopping : FollowWaiter {
    bool Wait() override { return false; }
    bool Stopped() override { return ++asked > 4; }
    int asked = 0;
  } stopping;
  StoreSink sink(house_.get());
  const ImportSummary summary = Value(
      FollowFile(log_, mapping_, &sink, {.source_name = "log", .batch_events = 10}, &stopping));
  EXPECT_GT(summary.after.lines, 0);
  EXPECT_LT(summary.after.lines, 1000);
  ExpectLines(0, static_cast<int>(summary.after.lines));
  EXPECT_GT(house_->GetTotals().sessions, 0);
}

TEST_F(FollowTest, RefusesWhatCannotGrow) {
  StoreSink sink(house_.get());
  Script script({});
  Write(log_, Gzip(LogLines(0, 3)));
  EXPECT_THAT(std::string(FollowFile(log_, mapping_, &sink, {}, &script).status().message()),
              HasSubstr("is packed"));
  const Mapping csv = Value(ParseMapping(
      "format = \"csv\"\ncustomer.column = \"a\"\ntime = { columns = \"t\", format = \"unix_s\" }",
      "c.toml"));
  EXPECT_THAT(std::string(FollowFile(log_, csv, &sink, {}, &script).status().message()),
              HasSubstr("no CSV"));
}

}  // namespace
}  // namespace vitrine
