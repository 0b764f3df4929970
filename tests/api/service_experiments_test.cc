// What is tried out on a storefront: from a definition to what is shown and kept.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/api/service_testing.h"

namespace vitrine::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExperimentsTest : public ServiceTest {
 protected:
  ExperimentsTest() { Train(); }

  // What customers of group 0 like, against one product of group 3 alone.
  static Experiment Trial() {
    Experiment experiment;
    experiment.id = "trial";
    experiment.hypothesis = "one product sells better than many";
    experiment.placement = "home";
    experiment.planned_units = 1000;
    experiment.arms.resize(2);
    experiment.arms[0].id = "as-it-is";
    ExperimentArm& arm = experiment.arms[1];
    arm.id = "only-one";
    Rule rule;
    rule.id = "only";
    rule.kind = INCLUDE;
    ProductCondition& condition = rule.products.emplace_back();
    condition.attribute = "id";
    condition.relation = ONE_OF;
    condition.values = {ProductId(3, 0)};
    arm.__set_rules({rule});
    arm.parameters["colour"] = "blue";
    return experiment;
  }

  ExperimentChange Set(const Experiment& experiment, int64_t based_on = 0) {
    ExperimentChange change;
    backoffice_->set_experiment(change, "shop", experiment, based_on, "op", "a test");
    return change;
  }
  ExperimentChange Move(ExperimentStatus to) {
    ExperimentChange change;
    backoffice_->move_experiment(change, "shop", "trial", to, "op", "");
    return change;
  }
  void Start(const Experiment& experiment = Trial()) {
    Set(experiment);
    Move(ExperimentStatus::RUNNING);
  }

  Shelf Home(const Context& context) {
    PageRequest request;
    request.context = context;
    request.shelves.emplace_back().placement = "home";
    PageReply reply;
    storefront_->page(reply, request);
    return reply.shelves.at(0);
  }
  static std::string ArmOf(const Shelf& shelf) {
    return shelf.arms.empty() ? "" : shelf.arms.at(0).arm;
  }
  static std::vector<std::string> Ids(const Shelf& shelf) {
    std::vector<std::string> ids;
    for (const Suggestion& suggestion : shelf.suggestions) ids.push_back(suggestion.product_id);
    return ids;
  }
  std::string Refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const InvalidRequest& e) {
      return e.message;
    }
    return "";
  }
};

TEST_F(ExperimentsTest, EachExposureCarriesTheArmThatWasShown) {
  Start();
  std::map<std::string, int> shown;
  for (int i = 0; i < 60; ++i) {
    const Shelf shelf = Home(ContextOf("", absl::StrCat("v", i)));
    ASSERT_EQ(shelf.arms.size(), 1u);
    EXPECT_EQ(shelf.arms[0].experiment, "trial");
    EXPECT_FALSE(shelf.arms[0].forced);
    const std::string arm = ArmOf(shelf);
    ++shown[arm];
    if (arm == "only-one") {
      EXPECT_EQ(Ids(shelf).at(0), ProductId(3, 0));
      EXPECT_EQ(shelf.arms[0].parameters.at("colour"), "blue");
    } else {
      EXPECT_THAT(shelf.arms[0].parameters, IsEmpty());
    }
    const Exposure kept = Value(Shop()->house().GetExposure(shelf.recommendation_id));
    ASSERT_EQ(kept.arms.size(), 1u);
    EXPECT_EQ(kept.arms[0].experiment, "trial");
    EXPECT_EQ(kept.arms[0].arm, arm);
    EXPECT_EQ(kept.arms[0].unit, ExperimentUnit::VISITOR);
    EXPECT_EQ(kept.arms[0].propensity, 0.5);
    EXPECT_EQ(kept.arms[0].point < 0.5, arm == "as-it-is") << kept.arms[0].point;
    EXPECT_EQ(kept.products.size(), shelf.suggestions.size());
  }
  EXPECT_GT(shown["as-it-is"], 10);
  EXPECT_GT(shown["only-one"], 10);
}

TEST_F(ExperimentsTest, TheSameVisitorKeepsTheArmThroughLoginAndRestart) {
  Start();
  std::vector<std::string> before;
  for (int i = 0; i < 20; ++i) before.push_back(ArmOf(Home(ContextOf("", absl::StrCat("v", i)))));
  Open();
  for (int i = 0; i < 20; ++i) {
    const std::string visitor = absl::StrCat("v", i);
    EXPECT_EQ(ArmOf(Home(ContextOf("", visitor))), before[i]);
    EXPECT_EQ(ArmOf(Home(ContextOf(absl::StrCat("c", i), visitor))), before[i]);
  }
  EXPECT_EQ(std::set<std::string>(before.begin(), before.end()).size(), 2u);
}

