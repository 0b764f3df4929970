// What becomes of a site's models: kept, rolled back, made by schedule.

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "api/service/training_schedule.h"
#include "store/base/atomic_file.h"
#include "tests/api/service_testing.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::kDayMs;
using testing::kNow;
using testing::MakeEvent;
using testing::ServiceTest;
using testing::Value;

constexpr int64_t kHourMs = 3'600'000;

class ModelLife : public ServiceTest {
 protected:
  // Each a second later, so that no two have one id.
  std::string TrainOne() {
    clock_.Advance(1000);
    return Train().model_id;
  }

  void Patch(const SiteSettingsPatch& patch) { backoffice_->import_done("shop", patch); }

  std::string Served() {
    ModelInfo info;
    backoffice_->model_info(info, "shop");
    return info.model_id;
  }

  std::vector<std::string> Kept() {
    std::vector<ModelInfo> models;
    backoffice_->models(models, "shop");
    std::vector<std::string> ids;
    for (const ModelInfo& model : models) ids.push_back(model.model_id);
    return ids;
  }

  std::string PathOf(const std::string& id) {
    return absl::StrCat(Shop()->directory(), "/models/", id, ".model");
  }

  void TrackSomething(const std::string& id) {
    ASSERT_OK(
        Shop()
            ->house()
            .Track({MakeEvent(id, "c1", kNow, EventKind::VIEW_ITEM, testing::ProductId(0, 0))}, {},
                   Ack::kApplied)
            .status());
  }
};

TEST_F(ModelLife, KeepsAsManyModelsAsTheSettingsSay) {
  SiteSettingsPatch patch;
  patch.__set_models_kept(2);
  Patch(patch);
  TrainOne();
  const std::string second = TrainOne();
  const std::string third = TrainOne();
  EXPECT_THAT(Kept(), ::testing::ElementsAre(third, second));
}

TEST_F(ModelLife, NeverRemovesTheModelThatIsServed) {
  SiteSettingsPatch patch;
  patch.__set_models_kept(1);
  const std::string first = TrainOne();
  TrainOne();
  TrainOne();
  Patch(patch);
  ModelInfo info;
  backoffice_->roll_back_model(info, "shop", first);
  EXPECT_THAT(Kept(), ::testing::ElementsAre(first));
}

TEST_F(ModelLife, RollsBackToTheOneBeforeAndStaysThere) {
  const std::string first = TrainOne();
  const std::string second = TrainOne();
  ModelInfo info;
  backoffice_->roll_back_model(info, "shop", "");
  EXPECT_EQ(info.model_id, first);
  EXPECT_TRUE(info.served);
  RecommendRequest request;
  request.context = ContextOf("c1");
  RecommendReply reply;
  storefront_->recommend(reply, request);
  EXPECT_EQ(reply.model_id, first);
  Open();
  EXPECT_EQ(Served(), first);
  backoffice_->roll_back_model(info, "shop", second);
  EXPECT_EQ(Served(), second);
}

// Else all who ask next are ranked at once, and wait for each other.
TEST_F(ModelLife, WhoeverAskedLatelyIsRankedForTheNextModelBeforeItAnswers) {
  TrainOne();
  const RecommendReply asked = Recommend("c1");
  TrainOne();
  uint64_t ticket;
  const auto known =
      Shop()->serving()->profiles.Get(keys::PersonPrefix(Person::Customer("c1")), &ticket);
  ASSERT_NE(known, nullptr);
  const auto kept = known->memo.Kept();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_NE(Recommend("c1").model_id, asked.model_id);
  EXPECT_EQ(known->memo.Kept(), kept) << "the answer found what was kept";
}

TEST_F(ModelLife, ADamagedModelIsNotRolledBackTo) {
  const std::string first = TrainOne();
  const std::string second = TrainOne();
  std::string bytes = Value(ReadFile(PathOf(first), 1 << 24));
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_OK(WriteFileAtomically(PathOf(first), bytes));
  ModelInfo info;
  EXPECT_THROW(backoffice_->roll_back_model(info, "shop", ""), std::exception);
  EXPECT_THROW(backoffice_->roll_back_model(info, "shop", "none"), NotFound);
  EXPECT_EQ(Served(), second);
  Open();
  EXPECT_EQ(Served(), second);
}

