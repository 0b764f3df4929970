#include "experiments/choices/choices.h"

#include <cmath>
#include <functional>
#include <memory>
#include <random>

#include "absl/strings/str_cat.h"

#include "experiments/choices/bandit_report.h"
#include "experiments/choices/evaluate.h"
#include "experiments/choices/interleaving_report.h"
#include "experiments/definition/definition.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

constexpr uint64_t kSeed = 20240607;
constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kHour = 3'600'000;

Experiment Bandit() {
  Experiment experiment;
  experiment.id = "trial";
  experiment.placement = "home";
  experiment.kind = ExperimentKind::BANDIT;
  experiment.planned_units = 1000;
  experiment.bandit.floor = 0.1;
  experiment.__isset.bandit = true;
  experiment.arms.resize(2);
  experiment.arms[0].id = "old";
  experiment.arms[1].id = "new";
  experiment.arms[1].recipe.emplace_back().source = Source::POPULAR;
  EXPECT_OK(ValidateExperiment(experiment));
  return Value(Moved(experiment, ExperimentStatus::RUNNING, {}, kStart));
}

Exposure Shown(const std::string& id, const std::string& visitor, int64_t time_ms, int64_t batch,
               const std::string& arm, double propensity, const std::string& segment = "") {
  Exposure shelf;
  shelf.id = id;
  shelf.time_ms = time_ms;
  shelf.placement = "home";
  shelf.__set_visitor_id(visitor);
  shelf.products.emplace_back().product_id = "p";
  shelf.products.back().source = Source::POPULAR;
  ExposedArm& shown = shelf.arms.emplace_back();
  shown.experiment = "trial";
  shown.arm = arm;
  shown.unit = ExperimentUnit::VISITOR;
  shown.propensity = propensity;
  shown.__set_batch(batch);
  shown.__set_segment(segment);
  return shelf;
}

Event Order(const std::string& id, const std::string& visitor, int64_t time_ms) {
  Event event = MakeEvent(id, "v:" + visitor, time_ms, EventKind::PURCHASE, "p");
  event.__set_order_id(id);
  return event;
}

TEST(Choices, EarnFromTheirFirstShelfUntilTheNextChoice) {
  const std::vector<Exposure> shelves = {Shown("s3", "v", kStart + 2 * kHour, 3, "new", 0.9),
                                         Shown("s1", "v", kStart + 10, 1, "old", 0.5),
                                         Shown("s2", "v", kStart + 5, 1, "old", 0.5),
                                         Shown("s4", "v", kStart + kHour, 2, "new", 0.7)};
  const std::vector<Event> events = {Order("before", "v", kStart + 1),
                                     Order("second", "v", kStart + kHour + 1)};
  const UnitChoices unit = ChoicesOf(Bandit(), shelves, events);
  ASSERT_EQ(unit.choices.size(), 3u);
  EXPECT_EQ(unit.choices[0].time_ms, kStart + 5);
  EXPECT_EQ(unit.choices[0].arm, 0u);
  EXPECT_EQ(unit.choices[0].reward, 0) << "bought before the first shelf, and in the next batch";
  EXPECT_EQ(unit.choices[1].reward, 1);
  EXPECT_EQ(unit.choices[1].propensity, 0.7);
  EXPECT_EQ(unit.choices[2].batch, 3);
  EXPECT_EQ(unit.choices[2].reward, 0);
}

TEST(Choices, ABatchOfTwoArmsIsLeftOutAndAForcedUnitAltogether) {
  std::vector<Exposure> shelves = {Shown("s1", "v", kStart + 1, 1, "old", 0.5),
                                   Shown("s2", "v", kStart + 2, 1, "new", 0.5),
                                   Shown("s3", "v", kStart + kHour, 2, "new", 0.5)};
  UnitChoices unit = ChoicesOf(Bandit(), shelves, {});
  EXPECT_EQ(unit.mixed, 1);
  ASSERT_EQ(unit.choices.size(), 1u);
  EXPECT_EQ(unit.choices[0].batch, 2);
  shelves[0].arms[0].forced = true;
  unit = ChoicesOf(Bandit(), shelves, {});
  EXPECT_TRUE(unit.forced);
  EXPECT_THAT(unit.choices, IsEmpty());
}

