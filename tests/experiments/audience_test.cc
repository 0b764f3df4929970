// Who is in an experiment: our own rules, and those public cases of others that can be said in
// ours.

#include "experiments/definition/audience.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "experiments/assignment/assigner.h"
#include "tests/experiments/vectors.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;
using testing::Value;

using Attributes = std::map<std::string, std::string>;
using Conditions = std::vector<AudienceCondition>;

AudienceCondition Among(const std::string& attribute, const std::vector<std::string>& values,
                        bool none = false) {
  AudienceCondition condition;
  condition.attribute = attribute;
  condition.relation = none ? Relation::NONE_OF : Relation::ONE_OF;
  condition.values = values;
  return condition;
}

AudienceCondition Compared(const std::string& attribute, Relation relation, double number) {
  AudienceCondition condition;
  condition.attribute = attribute;
  condition.relation = relation;
  condition.__set_number(number);
  return condition;
}

bool Holds(const Conditions& conditions, const Attributes& attributes) {
  Audience audience;
  audience.conditions = conditions;
  EXPECT_OK(CheckAudience(audience));
  RequestFacts facts;
  facts.attributes = &attributes;
  if (const auto country = attributes.find("country"); country != attributes.end()) {
    facts.country = country->second;  // which others have among their attributes
  }
  return IsIn(audience, facts);
}

TEST(Audience, SegmentsAreThoseOfTheCustomer) {
  Audience audience;
  audience.segments = {"loyal", "new"};
  audience.not_segments = {"complained"};
  EXPECT_OK(CheckAudience(audience));
  const auto is_in = [&audience](const std::vector<std::string>& segments) {
    RequestFacts facts;
    facts.segments = &segments;
    return IsIn(audience, facts);
  };
  EXPECT_TRUE(is_in({"loyal"}));
  EXPECT_TRUE(is_in({"big-spender", "new"}));
  EXPECT_FALSE(is_in({"big-spender"}));
  EXPECT_FALSE(is_in({"complained", "loyal"}));
  EXPECT_FALSE(is_in({}));
  EXPECT_FALSE(IsIn(audience, {})) << "a visitor nobody knows is in no segment";
  audience.segments.clear();
  EXPECT_TRUE(IsIn(audience, {})) << "so in none of those that must not be, either";
}

TEST(Audience, NamesTheSegmentThatIsNone) {
  Audience audience;
  audience.not_segments = {"loyal", "At Risk"};
  EXPECT_THAT(std::string(CheckAudience(audience).message()),
              StartsWith("audience.not_segments[1]: "));
}

TEST(Audience, ConditionsAreOfWhatTheRequestAndTheStorefrontSay) {
  EXPECT_TRUE(Holds({Among("plan", {"gold", "silver"})}, {{"plan", "gold"}}));
  EXPECT_FALSE(Holds({Among("plan", {"gold", "silver"})}, {{"plan", "tin"}}));
  EXPECT_FALSE(Holds({Among("plan", {"gold"})}, {})) << "nobody said";
  EXPECT_TRUE(Holds({Among("plan", {"gold"}, true)}, {}));
  EXPECT_FALSE(Holds({Among("plan", {"gold"}, true)}, {{"plan", "gold"}}));
  EXPECT_TRUE(Holds({Compared("age", Relation::AT_LEAST, 18)}, {{"age", "18"}}));
  EXPECT_FALSE(Holds({Compared("age", Relation::AT_MOST, 17.5)}, {{"age", "18"}}));
  EXPECT_FALSE(Holds({Compared("age", Relation::AT_LEAST, 0)}, {{"age", "old"}}));
  EXPECT_FALSE(Holds({Compared("age", Relation::AT_LEAST, 0)}, {{"age", "nan"}}));
  EXPECT_FALSE(
      Holds({Among("plan", {"gold"}), Among("team", {"red"})}, {{"plan", "gold"}, {"team", "b"}}));
  EXPECT_TRUE(Holds({}, {}));
}

