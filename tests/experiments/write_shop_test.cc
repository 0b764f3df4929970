#include "experiments/simulation/write_shop.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_split.h"

#include "experiments/simulation/event_json.h"
#include "experiments/simulation/traffic.h"
#include "store/base/atomic_file.h"
#include "store/base/crc32c.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using testing::Value;

constexpr const char* kFiles[] = {"events.jsonl", "access.log", "catalogue.csv", "truth.csv"};
constexpr size_t kFileBytesMax = 1 << 28;

const ShopOptions kSmall = {.seed = 11, .customers = 60, .products = 80, .days = 5};

std::vector<std::string> LinesOf(const std::string& path) {
  return absl::StrSplit(Value(ReadFile(path, kFileBytesMax)), '\n', absl::SkipEmpty());
}

// Changes only when the simulated world is changed on purpose. Other figures here on another
// machine or compiler mean that some arithmetic is not the same everywhere.
TEST(WriteShop, GivesTheSameBytesOnEveryMachine) {
  TempDir dir;
  Value(WriteShop(kSmall, dir.path()));
  const auto crc = [&](const char* file) {
    return Crc32c(Value(ReadFile(dir.File(file), kFileBytesMax)));
  };
  EXPECT_EQ(crc("events.jsonl"), 2456771480u);
  EXPECT_EQ(crc("access.log"), 1888548u);
  EXPECT_EQ(crc("catalogue.csv"), 1362758615u);
  EXPECT_EQ(crc("truth.csv"), 350815533u);
}

TEST(WriteShop, TwoRunsAreEqualAndTwoSeedsAreNot) {
  TempDir one, two, other;
  Value(WriteShop(kSmall, one.path()));
  Value(WriteShop(kSmall, two.path()));
  ShopOptions seed = kSmall;
  ++seed.seed;
  Value(WriteShop(seed, other.path()));
  for (const char* file : kFiles) {
    const std::string bytes = Value(ReadFile(one.File(file), kFileBytesMax));
    EXPECT_GT(bytes.size(), 100u) << file;
    EXPECT_TRUE(bytes == Value(ReadFile(two.File(file), kFileBytesMax))) << file;
    EXPECT_FALSE(bytes == Value(ReadFile(other.File(file), kFileBytesMax))) << file;
  }
}

TEST(WriteShop, LeavesOutTheFilesThatTakeLongestAndWritesTheSameEvents) {
  TempDir all, few;
  Value(WriteShop(kSmall, all.path()));
  WriteShopOptions events_only;
  events_only.events_only = true;
  Value(WriteShop(kSmall, few.path(), events_only));
  for (const char* file : {"events.jsonl", "catalogue.csv"}) {
    EXPECT_TRUE(Value(ReadFile(all.File(file), kFileBytesMax)) ==
                Value(ReadFile(few.File(file), kFileBytesMax)))
        << file;
  }
  EXPECT_FALSE(ReadFile(few.File("access.log"), kFileBytesMax).ok());
  EXPECT_FALSE(ReadFile(few.File("truth.csv"), kFileBytesMax).ok());
}

TEST(WriteShop, EventLinesAreTheEvents) {
  TempDir dir;
  const SimulationSummary summary = Value(WriteShop(kSmall, dir.path()));
  const std::vector<Event> events = Value(Events(kSmall));
  const std::vector<std::string> lines = LinesOf(dir.File("events.jsonl"));
  ASSERT_EQ(lines.size(), events.size());
  EXPECT_EQ(summary.events, static_cast<int64_t>(events.size()));
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto json = nlohmann::json::parse(lines[i]);
    EXPECT_EQ(json["id"], events[i].id);
    EXPECT_EQ(json["time_ms"], events[i].time_ms);
    EXPECT_EQ(json.value("items", nlohmann::json::array()).size(), events[i].items.size());
  }
}

