// GrowthBook's public cases for its SDKs, those that are about assignment.

#include <cmath>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "experiments/assignment/assigner.h"
#include "tests/experiments/vectors.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using testing::Value;

constexpr char kCases[] = "growthbook/cases.json";

HashVersion Version(int number) {
  return number == 2 ? HashVersion::kGrowthBook2 : HashVersion::kGrowthBook1;
}

std::vector<BucketRange> Ranges(const Json& json) {
  std::vector<BucketRange> ranges;
  for (const Json& range : json) ranges.push_back({range[0], range[1]});
  return ranges;
}

TEST(GrowthBook, HashesAsItsSdksDo) {
  SKIP_WITHOUT_VECTORS(kCases);
  int checked = 0;
  for (const Json& one : ReadVectors(kCases, "hash")) {
    if (one[3].is_null()) continue;  // version 99, which our type cannot say
    const UnitHash hash(Version(one[2]), one[0].get<std::string>());
    EXPECT_EQ(hash.Point(one[1].get<std::string>()), one[3].get<double>()) << one;
    ++checked;
  }
  EXPECT_EQ(checked, 14);
}

TEST(GrowthBook, GivesTheSameRanges) {
  SKIP_WITHOUT_VECTORS(kCases);
  for (const Json& one : ReadVectors(kCases, "getBucketRange")) {
    const std::vector<double> weights =
        one[1][2].is_null() ? std::vector<double>() : one[1][2].get<std::vector<double>>();
    const std::vector<BucketRange> ranges = ArmRanges(one[1][0], one[1][1], weights);
    const std::vector<BucketRange> expected = Ranges(one[2]);
    ASSERT_EQ(ranges.size(), expected.size()) << one;
    for (size_t arm = 0; arm < ranges.size(); ++arm) {
      EXPECT_NEAR(ranges[arm].begin, expected[arm].begin, 1e-12) << one;
      EXPECT_NEAR(ranges[arm].end, expected[arm].end, 1e-12) << one;
    }
  }
}

TEST(GrowthBook, ChoosesTheSameArms) {
  SKIP_WITHOUT_VECTORS(kCases);
  for (const Json& one : ReadVectors(kCases, "chooseVariation")) {
    EXPECT_EQ(ChooseArm(one[1], Ranges(one[2])), one[3].get<int>()) << one;
  }
}

TEST(GrowthBook, HasTheSameUnitsInItsNamespaces) {
  SKIP_WITHOUT_VECTORS(kCases);
  for (const Json& one : ReadVectors(kCases, "inNamespace")) {
    const LayerPart part =
        LayerPart::GrowthBookNamespace(one[2][0].get<std::string>(), {one[2][1], one[2][2]});
    EXPECT_EQ(part.Holds(one[1].get<std::string>()), one[3].get<bool>()) << one;
  }
}

// What an experiment of its cases says, as ours. Layers of another attribute are left to the
// caller.
AssignerOptions Options(const Json& experiment) {
  AssignerOptions options;
  options.seed = experiment.value("seed", experiment["key"].get<std::string>());
  options.hash = Version(experiment.value("hashVersion", 1));
  const size_t arms = experiment["variations"].size();
  options.weights =
      experiment.value("weights", std::vector<double>(arms, 1.0 / static_cast<double>(arms)));
  options.coverage = experiment.value("coverage", 1.0);
  if (experiment.contains("ranges")) options.ranges = Ranges(experiment["ranges"]);
  options.bucket_version = experiment.value("bucketVersion", 0);
  options.min_bucket_version = experiment.value("minBucketVersion", 0);
  for (const Json& filter : experiment.value("filters", Json::array())) {
    options.layers.emplace_back(
        UnitHash(HashVersion::kGrowthBook2, filter["seed"].get<std::string>()),
        Ranges(filter["ranges"]));
  }
  if (experiment.contains("namespace") && !experiment.contains("filters")) {
    const Json& space = experiment["namespace"];
    options.layers.push_back(
        LayerPart::GrowthBookNamespace(space[0].get<std::string>(), {space[1], space[2]}));
  }
  return options;
}

std::string Text(const Json& object, const std::string& name) {
  return object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : "";
}

bool IsAboutAssignment(const Json& context, const Json& experiment) {
  for (const char* other : {"url", "enabled", "qaMode", "features", "savedGroups"}) {
    if (context.contains(other)) return false;
  }
  for (const char* other : {"active", "condition", "parentConditions"}) {
    if (experiment.contains(other)) return false;
  }
  for (const Json& filter : experiment.value("filters", Json::array())) {
    if (filter.contains("attribute")) return false;  // of a second unit
  }
  return true;
}

