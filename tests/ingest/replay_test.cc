#include "ingest/replay.h"

#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

#include "ingest/importer.h"
#include "store/base/limits.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::TempDir;
using testing::Value;

constexpr absl::string_view kMapping = R"(format = "csv"
currency = "GBP"
kind = "purchase"
customer = { column = "who" }
time = { columns = "when", format = "$0" }
columns = { product = "what", price = "price" }
$1)";

constexpr absl::string_view kNoFee = "[[ignore]]\nreason = \"fee\"\nwhen.what = \"FEE\"\n";

Mapping MappingWith(absl::string_view time_format, absl::string_view more = "") {
  return Value(ParseMapping(absl::Substitute(kMapping, time_format, more), "test.toml"));
}

// Fails instead of taking batch number `batches` (from 0), or after taking it.
class DyingSink : public BatchSink {
 public:
  DyingSink(WebHouse* house, int batches, bool after)
      : sink_(house), left_(batches), after_(after) {}
  absl::StatusOr<SourceState> Source(absl::string_view name) override { return sink_.Source(name); }
  absl::Status RestartSource(absl::string_view name) override { return sink_.RestartSource(name); }
  absl::StatusOr<CommitResult> Commit(const EventBatch& batch) override {
    if (left_-- != 0) return sink_.Commit(batch);
    if (after_) {
      EXPECT_OK(sink_.Commit(batch).status());
    }
    return absl::UnavailableError("the answer is lost");
  }
  absl::Status Finish(const SiteSettingsPatch& settings) override { return sink_.Finish(settings); }

 private:
  StoreSink sink_;
  int left_;
  const bool after_;
};

class ReplayTest : public ::testing::Test {
 protected:
  ReplayTest() { house_ = Value(WebHouse::Open({.directory = folder_})); }

  void Import(const std::string& text, const Mapping& mapping, const std::string& source = "shop") {
    const std::string file = dir_.File("file");
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    StoreSink sink(house_.get());
    ASSERT_OK(ImportFile(file, mapping, &sink, {.source_name = source}).status());
  }

  absl::StatusOr<ReplaySummary> TryReplay(const Mapping& mapping, BatchSink* sink,
                                          const ReplayOptions& options) {
    const FindRejects find = [this](const RejectQuery& query) {
      return house_->FindRejects(query);
    };
    return ReplayRejects(mapping, find, sink, options);
  }
  ReplaySummary Replay(const Mapping& mapping, const ReplayOptions& options = {}) {
    StoreSink sink(house_.get());
    return Value(TryReplay(mapping, &sink, options));
  }

  // The outcomes add up to the lines, the rejected ones to the rows: asked of a store opened anew.
  std::map<std::string, int64_t> Outcomes(const std::string& source = "shop") {
    house_.reset();
    house_ = Value(WebHouse::Open({.directory = folder_}));
    const SourceState state = Value(house_->GetSource(source));
    int64_t sum = 0;
    for (const auto& [outcome, lines] : state.outcomes) sum += lines;
    EXPECT_EQ(sum, state.lines + state.earlier_lines);
    int64_t rows = 0;
    for (const RejectSummary& s : Value(house_->SummarizeRejects())) rows += s.lines;
    EXPECT_EQ(rows, house_->GetTotals().rejects);
    return state.outcomes;
  }

  std::set<std::string> EventIds() {
    std::set<std::string> ids;
    EventCursor cursor = house_->Events();
    for (; cursor.Valid(); cursor.Next()) ids.insert(cursor.value().id);
    EXPECT_OK(cursor.Finish());
    return ids;
  }

  TempDir dir_;
  std::string folder_ = dir_.File("db");
  std::unique_ptr<WebHouse> house_;
};

const std::string kHeader = "who,when,what,price\n";
const std::string kLines =
    "c1,1300000000,p1,1.50\n"
    "c1,2011-03-13T07:06:40Z,p2,2.50\n"
    "c2,2011-03-13T07:06:41Z,FEE,0.10\n"
    "c2,2011-03-13T07:06:42Z,p3,0.001\n"
    "c3,never,p3,1.00\n";

