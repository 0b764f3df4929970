#include "recommender/learn/item_knn.h"

#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::MakeInteractions;

Eigen::MatrixXd PlainCosines(const SparseRows& rows) {
  Eigen::MatrixXd dense = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(rows.rows()),
                                                static_cast<Eigen::Index>(rows.columns));
  for (size_t r = 0; r < rows.rows(); ++r) {
    for (const Cell& cell : rows.row(r))
      dense(static_cast<Eigen::Index>(r), cell.index) = cell.weight;
  }
  dense.colwise().normalize();
  return dense.transpose() * dense;
}

TEST(ItemKnn, FindsTheCosinesOfThePlainTwin) {
  const SparseRows rows = MakeInteractions({}, 31).by_person;
  const Eigen::MatrixXd plain = PlainCosines(rows);
  const SparseRows all = ItemNeighbours(rows, 1000, 2);
  size_t pairs = 0;
  for (size_t p = 0; p < all.rows(); ++p) {
    for (const Cell& cell : all.row(p)) {
      ASSERT_NE(cell.index, p) << "a product is no neighbour of itself";
      EXPECT_NEAR(cell.weight, plain(static_cast<Eigen::Index>(p), cell.index), 1e-5);
      ++pairs;
    }
  }
  EXPECT_EQ(pairs, static_cast<size_t>((plain.array() > 0).count()) - all.rows());
}

TEST(ItemKnn, KeepsTheNearest) {
  const SparseRows rows = MakeInteractions({}, 32).by_person;
  const SparseRows all = ItemNeighbours(rows, 1000, 2);
  const SparseRows few = ItemNeighbours(rows, 5, 1);
  for (size_t p = 0; p < few.rows(); ++p) {
    ASSERT_LE(few.row(p).size(), 5u);
    float least = 1;
    for (const Cell& cell : few.row(p)) least = std::min(least, cell.weight);
    size_t nearer = 0;
    for (const Cell& cell : all.row(p)) nearer += cell.weight > least;
    EXPECT_LT(nearer, 5u) << "product " << p;
  }
}

TEST(ItemKnn, ScoresByWhatNeighboursOfTheHistorySay) {
  SparseRows neighbours;
  neighbours.columns = 3;
  neighbours.cells = {{1, 0.5f}, {2, 0.25f}, {0, 0.5f}};
  neighbours.offsets = {0, 2, 3, 3};
  std::vector<float> scores(3, 99);
  const std::vector<Cell> history = {{0, 2}, {1, 1}};
  ScoreByNeighbours(neighbours, history, scores);
  EXPECT_THAT(scores, ::testing::ElementsAre(0.5f, 1.0f, 0.5f));
}

}  // namespace
}  // namespace vitrine
