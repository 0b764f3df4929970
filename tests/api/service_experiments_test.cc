// What is tried out on a storefront: from a definition to what is shown and kept.

#include <cmath>
#include <fcntl.h>
#include <map>
#include <set>
#include <string>
#include <sys/statvfs.h>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/api/service_testing.h"

namespace {

bool disk_is_full = false;

}  // namespace

// Stands before the C library's: the site asks it for room before it writes.
extern "C" int statvfs(const char* path, struct statvfs* facts) noexcept {
  const int folder = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int result = ::fstatvfs(folder, facts);
  ::close(folder);
  if (disk_is_full) facts->f_bavail = 0;
  return result;
}

namespace vitrine::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

TEST_F(ExperimentsTest, WhatCannotBeWrittenDownIsAnsweredWithoutExperiment) {
  std::vector<std::vector<std::string>> before;
  for (int i = 0; i < 20; ++i) before.push_back(Ids(Home(ContextOf("", absl::StrCat("v", i)))));
  Start();
  EXPECT_NE(ArmOf(Home(ContextOf("", "v1"))), "");
  std::vector<Shelf> shelves;
  disk_is_full = true;
  for (int i = 0; i < 20; ++i) shelves.push_back(Home(ContextOf("", absl::StrCat("v", i))));
  RecommendRequest request;
  request.context = ContextOf("", "v1");
  request.placement = "home";
  request.k = 5;
  RecommendReply reply;
  storefront_->recommend(reply, request);
  disk_is_full = false;
  for (size_t i = 0; i < shelves.size(); ++i) {
    EXPECT_THAT(shelves[i].arms, IsEmpty());
    EXPECT_EQ(Ids(shelves[i]), before[i]);
  }
  EXPECT_THAT(reply.arms, IsEmpty());
  EXPECT_EQ(reply.suggestions.size(), 5u);
  EXPECT_NE(ArmOf(Home(ContextOf("", "v1"))), "") << "there is room again";
}

TEST_F(ExperimentsTest, WhatAnExperimentNeedsStaysWhileItGoesOn) {
  Start();
  PlacementVersion now;
  backoffice_->placements(now, "shop");
  const auto set = [&](const PlacementSet& content) {
    PlacementVersion made;
    backoffice_->set_placements(made, "shop", content, now.version, "op", "");
  };
  PlacementSet without = now.content;
  std::erase_if(without.placements,
                [](const Placement& placement) { return placement.id == "home"; });
  const std::string refusal =
      "the experiment trial, which goes on, would not: stop it first: placement: there is no "
      "placement 'home'";
  EXPECT_EQ(Refusal([&] { set(without); }), refusal);
  Move(ExperimentStatus::PAUSED);
  EXPECT_EQ(Refusal([&] { set(without); }), refusal);
  PlacementSet other = now.content;
  Rule& rule = other.rules.emplace_back();
  rule.id = "only";  // as a rule of the arm is
  rule.kind = RuleKind::HIDE_SEEN;
  EXPECT_THAT(Refusal([&] { set(other); }), HasSubstr("arms[only-one]: "));
  Move(ExperimentStatus::STOPPED);
  EXPECT_EQ(Refusal([&] { set(without); }), "");
}

class ReportsTest : public ExperimentsTest {
 protected:
  std::string ReportAs(ReportFormat format, const std::string& language = "en") {
    std::string report;
    backoffice_->experiment_report(report, "shop", "trial", format, language);
    return report;
  }
  std::string Json() { return ReportAs(ReportFormat::JSON); }
  void Track(std::vector<Event> events) {
    TrackRequest request;
    request.context = ContextOf("", "");
    request.events = std::move(events);
    TrackReply reply;
    storefront_->track(reply, request);
    EXPECT_EQ(reply.accepted, static_cast<int64_t>(request.events.size()));
  }
  Event Did(const std::string& id, const std::string& visitor, EventKind kind) {
    Event event = MakeEvent(id, "v:" + visitor, clock_.NowMs(), kind, ProductId(1, 2));
    if (kind == EventKind::PURCHASE) {
      event.items[0].__set_price_minor(500);
      event.__set_currency("GBP");
    }
    return event;
  }
};

TEST_F(ReportsTest, AreThereAsATableAPageAndForPrograms) {
  Start();
  for (int i = 0; i < 30; ++i) Home(ContextOf("", absl::StrCat("v", i)));
  EXPECT_THAT(Json(), HasSubstr("\"experiment_arms\""));
  EXPECT_THAT(ReportAs(ReportFormat::TEXT), HasSubstr("Who was in it"));
  EXPECT_THAT(ReportAs(ReportFormat::TEXT, "fa"), HasSubstr("چه کسانی در آن بودند"));
  EXPECT_THAT(ReportAs(ReportFormat::HTML), HasSubstr("What the experiment trial found"));
  EXPECT_THAT(Refusal([&] { ReportAs(ReportFormat::TEXT, "de"); }), HasSubstr("is none of en, fa"));
}

