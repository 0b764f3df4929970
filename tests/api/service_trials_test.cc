// Experiments whose arms are more than a recipe: kept models, bandits, two recipes in one shelf.

#include <algorithm>
#include <filesystem>
#include <functional>
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

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class TrialsTest : public ServiceTest {
 protected:
  static Experiment Trial(const std::string& id = "trial") {
    Experiment experiment;
    experiment.id = id;
    experiment.placement = "home";
    experiment.planned_units = 1000;
    experiment.arms.resize(2);
    experiment.arms[0].id = "as-it-is";
    experiment.arms[1].id = "other";
    return experiment;
  }

  std::string TrainOne() {
    clock_.Advance(1000);  // no two models have one id
    return Train().model_id;
  }

  void Start(const Experiment& experiment) {
    ExperimentChange change;
    backoffice_->set_experiment(change, "shop", experiment, 0, "op", "");
    backoffice_->move_experiment(change, "shop", experiment.id, ExperimentStatus::RUNNING, "op",
                                 "");
  }

  PageReply Page(const Context& context, const std::vector<std::string>& placements = {"home"}) {
    PageRequest request;
    request.context = context;
    for (const std::string& placement : placements) {
      request.shelves.emplace_back().placement = placement;
    }
    PageReply reply;
    storefront_->page(reply, request);
    return reply;
  }
  Exposure Kept(const Shelf& shelf) {
    return Value(Shop()->house().GetExposure(shelf.recommendation_id));
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

// --- Models ---

class TriedModels : public TrialsTest {
 protected:
  TriedModels() : before_(TrainOne()), now_(TrainOne()) {}

  Experiment WithModel(const std::string& model_id) {
    Experiment experiment = Trial();
    experiment.arms[1].__set_model_id(model_id);
    return experiment;
  }
  // What the background thread does soon.
  void Learn() {
    ASSERT_OK(Shop()->LearnSessions());
    ASSERT_OK(Shop()->LookAtCatalogue());
  }

  const std::string before_, now_;
};

TEST_F(TriedModels, AnArmAnswersWithTheModelThatItNamesForTheWholePage) {
  Start(WithModel(before_));
  Learn();
  std::set<std::string> arms;
  for (int i = 0; i < 40; ++i) {
    const PageReply reply = Page(ContextOf("", absl::StrCat("v", i)), {"cart", "home"});
    ASSERT_EQ(reply.shelves.at(1).arms.size(), 1u);
    const std::string arm = reply.shelves[1].arms[0].arm;
    arms.insert(arm);
    EXPECT_EQ(reply.model_id, arm == "other" ? before_ : now_);
    for (const Shelf& shelf : reply.shelves) {
      if (shelf.suggestions.empty()) continue;
      EXPECT_EQ(Kept(shelf).model_id, reply.model_id);
    }
    // A page without the placement is everybody's.
    EXPECT_EQ(Page(ContextOf("", absl::StrCat("v", i)), {"cart"}).model_id, now_);
  }
  EXPECT_EQ(arms.size(), 2u);
}

TEST_F(TriedModels, KnowWhatIsTrackedAsTheOthersDo) {
  Start(WithModel(before_));
  Learn();
  std::string visitor;
  for (int i = 0; visitor.empty(); ++i) {
    const std::string one = absl::StrCat("w", i);
    if (Page(ContextOf("", one)).model_id == before_) visitor = one;
  }
  TrackRequest request;
  request.context = ContextOf("", visitor);
  request.events = {
      MakeEvent("viewed", "v:" + visitor, clock_.NowMs(), EventKind::VIEW_ITEM, ProductId(2, 3))};
  TrackReply tracked;
  storefront_->track(tracked, request);
  ASSERT_EQ(tracked.accepted, 1);
  const PageReply reply = Page(ContextOf("", visitor));
  EXPECT_EQ(reply.model_id, before_);
  EXPECT_EQ(reply.history_events, 1);
}

TEST_F(TriedModels, StayWhileTheyAreTriedAndNobodyIsInItOnceOneIsGone) {
  Start(WithModel(before_));
  SiteSettingsPatch patch;
  patch.__set_models_kept(1);
  ASSERT_OK(Shop()->house().PatchSettings(patch));
  const std::string third = TrainOne();
  const std::string file = absl::StrCat(Shop()->directory(), "/models/", before_, ".model");
  EXPECT_TRUE(std::filesystem::exists(file));
  Learn();
  std::set<std::string> models;
  for (int i = 0; i < 20; ++i) models.insert(Page(ContextOf("", absl::StrCat("v", i))).model_id);
  EXPECT_EQ(models, (std::set<std::string>{before_, third}));

  std::filesystem::remove(file);
  Open();
  for (int i = 0; i < 20; ++i) {
    const PageReply reply = Page(ContextOf("", absl::StrCat("v", i)));
    EXPECT_EQ(reply.model_id, third);
    EXPECT_THAT(reply.shelves.at(0).arms, IsEmpty()) << "neither arm, or they would be uneven";
  }
}

TEST_F(TriedModels, AreRefusedIfTheyAreNotKeptOrWouldMeet) {
  EXPECT_THAT(Refusal([&] { Start(WithModel("no-such-model")); }),
              HasSubstr("model_id: the site keeps no model of this id; it has: "));
  Start(WithModel(before_));
  Experiment elsewhere = WithModel(before_);
  elsewhere.id = "elsewhere";
  elsewhere.placement = "cart";
  EXPECT_THAT(Refusal([&] { Start(elsewhere); }), HasSubstr("changes its model too"))
      << "both may be on one page, which one model answers";
}

// --- Bandits ---

class BanditTest : public TrialsTest {
 protected:
  BanditTest() {
    Train();
    clock_.Advance(Clock::System().NowMs() - clock_.NowMs());  // no batch ends by itself meanwhile
  }

  static Experiment Bandit() {
    Experiment experiment = Trial();
    experiment.kind = ExperimentKind::BANDIT;
    BanditPlan plan;
    plan.units_per_arm_min = 20;
    plan.segments = {SegmentBy::BY_DEVICE};
    experiment.__set_bandit(plan);
    return experiment;
  }

  Context Mobile(int visitor) {
    Context context = ContextOf("", absl::StrCat("v", visitor));
    context.device = Device::MOBILE;
    return context;
  }
};

TEST_F(BanditTest, WeighsWhatSellsMoreFromTheNextBatchOn) {
  Start(Bandit());
  std::map<std::string, std::string> arm_of;
  TrackRequest request;
  request.context = ContextOf("");
  for (int i = 0; i < 100; ++i) {
    const Shelf shelf = Page(Mobile(i)).shelves.at(0);
    const Exposure kept = Kept(shelf);
    ASSERT_EQ(kept.arms.size(), 1u);
    EXPECT_EQ(kept.arms[0].batch, 1);
    EXPECT_EQ(kept.arms[0].segment, "mobile");
    EXPECT_EQ(kept.arms[0].propensity, 0.5);
    EXPECT_EQ(kept.arms[0].arm, shelf.arms.at(0).arm);
    EXPECT_EQ(Page(Mobile(i)).shelves.at(0).arms.at(0).arm, kept.arms[0].arm) << "in one batch";
    if (kept.arms[0].arm != "other" || i % 2 == 0) continue;
    const std::string visitor = absl::StrCat("v", i);
    Event order = MakeEvent("o" + visitor, "v:" + visitor, clock_.NowMs(), EventKind::PURCHASE,
                            ProductId(0, 0));
    order.__set_order_id(order.id);
    request.events.push_back(std::move(order));
  }
  clock_.Advance(1000);
  TrackReply tracked;
  storefront_->track(tracked, request);
  ASSERT_EQ(tracked.accepted, static_cast<int64_t>(request.events.size()));

  ExperimentChange change;
  backoffice_->update_weights(change, "shop", "trial", "op");
  const BanditBatch& batch = change.version.content.batch;
  EXPECT_EQ(batch.number, 2);
  EXPECT_EQ(change.version.comment, "batch 2");
  ASSERT_TRUE(batch.weights.contains("mobile"));
  EXPECT_GT(batch.weights.at("mobile")[1], 0.9);
  int other = 0;
  for (int i = 0; i < 100; ++i) {
    const Exposure kept = Kept(Page(Mobile(i)).shelves.at(0));
    EXPECT_EQ(kept.arms.at(0).batch, 2);
    const bool is_other = kept.arms[0].arm == "other";
    EXPECT_DOUBLE_EQ(kept.arms[0].propensity, batch.weights.at("mobile")[is_other ? 1 : 0]);
    other += is_other ? 1 : 0;
  }
  EXPECT_GT(other, 80);
  // The next start goes on with the batch.
  Open();
  EXPECT_EQ(Kept(Page(Mobile(0)).shelves.at(0)).arms.at(0).batch, 2);
}

TEST_F(BanditTest, BeginsItsNextBatchByItselfOnceItIsDue) {
  Start(Bandit());
  const int64_t now_ms = clock_.NowMs();
  ASSERT_OK(Shop()->UpdateDueWeights(now_ms + 59 * 60'000));
  const auto number = [&] {
    std::vector<ExperimentVersion> versions;
    backoffice_->experiment_history(versions, "shop", "trial", 1);
    return versions.at(0).content.batch.number;
  };
  EXPECT_EQ(number(), 1);
  ASSERT_OK(Shop()->UpdateDueWeights(now_ms + 60 * 60'000));
  EXPECT_EQ(number(), 2);
}

TEST_F(BanditTest, OnlyABanditThatRunsHasWeightsToUpdate) {
  ExperimentChange change;
  Start(Trial("split"));
  EXPECT_THAT(Refusal([&] { backoffice_->update_weights(change, "shop", "split", "op"); }),
              StartsWith("kind: "));
  backoffice_->set_experiment(change, "shop", Bandit(), 0, "op", "");
  EXPECT_THAT(Refusal([&] { backoffice_->update_weights(change, "shop", "trial", "op"); }),
              StartsWith("status: "));
}

// --- Interleaving ---

class InterleavingTest : public TrialsTest {
 protected:
  InterleavingTest() { Train(); }

  static Experiment Interleaving() {
    Experiment experiment = Trial();
    experiment.kind = ExperimentKind::INTERLEAVING;
    experiment.primary = ExperimentMetric::CLICK_RATE;
    experiment.arms[0].recipe.emplace_back().source = Source::TASTE;
    experiment.arms[1].recipe.emplace_back().source = Source::POPULAR;
    return experiment;
  }

  // Of customer c1, who likes group 1.
  static Context Asks(const std::string& request_id) {
    Context context = ContextOf("c1", "v1");
    context.__set_request_id(request_id);
    return context;
  }
  static std::vector<std::string> Ids(const Exposure& shelf) {
    std::vector<std::string> ids;
    for (const ExposedProduct& product : shelf.products) ids.push_back(product.product_id);
    return ids;
  }
};

TEST_F(InterleavingTest, BothRecipesMakeEachShelfAndTheExposureSaysWhoseEachProductIs) {
  Start(Interleaving());
  std::set<std::vector<std::string>> lists;
  for (int i = 0; i < 20; ++i) {
    const std::string request = absl::StrCat("r", i);
    const Shelf shelf = Page(Asks(request)).shelves.at(0);
    EXPECT_EQ(shelf.arms.at(0).experiment, "trial");
    EXPECT_EQ(shelf.arms[0].arm, "");
    const Exposure kept = Kept(shelf);
    EXPECT_EQ(kept.arms.at(0).arm, "");
    EXPECT_EQ(kept.arms[0].propensity, 1);
    int teams[2] = {};
    for (const ExposedProduct& product : kept.products) {
      if (product.__isset.team) ++teams[product.team];
    }
    EXPECT_GT(teams[0], 0);
    EXPECT_LE(std::abs(teams[0] - teams[1]), 1) << "they take turns";
    const std::vector<std::string> ids = Ids(kept);
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
    EXPECT_EQ(Ids(Kept(Page(Asks(request)).shelves.at(0))), ids) << "the same call again";
    lists.insert(ids);
  }
  EXPECT_GT(lists.size(), 1u) << "the coins fall otherwise for other calls";
}

TEST_F(InterleavingTest, RulesOfWholeShelvesKeepAPlacementOutOfIt) {
  Start(Interleaving());
  PlacementSet set = Shop()->placements()->content;
  Rule cap;
  cap.id = "brands";
  cap.kind = RuleKind::CAP;
  cap.__set_attribute("brand");
  cap.__set_most(2);
  set.rules.push_back(cap);
  ASSERT_OK(Shop()->SetPlacements(set, Shop()->placements()->version, "op", "").status());
  EXPECT_THAT(Page(Asks("r1")).shelves.at(0).arms, IsEmpty());
}

TEST_F(TrialsTest, AnAudienceMayAskForWhatTheStorefrontSays) {
  Train();
  Experiment experiment = Trial();
  AudienceCondition& condition = experiment.audience.conditions.emplace_back();
  condition.attribute = "orders";
  condition.relation = Relation::AT_LEAST;
  condition.__set_number(3);
  Start(experiment);
  Context context = ContextOf("", "v1");
  EXPECT_THAT(Page(context).shelves.at(0).arms, IsEmpty());
  context.attributes["orders"] = "2";
  EXPECT_THAT(Page(context).shelves.at(0).arms, IsEmpty());
  context.attributes["orders"] = "12";
  EXPECT_EQ(Page(context).shelves.at(0).arms.size(), 1u);
  for (int i = 0; i < 60; ++i) context.attributes[absl::StrCat(i)] = "";
  EXPECT_THAT(Refusal([&] { Page(context); }), StartsWith("context.attributes: more than 50"));
}

}  // namespace
}  // namespace vitrine::testing
