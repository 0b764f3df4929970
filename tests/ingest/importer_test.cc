#include "ingest/importer.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "ingest/reasons.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/codec.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::TempDir;
using testing::Value;

constexpr absl::string_view kMapping = R"(format = "csv"
currency = "GBP"
kind = "purchase"
customer = { column = "who" }
time = { columns = "when", format = "unix_s" }
columns = { product = "what", price = "price" }
[[ignore]]
reason = "fee"
when.what = "FEE"
)";

const std::string kHeader = "who,when,what,price\n";

std::string GoodLine(int i) {
  return absl::StrCat("c", i % 7, ",", 1'300'000'000 + i * 60, ",p", i % 11, ",", i % 9, ".50");
}

std::string GoodLines(int begin, int end) {
  std::string lines;
  for (int i = begin; i < end; ++i) absl::StrAppend(&lines, GoodLine(i), "\n");
  return lines;
}

// Takes `batches` batches, then fails as a full disk would.
class FailingSink : public BatchSink {
 public:
  FailingSink(WebHouse* house, int batches) : sink_(house), left_(batches) {}
  absl::StatusOr<SourceState> Source(absl::string_view name) override { return sink_.Source(name); }
  absl::Status RestartSource(absl::string_view name) override { return sink_.RestartSource(name); }
  absl::StatusOr<CommitResult> Commit(const EventBatch& batch) override {
    if (left_-- == 0) return absl::ResourceExhaustedError("no space left on device");
    return sink_.Commit(batch);
  }
  absl::Status Finish(const SiteSettingsPatch& settings) override { return sink_.Finish(settings); }

 private:
  StoreSink sink_;
  int left_;
};

class ImporterTest : public ::testing::Test {
 protected:
  void Write(const std::string& bytes) {
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << bytes;
  }
  void Append(const std::string& bytes) {
    std::ofstream(file_, std::ios::binary | std::ios::app) << bytes;
  }

  absl::StatusOr<ImportSummary> TryImport(size_t batch_events = 100) {
    StoreSink sink(house_.get());
    return ImportFile(file_, mapping_, &sink,
                      {.source_name = "shop", .batch_events = batch_events});
  }

  // Imports, and checks what must hold after every import.
  ImportSummary Import(size_t batch_events = 100) {
    ImportSummary summary = Value(TryImport(batch_events));
    int64_t sum = 0;
    for (const auto& [outcome, lines] : summary.after.outcomes) sum += lines;
    EXPECT_EQ(sum, summary.after.lines + summary.after.earlier_lines);
    EXPECT_EQ(summary.after.bytes, static_cast<int64_t>(std::filesystem::file_size(file_)));
    EXPECT_THAT(AccountingReport(summary).notes.at(0), HasSubstr("Every line has one outcome"));
    return summary;
  }

  std::map<std::string, int64_t> OutcomesOf(const std::string& bytes) {
    Write(bytes);
    return Import().after.outcomes;
  }

  std::vector<Reject> Rejects() {
    std::vector<Reject> rejects;
    RejectCursor cursor = house_->Rejects("shop");
    for (; cursor.Valid(); cursor.Next()) rejects.push_back(cursor.value());
    EXPECT_OK(cursor.Finish());
    return rejects;
  }

  void NewHouse() {
    house_.reset();
    house_ = Value(WebHouse::Open({.directory = folder_.File(absl::StrCat("site", ++houses_))}));
  }

  // All rows that an import leaves, to compare two stores by.
  std::map<std::string, std::string> Rows() {
    std::map<std::string, std::string> rows;
    const auto take = [&rows](absl::string_view table, auto cursor) {
      for (; cursor.Valid(); cursor.Next()) {
        rows[absl::StrCat(table, cursor.key())] = EncodeRecord(cursor.value());
      }
      EXPECT_OK(cursor.Finish());
    };
    take("event ", house_->Events());
    take("session ", house_->Sessions());
    take("customer ", house_->Customers());
    take("product ", house_->Products());
    take("reject ", house_->Rejects("shop"));
    take("source ", house_->Sources());
    return rows;
  }

  TempDir folder_;
  std::string file_ = folder_.File("shop.csv");
  Mapping mapping_ = Value(ParseMapping(kMapping, "shop.toml"));
  int houses_ = 0;
  std::unique_ptr<WebHouse> house_ = Value(WebHouse::Open({.directory = folder_.File("site0")}));
};

// --- Whole files ---

TEST_F(ImporterTest, EveryLineEndsInOneOutcome) {
  Write(kHeader + GoodLines(0, 250) + GoodLine(3) + "\n" + "c1,1300000000,FEE,1\n" + "\n" +
        "c1,yesterday,p,1\n" + "c1,1300000000,p,1.234\n");
  const ImportSummary summary = Import();
  EXPECT_EQ(summary.after.lines, 255);
  EXPECT_THAT(summary.after.outcomes,
              ElementsAre(Pair("accepted", 250), Pair("duplicate", 1),
                          Pair("ignored:blank_line", 1), Pair("ignored:fee", 1),
                          Pair("rejected:bad_price", 1), Pair("rejected:bad_time", 1)));
  EXPECT_EQ(house_->GetTotals().events, 250);
  EXPECT_EQ(house_->GetTotals().customers, 7);
  EXPECT_EQ(house_->GetTotals().products, 11);
}

TEST_F(ImporterTest, ARejectIsKeptWithItsPlaceAndItsBytes) {
  const std::string bad = "c1,yesterday,p,1";
  Write(kHeader + GoodLine(1) + "\n" + bad + "\n");
  const ImportSummary summary = Import();
  const std::vector<Reject> rejects = Rejects();
  ASSERT_EQ(rejects.size(), 1u);
  EXPECT_EQ(rejects[0].line, 3);
  EXPECT_EQ(rejects[0].byte_offset, static_cast<int64_t>(kHeader.size() + GoodLine(1).size() + 1));
  EXPECT_EQ(rejects[0].reason, "bad_time");
  EXPECT_THAT(rejects[0].detail, HasSubstr("yesterday"));
  EXPECT_EQ(rejects[0].raw, bad);
  EXPECT_EQ(summary.first_rejects, rejects);
}

TEST_F(ImporterTest, OnlyTheFirstRejectsAreShown) {
  std::string bytes = kHeader;
  for (int i = 0; i < 300; ++i) bytes += "x\n";
  Write(bytes);
  EXPECT_EQ(Import().first_rejects.size(), 10u);
  EXPECT_EQ(Rejects().size(), 300u);
}

TEST_F(ImporterTest, AFileWithTheHeaderOnlyIsDoneWithNothing) {
  Write(kHeader);
  const ImportSummary summary = Import();
  EXPECT_EQ(summary.after.lines, 0);
  EXPECT_TRUE(summary.after.outcomes.empty());
}

TEST_F(ImporterTest, WindowsFilesAndByteOrderMarksAreRead) {
  Write("\xEF\xBB\xBFwho,when,what,price\r\nc1,1300000000,p,1.50\r\nc2,1300000000,p,1.50");
  EXPECT_THAT(Import().after.outcomes, ElementsAre(Pair("accepted", 2)));
}

TEST_F(ImporterTest, DamagedLinesCostOnlyThemselves) {
  const std::string good = GoodLine(1) + "\n";
  EXPECT_THAT(OutcomesOf(kHeader + "c1,1300000000,\"p,1\n" + good),
              ElementsAre(Pair("accepted", 1), Pair("rejected:unclosed_quote", 1)));
  NewHouse();
  EXPECT_THAT(OutcomesOf(kHeader + std::string(10 << 20, 'x') + "\n" + good),
              ElementsAre(Pair("accepted", 1), Pair("rejected:line_too_long", 1)));
  EXPECT_EQ(Rejects().at(0).raw.size(), limits::kRejectRawBytesMax);
  NewHouse();
  EXPECT_THAT(OutcomesOf(kHeader + "c1,1300000000,\xFF\xFE,1\n" + good),
              ElementsAre(Pair("accepted", 1), Pair("rejected:invalid_utf8", 1)));
}

TEST_F(ImporterTest, RandomBytesNeverBreakItAndAlwaysAddUp) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  const std::string pieces[] = {"\n", "\"", ",", "\r\n", "c1,1300000000,p,1.50\n", "\"\"", "\xFF"};
  for (int round = 0; round < 15; ++round) {
    std::string bytes = kHeader;
    while (bytes.size() < 20'000) {
      bytes +=
          random() % 2 == 0 ? pieces[random() % 7] : std::string(1, static_cast<char>(random()));
    }
    Write(bytes);
    const ImportSummary summary = Import(1 + random() % 50);
    for (const auto& [outcome, lines] : summary.after.outcomes) {
      if (!absl::StartsWith(outcome, "rejected:")) continue;
      const std::string reason = outcome.substr(9);
      EXPECT_THAT(reasons::kAll, Contains(absl::string_view(reason)));
    }
  }
}

