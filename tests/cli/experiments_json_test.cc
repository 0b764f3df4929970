#include "api/cli/experiments_json.h"

#include <string>

#include "experiments/definition/definition.h"
#include "tests/testing/process.h"
#include "tests/testing/testing.h"

namespace vitrine::cli {
namespace {

using vitrine::testing::Value;

std::string Example() { return vitrine::testing::FileText("examples/experiment.json"); }

TEST(ExperimentsJson, TheExampleIsAnExperiment) {
  const ExperimentDocument document = Value(ExperimentFromJson(Example()));
  EXPECT_FALSE(document.version.has_value());
  EXPECT_OK(experiments::ValidateExperiment(document.content));
  EXPECT_EQ(document.content.arms.at(1).recipe.at(0).source, Source::POPULAR);
  EXPECT_EQ(document.content.guardrails.at(0).margin, 0.05);
}

TEST(ExperimentsJson, WhatIsWrittenIsReadAgain) {
  ExperimentVersion version;
  version.version = 7;
  version.content = Value(ExperimentFromJson(Example())).content;
  Experiment& experiment = version.content;
  experiment.arms[0].__set_rules({});
  experiment.arms[1].__set_k(5);
  experiment.cap_quantile = 0.999;
  EventMetric& metric = experiment.events.emplace_back();
  metric.name = "shoes-in-carts";
  metric.kind = EventKind::ADD_TO_CART;
  metric.measure = EventMeasure::PIECES;
  metric.role = MetricUse::GUARDS;
  metric.channels = {Channel::APP};
  metric.category = "Shoes";
  metric.attributes["brand"] = "Nord";
  metric.smaller_is_better = true;
  metric.margin = 0.1;
  experiment.arms[1].parameters["colour"] = "blue";
  LayerSlice slice;
  slice.layer = "ranking";
  slice.high = 0.5;
  experiment.__set_layer(slice);
  experiment.__set_to_ms(1'800'000'000'000);
  experiment.hash = AssignmentHash::GROWTHBOOK;
  experiment.status = ExperimentStatus::STOPPED;
  experiment.__set_started_ms(1'700'000'000'000);
  experiment.arms[1].__set_model_id("20260101-000000");
  AudienceCondition& condition = experiment.audience.conditions.emplace_back();
  condition.attribute = "orders";
  condition.relation = Relation::AT_LEAST;
  condition.__set_number(3);
  experiment.audience.segments = {"loyal"};
  experiment.audience.not_segments = {"complained", "lapsed"};
  experiment.kind = ExperimentKind::BANDIT;
  BanditPlan plan;
  plan.floor = 0.1;
  plan.segments = {SegmentBy::BY_CHANNEL, SegmentBy::BY_RETURNING};
  experiment.__set_bandit(plan);
  BanditBatch batch;
  batch.number = 2;
  batch.from_ms = 1'700'000'000'000;
  batch.weights["web/new"] = {0.25, 0.75};
  experiment.__set_batch(batch);
  const ExperimentDocument again = Value(ExperimentFromJson(ExperimentToJson(version)));
  EXPECT_EQ(again.version, 7);
  EXPECT_EQ(again.content, experiment);
}

TEST(ExperimentsJson, AMistakeIsNamedWithItsPlace) {
  const auto complaint = [](absl::string_view json) {
    return std::string(ExperimentFromJson(json).status().message());
  };
  EXPECT_EQ(complaint(R"({"arms": [{"id": "a"}, {"id": "b", "colour": 1}]})"),
            "arms[1].colour: is not known");
  EXPECT_EQ(complaint(R"({"unit": "device"})"), "unit: 'device' is none of customer, visitor");
  EXPECT_EQ(complaint(R"({"guardrails": [{"margin": 0.1}]})").substr(0, 21),
            "guardrails[0].metric:");
  EXPECT_EQ(complaint(R"({"to": "soon"})"), "to: a time as 2026-03-20T00:00:00Z is wanted");
  EXPECT_EQ(complaint("{").substr(0, 16), "this is no JSON:");
}

}  // namespace
}  // namespace vitrine::cli
