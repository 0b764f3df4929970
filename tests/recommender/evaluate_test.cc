#include "recommender/evaluate.h"

#include <algorithm>
#include <map>

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
  ASSERT_EQ(evaluation.methods.size(), 5u);
  const MethodResult& blend = evaluation.methods[0];
  const MethodResult& ials = evaluation.methods[1];
  const MethodResult& sessions = evaluation.methods[2];
  const MethodResult& knn = evaluation.methods[3];
  const MethodResult& popularity = evaluation.methods[4];
  EXPECT_EQ(blend.method, "blend");
  EXPECT_EQ(ials.method, "ials");
  EXPECT_EQ(sessions.method, "session-blend");
  EXPECT_EQ(knn.method, "item-knn");
  EXPECT_EQ(popularity.method, "popularity");
  EXPECT_FALSE(ials.control);
  EXPECT_TRUE(knn.control && popularity.control);
  for (const MethodResult* with_taste : {&blend, &ials, &sessions, &knn}) {
    EXPECT_GT(with_taste->Of(Measure::kNdcg).value, 2 * popularity.Of(Measure::kNdcg).value);
    EXPECT_LT(with_taste->gini, popularity.gini);
  }
  EXPECT_GT(ials.Of(Measure::kMrr).value, 2 * popularity.Of(Measure::kMrr).value);
  EXPECT_GT(ials.Of(Measure::kNovelty).value, popularity.Of(Measure::kNovelty).value);
  EXPECT_GT(ials.coverage, 0.9);
  EXPECT_LT(popularity.coverage, 0.5);
}

TEST_P(EvaluateTest, KeepsEveryFigureInItsRangeAndItsInterval) {
  const Evaluation evaluation = Value(Evaluate(MakeVisits(84), OptionsFor(GetParam())));
  EXPECT_THAT(evaluation.cutoffs, ElementsAre(1, 2, 3, 5, 10));
  int64_t cases = 0;
  for (const EvaluationSegment& segment : evaluation.segments) cases += segment.cases;
  EXPECT_EQ(cases, evaluation.cases);
  for (const MethodResult& m : evaluation.methods) {
    for (size_t i = 0; i < kMeasures; ++i) {
      EXPECT_LE(m.measures[i].low, m.measures[i].value) << m.method;
      EXPECT_LE(m.measures[i].value, m.measures[i].high) << m.method;
      EXPECT_GE(m.measures[i].low, 0) << m.method;
      if (static_cast<Measure>(i) == Measure::kNovelty) continue;
      EXPECT_LE(m.measures[i].high, 1 + 1e-6);
    }
    EXPECT_EQ(m.recall_at.back().value, m.Of(Measure::kRecall).value);
    double by_segment = 0;
    for (size_t s = 0; s < evaluation.segments.size(); ++s) {
      by_segment += m.segment_ndcg[s].value * static_cast<double>(evaluation.segments[s].cases);
    }
    EXPECT_NEAR(by_segment / static_cast<double>(evaluation.cases), m.Of(Measure::kNdcg).value,
                1e-6)
        << "segments put together are the whole";
  }
}

TEST_P(EvaluateTest, ComparesEachMethodWithTheBestControl) {
  const Evaluation evaluation = Value(Evaluate(MakeVisits(85), OptionsFor(GetParam())));
  for (const MethodResult& m : evaluation.methods) {
    EXPECT_EQ(m.comparisons.empty(), m.control) << m.method;
    for (size_t i = 0; i < m.comparisons.size(); ++i) {
      const auto measure = static_cast<Measure>(i);
      double best = 0;
      for (const MethodResult& control : evaluation.methods) {
        if (control.control) best = std::max(best, control.Of(measure).value);
      }
      const Comparison& comparison = m.comparisons[i];
      EXPECT_NEAR(comparison.difference.value, m.Of(measure).value - best, 1e-6);
      EXPECT_EQ(comparison.verdict == Verdict::kBetter, comparison.difference.low > 0);
      EXPECT_EQ(comparison.verdict == Verdict::kWorse, comparison.difference.high < 0);
    }
  }
}

TEST_P(EvaluateTest, GivesTheSameFiguresWhateverTheThreads) {
  EvaluateOptions options = OptionsFor(GetParam());
  const Visits visits = MakeVisits(82);
  const Evaluation all_cores = Value(Evaluate(visits, options));
  options.als.threads = 1;
  const Evaluation one = Value(Evaluate(visits, options));
  for (size_t m = 0; m < 4; ++m) {
    EXPECT_EQ(all_cores.methods[m].Of(Measure::kNdcg).value,
              one.methods[m].Of(Measure::kNdcg).value);
    EXPECT_EQ(all_cores.methods[m].Of(Measure::kNdcg).low, one.methods[m].Of(Measure::kNdcg).low);
    EXPECT_EQ(all_cores.methods[m].coverage, one.methods[m].coverage);
  }
}