TEST_F(ReplayTest, MovesEachRejectToWhatItIsNow) {
  Import(kHeader + kLines, MappingWith("unix_s"));
  EXPECT_THAT(Outcomes(), ElementsAre(Pair("accepted", 1), Pair("rejected:bad_time", 4)));

  const Mapping fixed = MappingWith("%Y-%m-%dT%H:%M:%E*SZ", kNoFee);
  const ReplaySummary dry = Replay(fixed, {.dry_run = true});
  EXPECT_THAT(dry.changes,
              ElementsAre(Pair(Pair("shop", "event"), 1), Pair(Pair("shop", "ignored:fee"), 1),
                          Pair(Pair("shop", "rejected:bad_price"), 1),
                          Pair(Pair("shop", "rejected:bad_time"), -3)));
  EXPECT_THAT(Outcomes(), ElementsAre(Pair("accepted", 1), Pair("rejected:bad_time", 4)));

  const ReplaySummary done = Replay(fixed);
  EXPECT_EQ(done.lines, 4);
  EXPECT_EQ(done.still_rejected, 1);
  const auto after = ElementsAre(Pair("accepted", 2), Pair("ignored:fee", 1),
                                 Pair("rejected:bad_price", 1), Pair("rejected:bad_time", 1));
  EXPECT_THAT(Outcomes(), after);
  EXPECT_EQ(Value(house_->GetCustomer("c1")).events, 2);  // derived anew
  EXPECT_THAT(Replay(fixed).changes, ElementsAre());
  EXPECT_THAT(Outcomes(), after);
}

TEST_F(ReplayTest, KnowsWhatTheCorrectedFileBroughtAlready) {
  const Mapping by_second = MappingWith("unix_s");
  const Mapping by_date = MappingWith("%Y-%m-%dT%H:%M:%E*SZ");
  Import(kHeader + "c1,2011-03-13T07:06:40Z,p2,2.50\nc1,x,p2,2.50\n", by_second);
  Import(kHeader + "c1,1300000000,p2,2.50\nc1,y,p2,2.50\n", by_second);  // corrected: read again
  EXPECT_EQ(house_->GetTotals().rejects, 3);  // those of the first reading are kept
  Replay(by_date);
  EXPECT_THAT(Outcomes(),
              ElementsAre(Pair("accepted", 1), Pair("duplicate", 1), Pair("rejected:bad_time", 2)));
}

TEST_F(ReplayTest, ReadsOnlyWhatIsAskedFor) {
  const Mapping fixed = MappingWith("%Y-%m-%dT%H:%M:%E*SZ");
  Import(kHeader + kLines, MappingWith("unix_s"), "a");
  Import(kHeader + kLines, MappingWith("unix_s"), "b");
  EXPECT_EQ(Replay(fixed, {.source = "b", .reason = "bad_price"}).lines, 0);
  EXPECT_EQ(Replay(fixed, {.source = "b", .reason = "bad_time"}).lines, 4);
  EXPECT_EQ(Outcomes("a").at("rejected:bad_time"), 4);
  EXPECT_EQ(Outcomes("b").at("rejected:bad_time"), 1);
}

TEST_F(ReplayTest, SaysWhatCannotBeReadAgain) {
  const std::string long_line = "c1,x,p1," + std::string(limits::kRejectRawBytesMax, '1') + "\n";
  Import(kHeader + long_line, MappingWith("unix_s"), "long");
  Import("who,when,thing\nc1,x,p1\n",
         Value(ParseMapping(R"(format = "csv"
customer = { column = "who" }
time = { columns = "when", format = "unix_s" }
columns = { product = "thing" }
)",
                            "t.toml")),
         "other columns");
  Import("{}\n", Value(ParseMapping("format = \"json_lines\"\n", "t.toml")), "json");
  Reject live;
  live.line = 1;
  live.reason = "bad_kind";
  ASSERT_OK(house_->Track({}, {live}, Ack::kApplied).status());
  const ReplaySummary summary = Replay(MappingWith("unix_s"));
  EXPECT_EQ(summary.lines, 4);
  EXPECT_THAT(summary.changes, ElementsAre());
  EXPECT_THAT(summary.left,
              ElementsAre(Pair("a line of another format than the mapping's, or its column names "
                               "were too long to keep",
                               1),
                          Pair("a live event, not a line of a file", 1),
                          Pair("only the beginning of the line was kept", 1),
                          Pair(HasSubstr("does not fit the file"), 1)));
  const Report report = ReplayReport(summary);
  EXPECT_THAT(report.notes, ::testing::Contains(HasSubstr("only the beginning")));
}

