// What the defaults promise on real shops, read from ../shared/data.

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "recommender/evaluate.h"
#include "recommender/offline/visits_builder.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

constexpr int64_t kGapMs = 30 * 60 * 1000;

// Calls `use` with the fields of every line but the first; quotes are taken off.
template <typename Use>
void ForEachRow(const std::string& path, char separator, const Use& use) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      ::popen(absl::StrCat("zstd -dc ", path).c_str(), "r"), ::pclose);
  char line[4096];
  bool first = true;
  while (std::fgets(line, sizeof(line), pipe.get()) != nullptr) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (const char* c = line; *c != '\0' && *c != '\n' && *c != '\r'; ++c) {
      if (*c == '"') {
        quoted = !quoted;
      } else if (*c == separator && !quoted) {
        fields.emplace_back();
      } else {
        fields.back() += *c;
      }
    }
    if (!std::exchange(first, false)) use(fields);
  }
}

const MethodResult& Find(const Evaluation& evaluation, absl::string_view method) {
  for (const MethodResult& result : evaluation.methods) {
    if (result.method == method) return result;
  }
  ADD_FAILURE() << "no " << method;
  return evaluation.methods.front();
}

double ValueOf(const Evaluation& evaluation, absl::string_view method, Measure measure) {
  return Find(evaluation, method).Of(measure).value;
}

int64_t TimeOf(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M:%S", text, absl::UTCTimeZone(), &time, &error))
      << text << ": " << error;
  return absl::ToUnixMillis(time);
}

void Print(const Evaluation& evaluation) {
  for (const MethodResult& m : evaluation.methods) {
    std::cout << m.method << ": recall " << m.Of(Measure::kRecall).value << ", ndcg "
              << m.Of(Measure::kNdcg).value << ", mrr " << m.Of(Measure::kMrr).value
              << ", coverage " << m.coverage << " (" << evaluation.cases << " cases)\n";
  }
}

// What is served is as good as the best control, whichever that is.
void ExpectBlendNotWorse(const Evaluation& evaluation) {
  for (const Measure measure : {Measure::kRecall, Measure::kNdcg}) {
    for (const char* control : {"item-knn", "popularity"}) {
      EXPECT_GE(ValueOf(evaluation, "blend", measure), ValueOf(evaluation, control, measure));
    }
  }
}

TEST(Quality, GiftsAreRankedAtLeastHalfAgainAsWellAsByPopularity) {
  const std::string path = "../shared/data/uci_online_retail/online_retail.csv.zst";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  VisitsBuilder builder(kGapMs);
  ForEachRow(path, ',', [&](const std::vector<std::string>& row) {
    int quantity = 0;
    if (!absl::SimpleAtoi(row[3], &quantity) || quantity <= 0) return;
    // An invoice without a customer is a visitor who came once.
    const std::string person = row[6].empty() ? "invoice " + row[0] : row[6];
    ASSERT_OK(builder.Add(
        {.person = person, .product = row[1], .time_ms = TimeOf(row[4]), .kind = PURCHASE}));
  });
  const Evaluation evaluation =
      Value(Evaluate(Value(std::move(builder).Build()), EvaluateOptions()));
  Print(evaluation);
  EXPECT_GT(evaluation.cases, 2000);
  const double ials = ValueOf(evaluation, "ials", Measure::kNdcg);
  EXPECT_GE(ials, 1.5 * ValueOf(evaluation, "popularity", Measure::kNdcg));
  EXPECT_GT(ials, ValueOf(evaluation, "item-knn", Measure::kNdcg));
  ExpectBlendNotWorse(evaluation);
}

TEST(Quality, FashionSessionsArePredictedFromTheirClicks) {
  const std::string path = "../shared/data/uci_eshop_clothing_2008/eshop_clothing_2008.csv.zst";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  VisitsBuilder builder(kGapMs);
  ForEachRow(path, ';', [&](const std::vector<std::string>& row) {
    int order = 0;
    ASSERT_TRUE(absl::SimpleAtoi(row[3], &order));
    const int64_t day_ms = TimeOf(absl::StrCat(row[0], "-", row[1], "-", row[2], " 00:00:00"));
    ASSERT_OK(builder.Add({.person = row[5], .product = row[7], .time_ms = day_ms + order * 1000}));
  });
  const Evaluation evaluation =
      Value(Evaluate(Value(std::move(builder).Build()),
                     {.protocol = EvaluateOptions::Protocol::kSessions, .k = 5}));
  Print(evaluation);
  EXPECT_EQ(evaluation.products, 217);
  for (const Measure measure : {Measure::kRecall, Measure::kMrr}) {
    EXPECT_GE(ValueOf(evaluation, "ials", measure), 2 * ValueOf(evaluation, "popularity", measure));
  }
  ExpectBlendNotWorse(evaluation);
}

}  // namespace
}  // namespace vitrine