TEST_F(ImporterTest, JsonLinesAreImported) {
  mapping_ = Value(ParseMapping("format = \"json_lines\"", "events.toml"));
  Write(R"({"id":"1","kind":"view_item","time":"2024-05-01T12:00:00Z","visitor_id":"v"})"
        "\n{\"kind\":\"buy\"}\n");
  EXPECT_THAT(Import().after.outcomes,
              ElementsAre(Pair("accepted", 1), Pair("rejected:bad_kind", 1)));
}

TEST_F(ImporterTest, EventsOfRobotsAreKeptAndCountedApart) {
  mapping_ = Value(ParseMapping("format = \"json_lines\"", "e.toml"));
  const auto line = [](int id, const std::string& agent) {
    return absl::StrCat(
        R"({"kind":"page_view","time":"2024-05-01T12:00:00Z","visitor_id":"v","id":")", id, "\"",
        agent, "}\n");
  };
  const std::string bot = R"(,"user_agent":"AcmeBot/1.0")";
  Write(line(1, "") + line(2, bot) + line(3, ",\"user_agent\":\"Mozilla/5.0 (Windows NT 10.0)\"") +
        line(2, bot) + line(4, bot));
  const auto lists = RobotLists::Load({.uap_core = ""});
  StoreSink sink(house_.get(), lists.get());
  ImportOptions options = {.source_name = "shop", .batch_events = 3};
  options.robots = lists.get();
  EXPECT_THAT(Value(ImportFile(file_, mapping_, &sink, options)).after.outcomes,
              ElementsAre(Pair("accepted", 2), Pair("duplicate", 1), Pair("robot", 2)));
  EXPECT_EQ(house_->GetTotals().events, 4);
}

