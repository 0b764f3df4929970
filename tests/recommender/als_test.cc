#include "recommender/learn/als/als.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "Eigen/Cholesky"

#include "recommender/model/row_solver.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::MakeInteractions;

const AlsSettings kSettings{.factors = 12, .epochs = 5, .threads = 2};

// Textbook iALS: dense, in double, one normal equation after the other.
Eigen::MatrixXd PlainSweep(const Eigen::MatrixXd& weights, const Eigen::MatrixXd& fixed,
                           const AlsSettings& settings) {
  const Eigen::MatrixXd gramian = fixed.transpose() * fixed;
  Eigen::MatrixXd solved = Eigen::MatrixXd::Zero(weights.rows(), fixed.cols());
  for (Eigen::Index r = 0; r < weights.rows(); ++r) {
    const Eigen::VectorXd w = weights.row(r);
    Eigen::MatrixXd system =
        settings.unobserved_weight * gramian + fixed.transpose() * w.asDiagonal() * fixed;
    system.diagonal().array() += RowRegularization(
        settings, static_cast<size_t>((w.array() > 0).count()), static_cast<size_t>(fixed.rows()));
    solved.row(r) = system.llt().solve(fixed.transpose() * w);
  }
  return solved;
}

Eigen::MatrixXd Dense(const SparseRows& rows) {
  Eigen::MatrixXd dense = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(rows.rows()),
                                                static_cast<Eigen::Index>(rows.columns));
  for (size_t r = 0; r < rows.rows(); ++r) {
    for (const Cell& cell : rows.row(r))
      dense(static_cast<Eigen::Index>(r), cell.index) = cell.weight;
  }
  return dense;
}

// Few products that nearly all of very many persons know: their rows are solved one by one.
Interactions InteractionsWithLongRows() {
  return MakeInteractions({.persons = 1500, .products = 6, .groups = 1}, 19);
}

void ExpectThePlainTwins(const SparseRows& by_person) {
  const Eigen::MatrixXd weights = Dense(by_person);
  Eigen::MatrixXd products = RandomFactors(by_person.columns, kSettings).cast<double>();
  Eigen::MatrixXd persons = PlainSweep(weights, products, kSettings);
  for (uint32_t epoch = 0; epoch < kSettings.epochs; ++epoch) {
    products = PlainSweep(weights.transpose(), persons, kSettings);
    persons = PlainSweep(weights, products, kSettings);
  }
  // Scores, which unlike factors do not depend on a rotation of the space.
  const AlsFactors trained = TrainAls(by_person, kSettings);
  const Eigen::MatrixXd scores = (trained.persons * trained.products.transpose()).cast<double>();
  EXPECT_LT((scores - persons * products.transpose()).cwiseAbs().maxCoeff(), 1e-4);
  // The factors themselves are the twin's, turned: the angles between them are the same.
  const Eigen::MatrixXd angles = (trained.products * trained.products.transpose()).cast<double>();
  EXPECT_LT((angles - products * products.transpose()).norm(), 1e-4 * angles.norm());
}

TEST(Als, AgreesWithThePlainTwin) {
  ExpectThePlainTwins(MakeInteractions({}, 11).by_person);
  const SparseRows rows = InteractionsWithLongRows().by_person;
  ASSERT_GT(rows.cells.size() / rows.columns, RowSolver::kBatchCellsMax);
  ExpectThePlainTwins(rows);
}

void ExpectTheSameBitsWhateverTheThreads(const SparseRows& by_person) {
  AlsSettings settings = kSettings;
  const AlsFactors two = TrainAls(by_person, settings);
  EXPECT_EQ(two.products, TrainAls(by_person, settings).products);
  settings.threads = 1;
  EXPECT_EQ(two.products, TrainAls(by_person, settings).products);
  settings.threads = 5;
  EXPECT_EQ(two.products, TrainAls(by_person, settings).products);
  settings.seed = 2;
  EXPECT_NE(two.products, TrainAls(by_person, settings).products);
}

TEST(Als, HasTheSameBitsForASeedWhateverTheThreads) {
  ExpectTheSameBitsWhateverTheThreads(MakeInteractions({.persons = 500}, 12).by_person);
  ExpectTheSameBitsWhateverTheThreads(InteractionsWithLongRows().by_person);
}

double Loss(const SparseRows& by_person, const AlsFactors& f, const AlsSettings& settings) {
  const Eigen::ArrayXXd scores =
      (f.persons.cast<double>() * f.products.transpose().cast<double>()).array();
  double loss = (Dense(by_person).array() * (1 - scores).square()).sum() +
                settings.unobserved_weight * scores.square().sum();
  const SparseRows by_product = by_person.Transposed();
  for (size_t r = 0; r < by_person.rows(); ++r) {
    loss += RowRegularization(settings, by_person.row(r).size(), by_product.rows()) *
            f.persons.row(static_cast<Eigen::Index>(r)).squaredNorm();
  }
  for (size_t r = 0; r < by_product.rows(); ++r) {
    loss += RowRegularization(settings, by_product.row(r).size(), by_person.rows()) *
            f.products.row(static_cast<Eigen::Index>(r)).squaredNorm();
  }
  return loss;
}