TEST(Audience, TheRequestsOwnFactsGoBeforeWhatIsCalledTheSame) {
  Audience audience;
  audience.conditions = {Among("device", {"mobile"}), Among("channel", {"app"}),
                         Among("country", {"DE"}, true)};
  const Attributes liar = {{"device", "mobile"}, {"channel", "app"}};
  RequestFacts facts;
  facts.attributes = &liar;
  EXPECT_FALSE(IsIn(audience, facts));
  facts.device = Device::MOBILE;
  facts.channel = Channel::APP;
  facts.country = "GB";
  EXPECT_TRUE(IsIn(audience, facts));
  facts.country = "DE";
  EXPECT_FALSE(IsIn(audience, facts));
  facts.country = "GB";
  facts.channel = static_cast<Channel>(99);  // of a later version: no name, and no crash
  EXPECT_FALSE(IsIn(audience, facts));
}

TEST(Audience, AConditionThatMakesNoSenseIsNamed) {
  const auto complaint = [](const AudienceCondition& condition) {
    Audience audience;
    audience.conditions = {condition};
    return std::string(CheckAudience(audience).message());
  };
  EXPECT_THAT(complaint(Among("plan", {})), StartsWith("audience.conditions[plan]: values: "));
  AudienceCondition no_number = Among("age", {"18"});
  no_number.relation = Relation::AT_LEAST;
  EXPECT_THAT(complaint(no_number), StartsWith("audience.conditions[age]: number: "));
  AudienceCondition product = Among("brand", {"x"});
  product.relation = Relation::AS_CURRENT;
  EXPECT_THAT(complaint(product), StartsWith("audience.conditions[brand]: relation: "));
}

// --- GrowthBook ---

constexpr char kCases[] = "growthbook/cases.json";

bool IsPlain(const Json& json) { return json.is_string() || json.is_number() || json.is_boolean(); }

std::string Text(const Json& json) {
  return json.is_string() ? json.get<std::string>() : json.dump();
}

// {"father": {"age": 70}} as "father.age". Lists, which no attribute of ours is, are named in
// `lists`.
void Flatten(const Json& json, const std::string& prefix, Attributes* attributes,
             std::set<std::string>* lists) {
  for (const auto& [name, value] : json.items()) {
    if (value.is_object()) {
      Flatten(value, absl::StrCat(prefix, name, "."), attributes, lists);
    } else if (IsPlain(value)) {
      attributes->emplace(prefix + name, Text(value));
    } else if (!value.is_null()) {
      lists->insert(prefix + name);
    }
  }
}

Attributes AttributesOf(const Json& json) {
  Attributes attributes;
  std::set<std::string> lists;
  Flatten(json, "", &attributes, &lists);
  EXPECT_TRUE(lists.empty()) << json;
  return attributes;
}

// One operator of GrowthBook's on an attribute; false if ours has none.
bool AddOperator(const std::string& attribute, const std::string& name, const Json& value,
                 Conditions* conditions) {
  const bool list = name == "$in" || name == "$nin";
  if (list) {
    if (!value.is_array()) return false;
    std::vector<std::string> values;
    for (const Json& one : value) {
      if (!IsPlain(one)) return false;
      values.push_back(Text(one));
    }
    if (values.empty()) return false;
    conditions->push_back(Among(attribute, values, name == "$nin"));
    return true;
  }
  if (name == "$eq" || name == "$ne") {
    if (!IsPlain(value)) return false;
    conditions->push_back(Among(attribute, {Text(value)}, name == "$ne"));
    return true;
  }
  if (!value.is_number()) return false;
  const double number = value;
  const double more = std::nextafter(number, std::numeric_limits<double>::infinity());
  const double less = std::nextafter(number, -std::numeric_limits<double>::infinity());
  if (name == "$gte") conditions->push_back(Compared(attribute, Relation::AT_LEAST, number));
  if (name == "$lte") conditions->push_back(Compared(attribute, Relation::AT_MOST, number));
  if (name == "$gt") conditions->push_back(Compared(attribute, Relation::AT_LEAST, more));
  if (name == "$lt") conditions->push_back(Compared(attribute, Relation::AT_MOST, less));
  return name == "$gte" || name == "$lte" || name == "$gt" || name == "$lt";
}