TEST_F(ModelLife, WhatIsServedAfterASwapKnowsWhatHappenedMeanwhile) {
  TrainOne();
  RecommendRequest request;
  request.context = ContextOf("c1");
  RecommendReply before;
  storefront_->recommend(before, request);  // c1 is at hand, and will be for the next model
  TrainOne();
  TrackRequest track;
  track.context = ContextOf("c1");
  track.events = {MakeEvent("new", "c1", kNow, EventKind::VIEW_ITEM, testing::ProductId(1, 1))};
  TrackReply tracked;
  storefront_->track(tracked, track);
  RecommendReply after;
  storefront_->recommend(after, request);
  EXPECT_EQ(after.history_events, before.history_events + 1);
}

TEST_F(ModelLife, AScheduleTrainsOnceADayWhereThereIsAnythingNew) {
  TrainingSchedule schedule(sites_.get(), &clock_);
  EXPECT_EQ(schedule.RunDue(), 0) << "nobody asked for one";
  SiteSettingsPatch patch;
  patch.__set_train_every_hours(24);
  Patch(patch);
  EXPECT_EQ(schedule.RunDue(), 1) << "there is no model yet";
  EXPECT_EQ(Shop()->last_training().outcome, "published");
  EXPECT_EQ(schedule.RunDue(), 0);
  clock_.Advance(23 * kHourMs);
  TrackSomething("later");
  EXPECT_EQ(schedule.RunDue(), 0);
  clock_.Advance(kHourMs);
  EXPECT_EQ(schedule.RunDue(), 1);
  clock_.Advance(kDayMs);
  EXPECT_EQ(schedule.RunDue(), 0) << "nothing is new";
  Open();  // what came of it is known after a restart
  TrainingSchedule again(sites_.get(), &clock_);
  EXPECT_EQ(again.RunDue(), 0);
  TrackSomething("latest");
  EXPECT_EQ(again.RunDue(), 1);
}

TEST_F(ModelLife, AScheduledTrainingGoesOnFromTheModelThatIsServed) {
  Train();
  const int32_t factors = Value(Shop()->Models())[0]->als.factors;
  SiteSettingsPatch patch;
  patch.__set_train_every_hours(1);
  Patch(patch);
  clock_.Advance(kHourMs);
  TrackSomething("since");
  TrainingSchedule schedule(sites_.get(), &clock_);
  ASSERT_EQ(schedule.RunDue(), 1);
  EXPECT_EQ(Value(Shop()->Models())[0]->als.factors, factors);
}

TEST_F(ModelLife, AScheduledTrainingLearnsListsWhereTheServedModelDid) {
  TrainRequest request;
  request.site = "shop";
  request.learn_lists = true;
  ModelInfo info;
  backoffice_->train(info, request);
  ASSERT_EQ(info.learned.size(), 2u);
  EXPECT_EQ(info.learned[0].what, "session");
  EXPECT_EQ(info.learned[1].what, "mix");
  EXPECT_EQ(info.learned[1].cases, 0);  // eight people are too few
  EXPECT_FALSE(info.learned[1].used);
  SiteSettingsPatch patch;
  patch.__set_train_every_hours(1);
  Patch(patch);
  clock_.Advance(kHourMs);
  TrackSomething("since");
  TrainingSchedule schedule(sites_.get(), &clock_);
  ASSERT_EQ(schedule.RunDue(), 1);
  EXPECT_TRUE(Shop()->model()->learn_lists);
  EXPECT_FALSE(Train().__isset.learned) << "nobody asked for it";
}

TEST_F(ModelLife, SettingsThatMakeNoSenseAreRefused) {
  SiteSettingsPatch patch;
  patch.__set_models_kept(0);
  EXPECT_THROW(Patch(patch), InvalidRequest);
  patch = {};
  patch.__set_train_every_hours(-1);
  EXPECT_THROW(Patch(patch), InvalidRequest);
}

}  // namespace
}  // namespace vitrine