TEST_F(ImporterTest, ProgressIsToldAndEndsAtTheEnd) {
  Write(kHeader + GoodLines(0, 250));
  StoreSink sink(house_.get());
  std::vector<ImportProgress> told;
  ImportOptions options = {.source_name = "shop", .batch_events = 100};
  options.on_progress = [&](const ImportProgress& progress) { told.push_back(progress); };
  ASSERT_OK(ImportFile(file_, mapping_, &sink, options).status());
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].lines_done, 100);
  EXPECT_EQ(told[2].lines_done, 250);
  EXPECT_EQ(told[2].bytes_done, told[2].bytes_total);
}

// --- Files that cannot be imported ---

TEST_F(ImporterTest, SaysWhatIsWrongWithTheFile) {
  const auto error = [this] { return std::string(TryImport().status().message()); };
  EXPECT_THAT(error(), HasSubstr("cannot open " + file_));
  Write("");
  EXPECT_THAT(error(), HasSubstr("shop.csv is empty"));
  Write("who,when,what\nc1,1300000000,p\n");
  EXPECT_THAT(error(),
              HasSubstr("shop.csv: there is no column \"price\"; the file has: who, when"));
  Write("who,\xFF\n");
  EXPECT_THAT(error(), HasSubstr("not UTF-8"));
  Write("\"who,when\n");
  EXPECT_THAT(error(), HasSubstr("cannot read the line with column names"));
  file_ = folder_.path();
  EXPECT_THAT(error(), HasSubstr("is a directory"));
  EXPECT_EQ(house_->GetTotals().events, 0);
}

// --- More than one import of a file ---

TEST_F(ImporterTest, AnUnchangedFileHasNothingNew) {
  Write(kHeader + GoodLines(0, 250));
  Import();
  const uint64_t version = house_->Version();
  const ImportSummary again = Import();
  EXPECT_EQ(again.before, again.after);
  EXPECT_EQ(house_->Version(), version);
}

TEST_F(ImporterTest, AGrownFileGoesOnWhereItEnded) {
  Write(kHeader + GoodLines(0, 120));
  Import();
  Append(GoodLines(120, 200) + "x\n");
  const ImportSummary grown = Import();
  EXPECT_EQ(grown.before.lines, 120);
  EXPECT_THAT(grown.after.outcomes,
              ElementsAre(Pair("accepted", 200), Pair("rejected:wrong_column_count", 1)));
  EXPECT_EQ(grown.after.restarts, 0);
  EXPECT_EQ(Rejects().at(0).line, 202);
}

