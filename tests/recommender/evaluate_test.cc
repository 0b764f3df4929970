#include "recommender/evaluate.h"

#include "recommender/offline/visits.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using testing::kDayMs;
using testing::kMinuteMs;
using testing::kNewestMs;
using testing::TasteShape;
using testing::Value;

// Persons keep to the taste of their group over several visits.
Visits MakeVisits(uint32_t seed) {
  const TasteShape shape = {.products = 120, .groups = 8};
  std::mt19937 random(seed);
  Visits visits;
  for (size_t p = 0; p < shape.products; ++p) visits.products.push_back(testing::ProductName(p));
  for (int person = 0; person < 400; ++person) {
    const size_t group = random() % shape.groups;
    std::vector<Visit> own;
    for (int v = 0; v < 4; ++v) {
      Visit visit{.start_ms = kNewestMs + (person % 50 + v * 50) * kDayMs};
      for (int a = 0; a < 4; ++a) {
        visit.actions.push_back({visit.start_ms + a * kMinuteMs,
                                 static_cast<uint32_t>(DrawProduct(group, shape, &random)),
                                 PURCHASE});
      }
      own.push_back(visit);
    }
    visits.persons.push_back(own);
  }
  return visits;
}

EvaluateOptions OptionsFor(EvaluateOptions::Protocol protocol) {
  return {.protocol = protocol, .k = 10, .als = {.factors = 16, .epochs = 6}};
}

class EvaluateTest : public ::testing::TestWithParam<EvaluateOptions::Protocol> {};

TEST_P(EvaluateTest, ShowsThatTasteBeatsPopularityWhereThereIsTaste) {
  const Evaluation evaluation = Value(Evaluate(MakeVisits(81), OptionsFor(GetParam())));
  EXPECT_GT(evaluation.cases, 100);
  EXPECT_EQ(evaluation.products, 120);
  ASSERT_EQ(evaluation.methods.size(), 3u);
  const MethodResult& ials = evaluation.methods[0];
  const MethodResult& knn = evaluation.methods[1];
  const MethodResult& popularity = evaluation.methods[2];
  EXPECT_EQ(ials.method, "ials");
  EXPECT_EQ(knn.method, "item-knn");
  EXPECT_EQ(popularity.method, "popularity");
  EXPECT_GT(ials.ndcg, 2 * popularity.ndcg);
  EXPECT_GT(knn.ndcg, 2 * popularity.ndcg);
  EXPECT_GT(ials.mrr, 2 * popularity.mrr);
  EXPECT_GT(ials.coverage, 0.9);
  EXPECT_LT(popularity.coverage, 0.5);
  for (const MethodResult& m : evaluation.methods) {
    for (const double value : {m.recall, m.ndcg, m.mrr, m.coverage}) {
      EXPECT_GE(value, 0) << m.method;
      EXPECT_LE(value, 1 + 1e-9) << m.method;
    }
  }
}

TEST_P(EvaluateTest, GivesTheSameFiguresWhateverTheThreads) {
  EvaluateOptions options = OptionsFor(GetParam());
  const Visits visits = MakeVisits(82);
  const Evaluation all_cores = Value(Evaluate(visits, options));
  options.als.threads = 1;
  const Evaluation one = Value(Evaluate(visits, options));
  for (size_t m = 0; m < 3; ++m) {
    EXPECT_EQ(all_cores.methods[m].ndcg, one.methods[m].ndcg);
    EXPECT_EQ(all_cores.methods[m].coverage, one.methods[m].coverage);
  }
}

INSTANTIATE_TEST_SUITE_P(Protocols, EvaluateTest,
                         ::testing::Values(EvaluateOptions::Protocol::kLeaveLastOut,
                                           EvaluateOptions::Protocol::kSessions));

TEST(Evaluate, RefusesOptionsOutOfRange) {
  const Visits visits = MakeVisits(83);
  EvaluateOptions options = OptionsFor(EvaluateOptions::Protocol::kSessions);
  options.holdout_fraction = 1;
  EXPECT_EQ(Evaluate(visits, options).status().code(), absl::StatusCode::kInvalidArgument);
  options = OptionsFor(EvaluateOptions::Protocol::kSessions);
  options.k = 0;
  EXPECT_EQ(Evaluate(visits, options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Evaluate, SaysSoWhereTheStoreHoldsNothing) {
  testing::TempDir dir;
  const auto house = Value(WebHouse::Open({.directory = dir.File("db")}));
  EXPECT_EQ(Evaluate(*house, EvaluateOptions()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(EvaluationReport, HasOneRowPerMethod) {
  Evaluation evaluation{.options = {.k = 5}, .cases = 12, .products = 34};
  evaluation.methods = {{.method = "ials", .recall = 0.5}, {.method = "popularity"}};
  const Report report = EvaluationReport(evaluation);
  ASSERT_EQ(report.tables.size(), 1u);
  EXPECT_EQ(report.tables[0].columns[1].name, "recall@5");
  ASSERT_EQ(report.tables[0].rows.size(), 2u);
  for (const auto& row : report.tables[0].rows) {
    EXPECT_EQ(row.size(), report.tables[0].columns.size());
  }
  EXPECT_EQ(report.tables[0].rows[0][1], Report::Cell(0.5));
  EXPECT_THAT(report.notes, ElementsAre("12 cases, each ranking all of 34 products"));
}

}  // namespace
}  // namespace vitrine