// A condition of GrowthBook's as ours; nothing if it says what ours cannot.
std::optional<Conditions> ConditionsOf(const Json& json) {
  Conditions conditions;
  if (!json.is_object()) return std::nullopt;
  for (const auto& [name, value] : json.items()) {
    if (name == "$and") {
      for (const Json& part : value) {
        const std::optional<Conditions> more = ConditionsOf(part);
        if (!more) return std::nullopt;
        conditions.insert(conditions.end(), more->begin(), more->end());
      }
    } else if (name == "$not" || name == "$nor") {
      for (const Json& part : name == "$not" ? Json::array({value}) : value) {
        const std::optional<Conditions> inner = ConditionsOf(part);
        if (!inner || inner->size() != 1 || inner->front().__isset.number) return std::nullopt;
        AudienceCondition& turned = conditions.emplace_back(inner->front());
        turned.relation =
            turned.relation == Relation::ONE_OF ? Relation::NONE_OF : Relation::ONE_OF;
      }
    } else if (name.starts_with("$")) {
      return std::nullopt;
    } else if (IsPlain(value)) {
      conditions.push_back(Among(name, {Text(value)}));
    } else if (value.is_object() && !value.empty()) {
      for (const auto& [op, operand] : value.items()) {
        if (!AddOperator(name, op, operand, &conditions)) return std::nullopt;
      }
    } else {
      return std::nullopt;
    }
  }
  return conditions;
}

TEST(GrowthBookConditions, ThoseThatOursCanSayHoldAlike) {
  SKIP_WITHOUT_VECTORS(kCases);
  int checked = 0, all = 0;
  std::vector<std::string> otherwise;
  for (const Json& one : ReadVectors(kCases, "evalCondition")) {
    ++all;
    const std::optional<Conditions> conditions = ConditionsOf(one[1]);
    if (!conditions) continue;
    Attributes attributes;
    std::set<std::string> lists;
    Flatten(one[2], "", &attributes, &lists);
    const bool of_list = std::any_of(
        conditions->begin(), conditions->end(),
        [&](const AudienceCondition& condition) { return lists.contains(condition.attribute); });
    if (of_list) continue;
    ++checked;
    if (Holds(*conditions, attributes) != one[3].get<bool>()) otherwise.push_back(one[0]);
  }
  EXPECT_EQ(all, 248);
  EXPECT_EQ(checked, 30);
  // There, what is missing counts as 0.
  EXPECT_THAT(otherwise, ElementsAre("missing attribute with comparison operators"));
}

// A leaf of its contextual bandits is a condition with weights: the first that holds.
TEST(GrowthBookContextualBandits, ChooseTheSameArms) {
  SKIP_WITHOUT_VECTORS(kCases);
  int checked = 0;
  for (const Json& one : ReadVectors(kCases, "contextualBandit")) {
    const Json& context = one[1];
    const Json& rule = context["features"][one[2].get<std::string>()]["rules"][0];
    const bool other = context.contains("forcedVariations") || context.contains("url") ||
                       context.contains("qaMode") || context.contains("enabled") ||
                       rule.contains("condition") || !one[3].contains("experimentResult") ||
                       !rule.contains("contextualBanditRef") ||
                       !context.contains("contextualBandits");
    if (other) continue;
    const Json& bandits = context["contextualBandits"];
    if (!bandits.contains(rule["contextualBanditRef"])) continue;
    Attributes attributes = AttributesOf(context["attributes"]);
    std::optional<std::vector<double>> weights;
    for (const Json& leaf : bandits[rule["contextualBanditRef"].get<std::string>()]["contexts"]) {
      const std::optional<Conditions> conditions = ConditionsOf(leaf["condition"]);
      ASSERT_TRUE(conditions.has_value()) << leaf;
      if (!Holds(*conditions, attributes)) continue;
      weights = leaf["weights"].get<std::vector<double>>();
      break;
    }
    if (!weights) continue;
    ++checked;
    AssignerOptions options;
    options.seed = rule["seed"];
    options.hash = HashVersion::kGrowthBook2;
    options.weights = *weights;
    options.coverage = rule.value("coverage", 1.0);
    const Json& result = one[3]["experimentResult"];
    const Assigner assigner = Value(Assigner::Create(options));
    const Assignment assignment =
        assigner.Assign(attributes[rule.value("hashAttribute", std::string("id"))]);
    EXPECT_EQ(assignment.arm, result["variationId"].get<int>()) << one[0];
    EXPECT_EQ(assignment.point, result["bucket"].get<double>()) << one[0];
  }
  EXPECT_EQ(checked, 17);
}