TEST(WriteShop, TheCatalogueAndTheTruthHaveARowEach) {
  TempDir dir;
  Value(WriteShop(kSmall, dir.path()));
  const Shop shop = Value(Shop::Create(kSmall));
  const std::vector<std::string> catalogue = LinesOf(dir.File("catalogue.csv"));
  ASSERT_EQ(catalogue.size(), 81u);
  EXPECT_EQ(catalogue[0], "id,name,category,price,currency,stock,brand");
  for (size_t p = 0; p < 80; ++p) {
    const std::vector<std::string> row = absl::StrSplit(catalogue[p + 1], ',');
    ASSERT_EQ(row.size(), 7u);
    EXPECT_EQ(row[0], shop.products()[p].id);
    EXPECT_EQ(row[3], std::to_string(shop.products()[p].price_minor));
  }
  const std::vector<std::string> truth = LinesOf(dir.File("truth.csv"));
  ASSERT_EQ(truth.size(), 1 + 60 + shop.robots().size());
  for (size_t c = 0; c < 60; ++c) {
    const std::vector<std::string> row = absl::StrSplit(truth[c + 1], ',');
    ASSERT_EQ(row.size(), 5u);
    EXPECT_EQ(row[0], shop.customers()[c].has_account ? "account" : "guest");
    EXPECT_EQ(row[1], shop.customers()[c].id);
    const std::vector<std::string> top = absl::StrSplit(row[4], ' ');
    ASSERT_EQ(top.size(), 20u);
    EXPECT_EQ(top[0], shop.products()[shop.TopProducts(c, 1)[0]].id);
  }
}

TEST(WriteShop, CountsWhatItWrote) {
  TempDir dir;
  int64_t days = 0;
  const SimulationSummary summary =
      Value(WriteShop(kSmall, dir.path(), {.on_progress = [&](const SimulationProgress& progress) {
                        EXPECT_GT(progress.days_done, days);
                        EXPECT_EQ(progress.days_total, 5);
                        days = progress.days_done;
                      }}));
  EXPECT_EQ(days, 5);
  EXPECT_EQ(summary.seed, 11u);
  int64_t events = 0, bytes = 0;
  for (const auto& [kind, count] : summary.events_by_kind) events += count;
  EXPECT_EQ(events, summary.events);
  for (const char* file : kFiles) bytes += std::filesystem::file_size(dir.File(file));
  EXPECT_EQ(summary.bytes, bytes);
  EXPECT_EQ(summary.log_lines, static_cast<int64_t>(LinesOf(dir.File("access.log")).size()));
  const Report report = SimulationReport(summary);
  ASSERT_EQ(report.tables.size(), 2u);
  EXPECT_THAT(report.notes[0], ::testing::HasSubstr("seed 11"));
  for (const Report::Table& table : report.tables) {
    for (const auto& row : table.rows) EXPECT_EQ(row.size(), table.columns.size());
  }
}

TEST(WriteShop, LeavesADirectoryThatIsNotEmptyAlone) {
  TempDir dir;
  ASSERT_OK(WriteFileAtomically(dir.File("events.jsonl"), "mine"));
  EXPECT_TRUE(absl::IsFailedPrecondition(WriteShop(kSmall, dir.path()).status()));
  EXPECT_EQ(Value(ReadFile(dir.File("events.jsonl"), 100)), "mine");
  EXPECT_OK(WriteShop(kSmall, dir.path(), {.overwrite = true, .on_progress = {}}).status());
  EXPECT_GT(std::filesystem::file_size(dir.File("events.jsonl")), 100u);
}

TEST(WriteShop, MakesTheDirectoryWithItsParentsAndRefusesAFile) {
  TempDir dir;
  EXPECT_OK(WriteShop(kSmall, dir.File("a/b")).status());
  EXPECT_TRUE(absl::IsInvalidArgument(WriteShop(kSmall, dir.File("a/b/events.jsonl")).status()));
  EXPECT_FALSE(std::filesystem::exists(dir.File("bad")));
  EXPECT_TRUE(absl::IsInvalidArgument(WriteShop({.days = 0}, dir.File("bad")).status()));
  EXPECT_FALSE(std::filesystem::exists(dir.File("bad")));
}

}  // namespace
}  // namespace vitrine