TEST_F(ImporterTest, ALastLineWithoutLineEndMayGetOneLater) {
  Write(kHeader + GoodLines(0, 10) + GoodLine(10));
  EXPECT_EQ(Import().after.lines, 11);
  Append("\n" + GoodLines(11, 20));
  const ImportSummary grown = Import();
  EXPECT_THAT(grown.after.outcomes, ElementsAre(Pair("accepted", 20)));
  EXPECT_EQ(grown.after.restarts, 0);
}

TEST_F(ImporterTest, ALastLineThatGrewIsReadAgain) {
  Write(kHeader + "c1,1300000000,p,1.5");
  Import();
  Append("0\n" + GoodLines(0, 5));
  const ImportSummary grown = Import();
  EXPECT_EQ(grown.after.restarts, 1);
  // 1.5 and 1.50 are one price: the line itself is a duplicate now.
  EXPECT_THAT(grown.after.outcomes, ElementsAre(Pair("accepted", 6), Pair("duplicate", 1)));
}

TEST_F(ImporterTest, AChangedFileIsReadAgainAndCountsNothingTwice) {
  Write(kHeader + GoodLines(0, 150));
  Import();
  for (const std::string& changed : {kHeader + GoodLines(1, 170), kHeader + GoodLines(1, 30)}) {
    Write(changed);
    Import();
  }
  EXPECT_EQ(house_->GetTotals().events, 170);
  const SourceState state = Value(house_->GetSource("shop"));
  EXPECT_EQ(state.restarts, 2);
  EXPECT_THAT(state.outcomes, ElementsAre(Pair("accepted", 170), Pair("duplicate", 178)));
}

TEST_F(ImporterTest, WithoutANameTheSourceIsTheCanonicalPath) {
  Write(kHeader + GoodLines(0, 3));
  StoreSink sink(house_.get());
  const std::string roundabout = folder_.path() + "/./shop.csv";
  const ImportSummary summary = Value(ImportFile(roundabout, mapping_, &sink, {}));
  EXPECT_EQ(summary.after.name, std::filesystem::canonical(file_).string());
}

// --- Interruptions ---

TEST_F(ImporterTest, AFullDiskIsToldWithWhatIsIn) {
  Write(kHeader + GoodLines(0, 950));
  FailingSink sink(house_.get(), 3);
  const absl::Status status =
      ImportFile(file_, mapping_, &sink, {.source_name = "shop", .batch_events = 100}).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no space left on device; 300 lines of it are in: free space and run the "
                        "same command again"));
  EXPECT_EQ(Value(house_->GetSource("shop")).lines, 300);
}

TEST_F(ImporterTest, GoesOnWhereAnInterruptedImportStopped) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  std::string bytes = kHeader;
  for (int i = 0; i < 400; ++i) {
    const std::string lines[] = {GoodLine(i),
                                 GoodLine(i / 2),
                                 "x",
                                 "c1,1300000000,FEE,0",
                                 "c1,1300000000,\"two\nlines\",2",
                                 "c2,1300000000,\"open,1"};
    bytes += lines[random() % 6] + (random() % 2 == 0 ? "\n" : "\r\n");
  }
  Write(bytes);
  Import();
  const auto expected = Rows();

  for (int round = 0; round < 2; ++round) {
    NewHouse();
    while (true) {
      FailingSink sink(house_.get(), static_cast<int>(random() % 6));
      const ImportOptions options = {.source_name = "shop", .batch_events = 1 + random() % 60};
      if (ImportFile(file_, mapping_, &sink, options).ok()) break;
    }
    ASSERT_TRUE(Rows() == expected) << "round " << round;
  }
}

// --- Lines that hold batches ---

class DialectImportTest : public ImporterTest {
 protected:
  DialectImportTest() { mapping_ = Value(ParseMapping("format = \"json\"", "shop.toml")); }
};

std::string Page(int i) {
  return absl::StrCat(R"({"type":"page","messageId":"m)", i, R"(","anonymousId":"a)", i % 7,
                      R"(","timestamp":"2023-11-14T22:13:)", 10 + i % 50, R"(Z"})");
}