// Conditions, links and switches are not assignment. Of what is left we differ in one: a number of
// arm that there is not is refused by whoever reads it, and one arm alone is no experiment.
TEST(GrowthBook, RunsItsExperimentsAlike) {
  SKIP_WITHOUT_VECTORS(kCases);
  int checked = 0;
  for (const Json& one : ReadVectors(kCases, "run")) {
    const Json& experiment = one[2];
    if (!IsAboutAssignment(one[1], experiment)) continue;
    ++checked;
    const auto assigner = Assigner::Create(Options(experiment));
    if (experiment["variations"].size() < 2) {
      EXPECT_FALSE(assigner.ok()) << one;
      continue;
    }
    ASSERT_OK(assigner.status());
    UnitFacts facts;
    const Json forced = one[1].value("forcedVariations", Json::object());
    if (forced.contains(experiment["key"])) facts.forced_arm = forced[experiment["key"]].get<int>();
    const std::string attribute = experiment.value("hashAttribute", "id");
    const std::string unit = Text(one[1].value("attributes", Json::object()), attribute);
    const Assignment assignment = assigner->Assign(unit, facts);
    const int force = experiment.value("force", 0);
    if (force < 0 || force > 1) continue;  // the difference
    EXPECT_EQ(assignment.assigned(), one[4].get<bool>()) << one;
    if (assignment.assigned()) {
      EXPECT_EQ(experiment["variations"][assignment.arm], one[3]) << one;
      EXPECT_EQ(assignment.analysed(), one[5].get<bool>()) << one;
    }
  }
  EXPECT_EQ(checked, 58);
}

// The documents of its sticky service, as RememberedArm: "<experiment>__<version>": "<arm's key>".
std::vector<RememberedArm> Remembered(const Json& documents, const std::string& attribute,
                                      const std::string& value, const std::string& experiment) {
  std::vector<RememberedArm> arms;
  for (const Json& document : documents) {
    if (document["attributeName"] != attribute || document["attributeValue"] != value) continue;
    for (const auto& [key, arm] : document["assignments"].items()) {
      const size_t cut = key.rfind("__");
      RememberedArm& remembered = arms.emplace_back();
      EXPECT_TRUE(absl::SimpleAtoi(key.substr(cut + 2), &remembered.bucket_version));
      EXPECT_TRUE(absl::SimpleAtoi(arm.get<std::string>(), &remembered.arm));
      if (key.substr(0, cut) != experiment) arms.pop_back();
    }
  }
  return arms;
}

TEST(GrowthBook, RemembersAsItsStickyBucketsDo) {
  SKIP_WITHOUT_VECTORS(kCases);
  int checked = 0;
  for (const Json& one : ReadVectors(kCases, "stickyBucket")) {
    const Json& attributes = one[1]["attributes"];
    const std::string feature = one[3];
    Json rule = one[1]["features"][feature]["rules"][0];
    if (!rule.contains("key")) rule["key"] = feature;
    const std::string name = Text(attributes, rule["hashAttribute"]);
    const std::string fallback = Text(attributes, rule["fallbackAttribute"]);
    const std::string experiment = rule["key"];
    UnitFacts facts;
    std::vector<RememberedArm> own, before;
    if (!rule.value("disableStickyBucketing", false)) {
      own = Remembered(one[2], rule["hashAttribute"], name, experiment);
      before = Remembered(one[2], rule["fallbackAttribute"], fallback, experiment);
    }
    facts.remembered = own;
    facts.remembered_before = before;
    const Assigner assigner = Value(Assigner::Create(Options(rule)));
    const Assignment assignment = assigner.Assign(name.empty() ? fallback : name, facts);
    ++checked;
    if (one[4].is_null()) {
      EXPECT_EQ(assignment.reason, AssignmentReason::kVersionBlocked) << one;
      continue;
    }
    EXPECT_EQ(assignment.arm, one[4]["variationId"].get<int>()) << one;
    EXPECT_EQ(assignment.point, one[4]["bucket"].get<double>()) << one;
    EXPECT_EQ(assignment.reason == AssignmentReason::kRemembered,
              one[4]["stickyBucketUsed"].get<bool>())
        << one;
  }
  EXPECT_EQ(checked, 13);
}

}  // namespace
}  // namespace vitrine::experiments