void AddMany(const std::string& segment, size_t arm, int units, int bought, BanditSums* sums) {
  for (int i = 0; i < units; ++i) {
    AddChoice(Bandit(), {kStart, 1, segment, arm, 0.5, i < bought ? 1.0 : 0.0}, sums);
  }
}

TEST(NextBatch, WeighsEachSegmentByItselfAboveTheFloor) {
  BanditSums sums;
  AddMany("new", 0, 500, 100, &sums);
  AddMany("new", 1, 500, 20, &sums);
  AddMany("returning", 0, 500, 20, &sums);
  AddMany("returning", 1, 500, 100, &sums);
  AddMany("rare", 1, 5, 5, &sums);
  const BanditBatch next = NextBatch(Bandit(), sums, kStart + kHour);
  EXPECT_EQ(next.number, 2);
  EXPECT_EQ(next.from_ms, kStart + kHour);
  EXPECT_NEAR(next.weights.at("new")[0], 0.9, 1e-6);
  EXPECT_NEAR(next.weights.at("returning")[1], 0.9, 1e-6);
  EXPECT_FALSE(next.weights.contains("rare")) << "it goes by all together";
  EXPECT_NEAR(next.weights.at("")[0] + next.weights.at("")[1], 1, 1e-12);
  Experiment after = Bandit();
  after.__set_batch(next);
  EXPECT_OK(PolicyOf(after).status());
  EXPECT_EQ(NextBatch(Bandit(), {}, kStart).weights.at(""), (std::vector<double>{0.5, 0.5}));
}

// A store in which a bandit ran for three batches, by its own weights.
class PlayedBandit : public ::testing::Test {
 protected:
  // `rate` of an arm in a batch.
  void Play(const std::function<double(size_t arm, int64_t batch)>& rate, int visitors = 3000) {
    std::mt19937_64 random(kSeed);
    house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
    experiment_ = Bandit();
    for (int64_t batch = 1; batch <= 3; ++batch) {
      const BanditPolicy policy = Value(PolicyOf(experiment_));
      std::vector<Exposure> shelves;
      std::vector<Event> events;
      for (int i = 0; i < visitors; ++i) {
        const std::string visitor = absl::StrCat("v", i);  // comes again in each batch
        const BanditChoice choice = policy.Choose("", visitor);
        const std::string id = absl::StrCat(batch, "-", i);
        const int64_t time_ms = kStart + (batch - 1) * kHour + i;
        shelves.push_back(
            Shown(id, visitor, time_ms, batch, experiment_.arms[choice.arm].id, choice.propensity));
        if (!std::bernoulli_distribution(rate(choice.arm, batch))(random)) continue;
        events.push_back(Order(absl::StrCat("o", id), visitor, time_ms + 10));
      }
      ASSERT_OK(house_->AddExposures(shelves));
      ASSERT_OK(house_->Track(events, {}, Ack::kApplied).status());
      weights_.push_back(experiment_.batch.weights.at(""));
      experiment_.batch = NextBatch(experiment_, ReadAll().sums, kStart + batch * kHour);
    }
  }

  BanditFindings ReadAll() { return Value(ReadBandit(*house_, experiment_, {})); }

  TempDir dir_;
  std::unique_ptr<WebHouse> house_;
  Experiment experiment_;
  std::vector<std::vector<double>> weights_;
};

TEST_F(PlayedBandit, FindsTheBetterArmAndSaysWhatEachIsWorth) {
  Play([](size_t arm, int64_t) { return arm == 0 ? 0.10 : 0.16; });
  EXPECT_EQ(weights_[0], (std::vector<double>{0.5, 0.5}));
  EXPECT_GT(weights_[1][1], 0.85);
  const BanditFindings found = ReadAll();
  EXPECT_EQ(found.read.units, 3000);
  EXPECT_EQ(found.read.choices, 9000);
  for (const size_t arm : {0u, 1u}) {
    ASSERT_TRUE(found.arms[arm].value.has_value());
    EXPECT_THAT(found.arms[arm].value->objections, IsEmpty());
    const double truth = arm == 0 ? 0.10 : 0.16;
    const PolicyValue& value = found.arms[arm].value->snips;
    EXPECT_LT(value.low, truth) << "seed " << kSeed;
    EXPECT_GT(value.high, truth) << "seed " << kSeed;
  }
  ASSERT_TRUE(found.arms[1].effect.has_value());
  EXPECT_LT(found.arms[1].effect->p, 0.001);
  EXPECT_NEAR(found.arms[1].effect->difference, 0.06, 0.02);
}