// Quotes are judged again too: what was cut at a quote may be sound for another format.
TEST_F(ReplayTest, JudgesQuotesAgain) {
  Import("who\twhen\twhat\tprice\nc1\t1300000000\t\"a\"b\t1.00\n",
         Value(ParseMapping(
             absl::StrCat("delimiter = \"\\t\"\n", absl::Substitute(kMapping, "unix_s", "")),
             "t.toml")));
  EXPECT_THAT(Outcomes(), ElementsAre(Pair("rejected:bad_quote", 1)));
  Replay(MappingWith("unix_s"));
  EXPECT_THAT(Outcomes(), ElementsAre(Pair("rejected:bad_quote", 1)));
}

// Two equal lines of a log are two requests, also when they are read again one by one, and the same
// two when the log is.
TEST_F(ReplayTest, LinesOfALogKeepTheIdsThatTheyWouldHaveHad) {
  const std::string line =
      "10.0.0.1 - - [10/Oct/2023:13:55:36 +0000] \"GET /p/1 HTTP/1.1\" 200 5 \"-\" \"Firefox\"\n";
  const auto mapping = [](absl::string_view format) {
    return Value(
        ParseMapping(absl::StrCat("format = \"access_log\"\n[access_log]\nlog_format = \"", format,
                                  "\"\norigin = \"https://shop.example\"\n[[url]]\n",
                                  "match = \"/p/{id}\"\nkind = \"view_item\"\n"),
                     "test.toml"));
  };
  Import(line + line + "nonsense\n" + line, mapping("alb"));
  ASSERT_EQ(house_->GetTotals().rejects, 4);
  DyingSink sink(house_.get(), 1, /*after=*/true);
  EXPECT_FALSE(TryReplay(mapping("combined"), &sink, {.batch_rejects = 1}).ok());
  Replay(mapping("combined"));
  EXPECT_EQ(Outcomes().at("accepted"), 3);
  EXPECT_EQ(house_->GetTotals().rejects, 1);
  const std::set<std::string> replayed = EventIds();
  Import(line + line + line, mapping("combined"), "the same again");
  EXPECT_EQ(EventIds(), replayed);
}

// Any lines, any batches, killed anywhere before or after a write: in the end the events are those
// of an import that had the right mapping from the start (the plain twin), each counted once.
TEST_F(ReplayTest, KilledAnywhereItCountsNothingTwice) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  std::string text = kHeader;
  for (int i = 0; i < 400; ++i) {
    const int64_t second = static_cast<int64_t>(random() % 60);
    const std::string when = random() % 3 == 0
                                 ? "never"
                                 : absl::StrCat("2011-03-13T07:06:", second / 10, second % 10, "Z");
    absl::StrAppend(&text, "c", random() % 5, ",", when, ",", random() % 9 == 0 ? "FEE" : "p", ",",
                    random() % 4, ".50\n");
  }
  const Mapping wrong = MappingWith("unix_s");
  const Mapping fixed = MappingWith("%Y-%m-%dT%H:%M:%E*SZ", kNoFee);
  Import(text, wrong);
  for (int round = 0; round < 6; ++round) {
    DyingSink sink(house_.get(), static_cast<int>(random() % 3), random() % 2 == 0);
    const ReplayOptions options = {.batch_rejects = 1 + random() % 60};
    EXPECT_TRUE(absl::IsUnavailable(TryReplay(fixed, &sink, options).status()) || round > 0);
    Outcomes();
  }
  Replay(fixed);
  const std::map<std::string, int64_t> replayed = Outcomes();
  const std::set<std::string> events = EventIds();

  house_.reset();
  folder_ = dir_.File("twin/db");
  house_ = Value(WebHouse::Open({.directory = folder_}));
  Import(text, fixed);
  EXPECT_EQ(replayed, Outcomes());
  EXPECT_EQ(events, EventIds());
}

}  // namespace
}  // namespace vitrine