TEST_F(DialectImportTest, TheElementsOfABatchAreCountedAsLines) {
  const std::string bad = R"({"type":"page","messageId":"x","anonymousId":"a"})";
  Write(absl::StrCat("{\"batch\":[", Page(1), ",", bad, ",", Page(2), "]}\n\n[\n", Page(3), ",\n",
                     bad, "\n]\n", R"({"type":"identify","userId":"u","messageId":"i",)",
                     R"("timestamp":"2023-11-14T22:13:20Z","traits":{"name":"Ada"}})"));
  const ImportSummary summary = Import();
  EXPECT_EQ(summary.after.lines, 10);
  EXPECT_THAT(
      summary.after.outcomes,
      ElementsAre(Pair("accepted", 4), Pair("customer", 1), Pair("ignored:array_bracket", 2),
                  Pair("ignored:blank_line", 1), Pair("rejected:missing_field", 2)));
  const std::vector<Reject> rejects = Rejects();
  ASSERT_EQ(rejects.size(), 2u);
  EXPECT_EQ(rejects[0].line, 2);
  EXPECT_EQ(rejects[0].byte_offset, 0);
  EXPECT_EQ(rejects[0].detail, "on line 1: timestamp is not there");
  EXPECT_EQ(rejects[0].raw, "{\"batch\":[" + bad + "]}");
  EXPECT_EQ(rejects[1].line, 7);
  EXPECT_EQ(rejects[1].detail, "on line 5: timestamp is not there");
  EXPECT_EQ(rejects[1].raw, bad);
  EXPECT_EQ(Value(house_->GetCustomerFacts("u")).name, "Ada");
}

TEST_F(DialectImportTest, OfAddressesTheNetworkIsKept) {
  Write(R"({"type":"page","anonymousId":"a","timestamp":"2023-11-14T22:13:20Z",)"
        R"("context":{"ip":"192.0.2.77"}})");
  Import();
  EventCursor events = house_->Events();
  ASSERT_TRUE(events.Valid());
  EXPECT_EQ(events.value().ip, "192.0.2.0");
  ASSERT_OK(events.Finish());
}

TEST_F(DialectImportTest, OrderAndBatchesLeaveNoTrace) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::vector<std::string> events;
  for (int i = 0; i < 200; ++i) events.push_back(Page(i));
  events.push_back(R"({"client_id":"c","timestamp_micros":1700000000000000,"events":[)"
                   R"({"name":"login"},{"name":"page_view"}]})");
  std::map<std::string, std::string> expected;
  for (int round = 0; round < 3; ++round) {
    std::shuffle(events.begin(), events.end(), random);
    std::string bytes;
    for (size_t i = 0; i < events.size(); ++i) {
      absl::StrAppend(&bytes, events[i], random() % 3 == 0 ? "\n" : " ");
    }
    NewHouse();
    Write(bytes);
    EXPECT_THAT(Import().after.outcomes, ElementsAre(Pair("accepted", 202)));
    auto rows = Rows();
    std::erase_if(rows, [](const auto& row) { return absl::StartsWith(row.first, "source"); });
    if (round == 0) expected = rows;
    EXPECT_EQ(rows, expected);
    // The same again under another name: nothing new.
    StoreSink sink(house_.get());
    const ImportSummary again = Value(ImportFile(file_, mapping_, &sink, {.source_name = "again"}));
    EXPECT_THAT(again.after.outcomes, ElementsAre(Pair("duplicate", 202)));
  }
}

TEST_F(DialectImportTest, AnImportGoesOnBehindALineOfMany) {
  std::string bytes;
  for (int line = 0; line < 40; ++line) {
    bytes += "{\"batch\":[";
    for (int i = 0; i < 10; ++i) absl::StrAppend(&bytes, i == 0 ? "" : ",", Page(line * 10 + i));
    bytes += "]}\n";
  }
  Write(bytes);
  FailingSink sink(house_.get(), 2);
  EXPECT_FALSE(
      ImportFile(file_, mapping_, &sink, {.source_name = "shop", .batch_events = 25}).ok());
  EXPECT_EQ(Value(house_->GetSource("shop")).lines, 60);  // whole lines of the file
  EXPECT_THAT(Import(25).after.outcomes, ElementsAre(Pair("accepted", 400)));
}

TEST_F(ImporterTest, WhatCannotHaveHappenedYetIsRejected) {
  mapping_.max_age_ms = int64_t{365} * 86'400'000;
  const int64_t now_s = Clock::System().NowMs() / 1000;
  Write(absl::StrCat(kHeader, "c,", now_s, ",p,1\nc,", now_s + 3'600, ",p,1\nc,1300000000,p,1\n"));
  EXPECT_THAT(Import().after.outcomes,
              ElementsAre(Pair("accepted", 1), Pair("rejected:time_in_future", 1),
                          Pair("rejected:time_too_old", 1)));
}

}  // namespace
}  // namespace vitrine
