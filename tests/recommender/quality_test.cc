// What the defaults promise on real shops, read from ../shared/data.

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "recommender/evaluate.h"
#include "recommender/offline/visits.h"
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

// Puts rows together to visits: what the store's sessions are, for rows that come in any order.
class VisitsBuilder {
 public:
  void Add(const std::string& person, int64_t time_ms, const std::string& product, EventKind kind) {
    const auto [entry, is_new] =
        numbers_.try_emplace(product, static_cast<uint32_t>(visits_.products.size()));
    if (is_new) visits_.products.push_back(product);
    persons_[person].push_back({time_ms, entry->second, kind});
  }

  Visits Build() && {
    for (auto& [person, actions] : persons_) {
      std::stable_sort(actions.begin(), actions.end(),
                       [](const Action& a, const Action& b) { return a.time_ms < b.time_ms; });
      std::vector<Visit> own;
      for (const Action& action : actions) {
        if (own.empty() || action.time_ms - own.back().actions.back().time_ms > kGapMs) {
          own.push_back({action.time_ms, {}});
        }
        own.back().actions.push_back(action);
      }
      visits_.persons.push_back(std::move(own));
    }
    return std::move(visits_);
  }

 private:
  Visits visits_;
  std::map<std::string, uint32_t> numbers_;
  std::map<std::string, std::vector<Action>> persons_;
};

int64_t TimeOf(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M:%S", text, absl::UTCTimeZone(), &time, &error))
      << text << ": " << error;
  return absl::ToUnixMillis(time);
}

void Print(const Evaluation& evaluation) {
  for (const MethodResult& m : evaluation.methods) {
    std::cout << m.method << ": recall " << m.recall << ", ndcg " << m.ndcg << ", mrr " << m.mrr
              << ", coverage " << m.coverage << " (" << evaluation.cases << " cases)\n";
  }
}

TEST(Quality, GiftsAreRankedAtLeastHalfAgainAsWellAsByPopularity) {
  const std::string path = "../shared/data/uci_online_retail/online_retail.csv.zst";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  VisitsBuilder builder;
  ForEachRow(path, ',', [&](const std::vector<std::string>& row) {
    int quantity = 0;
    if (!absl::SimpleAtoi(row[3], &quantity) || quantity <= 0) return;
    // An invoice without a customer is a visitor who came once.
    const std::string person = row[6].empty() ? "invoice " + row[0] : row[6];
    builder.Add(person, TimeOf(row[4]), row[1], PURCHASE);
  });
  const Evaluation evaluation = Value(Evaluate(std::move(builder).Build(), EvaluateOptions()));
  Print(evaluation);
  EXPECT_GT(evaluation.cases, 2000);
  EXPECT_GE(evaluation.methods[0].ndcg, 1.5 * evaluation.methods[2].ndcg);
  EXPECT_GT(evaluation.methods[0].ndcg, evaluation.methods[1].ndcg);
}

TEST(Quality, FashionSessionsArePredictedFromTheirClicks) {
  const std::string path = "../shared/data/uci_eshop_clothing_2008/eshop_clothing_2008.csv.zst";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  VisitsBuilder builder;
  ForEachRow(path, ';', [&](const std::vector<std::string>& row) {
    int order = 0;
    ASSERT_TRUE(absl::SimpleAtoi(row[3], &order));
    const int64_t day_ms = TimeOf(absl::StrCat(row[0], "-", row[1], "-", row[2], " 00:00:00"));
    builder.Add(row[5], day_ms + order * 1000, row[7], VIEW_ITEM);
  });
  const Evaluation evaluation = Value(Evaluate(
      std::move(builder).Build(), {.protocol = EvaluateOptions::Protocol::kSessions, .k = 5}));
  Print(evaluation);
  EXPECT_EQ(evaluation.products, 217);
  EXPECT_GE(evaluation.methods[0].recall, 2 * evaluation.methods[2].recall);
  EXPECT_GE(evaluation.methods[0].mrr, 2 * evaluation.methods[2].mrr);
}

}  // namespace
}  // namespace vitrine