// Both arms are the same; days get better, and so does what the later batches gave most to.
TEST_F(PlayedBandit, IsNotTakenInByDaysThatGetBetter) {
  Play([](size_t, int64_t batch) { return 0.1 * static_cast<double>(batch); });
  const BanditFindings found = ReadAll();
  ASSERT_TRUE(found.arms[1].effect.has_value());
  EXPECT_GT(found.arms[1].effect->p, 0.01) << "seed " << kSeed;
  const PolicyValue& old_arm = found.arms[0].value->snips;
  const PolicyValue& new_arm = found.arms[1].value->snips;
  EXPECT_LT(std::max(old_arm.low, new_arm.low), std::min(old_arm.high, new_arm.high));
  MetricSums sums[2];
  for (const auto& [batch, arms] : found.sums.batches) {
    for (const size_t arm : {0u, 1u}) sums[arm].Merge(arms[arm]);
  }
  const double plain = std::abs(sums[1].Mean(0) - sums[0].Mean(0));
  const double honest = std::abs(new_arm.value.value - old_arm.value.value);
  std::printf("plain means differ by %.4f, values by %.4f, batches by %.4f\n", plain, honest,
              found.arms[1].effect->difference);
  EXPECT_LT(honest, plain);
}

TEST_F(PlayedBandit, TellsWhatOtherWeightsWouldHaveEarned) {
  Play([](size_t arm, int64_t) { return arm == 0 ? 0.10 : 0.16; });
  TargetPolicy target;
  target.experiment = "trial";
  target.weights[""] = {{"old", 0.25}, {"new", 0.75}};
  const Evaluation evaluation = Value(EvaluatePolicy(*house_, experiment_, target, {}));
  EXPECT_THAT(evaluation.report.objections, IsEmpty());
  const double truth = 0.25 * 0.10 + 0.75 * 0.16;
  for (const PolicyValue* value :
       {&evaluation.report.ips, &evaluation.report.snips, &evaluation.report.dr}) {
    EXPECT_LT(value->low, truth) << "seed " << kSeed;
    EXPECT_GT(value->high, truth) << "seed " << kSeed;
  }
  const Evaluation last_batch =
      Value(EvaluatePolicy(*house_, experiment_, target, {.from_ms = kStart + 2 * kHour}));
  EXPECT_EQ(last_batch.read.choices, 3000);
  // Too few units: objections, and no numbers in the report.
  const Evaluation few =
      Value(EvaluatePolicy(*house_, experiment_, target, {.to_ms = kStart + 500}));
  EXPECT_THAT(few.report.objections, ::testing::Not(IsEmpty()));
  for (const Report::Table& table : EvaluationReport(experiment_, few, 2).tables) {
    EXPECT_NE(table.name, "experiment_evaluation");
  }
}

TEST(CheckTarget, NamesWhatIsWrong) {
  const auto complaint = [](std::map<std::string, std::map<std::string, double>> weights) {
    return std::string(CheckTarget(Bandit(), {"trial", std::move(weights)}).message());
  };
  EXPECT_EQ(complaint({{"", {{"new", 1}}}}), "");
  EXPECT_THAT(complaint({{"web", {{"new", 1}}}}), HasSubstr("is wanted"));
  EXPECT_THAT(complaint({{"", {{"newer", 1}}}}),
              HasSubstr("weights[].newer: the experiment trial"));
  EXPECT_THAT(complaint({{"", {{"new", 0.9}}}}), HasSubstr("the sum is 0.9, not 1"));
  EXPECT_THAT(complaint({{"", {{"new", 1.5}, {"old", -0.5}}}}), HasSubstr("below 0"));
}