// --- Eppo ---

bool AddEppo(const Json& condition, Conditions* conditions) {
  const std::string op = condition["operator"];
  const std::string attribute = condition["attribute"];
  if (op == "ONE_OF") return AddOperator(attribute, "$in", condition["value"], conditions);
  const std::map<std::string, std::string> ours = {
      {"GTE", "$gte"}, {"LTE", "$lte"}, {"GT", "$gt"}, {"LT", "$lt"}};
  const auto found = ours.find(op);
  return found != ours.end() &&
         AddOperator(attribute, found->second, condition["value"], conditions);
}

// Conditions by rule, one of which has to hold; nothing if there is one that ours cannot say.
std::optional<std::vector<Conditions>> RulesOf(const Json& allocation) {
  std::vector<Conditions> rules;
  for (const Json& rule : allocation.value("rules", Json::array())) {
    Conditions& conditions = rules.emplace_back();
    for (const Json& condition : rule["conditions"]) {
      if (!AddEppo(condition, &conditions)) return std::nullopt;
    }
  }
  return rules;
}

bool AllAreIn(const Json& allocation) {
  for (const Json& split : allocation["splits"]) {
    for (const Json& shard : split["shards"]) {
      const Json& range = shard["ranges"][0];
      if (range["start"] != 0 || range["end"] != 10'000) return false;
    }
  }
  return !allocation.contains("startAt") && !allocation.contains("endAt");
}

// Its allocations are tried in their order; which one a subject comes to is a matter of conditions
// alone where each holds everybody.
TEST(EppoFlags, ComeToTheSameAllocationByTheirConditions) {
  const std::string folder = "eppo/ufc/tests";
  SKIP_WITHOUT_VECTORS(folder);
  const Json flags = ReadVectors("eppo/ufc/flags-v1.json", "flags");
  int checked = 0, all = 0;
  for (const auto& file : std::filesystem::directory_iterator(VectorsFile(folder))) {
    const Json test = ReadVectors(folder + "/" + file.path().filename().string());
    all += static_cast<int>(test["subjects"].size());
    if (!flags.contains(test["flag"])) continue;
    const Json& flag = flags[test["flag"].get<std::string>()];
    bool can = flag["enabled"].get<bool>() && !flag["allocations"].empty();
    for (const Json& allocation : flag["allocations"]) {
      can = can && AllAreIn(allocation) && RulesOf(allocation).has_value();
    }
    if (!can) continue;
    for (const Json& subject : test["subjects"]) {
      Attributes attributes = AttributesOf(subject["subjectAttributes"]);
      attributes.emplace("id", subject["subjectKey"].get<std::string>());
      Json came_to;
      for (const Json& allocation : flag["allocations"]) {
        const std::vector<Conditions> rules = *RulesOf(allocation);
        bool holds = rules.empty();
        for (const Conditions& rule : rules) holds = holds || Holds(rule, attributes);
        if (!holds) continue;
        came_to = allocation["key"];
        break;
      }
      const Json& matched = subject["evaluationDetails"]["matchedAllocation"];
      ++checked;
      if (matched.is_null()) {
        EXPECT_TRUE(came_to.is_null() || test["flag"] == "invalid-value-flag") << subject;
      } else {
        EXPECT_EQ(came_to, matched["key"]) << test["flag"] << subject;
      }
    }
  }
  EXPECT_EQ(all, 225);
  EXPECT_EQ(checked, 110);
}

}  // namespace
}  // namespace vitrine::experiments
