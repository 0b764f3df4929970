#include <filesystem>
#include <fstream>

#include "recommender/learn/als/checkpoint.h"
#include "recommender/learn/als/run.h"
#include "store/base/atomic_file.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::MakeInteractions;
using testing::TempDir;
using testing::Value;

const AlsSettings kSettings{.factors = 12, .epochs = 6, .threads = 2};

TEST(AlsRun, WithoutWishesIsPlainTraining) {
  const SparseRows by_person = MakeInteractions({}, 21).by_person;
  const AlsResult result = Value(RunAls(by_person, kSettings, {}));
  EXPECT_EQ(result.factors.products, TrainAls(by_person, kSettings).products);
  EXPECT_EQ(result.epochs, kSettings.epochs);
}

TEST(AlsRun, LeavesThePersonsOutWhereTheyAreNotWanted) {
  const SparseRows by_person = MakeInteractions({}, 21).by_person;
  const FactorMatrix products = Value(RunAls(by_person, kSettings, {})).factors.products;
  AlsRun run{.keep_persons = false};
  const AlsResult last = Value(RunAls(by_person, kSettings, run));
  EXPECT_EQ(last.factors.persons.size(), 0);
  EXPECT_EQ(last.factors.products, products);
  run.validate = [](const AlsFactors& factors) { return -factors.persons.norm(); };
  const AlsResult best = Value(RunAls(by_person, kSettings, run));
  EXPECT_EQ(best.factors.persons.size(), 0);
  EXPECT_EQ(best.factors.products.rows(), products.rows());
}

TEST(AlsRun, GoesOnFromWhereItWasInterruptedWithTheSameBits) {
  const SparseRows by_person = MakeInteractions({}, 22).by_person;
  const TempDir dir;
  const AlsFactors whole = TrainAls(by_person, kSettings);
  for (const uint32_t interrupted : {1u, 3u, 6u}) {
    AlsSettings some = kSettings;
    some.epochs = interrupted;
    AlsRun run{.checkpoint_path = dir.File("als"), .checkpoint_seconds = 0};
    ASSERT_OK(RunAls(by_person, some, run).status());
    std::vector<uint32_t> heard;
    run.on_epoch = [&](uint32_t done, uint32_t of_this_run) {
      heard.push_back(done);
      EXPECT_EQ(of_this_run, heard.size());
    };
    const AlsResult result = Value(RunAls(by_person, kSettings, run));
    EXPECT_EQ(heard.front(), interrupted) << "epochs before are not done again";
    EXPECT_EQ(heard.back(), kSettings.epochs);
    EXPECT_EQ(result.factors.products, whole.products) << interrupted;
    EXPECT_EQ(result.factors.persons, whole.persons) << interrupted;
    std::filesystem::remove(dir.File("als"));
  }
}

TEST(AlsRun, RefusesTheCheckpointOfAnotherTrainingOrADamagedOne) {
  const SparseRows by_person = MakeInteractions({}, 23).by_person;
  const TempDir dir;
  const AlsRun run{.checkpoint_path = dir.File("als"), .checkpoint_seconds = 0};
  ASSERT_OK(RunAls(by_person, kSettings, run).status());
  AlsSettings other = kSettings;
  other.regularization *= 2;
  EXPECT_EQ(RunAls(by_person, other, run).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(RunAls(MakeInteractions({}, 24).by_person, kSettings, run).status().code(),
            absl::StatusCode::kFailedPrecondition);

  const std::string good = Value(ReadFile(dir.File("als"), 1 << 20));
  for (size_t i = 0; i < good.size(); i += 1 + i / 40) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    std::ofstream(dir.File("als"), std::ios::binary | std::ios::trunc) << bad;
    EXPECT_FALSE(RunAls(by_person, kSettings, run).ok()) << "byte " << i;
  }
  for (const size_t size : {size_t{0}, size_t{10}, good.size() - 1}) {
    std::ofstream(dir.File("als"), std::ios::binary | std::ios::trunc) << good.substr(0, size);
    EXPECT_EQ(RunAls(by_person, kSettings, run).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST(AlsRun, FromItsOwnProductsIsWhereMoreEpochsWouldBe) {
  const SparseRows by_person = MakeInteractions({}, 25).by_person;
  AlsSettings settings = kSettings;
  settings.epochs = 40;
  const FactorMatrix products = TrainAls(by_person, settings).products;
  settings.epochs = 1;
  const AlsFactors warm = Value(RunAls(by_person, settings, {.start = &products})).factors;
  const AlsFactors cold = Value(RunAls(by_person, settings, {})).factors;
  const auto change = [&](const FactorMatrix& other) {
    return (other * other.transpose() - products * products.transpose()).norm() /
           (products * products.transpose()).norm();
  };
  EXPECT_LT(change(warm.products), 0.02);
  EXPECT_GT(change(cold.products), 0.2);

  const FactorMatrix fewer = products.topRows(3);
  EXPECT_EQ(RunAls(by_person, settings, {.start = &fewer}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(AlsRun, StopsWhenMoreEpochsDoHarmAndGivesTheBest) {
  const SparseRows by_person = MakeInteractions({}, 26).by_person;
  AlsSettings settings = kSettings;
  settings.epochs = 30;
  uint32_t looks = 0;
  AlsRun run{.validate = [&](const AlsFactors&) { return ++looks <= 4 ? looks : 3.0; },
             .patience = 3};
  const AlsResult result = Value(RunAls(by_person, settings, run));
  EXPECT_EQ(looks, 7u) << "three without anything better";
  EXPECT_EQ(result.epochs, 4u);
  EXPECT_EQ(result.quality, 4);
  settings.epochs = 4;
  EXPECT_EQ(result.factors.products, TrainAls(by_person, settings).products);

  run.patience = 0;
  EXPECT_EQ(RunAls(by_person, settings, run).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(AlsRun, OfAModelBeginsFromTheOneBeforeByProductId) {
  const Interactions before = MakeInteractions({.products = 60}, 27);
  AlsSettings als = kSettings;
  als.epochs = 40;
  const Model previous = Value(TrainModel(before, {.als = als}));
  Interactions now = before;
  now.products.insert(now.products.begin(), "a new one");  // all columns move
  now.by_person.columns += 1;
  for (Cell& cell : now.by_person.cells) ++cell.index;
  als.epochs = 1;
  const Model warm = Value(TrainModel(now, {.als = als, .previous = &previous}));
  const FactorMatrix old = previous.factors * previous.factors.transpose();
  const FactorMatrix rows = warm.factors.bottomRows(previous.factors.rows());
  EXPECT_LT((rows * rows.transpose() - old).norm(), 0.02 * old.norm());
  als.factors = 9;  // nothing to begin from, and no error
  EXPECT_OK(TrainModel(now, {.als = als, .previous = &previous}).status());
}

TEST(AlsRun, OfAModelLeavesNoCheckpointBehind) {
  const Interactions interactions = MakeInteractions({}, 28);
  const TempDir dir;
  const std::string path = dir.File("als");
  ASSERT_OK(
      RunAls(interactions.by_person, kSettings, {.checkpoint_path = path, .checkpoint_seconds = 0})
          .status());
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_OK(TrainModel(interactions, {.als = kSettings, .checkpoint_path = path}).status());
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace vitrine