TEST_F(ExperimentsTest, WhoMindsBeingKnownAndWhoIsNobodyGetNoArm) {
  Start();
  Context context = ContextOf("", "v1");
  context.personalize = false;
  EXPECT_THAT(Home(context).arms, IsEmpty());
  EXPECT_THAT(Home(ContextOf("")).arms, IsEmpty());
  EXPECT_THAT(Home(ContextOf("c1")).arms, IsEmpty()) << "a unit is a visitor";
}

TEST_F(ExperimentsTest, APausedExperimentChangesNothing) {
  std::vector<std::vector<std::string>> before;
  for (int i = 0; i < 20; ++i) before.push_back(Ids(Home(ContextOf("", absl::StrCat("v", i)))));
  Start();
  Move(ExperimentStatus::PAUSED);
  for (int i = 0; i < 20; ++i) {
    const Shelf shelf = Home(ContextOf("", absl::StrCat("v", i)));
    EXPECT_EQ(Ids(shelf), before[i]);
    EXPECT_THAT(shelf.arms, IsEmpty());
    EXPECT_THAT(Value(Shop()->house().GetExposure(shelf.recommendation_id)).arms, IsEmpty());
  }
  Move(ExperimentStatus::RUNNING);
  EXPECT_NE(ArmOf(Home(ContextOf("", "v1"))), "");
}

TEST_F(ExperimentsTest, TheHoldoutGetsNoExperiment) {
  Start();
  SiteSettingsPatch patch;
  patch.__set_experiment_holdout(1);
  ASSERT_OK(Shop()->house().PatchSettings(patch));
  EXPECT_THAT(Home(ContextOf("", "v1")).arms, IsEmpty());
}

TEST_F(ExperimentsTest, ASignedLinkShowsAnArmThatDoesNotCount) {
  Set(Trial());
  std::string token;
  backoffice_->force_arm(token, "shop", "trial", "only-one", 1);
  Context context = ContextOf("", "v1");
  context.__set_forced_arms(token);
  const Shelf shelf = Home(context);
  EXPECT_EQ(ArmOf(shelf), "only-one");
  EXPECT_TRUE(shelf.arms.at(0).forced);
  EXPECT_TRUE(Value(Shop()->house().GetExposure(shelf.recommendation_id)).arms.at(0).forced);
  token.back() = token.back() == '0' ? '1' : '0';
  context.__set_forced_arms(token);
  EXPECT_THAT(Home(context).arms, IsEmpty());
  context.personalize = false;
  EXPECT_THAT(Home(context).arms, IsEmpty());
}

TEST_F(ExperimentsTest, AnArmThatMakesNoSenseInItsPlacementIsRefused) {
  Experiment experiment = Trial();
  experiment.placement = "nowhere";
  EXPECT_EQ(Refusal([&] { Set(experiment); }), "placement: there is no placement 'nowhere'");
  experiment = Trial();
  experiment.arms[1].rules[0].products.clear();
  EXPECT_EQ(Refusal([&] { Set(experiment); }),
            "arms[only-one]: placements[home].rules[only].products: is wanted for a rule of this "
            "kind");
}

TEST_F(ExperimentsTest, EveryVersionIsKeptAndTwoChangesAtOnceAreNot) {
  EXPECT_EQ(Set(Trial()).version.version, 1);
  EXPECT_THAT(Refusal([&] { Set(Trial()); }), HasSubstr("somebody changed it meanwhile"));
  Experiment changed = Trial();
  changed.coverage = 0.5;
  changed.status = ExperimentStatus::STOPPED;  // is not for content to say
  const ExperimentChange second = Set(changed, 1);
  EXPECT_EQ(second.version.content.status, ExperimentStatus::DRAFT);
  Move(ExperimentStatus::RUNNING);
  changed.coverage = 0.7;
  EXPECT_THAT(Set(changed, 3).warnings, ElementsAre(HasSubstr("came later")));
  changed.alpha = 0.01;
  EXPECT_THAT(Refusal([&] { Set(changed, 4); }), HasSubstr("alpha: may not change"));
  Open();
  std::vector<ExperimentVersion> versions;
  backoffice_->experiment_history(versions, "shop", "trial", 10);
  ASSERT_EQ(versions.size(), 4u);
  EXPECT_EQ(versions[0].version, 4);
  EXPECT_EQ(versions[0].content.coverage, 0.7);
  EXPECT_EQ(versions[1].content.status, ExperimentStatus::RUNNING);
  EXPECT_EQ(versions[3].who, "op");
  Experiment other = Trial();
  other.id = "trial-2";
  Set(other);
  backoffice_->experiments(versions, "shop");
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(versions[0].version, 4);
  EXPECT_EQ(versions[1].content.id, "trial-2");
}

}  // namespace
}  // namespace vitrine::testing