TEST_F(ReportsTest, OneThatNeverBeganHasNone) {
  Set(Trial());
  EXPECT_EQ(Refusal([&] { Json(); }), "the experiment trial has not begun");
}

// The plain twin is a server that was started just now, and counts everybody.
TEST_F(ReportsTest, SayTheSameAsAfterARestartWhateverHappened) {
  Experiment experiment = Trial();
  experiment.secondary = {ExperimentMetric::REVENUE, ExperimentMetric::CLICK_RATE};
  experiment.currency = "GBP";
  Start(experiment);
  for (int i = 0; i < 300; ++i) Home(ContextOf("", absl::StrCat("v", i)));  // few say nothing
  std::string before = Json();
  const auto expect_changed_alike = [&](const char* what) {
    const std::string kept = Json();
    EXPECT_NE(kept, before) << what;
    Open();
    EXPECT_EQ(Json(), kept) << what;
    before = kept;
  };
  clock_.Advance(60'000);
  for (int i = 290; i < 310; ++i) Home(ContextOf("", absl::StrCat("v", i)));
  expect_changed_alike("new units, and old ones again");

  Track({Did("b1", "v1", EventKind::PURCHASE), Did("b2", "v2", EventKind::PURCHASE)});
  expect_changed_alike("purchases");

  Event login = Did("l1", "v2", EventKind::LOGIN);
  login.items.clear();
  login.__isset.items = false;
  login.__set_customer_id("c7");
  Track({login});
  Event bought = MakeEvent("b3", "c7", clock_.NowMs() + 1, EventKind::PURCHASE, ProductId(1, 2));
  bought.items[0].__set_price_minor(500);
  bought.__set_currency("GBP");
  Track({bought});
  expect_changed_alike("a customer who was a visitor");

  backoffice_->unlink("shop", "c7", "v2");
  expect_changed_alike("a customer who was not");

  backoffice_->decide_robot("shop", "", "v1", RobotDecision::ROBOT);
  expect_changed_alike("a robot");

  std::vector<Erasure> receipts;
  Home(ContextOf("c9", "v309"));
  Event click = MakeEvent("k1", "c9", clock_.NowMs() + 1, EventKind::VIEW_ITEM, ProductId(0, 0));
  Track({click});
  expect_changed_alike("a customer who came back");
  backoffice_->erase_customers(receipts, "shop", {"c9"});
  expect_changed_alike("a customer who was erased");

  clock_.Advance(1000);
  Move(ExperimentStatus::STOPPED);
  Track({Did("b4", "v3", EventKind::PURCHASE)});
  Json();
  Open();
  EXPECT_THAT(ReportAs(ReportFormat::TEXT), HasSubstr("it is stopped"));
}

TEST_F(ReportsTest, APlanSaysHowManyUnitsItTakes) {
  Experiment experiment = Trial();
  experiment.placement = "nowhere-yet";
  ExperimentSize size;
  const auto plan = [&](double lift, double power, int32_t days) {
    return Refusal(
        [&] { backoffice_->experiment_plan(size, "shop", experiment, lift, power, days); });
  };
  EXPECT_THAT(plan(0.05, 0.8, 28), HasSubstr("say nothing of conversion")) << "everybody bought";
  std::vector<Event> events;
  for (int i = 0; i < 80; ++i)
    events.push_back(Did(absl::StrCat("w", i), absl::StrCat("w", i), EventKind::VIEW_ITEM));
  Track(std::move(events));
  clock_.Advance(1);
  EXPECT_EQ(plan(0.05, 0.8, 28), "");
  EXPECT_EQ(size.history_units, 160);
  EXPECT_NEAR(size.mean, 0.5, 1e-9);
  EXPECT_TRUE(size.of_visitors);
  EXPECT_GT(size.units_per_arm, 1000);
  EXPECT_EQ(size.planned_units, static_cast<int64_t>(std::ceil(2 * size.units_per_arm)));
  EXPECT_THAT(plan(0, 0.8, 28), Not(IsEmpty()));
  EXPECT_THAT(plan(0.05, 1, 28), HasSubstr("power: 1 is not between"));
  EXPECT_THAT(plan(0.05, 0.8, 0), HasSubstr("days: 0 is not between"));
}

}  // namespace
}  // namespace vitrine::testing