INSTANTIATE_TEST_SUITE_P(Protocols, EvaluateTest,
                         ::testing::Values(EvaluateOptions::Protocol::kLeaveLastOut,
                                           EvaluateOptions::Protocol::kTimeSplit,
                                           EvaluateOptions::Protocol::kSessions));

TEST(Evaluate, ListsNothingThatIsHidden) {
  // Everybody has bought half of the catalogue: with that hidden, any list of the other half hits.
  Visits visits;
  for (size_t p = 0; p < 10; ++p) visits.products.push_back(testing::ProductName(p));
  for (uint32_t person = 0; person < 40; ++person) {
    std::vector<Visit> own(2);
    for (uint32_t v = 0; v < 2; ++v) {
      own[v].start_ms = kNewestMs + v * kDayMs;
      for (uint32_t a = 0; a < 5; ++a) {
        own[v].actions.push_back({own[v].start_ms, (5 * (v + person) + a) % 10, PURCHASE});
      }
    }
    visits.persons.push_back(own);
  }
  EvaluateOptions options = OptionsFor(EvaluateOptions::Protocol::kLeaveLastOut);
  options.k = 5;
  for (const MethodResult& m : Value(Evaluate(visits, options)).methods) {
    EXPECT_EQ(m.Of(Measure::kPrecision).value, 1) << m.method;
  }
}

TEST(Evaluate, SaysHowFarItIs) {
  std::vector<std::string> said;
  EvaluateOptions options = OptionsFor(EvaluateOptions::Protocol::kSessions);
  options.tune = true;
  options.on_progress = [&](absl::string_view what, int64_t done, int64_t all) {
    EXPECT_LE(done, all);
    if (said.empty() || said.back() != what) said.emplace_back(what);
  };
  const Evaluation evaluation = Value(Evaluate(MakeVisits(86), options));
  EXPECT_THAT(said, ElementsAre("training ials", "finding neighbours", "learning sessions",
                                "tuning the session blend", "ranking", "drawing again"));
  ASSERT_EQ(evaluation.notes.size(), 1u) << "tuning says what came of it";
}

TEST(Evaluate, DrawsCasesWhereThereAreTooMany) {
  EvaluateOptions options = OptionsFor(EvaluateOptions::Protocol::kSessions);
  options.cases_max = 50;
  const Evaluation evaluation = Value(Evaluate(MakeVisits(87), options));
  EXPECT_EQ(evaluation.cases, 50);
  EXPECT_GT(evaluation.all_cases, 100);
}

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

TEST(EvaluationReport, HasTheSameMethodsInEveryTable) {
  EvaluateOptions options = OptionsFor(EvaluateOptions::Protocol::kSessions);
  options.k = 5;
  const Evaluation evaluation = Value(Evaluate(MakeVisits(88), options));
  const Report report = EvaluationReport(evaluation, "shop");
  std::map<std::string, const Report::Table*> tables;
  for (const Report::Table& table : report.tables) {
    tables[table.name] = &table;
    for (const auto& row : table.rows) EXPECT_EQ(row.size(), table.columns.size()) << table.name;
  }
  EXPECT_EQ(tables["evaluation"]->rows[0][0], Report::Cell("shop"));
  EXPECT_EQ(tables["methods"]->rows.size(), 5u);
  EXPECT_EQ(tables["methods"]->columns[1].name, "recall@5");
  const Interval recall = evaluation.methods[0].Of(Measure::kRecall);
  EXPECT_EQ(tables["methods"]->rows[0][1],
            Report::Cell(Report::Estimate{recall.value, recall.low, recall.high}));
  EXPECT_EQ(tables["against_controls"]->rows.size(), 3 * 6u);
  EXPECT_EQ(tables["recall_by_length"]->rows.size(), 4u) << "1, 2, 3, 5";
  EXPECT_EQ(tables["recall_by_length"]->columns.size(), 1 + 5u);
  for (const Report::Plot& plot : report.plots) {
    for (const std::string& column : plot.columns) {
      const auto& columns = tables[plot.table]->columns;
      EXPECT_TRUE(std::any_of(columns.begin(), columns.end(), [&](const auto& c) {
        return c.name == column;
      })) << column;
    }
  }
}

}  // namespace
}  // namespace vitrine
