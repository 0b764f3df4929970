// Simulated customers whose truth is known, from the store to the verdict.

#include "experiments/analysis/experiment_report.h"

#include <csignal>
#include <memory>
#include <random>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"

#include "experiments/analysis/plan.h"
#include "experiments/analysis/unit_counter.h"
#include "experiments/definition/definition.h"
#include "experiments/definition/running.h"
#include "experiments/sequential/planning.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::Contains;
using ::testing::Not;
using vitrine::testing::MakeEvent;
using vitrine::testing::TempDir;
using vitrine::testing::Value;

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kDay = 86'400'000;

Experiment Trial() {
  Experiment experiment;
  experiment.id = "trial";
  experiment.placement = "home";
  experiment.hypothesis = "what sells is what should be shown";
  experiment.planned_units = 12'000;
  experiment.arms.resize(2);
  experiment.arms[0].id = "old";
  experiment.arms[1].id = "new";
  experiment.secondary = {ExperimentMetric::REVENUE};
  experiment.guardrails.emplace_back().metric = ExperimentMetric::RETURNS;
  experiment.currency = "GBP";
  return Value(Moved(experiment, ExperimentStatus::RUNNING, {}, kStart));
}

// What a visitor does: sees a shelf, and buys with the chance of the arm they saw.
class Customers {
 public:
  Customers(WebHouse* house, const Experiment& experiment, std::vector<double> chances,
            unsigned seed)
      : house_(*house),
        experiment_(experiment),
        running_(Value(RunningExperiments::Create("shop", {experiment}))),
        chances_(std::move(chances)),
        random_(seed) {
    std::printf("seed %u\n", seed);
  }

  void Visit(int visitors) {
    std::vector<Exposure> shelves;
    std::vector<Event> events;
    for (int i = 0; i < visitors; ++i, ++made_) One(&shelves, &events);
    EXPECT_OK(house_.AddExposures(shelves));
    EXPECT_OK(house_.Track(events, {}, Ack::kApplied).status());
  }

  void One(std::vector<Exposure>* shelves, std::vector<Event>* events) {
    const std::string visitor = absl::StrCat("v", made_);
    const int64_t now_ms = kStart + made_ * kDay / 1000;
    const ChosenArm chosen = running_.Choose("home", {.visitor = visitor, .now_ms = now_ms}).at(0);
    Exposure& shelf = shelves->emplace_back();
    shelf.id = absl::StrCat("s", made_);
    shelf.time_ms = now_ms;
    shelf.placement = "home";
    shelf.__set_visitor_id(visitor);
    shelf.products.emplace_back().product_id = "p";
    ExposedArm& arm = shelf.arms.emplace_back();
    arm.experiment = experiment_.id;
    arm.arm = chosen.arm->id;
    arm.propensity = chosen.propensity;
    arm.point = chosen.point;
    const auto index = static_cast<size_t>(chosen.arm - chosen.experiment->arms.data());
    Event event = MakeEvent(absl::StrCat("e", made_), "v:" + visitor, now_ms + 1000,
                            EventKind::VIEW_ITEM, "p");
    event.__set_recommendation_id(shelf.id);
    events->push_back(event);
    if (std::uniform_real_distribution<>()(random_) >= chances_.at(index)) return;
    event = MakeEvent(absl::StrCat("o", made_), "v:" + visitor, now_ms + 2000, EventKind::PURCHASE,
                      "p");
    event.items[0].__set_price_minor(500 + static_cast<int64_t>(random_() % 1000));
    event.__set_currency("GBP");
    events->push_back(event);
    bought_.push_back(made_);
  }

  int64_t bought() const { return static_cast<int64_t>(bought_.size()); }

 private:
  WebHouse& house_;
  const Experiment experiment_;
  const RunningExperiments running_;
  const std::vector<double> chances_;
  std::mt19937 random_;
  int64_t made_ = 0;
  std::vector<int64_t> bought_;
};

