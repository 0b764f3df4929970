#include "recommender/rank/explain.h"

#include <map>
#include <numeric>

#include "Eigen/LU"
#include "Eigen/QR"

#include "recommender/rank/retrieval.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::TasteShape;
using testing::Value;

constexpr TasteShape kShape = {.persons = 300, .products = 90};

std::vector<Cell> DrawCells(size_t count, std::mt19937* random) {
  std::vector<Cell> cells;
  for (size_t i = 0; i < count; ++i) {
    cells.push_back({static_cast<uint32_t>((*random)() % kShape.products),
                     0.25f * static_cast<float>(1 + (*random)() % 20)});
  }
  MergeCells(10, &cells);
  return cells;
}

Profile ProfileOf(const Model& model, const std::vector<Cell>& cells) {
  Profile profile;
  profile.cells = cells;
  profile.taste = Taste(model, cells, {}, 0);
  return profile;
}

// The textbook's formula: the contribution of i to the score of j is w_i * y_j^T W y_i, with W the
// inverse of the whole system.
std::map<uint32_t, double> Plainly(const Model& model, const std::vector<Cell>& cells,
                                   uint32_t product) {
  const Eigen::MatrixXd factors = model.factors.cast<double>();
  Eigen::MatrixXd system = model.als.unobserved_weight * (factors.transpose() * factors);
  system.diagonal().array() += RowRegularization(model.als, cells.size(), model.products.size());
  for (const Cell& cell : cells) {
    const Eigen::VectorXd y = factors.row(cell.index);
    system += cell.weight * y * y.transpose();
  }
  const Eigen::MatrixXd inverse = system.inverse();
  std::map<uint32_t, double> contributions;
  for (const Cell& cell : cells) {
    contributions[cell.index] =
        cell.weight * factors.row(product).dot(inverse * factors.row(cell.index).transpose());
  }
  return contributions;
}

double Sum(const std::vector<Contribution>& contributions) {
  double sum = 0;
  for (const Contribution& one : contributions) sum += one.score;
  return sum;
}

// As they come out of training, with padding, and in any basis.
std::vector<Model> Models() {
  std::vector<Model> models;
  for (const uint32_t d : {16u, 24u}) {
    models.push_back(testing::MakeModel(kShape, 71, {.factors = d}));
  }
  ModelParts parts = PartsOf(models[0]);
  const Eigen::MatrixXf random = Eigen::MatrixXf::Random(16, 16);
  parts.factors = models[0].factors * Eigen::MatrixXf(random.householderQr().householderQ());
  models.push_back(Value(MakeModel(parts)));
  return models;
}

TEST(Explain, AgreesWithTheTextbook) {
  std::mt19937 random(72);
  for (const Model& model : Models()) {
    for (const size_t count : {1u, 5u, 12u, 60u}) {
      const Profile profile = ProfileOf(model, DrawCells(count, &random));
      const Explainer explainer(model, profile, {}, 0.5f);
      for (uint32_t product = 0; product < 10; ++product) {
        const std::vector<Contribution> contributions = explainer.Explain(product);
        const std::map<uint32_t, double> twin = Plainly(model, profile.cells, product);
        ASSERT_EQ(contributions.size(), twin.size());
        for (const Contribution& one : contributions) {
          EXPECT_NEAR(one.score, twin.at(one.product), 1e-5) << count << " cells";
        }
      }
    }
  }
}

TEST(Explain, AddsUpToTheScore) {
  std::mt19937 random(73);
  constexpr float kShare = 0.4f;
  for (const Model& model : Models()) {
    for (const size_t count : {1u, 12u, 60u}) {
      const Profile profile = ProfileOf(model, DrawCells(count, &random));
      const std::vector<Cell> session = DrawCells(3, &random);
      for (const std::vector<Cell>& now : {std::vector<Cell>(), session, profile.cells}) {
        const Eigen::VectorXf taste = Taste(model, profile, now, kShare);
        const Explainer explainer(model, profile, now, kShare);
        std::vector<uint32_t> all(kShape.products);
        std::iota(all.begin(), all.end(), 0u);
        const std::vector<Contribution> strongest = explainer.Strongest(all);
        for (uint32_t product = 0; product < kShape.products; ++product) {
          const float score =
              ScoreOf(model.factors, product, {taste.data(), static_cast<size_t>(taste.size())});
          const float scale = taste.norm() * model.factors.row(product).norm();
          const std::vector<Contribution> parts = explainer.Explain(product);
          EXPECT_NEAR(Sum(parts), score, 1e-4 * scale);
          const float most = parts.empty() ? 0 : std::max(parts[0].score, 0.0f);
          EXPECT_NEAR(strongest[product].score, most, 1e-6 * scale);
        }
      }
    }
  }
}

TEST(Explain, NamesEachProductOnceTheStrongestFirst) {
  const Model model = testing::MakeModel(kShape, 74);
  const Profile profile = ProfileOf(model, {{3, 2}, {9, 5}, {40, 1}});
  const std::vector<Cell> session = {{9, 1}, {41, 1}};
  const std::vector<Contribution> contributions =
      Explainer(model, profile, session, 0.5f).Explain(15);
  ASSERT_EQ(contributions.size(), 4u);
  EXPECT_TRUE(std::ranges::is_sorted(contributions, std::greater<>(), &Contribution::score));
  EXPECT_EQ(contributions[0].product, 9u) << "of the same group, bought and looked at again";
}

TEST(Explain, OfNothingIsNothing) {
  const Model model = testing::MakeModel(kShape, 75);
  EXPECT_TRUE(Explainer(model, ProfileOf(model, {}), {}, 0.5f).Explain(1).empty());
}

}  // namespace
}  // namespace vitrine
