#include "recommender/learn/ease.h"

#include <atomic>

#include "Eigen/Cholesky"

#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::MakeInteractions;

Eigen::MatrixXd Dense(const SparseRows& rows) {
  Eigen::MatrixXd dense = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(rows.rows()),
                                                static_cast<Eigen::Index>(rows.columns));
  for (size_t r = 0; r < rows.rows(); ++r) {
    for (const Cell& cell : rows.row(r)) {
      dense(static_cast<Eigen::Index>(r), cell.index) = cell.weight;
    }
  }
  return dense;
}

// The closed form, by a dense inverse in double.
Eigen::MatrixXd PlainEase(const SparseRows& rows, const EaseSettings& settings) {
  const Eigen::MatrixXd r = Dense(rows);
  Eigen::MatrixXd a = r.transpose() * r;
  const double share = settings.dropout / (1.0 - settings.dropout);
  a.diagonal() += (a.diagonal() * share).eval();
  a.diagonal().array() += settings.regularization;
  const Eigen::MatrixXd p = a.llt().solve(Eigen::MatrixXd::Identity(a.rows(), a.cols()));
  Eigen::MatrixXd b = -(p.array().rowwise() / p.diagonal().transpose().array()).matrix();
  b.diagonal().setZero();
  return b;
}

TEST(Ease, IsTheClosedFormOfThePlainTwin) {
  const SparseRows rows = MakeInteractions({}, 41).by_person;
  for (const float dropout : {0.0f, 0.5f}) {
    for (const float regularization : {0.5f, 20.0f}) {
      EaseSettings settings{.regularization = regularization,
                            .dropout = dropout,
                            .weights = 1000,
                            .tolerance = 1e-5f,
                            .threads = 2};
      const Eigen::MatrixXd plain = PlainEase(rows, settings);
      const Eigen::MatrixXd learned = Dense(LearnEase(rows, settings));
      EXPECT_LT((learned - plain).cwiseAbs().maxCoeff(), 1e-4 * plain.cwiseAbs().maxCoeff())
          << "dropout " << dropout << ", regularization " << regularization;
    }
  }
}

TEST(Ease, KeepsTheStrongestWeightsOfEachProduct) {
  const SparseRows rows = MakeInteractions({}, 42).by_person;
  EaseSettings settings{.regularization = 5, .weights = 1000, .threads = 2};
  const Eigen::MatrixXd all = Dense(LearnEase(rows, settings));
  settings.weights = 7;
  settings.threads = 1;
  const Eigen::MatrixXd few = Dense(LearnEase(rows, settings));
  for (Eigen::Index p = 0; p < all.cols(); ++p) {
    ASSERT_EQ((few.col(p).array() != 0).count(), 7);
    double weakest = 1e9;
    for (Eigen::Index i = 0; i < all.rows(); ++i) {
      if (few(i, p) == 0) continue;
      EXPECT_EQ(few(i, p), all(i, p));
      weakest = std::min(weakest, std::fabs(few(i, p)));
    }
    EXPECT_EQ((all.col(p).array().abs() > weakest).count(), 6);
  }
}

TEST(Ease, ProductsThatNobodyHasPredictNothing) {
  SparseRows rows;
  rows.columns = 4;
  rows.cells = {{0, 1}, {1, 1}, {0, 1}, {1, 1}};
  rows.offsets = {0, 2, 4, 4};
  std::atomic<size_t> heard = 0;
  const SparseRows weights = LearnEase(
      rows, {.regularization = 1, .on_progress = [&](size_t done, size_t) { heard = done; }});
  EXPECT_EQ(heard, 4u);
  ASSERT_EQ(weights.rows(), 4u);
  ASSERT_EQ(weights.row(0).size(), 1u);
  EXPECT_EQ(weights.row(0)[0].index, 1u);
  EXPECT_NEAR(weights.row(0)[0].weight, 2.0 / 3, 1e-5) << "2 / (2 + regularization)";
  EXPECT_TRUE(weights.row(2).empty());
  EXPECT_TRUE(weights.row(3).empty());
}

TEST(Ease, ScoresByTheWeightsOfTheHistory) {
  SparseRows weights;
  weights.columns = 3;
  weights.cells = {{1, 0.5f}, {2, -0.25f}, {0, 0.5f}};
  weights.offsets = {0, 2, 3, 3};
  std::vector<float> scores(3, 99);
  const std::vector<Cell> history = {{0, 2}, {1, 1}};
  ScoreByWeights(weights, history, scores);
  EXPECT_THAT(scores, ::testing::ElementsAre(0.5f, 1.0f, -0.5f));
}

}  // namespace
}  // namespace vitrine