// --- Interleaving ---

Experiment Interleaving() {
  Experiment experiment = Bandit();
  experiment.kind = ExperimentKind::INTERLEAVING;
  experiment.primary = ExperimentMetric::CLICK_RATE;
  experiment.__isset.bandit = experiment.__isset.batch = false;
  experiment.bandit = {};
  EXPECT_OK(ValidateExperiment(experiment));
  return experiment;
}

// Products "both", "a", "b", "filled": of no team, the first, the second, and none.
Exposure Drafted(const std::string& id, const std::string& visitor, int64_t time_ms) {
  Exposure shelf = Shown(id, visitor, time_ms, 0, "", 1);
  shelf.arms[0].__isset.batch = shelf.arms[0].__isset.segment = false;
  shelf.products.clear();
  for (const char* product : {"both", "a", "b", "filled"}) {
    shelf.products.emplace_back().product_id = product;
    shelf.products.back().source = Source::POPULAR;
  }
  shelf.products[1].__set_team(0);
  shelf.products[2].__set_team(1);
  return shelf;
}

Event Click(const std::string& id, const std::string& visitor, int64_t time_ms,
            const std::string& shelf, const std::string& product) {
  Event event = MakeEvent(id, "v:" + visitor, time_ms, EventKind::SELECT_ITEM, product);
  event.__set_recommendation_id(shelf);
  return event;
}

TEST(Interleaving, CreditsTheArmWhoseProductWasClicked) {
  const std::vector<Exposure> shelves = {Drafted("s1", "v", kStart + 1),
                                         Drafted("s2", "v", kStart + 100)};
  const std::vector<Event> events = {
      Click("e1", "v", kStart + 2, "s1", "both"), Click("e2", "v", kStart + 3, "s1", "b"),
      Click("e3", "v", kStart + 101, "s2", "filled"), Order("e4", "v", kStart + 102)};
  const std::vector<Credit> credits = CreditsOf(Interleaving(), shelves, events);
  ASSERT_EQ(credits.size(), 2u);
  EXPECT_EQ(credits[0].a, 0);
  EXPECT_EQ(credits[0].b, 1);
  EXPECT_EQ(credits[1].a + credits[1].b, 0);
}

TEST(Interleaving, SaysWhichArmIsPreferredOnceThereAreAsManyAsPlanned) {
  std::mt19937_64 random(kSeed);
  const TempDir dir;
  const auto house = Value(WebHouse::Open({.directory = dir.File("db")}));
  std::vector<Exposure> shelves;
  std::vector<Event> events;
  for (int i = 0; i < 600; ++i) {
    const std::string visitor = absl::StrCat("v", i), shelf = absl::StrCat("s", i);
    shelves.push_back(Drafted(shelf, visitor, kStart + i));
    const double draw = std::uniform_real_distribution<double>(0, 1)(random);
    const char* const product = draw < 0.3 ? "b" : draw < 0.45 ? "a" : "both";
    events.push_back(Click(absl::StrCat("e", i), visitor, kStart + i + 1, shelf, product));
  }
  ASSERT_OK(house->AddExposures(shelves));
  ASSERT_OK(house->Track(events, {}, Ack::kApplied).status());
  Experiment experiment = Interleaving();
  experiment.planned_units = 500;
  const InterleavingFindings found = Value(ReadInterleaving(*house, experiment));
  EXPECT_EQ(found.users, 600);
  EXPECT_EQ(found.lists, 600);
  ASSERT_TRUE(found.preference.has_value());
  EXPECT_LT(found.preference->p, 0.01) << "seed " << kSeed;
  EXPECT_GT(found.preference->low, 0);
  EXPECT_EQ(InterleavingReport(experiment, found, kStart).tables.size(), 1u);
  experiment.planned_units = 1000;
  EXPECT_THAT(InterleavingReport(experiment, found, kStart).tables, IsEmpty()) << "too early";
}

}  // namespace
}  // namespace vitrine::experiments
