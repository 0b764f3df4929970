// What a report of an experiment says is in the catalogue, in each language.

#include <string>

#include "api/render/render.h"
#include "experiments/analysis/experiment_report.h"
#include "store/event_names.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using vitrine::testing::Value;

Experiment Trial() {
  Experiment experiment;
  experiment.id = "trial";
  experiment.placement = "home";
  experiment.hypothesis = "what sells is what should be shown";
  experiment.planned_units = 20'000;
  experiment.arms.resize(2);
  experiment.arms[0].id = "old";
  experiment.arms[1].id = "new";
  experiment.secondary = {ExperimentMetric::REVENUE, ExperimentMetric::CLICK_RATE,
                          ExperimentMetric::CART_RATE, ExperimentMetric::ORDER_VALUE,
                          ExperimentMetric::ITEMS_PER_ORDER};
  experiment.guardrails.emplace_back().metric = ExperimentMetric::RETURNS;
  experiment.currency = "GBP";
  experiment.status = ExperimentStatus::RUNNING;
  experiment.__set_started_ms(1'700'000'000'000);
  return experiment;
}

// 10,000 units an arm; so many of them bought. Of 10,000 pieces, a tenth came back from the old
// arm, `returned` from the new one.
ExperimentCounts Bought(int64_t old_arm, int64_t new_arm, int64_t returned = 1000) {
  ExperimentCounts counts;
  for (const auto& [name, bought] : {std::pair("old", old_arm), std::pair("new", new_arm)}) {
    ArmSums& arm = counts.arms.emplace_back();
    arm.name = name;
    arm.metrics.resize(7);
    for (int64_t unit = 0; unit < 10'000; ++unit) {
      const double did = unit < bought ? 1 : 0;
      arm.metrics[0].Add({.value = did});
      arm.metrics[1].Add({.value = did * (500 + static_cast<double>(unit % 100))});
      for (size_t m = 2; m < 6; ++m) arm.metrics[m].Add({.value = did, .denominator = 1 + did});
      const int64_t back = arm.name == "old" ? 1000 : returned;
      arm.metrics[6].Add({.value = unit < back ? 1.0 : 0.0, .denominator = 1});
    }
  }
  counts.caps.resize(7);
  counts.caps[1].high = 550;
  counts.so_far[19'676] = {counts.arms[0].metrics[0], counts.arms[1].metrics[0]};
  Dimension& dimension = counts.dimensions.emplace_back();
  dimension.name = "device";
  dimension.cuts = {{"mobile", counts.so_far[19'676]}, {"", {MetricSums(), MetricSums()}}};
  counts.shown = {{10'000, 50, 100'000, 4e5, 90'000, 70'000}, {10'000, 80, 100'000, 5e5, 0, 0}};
  counts.catalogue = 100;
  counts.days[19'675] = {5000, 5010};
  counts.days[19'676] = {5000, 4990};
  return counts;
}

void ExpectWords(const Experiment& experiment, const ExperimentCounts& counts,
                 const std::string& decision) {
  const Verdict verdict = Value(JudgeExperiment(experiment, counts, 1'701'000'000'000));
  EXPECT_EQ(DecisionName(verdict.decision), decision);
  const Report report = Value(ReportOf(experiment, counts, verdict, {}));
  const std::string english = RenderText(report, Language::kEnglish);
  std::printf("%s\n", english.c_str());
  for (const std::string& text : {english, RenderText(report, Language::kPersian)}) {
    EXPECT_THAT(text, Not(HasSubstr("experiment."))) << text;
    EXPECT_THAT(text, Not(HasSubstr("experiment_"))) << text;
    EXPECT_THAT(text, Not(HasSubstr("{0}"))) << text;
  }
}

TEST(ExperimentWords, AreThereForEachDecision) {
  ExpectWords(Trial(), Bought(1000, 1300), "treatment_wins");
  ExpectWords(Trial(), Bought(1000, 1300, 1300), "guardrail_harmed");
  ExpectWords(Trial(), Bought(1000, 1010), "undecided");
  ExpectWords(Trial(), Bought(1300, 1000), "control_wins");
  ExperimentCounts broken = Bought(1000, 1300);
  broken.mixed = 5000;
  broken.forced = broken.robots = 3;
  broken.replies = 1000;
  broken.replies_unexposed = 100;
  ExpectWords(Trial(), broken, "invalid");
  Experiment fixed = Trial();
  fixed.sequential = false;
  fixed.__set_to_ms(1'702'000'000'000);
  ExpectWords(fixed, Bought(1000, 1300), "not_ended");
  ExpectWords(
      Trial(),
      [] {
        ExperimentCounts few = Bought(1, 1);
        for (ArmSums& arm : few.arms) {
          for (MetricSums& sums : arm.metrics) sums.units = 50;
        }
        return few;
      }(),
      "too_early");
}

}  // namespace
}  // namespace vitrine::experiments