TEST(Als, LowersTheLossWithEveryEpochWhateverTheSolver) {
  const SparseRows by_person = MakeInteractions({}, 13).by_person;
  AlsSettings settings = kSettings;
  settings.factors = 40;
  settings.block = 16;
  double exact = 0;
  for (const AlsSolver solver :
       {AlsSolver::kExact, AlsSolver::kConjugateGradient, AlsSolver::kBlocks}) {
    settings.solver = solver;
    AlsTrainer trainer(by_person, settings);
    double last = std::numeric_limits<double>::infinity();
    for (int epoch = 1; epoch <= 12; ++epoch) {
      trainer.RunEpoch();
      const double loss = Loss(by_person, trainer.Factors(), settings);
      EXPECT_LT(loss, last * (1 + 1e-6)) << SolverName(solver) << ", epoch " << epoch;
      last = loss;
    }
    if (solver == AlsSolver::kExact) exact = last;
    // The loss has many minima, and solvers on other ways to them may find a lower one.
    EXPECT_LT(last, 1.01 * exact) << SolverName(solver);
    EXPECT_GT(last, 0.9 * exact) << SolverName(solver);
  }
}

TEST(Als, SurvivesWeightsThatAreNoneOrGiants) {
  SparseRows by_person = MakeInteractions({}, 16).by_person;
  by_person.cells[3].weight = std::numeric_limits<float>::quiet_NaN();
  by_person.cells[40].weight = std::numeric_limits<float>::infinity();
  by_person.cells[90].weight = 0;
  by_person.cells[100].weight = -2;
  by_person.cells[120].weight = 1e6f;
  by_person.cells[121].weight = std::numeric_limits<float>::max();
  for (const AlsSolver solver :
       {AlsSolver::kExact, AlsSolver::kConjugateGradient, AlsSolver::kBlocks}) {
    AlsSettings settings = kSettings;
    settings.solver = solver;
    const AlsFactors factors = TrainAls(by_person, settings);
    EXPECT_TRUE(factors.persons.allFinite()) << SolverName(solver);
    EXPECT_TRUE(factors.products.allFinite()) << SolverName(solver);
    EXPECT_GT(factors.products.norm(), 0);
  }
}

TEST(Als, DoesNotCareInWhichOrderPersonsStand) {
  const SparseRows by_person = MakeInteractions({.persons = 300}, 17).by_person;
  std::vector<uint32_t> order(by_person.rows());
  std::iota(order.begin(), order.end(), 0u);
  std::shuffle(order.begin(), order.end(), std::mt19937(18));
  SparseRows shuffled;
  shuffled.columns = by_person.columns;
  for (const uint32_t r : order) {
    shuffled.cells.insert(shuffled.cells.end(), by_person.row(r).begin(), by_person.row(r).end());
    shuffled.offsets.push_back(shuffled.cells.size());
  }
  const FactorMatrix start = RandomFactors(by_person.columns, kSettings);
  AlsTrainer one(by_person, kSettings), other(shuffled, kSettings);
  one.StartFrom(start);
  other.StartFrom(start);
  for (int epoch = 0; epoch < 3; ++epoch) {
    one.RunEpoch();
    other.RunEpoch();
  }
  const AlsFactors a = one.Factors(), b = other.Factors();
  const FactorMatrix scores = a.persons * a.products.transpose();
  const FactorMatrix again = b.persons * b.products.transpose();
  for (size_t i = 0; i < order.size(); ++i) {
    EXPECT_LT((again.row(static_cast<Eigen::Index>(i)) - scores.row(order[i])).norm(),
              1e-4 * scores.row(order[i]).norm());
  }
}

TEST(Als, GivesRowsWithoutCellsZeros) {
  SparseRows rows = MakeInteractions({}, 14).by_person;
  rows.offsets.push_back(rows.cells.size());
  const AlsFactors factors = TrainAls(rows, kSettings);
  EXPECT_TRUE(factors.persons.bottomRows(1).isZero(0));
  EXPECT_TRUE(factors.persons.allFinite());
}

TEST(Als, StartsFromNearlyNormalFactors) {
  const AlsSettings settings{.factors = 100, .init_stddev = 0.5f};
  const FactorMatrix factors = RandomFactors(1000, settings);
  const double stddev = 0.5 / 10;
  EXPECT_NEAR(factors.mean(), 0, 4 * stddev / std::sqrt(1e5));
  EXPECT_NEAR(std::sqrt(factors.cast<double>().squaredNorm() / 1e5), stddev, 0.02 * stddev);
  // Fixed for ever: models of one seed can be compared across versions and machines.
  EXPECT_FLOAT_EQ(factors(0, 0), RandomFactors(1, settings)(0, 0));
}

TEST(Als, TellsHowManyEpochsAreDone) {
  std::vector<uint32_t> heard;
  TrainAls(MakeInteractions({}, 15).by_person, kSettings,
           [&](uint32_t done) { heard.push_back(done); });
  EXPECT_EQ(heard, (std::vector<uint32_t>{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace vitrine