class ExperimentReportTest : public ::testing::Test {
 protected:
  void Open() {
    house_.reset();
    house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  }
  ExperimentCounts Count(const Experiment& experiment) {
    return Value(CountExperiment(*house_, experiment, {}));
  }
  Verdict Judged(const Experiment& experiment) {
    return Value(JudgeExperiment(experiment, Count(experiment), kStart + 30 * kDay));
  }

  TempDir dir_;
  std::unique_ptr<WebHouse> house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
};

std::vector<std::string> Keys(const std::vector<Report::Message>& messages) {
  std::vector<std::string> keys;
  for (const Report::Message& message : messages) keys.push_back(message.key);
  return keys;
}

std::vector<std::string> TablesOf(const Report& report) {
  std::vector<std::string> names;
  for (const Report::Table& table : report.tables) names.push_back(table.name);
  return names;
}

int64_t Converted(const ExperimentCounts& counts) {
  double converted = 0;
  for (const ArmSums& arm : counts.arms) converted += arm.metrics[0].sums[kValue];
  return static_cast<int64_t>(converted);
}

TEST_F(ExperimentReportTest, FindsADifferenceThatIsThere) {
  const Experiment experiment = Trial();
  Customers(house_.get(), experiment, {0.10, 0.14}, 20'260'101).Visit(12'000);
  const ExperimentCounts counts = Count(experiment);
  const Verdict verdict = Value(JudgeExperiment(experiment, counts, kStart + 30 * kDay));
  EXPECT_EQ(verdict.decision, Decision::kTreatmentWins);
  EXPECT_EQ(verdict.winner, 1u);
  const MetricVerdict& conversion = verdict.comparisons.at(0);
  EXPECT_LT(conversion.absolute.low, 0.04);
  EXPECT_GT(conversion.absolute.high, 0.04);
  const Report report = Value(ReportOf(experiment, counts, verdict, {}));
  EXPECT_THAT(Keys(report.summary), Contains("experiment.decision.treatment_wins"));
  EXPECT_THAT(TablesOf(report), Contains("experiment_metrics"));
}

TEST_F(ExperimentReportTest, OfTwoEqualArmsNothingIsSaid) {
  const Experiment experiment = Trial();
  Customers(house_.get(), experiment, {0.10, 0.10}, 20'260'102).Visit(12'000);
  const Verdict verdict = Judged(experiment);
  EXPECT_TRUE(verdict.validity.valid());
  EXPECT_EQ(verdict.decision, Decision::kUndecided);
}

TEST_F(ExperimentReportTest, NumbersOfABrokenExperimentAreWithheld) {
  Experiment experiment = Trial();
  Customers(house_.get(), experiment, {0.10, 0.14}, 20'260'103).Visit(2000);
  // And some whose arms are not those that their hash gives: five to four.
  std::vector<Exposure> shelves;
  for (int i = 0; i < 3000; ++i) {
    Exposure shelf;
    shelf.id = absl::StrCat("x", i);
    shelf.time_ms = kStart + i;
    shelf.placement = "home";
    shelf.__set_visitor_id(absl::StrCat("x", i));
    shelf.products.emplace_back().product_id = "p";
    ExposedArm& arm = shelf.arms.emplace_back();
    arm.experiment = "trial";
    arm.arm = i % 9 < 5 ? "old" : "new";
    shelves.push_back(shelf);
  }
  ASSERT_OK(house_->AddExposures(shelves));
  experiment.__set_stopped_ms(kStart + 20 * kDay);
  const ExperimentCounts counts = Count(experiment);
  const Verdict verdict = Value(JudgeExperiment(experiment, counts, kStart + 30 * kDay));
  EXPECT_EQ(verdict.decision, Decision::kInvalid);
  const Report report = Value(ReportOf(experiment, counts, verdict, {}));
  EXPECT_THAT(Keys(report.summary), Contains("experiment.objection.sample_ratio"));
  EXPECT_THAT(TablesOf(report), Not(Contains("experiment_metrics")));
}

TEST_F(ExperimentReportTest, RepliesThatLeftNoExposureMakeItInvalid) {
  const Experiment experiment = Trial();
  Customers(house_.get(), experiment, {0.1, 0.1}, 20'260'104).Visit(1000);
  EXPECT_EQ(Count(experiment).replies, 1000);
  EXPECT_EQ(Count(experiment).replies_unexposed, 0);
  std::vector<Event> events;
  for (int i = 0; i < 50; ++i) {
    events.push_back(MakeEvent(absl::StrCat("lost", i), absl::StrCat("v:v", i), kStart + 2 * kDay,
                               EventKind::VIEW_ITEM, "p"));
    events.back().__set_recommendation_id(absl::StrCat("lost", i));
  }
  ASSERT_OK(house_->Track(events, {}, Ack::kApplied).status());
  EXPECT_EQ(Count(experiment).replies_unexposed, 50);
  EXPECT_EQ(Judged(experiment).decision, Decision::kInvalid);
}

TEST_F(ExperimentReportTest, RobotsAreLeftOut) {
  const Experiment experiment = Trial();
  Customers(house_.get(), experiment, {1, 1}, 20'260'105).Visit(100);
  const Derived derived = {.person = Person::Visitor("v7"),
                           .mark = Value(house_->MarkOf(Person::Visitor("v7"))),
                           .sessions = {},
                           .customer = {},
                           .robot = {"list:robots"}};
  ASSERT_OK(house_->ReplaceDerived({&derived, 1}));
  const ExperimentCounts counts = Count(experiment);
  EXPECT_EQ(counts.robots, 1);
  EXPECT_EQ(Converted(counts), 99);
}

TEST_F(ExperimentReportTest, AFixedTestShowsNothingBeforeItsEnd) {
  Experiment experiment = Trial();
  experiment.sequential = false;
  experiment.__set_to_ms(kStart + 40 * kDay);
  Customers(house_.get(), experiment, {0.10, 0.14}, 20'260'106).Visit(12'000);
  const ExperimentCounts counts = Count(experiment);
  const auto decision = [&](const Experiment& e, int64_t now_ms) {
    return Value(JudgeExperiment(e, counts, now_ms)).decision;
  };
  EXPECT_EQ(decision(experiment, kStart + 39 * kDay), Decision::kNotEnded);
  EXPECT_EQ(decision(experiment, kStart + 40 * kDay), Decision::kTreatmentWins);
  experiment.__set_stopped_ms(kStart + 39 * kDay);
  EXPECT_EQ(decision(experiment, kStart + 41 * kDay), Decision::kNotEnded)
      << "it was stopped before";
}

TEST_F(ExperimentReportTest, AfterKill9ItAgreesToTheLastEvent) {
  const std::string folder = dir_.File("killed");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Experiment experiment = Trial();
  const pid_t child = ::fork();
  if (child == 0) {
    auto house = WebHouse::Open({.directory = folder + "/db"});
    if (!house.ok()) ::_exit(1);
    Customers customers(house->get(), experiment, {0.3, 0.3}, 20'260'107);
    for (int64_t done = 1;; ++done) {
      customers.Visit(1);
      const int64_t told[2] = {done, customers.bought()};
      if (::write(ends[1], told, sizeof(told)) != sizeof(told)) ::_exit(1);
    }
  }
  ::close(ends[1]);
  int64_t told[2] = {0, 0}, next[2];
  while (told[0] < 500 && ::read(ends[0], next, sizeof(next)) == sizeof(next)) {
    std::copy(next, next + 2, told);
  }
  ::kill(child, SIGKILL);
  while (::read(ends[0], next, sizeof(next)) == sizeof(next)) std::copy(next, next + 2, told);
  ::close(ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  house_ = Value(WebHouse::Open({.directory = folder + "/db", .create = false}));
  const ExperimentCounts counts = Count(experiment);
  const int64_t units = counts.arms[0].metrics[0].units + counts.arms[1].metrics[0].units;
  // Of the visitor it died in, the exposure may be there, and the purchase with it.
  EXPECT_GE(units, told[0]);
  EXPECT_LE(units, told[0] + 1);
  EXPECT_GE(Converted(counts), told[1]);
  EXPECT_LE(Converted(counts), told[1] + 1);
  EXPECT_EQ(counts.replies_unexposed, 0);
  EXPECT_GE(counts.replies, told[0]);
}

// All that a report can say, of two counts that ought to be the same.
std::string Told(const Experiment& experiment, const ExperimentCounts& counts) {
  const Verdict verdict = Value(JudgeExperiment(experiment, counts, kStart + 90 * kDay));
  const Report report = Value(ReportOf(experiment, counts, verdict, {}));
  std::string told =
      absl::StrCat(DecisionName(verdict.decision), " ", counts.mixed, " ", counts.robots, " ",
                   counts.replies, " ", counts.replies_unexposed);
  for (const Report::Table& table : report.tables) {
    absl::StrAppend(&told, "\n", table.name);
    for (const std::vector<Report::Cell>& row : table.rows) {
      absl::StrAppend(&told, "\n");
      for (const Report::Cell& cell : row) {
        if (const auto* whole = std::get_if<int64_t>(&cell)) absl::StrAppend(&told, " ", *whole);
        if (const auto* real = std::get_if<double>(&cell)) absl::StrAppend(&told, " ", *real);
        if (const auto* text = std::get_if<std::string>(&cell)) absl::StrAppend(&told, " ", *text);
        if (const auto* estimate = std::get_if<Report::Estimate>(&cell)) {
          absl::StrAppend(&told, " ", estimate->value, " ", estimate->low, " ", estimate->high);
        }
      }
    }
  }
  return told;
}

// The plain twin: everybody is counted, from the beginning.
TEST_F(ExperimentReportTest, CountingAgainWhoChangedGivesWhatCountingAllGives) {
  Experiment experiment = Trial();
  experiment.cap_quantile = 0.99;
  Customers customers(house_.get(), experiment, {0.10, 0.14}, 20'260'109);
  customers.Visit(3000);
  UnitCounter units(experiment);
  ASSERT_OK(units.CountAll(*house_, nullptr));
  EXPECT_EQ(Told(experiment, units.Counts()), Told(experiment, Count(experiment)));
  customers.Visit(500);
  // Some that were there come back, buy, return, log in, see the other arm, are robots.
  std::vector<Event> events;
  std::vector<Person> changed;
  for (int i = 3000; i < 3500; ++i) changed.push_back(Person::Visitor(absl::StrCat("v", i)));
  for (int i = 0; i < 200; ++i) {
    const std::string visitor = absl::StrCat("v", 7 * i);
    changed.push_back(Person::Visitor(visitor));
    const int64_t now_ms = kStart + (4 + i % 9) * kDay;
    Event event = MakeEvent(absl::StrCat("again", i), "v:" + visitor, now_ms,
                            i % 3 == 0 ? EventKind::REFUND : EventKind::PURCHASE, "p");
    event.items[0].__set_price_minor(700);
    event.__set_currency("GBP");
    if (i % 5 == 0) {
      event.__set_customer_id(absl::StrCat("c", i));
      changed.push_back(Person::Customer(event.customer_id));
    }
    events.push_back(event);
  }
  ASSERT_OK(house_->Track(events, {}, Ack::kApplied).status());
  for (const int of : {11, 12}) {
    Exposure other = Value(house_->GetExposure(absl::StrCat("s", of)));
    other.id = absl::StrCat("other", of);
    other.arms[0].arm = other.arms[0].arm == "old" ? "new" : "old";
    ASSERT_OK(house_->AddExposures({&other, 1}));
    changed.push_back(Person::Visitor(absl::StrCat("v", of)));
  }
  const Derived derived = {.person = Person::Visitor("v13"),
                           .mark = Value(house_->MarkOf(Person::Visitor("v13"))),
                           .sessions = {},
                           .customer = {},
                           .robot = {"list:robots"}};
  ASSERT_OK(house_->ReplaceDerived({&derived, 1}));
  changed.push_back(Person::Visitor("v13"));
  const std::string all = Told(experiment, Count(experiment));
  EXPECT_NE(Told(experiment, units.Counts()), all);
  ASSERT_OK(units.CountAgain(*house_, changed));
  EXPECT_EQ(Told(experiment, units.Counts()), all);
  ASSERT_OK(units.CountAgain(*house_, changed));
  EXPECT_EQ(Told(experiment, units.Counts()), all) << "a unit counts once";
}

TEST_F(ExperimentReportTest, ShowsHowTheDifferenceCameToWhereItIs) {
  const Experiment experiment = Trial();
  Customers(house_.get(), experiment, {0.10, 0.14}, 20'260'110).Visit(12'000);
  const ExperimentCounts counts = Count(experiment);
  const Verdict verdict = Value(JudgeExperiment(experiment, counts, kStart + 30 * kDay));
  const Report report = Value(ReportOf(experiment, counts, verdict, {}));
  for (const Report::Table& table : report.tables) {
    if (table.name != "experiment_so_far") continue;
    ASSERT_EQ(table.rows.size(), 12u) << "of the first evening too few came to say anything";
    EXPECT_EQ(std::get<int64_t>(table.rows.back()[1]), 12'000);
    double width = 1e9;
    for (const std::vector<Report::Cell>& row : table.rows) {
      const auto estimate = std::get<Report::Estimate>(row[2]);
      EXPECT_LT(estimate.high - estimate.low, width) << "more units say more";
      width = estimate.high - estimate.low;
    }
    const MetricVerdict& last = verdict.comparisons.at(0);
    EXPECT_EQ(
        std::get<Report::Estimate>(table.rows.back()[2]),
        (Report::Estimate{last.effect->relative->value, last.relative->low, last.relative->high}));
    return;
  }
  FAIL() << "there is no such table";
}

TEST_F(ExperimentReportTest, ThePlanFollowsFromWhatTheSiteSaw) {
  const Experiment experiment = Trial();
  Customers(house_.get(), experiment, {0.10, 0.10}, 20'260'108).Visit(12'000);  // a thousand a day
  const PlanOptions options = {.lift = 0.2, .days = 12, .now_ms = kStart + 12 * kDay};
  const ExperimentPlan plan = Value(PlanExperiment(*house_, experiment, options));
  EXPECT_EQ(plan.units, 12'000);
  EXPECT_EQ(plan.units_a_day, 1000);
  EXPECT_NEAR(plan.mean, 0.10, 5 * 0.0028);  // five standard errors
  const MetricPlan by_hand = {.mean = plan.mean, .variance = plan.mean * (1 - plan.mean)};
  EXPECT_NEAR(plan.units_per_arm, Value(SequentialUnitsForLift(by_hand, 0.2)),
              0.001 * plan.units_per_arm);
  EXPECT_NEAR(plan.days, static_cast<double>(plan.planned_units) / 1000, 1e-9);
  PlanOptions longer = options;
  longer.days = 3650;
  EXPECT_EQ(Value(PlanExperiment(*house_, experiment, longer)).units_a_day, 1000)
      << "the site is not as old as that";
  Experiment half = experiment;
  half.coverage = 0.5;
  EXPECT_NEAR(Value(PlanExperiment(*house_, half, options)).days, 2 * plan.days, 1e-9);
  Experiment elsewhere = experiment;
  elsewhere.placement = "cart";
  EXPECT_TRUE(Value(PlanExperiment(*house_, elsewhere, options)).of_visitors);
  elsewhere.primary = ExperimentMetric::CLICK_RATE;
  EXPECT_TRUE(absl::IsFailedPrecondition(PlanExperiment(*house_, elsewhere, options).status()));
}

TEST_F(ExperimentReportTest, OneThatNeverBeganHasNoReport) {
  Experiment draft = Trial();
  draft.status = ExperimentStatus::DRAFT;
  draft.__isset.started_ms = false;
  EXPECT_TRUE(absl::IsFailedPrecondition(CountExperiment(*house_, draft, {}).status()));
}

}  // namespace
}  // namespace vitrine::experiments
