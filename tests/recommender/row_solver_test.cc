#include "recommender/model/row_solver.h"

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "Eigen/Cholesky"

#include "recommender/model/eigenbasis.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

struct Problem {
  FactorMatrix other;
  FactorMatrix gramian;
  AlsSettings settings;
  std::vector<Cell> row;
};

Problem MakeProblem(size_t d, size_t rows, size_t degree, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Problem problem;
  problem.other.resize(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(d));
  for (float& value : problem.other.reshaped()) value = 0.3f * normal(random);
  problem.gramian = Gramian(problem.other, 1);
  problem.settings.factors = static_cast<uint32_t>(d);
  for (size_t i = 0; i < degree; ++i) {
    problem.row.push_back(
        {static_cast<uint32_t>(i * rows / degree), 0.1f + 3 * std::abs(normal(random))});
  }
  return problem;
}

// The other side, rotated as a sweep does it.
class Rotated {
 public:
  explicit Rotated(const Problem& problem)
      : eigen_(Diagonalize(problem.gramian.cast<double>(), RoundUp(problem.other.cols()))),
        rows_(problem.other) {
    Rotate(eigen_.basis, 1, &rows_);
  }

  FixedSide side() const { return MakeFixedSide(rows_, eigen_.spectrum); }
  // A solution, where the problem was.
  std::vector<float> Back(const std::vector<float>& x) const {
    const Eigen::VectorXf back = eigen_.basis.cast<float>() *
                                 Eigen::Map<const Eigen::VectorXf>(x.data(), eigen_.basis.cols());
    return {back.begin(), back.end()};
  }

  static size_t RoundUp(Eigen::Index d) {
    return (static_cast<size_t>(d) + kWidthStep - 1) / kWidthStep * kWidthStep;
  }

 private:
  Eigenbasis eigen_;
  PaddedMatrix rows_;
};

std::vector<float> Solve(const Problem& problem, const Kernels& kernels = BestKernels()) {
  const Rotated rotated(problem);
  std::vector<float> x(rotated.side().width, -1);
  RowScratch scratch;
  RowSolver(rotated.side(), problem.settings, &scratch, kernels).Solve(problem.row, x.data());
  return rotated.Back(x);
}

Eigen::VectorXd AsDouble(const std::vector<float>& x) {
  return Eigen::Map<const Eigen::VectorXf>(x.data(), static_cast<Eigen::Index>(x.size()))
      .cast<double>();
}

// The normal equations as the paper has them, in double, over every row of the other side.
Eigen::VectorXd PlainTwin(const Problem& problem) {
  const Eigen::MatrixXd y = problem.other.cast<double>();
  Eigen::MatrixXd system = Eigen::MatrixXd::Zero(y.cols(), y.cols());
  for (Eigen::Index i = 0; i < y.rows(); ++i) {
    system += problem.settings.unobserved_weight * y.row(i).transpose() * y.row(i);
  }
  Eigen::VectorXd right = Eigen::VectorXd::Zero(y.cols());
  for (const Cell& cell : problem.row) {
    system += cell.weight * y.row(cell.index).transpose() * y.row(cell.index);
    right += cell.weight * y.row(cell.index).transpose();
  }
  system.diagonal().array() +=
      RowRegularization(problem.settings, problem.row.size(), static_cast<size_t>(y.rows()));
  return system.llt().solve(right);
}

// d loss / d x, with the loss summed over all rows of the other side, observed or not.
Eigen::VectorXd LossGradient(const Problem& problem, const Eigen::VectorXd& x) {
  Eigen::VectorXd gradient = 2.0 *
                             RowRegularization(problem.settings, problem.row.size(),
                                               static_cast<size_t>(problem.other.rows())) *
                             x;
  for (Eigen::Index i = 0; i < problem.other.rows(); ++i) {
    const Eigen::VectorXd y = problem.other.row(i).cast<double>();
    gradient += 2.0 * problem.settings.unobserved_weight * x.dot(y) * y;
  }
  for (const Cell& cell : problem.row) {
    const Eigen::VectorXd y = problem.other.row(cell.index).cast<double>();
    gradient -= 2.0 * cell.weight * (1 - x.dot(y)) * y;
  }
  return gradient;
}

TEST(RowSolver, AgreesWithThePlainTwin) {
  for (const size_t d : {1, 8, 17, 64}) {
    for (const size_t degree : {1, 5, 127, 128, 129, 300}) {
      const Problem problem = MakeProblem(d, 400, degree, 3);
      const Eigen::VectorXd twin = PlainTwin(problem);
      EXPECT_LT((AsDouble(Solve(problem)) - twin).norm(), 1e-4 * (1 + twin.norm()))
          << "d=" << d << " degree=" << degree;
    }
  }
}

TEST(RowSolver, LeavesNoGradientOfTheLoss) {
  const Problem problem = MakeProblem(32, 300, 40, 4);
  const double at_zero = LossGradient(problem, Eigen::VectorXd::Zero(32)).norm();
  EXPECT_LT(LossGradient(problem, AsDouble(Solve(problem))).norm(), 1e-4 * at_zero);
}

TEST(RowSolver, GivesZeroForARowWithoutCells) {
  Problem problem = MakeProblem(16, 50, 3, 5);
  problem.row.clear();
  EXPECT_EQ(Solve(problem), std::vector<float>(16, 0.0f));
}

TEST(RowSolver, LeavesOutWeightsThatAreNotPositiveAndFinite) {
  Problem problem = MakeProblem(64, 50, 3, 6);
  const std::vector<float> clean = Solve(problem);
  for (const float bad : {0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity()}) {
    problem.row.push_back({7, bad});
  }
  EXPECT_EQ(Solve(problem), clean);
  problem.row.erase(problem.row.begin(), problem.row.begin() + 3);
  EXPECT_EQ(Solve(problem), std::vector<float>(64, 0.0f)) << "only bad weights left";
}

TEST(RowSolver, NeverGivesWhatIsNoNumber) {
  Problem problem = MakeProblem(16, 50, 3, 7);
  for (const float huge : {1e6f, 1e20f, 3e38f}) {
    problem.row[0].weight = huge;
    for (const float value : Solve(problem)) EXPECT_TRUE(std::isfinite(value)) << huge;
  }
}

TEST(RowSolver, GivesZeroWhereFloatsCannotSolve) {
  Problem problem = MakeProblem(16, 50, 3, 7);
  problem.other *= 1e20f;
  problem.gramian = Gramian(problem.other, 1);
  const Rotated rotated(problem);
  std::vector<float> x(16, -1);
  RowScratch scratch;
  RowSolver(rotated.side(), problem.settings, &scratch).Solve(problem.row, x.data());
  EXPECT_EQ(x, std::vector<float>(16, 0.0f));
}

TEST(RowSolver, SolvesRowAfterRowWithTheSameScratch) {
  const Problem problem = MakeProblem(16, 200, 150, 8);
  const Rotated rotated(problem);
  RowScratch scratch;
  RowSolver solver(rotated.side(), problem.settings, &scratch);
  std::vector<float> first(16), between(16), again(16);
  solver.Solve(problem.row, first.data());
  solver.Solve(std::span(problem.row).first(2), between.data());
  solver.Solve(problem.row, again.data());
  EXPECT_EQ(first, again);
  EXPECT_NE(first, between);
}

// Rows of any length, some with cells that do not count.
std::vector<std::vector<Cell>> RandomRows(size_t count, size_t longest, size_t columns,
                                          std::mt19937* random) {
  std::uniform_real_distribution<float> weight(0.1f, 4.0f);
  std::vector<std::vector<Cell>> rows(count);
  for (std::vector<Cell>& row : rows) {
    for (size_t n = (*random)() % (longest + 1); n > 0; --n) {
      row.push_back({static_cast<uint32_t>((*random)() % columns), weight(*random)});
    }
    if ((*random)() % 4 == 0) row.push_back({0, std::numeric_limits<float>::quiet_NaN()});
  }
  return rows;
}

TEST(RowSolver, SolvesABatchAsItSolvesEachRow) {
  std::mt19937 random(9);
  for (const size_t d : {5, 16, 64, 100, 128, 144, 300}) {
    for (const size_t longest : {0, 1, 6, 20, 64, 140, 320}) {
      const Problem problem = MakeProblem(d, 400, 1, 10);
      const Rotated rotated(problem);
      for (const Kernels* const* kernels = AllKernels(); *kernels; ++kernels) {
        RowScratch scratch;
        RowSolver solver(rotated.side(), problem.settings, &scratch, **kernels);
        const size_t count = 1 + random() % solver.batch_rows();
        const auto rows = RandomRows(count, longest, 400, &random);
        const std::vector<std::span<const Cell>> spans(rows.begin(), rows.end());
        FactorMatrix batch = FactorMatrix::Constant(count, rotated.side().width, -1);
        std::vector<float*> out;
        for (size_t r = 0; r < count; ++r) out.push_back(batch.row(r).data());
        solver.SolveBatch(spans, out);
        Eigen::VectorXf single(rotated.side().width);
        for (size_t r = 0; r < count; ++r) {
          solver.Solve(rows[r], single.data());
          EXPECT_LE((batch.row(r).transpose() - single).norm(), 1e-5 * single.norm())
              << (*kernels)->name << " d=" << d << " n=" << rows[r].size();
        }
      }
    }
  }
}

// Where D is next to nothing in some directions, or weights are giants.
TEST(RowSolver, AgreesWithThePlainTwinWhereFloatsAloneWouldNot) {
  struct Case {
    float unobserved_weight, regularization, weight;
  };
  for (const Case& c : {Case{0.3f, 0.01f, 1}, Case{0.3f, 1e-6f, 1}, Case{0, 1e-6f, 1},
                        Case{0, 1e-4f, 1e4f}, Case{1e-4f, 1e-6f, 1e6f}, Case{0.01f, 1e-3f, 1e6f}}) {
    for (const size_t degree : {3, 20, 60, 200}) {
      Problem problem = MakeProblem(32, 400, degree, 11);
      for (Eigen::Index k = 0; k < 32; ++k) {  // a spectrum over eight powers of ten
        problem.other.col(k) *= std::pow(10.0f, -4.0f * static_cast<float>(k) / 32);
      }
      problem.gramian = Gramian(problem.other, 1);
      problem.settings.unobserved_weight = c.unobserved_weight;
      problem.settings.regularization = c.regularization;
      for (Cell& cell : problem.row) cell.weight *= c.weight;
      const Eigen::VectorXd x = AsDouble(Solve(problem));
      const double at_zero = LossGradient(problem, Eigen::VectorXd::Zero(32)).norm();
      EXPECT_LT(LossGradient(problem, x).norm(), 1e-3 * at_zero)
          << "w0=" << c.unobserved_weight << " reg=" << c.regularization << " w=" << c.weight
          << " n=" << degree;
    }
  }
}

// The system of a problem in its rotated basis, in double.
struct System {
  explicit System(const Problem& problem, const FixedSide& side)
      : matrix(Eigen::MatrixXd::Zero(side.width, side.width)),
        right(Eigen::VectorXd::Zero(side.width)) {
    const float regularization =
        RowRegularization(problem.settings, problem.row.size(), side.count);
    for (Eigen::Index k = 0; k < matrix.cols(); ++k) {
      matrix(k, k) = static_cast<double>(problem.settings.unobserved_weight) *
                         side.spectrum[static_cast<size_t>(k)] +
                     regularization;
    }
    diagonal = matrix.diagonal();
    for (const Cell& cell : problem.row) {
      const Eigen::VectorXd y =
          Eigen::Map<const Eigen::VectorXf>(side.rows + cell.index * side.stride, matrix.cols())
              .cast<double>();
      matrix += cell.weight * y * y.transpose();
      right += cell.weight * y;
    }
  }

  Eigen::MatrixXd matrix;
  Eigen::VectorXd right, diagonal;
};

TEST(RowSolver, TakesTheStepsOfPlainConjugateGradients) {
  for (const size_t d : {7, 64, 100}) {
    // Of the longest, not all is kept from one step to the next.
    for (const size_t degree : {1, 15, 16, 40, 200, 5000}) {
      Problem problem = MakeProblem(d, std::max<size_t>(400, degree), degree, 12);
      const Rotated rotated(problem);
      const System system(problem, rotated.side());
      const Eigen::VectorXf start = 0.1f * Eigen::VectorXf::Ones(system.right.size());
      for (const uint32_t steps : {1, 3}) {
        // With D as the preconditioner: Golub, Van Loan, Matrix Computations, section 11.5.
        Eigen::VectorXd x = start.cast<double>();
        Eigen::VectorXd residual = system.right - system.matrix * x;
        Eigen::VectorXd z = residual.cwiseQuotient(system.diagonal);
        Eigen::VectorXd p = z;
        for (uint32_t step = 0; step < steps; ++step) {
          const double energy = residual.dot(z);
          const double alpha = energy / p.dot(system.matrix * p);
          x += alpha * p;
          residual -= alpha * system.matrix * p;
          z = residual.cwiseQuotient(system.diagonal);
          p = z + residual.dot(z) / energy * p;
        }
        problem.settings.cg_steps = steps;
        for (const Kernels* const* kernels = AllKernels(); *kernels; ++kernels) {
          Eigen::VectorXf ours = start;
          RowScratch scratch;
          RowSolver(rotated.side(), problem.settings, &scratch, **kernels)
              .ImproveByGradients(problem.row, ours.data());
          EXPECT_LT((ours.cast<double>() - x).norm(), 1e-4 * x.norm())
              << (*kernels)->name << " d=" << d << " n=" << degree << " steps=" << steps;
        }
      }
    }
  }
}

TEST(RowSolver, SolvesBlockAfterBlockAsThePlainTwin) {
  for (const size_t d : {30, 64, 144}) {
    for (const size_t degree : {3, 40, 200}) {
      Problem problem = MakeProblem(d, 400, degree, 13);
      problem.settings.block = 32;
      const Rotated rotated(problem);
      const System system(problem, rotated.side());
      const Eigen::Index width = system.right.size();
      const Eigen::VectorXf start = 0.1f * Eigen::VectorXf::Ones(width);
      Eigen::VectorXd x = start.cast<double>();
      for (Eigen::Index k = 0; k < width; k += 32) {
        const Eigen::Index size = std::min<Eigen::Index>(32, width - k);
        const Eigen::VectorXd residual = system.right - system.matrix * x;
        x.segment(k, size) +=
            system.matrix.block(k, k, size, size).llt().solve(residual.segment(k, size));
      }
      for (const Kernels* const* kernels = AllKernels(); *kernels; ++kernels) {
        Eigen::VectorXf ours = start;
        RowScratch scratch;
        RowSolver(rotated.side(), problem.settings, &scratch, **kernels)
            .ImproveByBlocks(problem.row, ours.data());
        EXPECT_LT((ours.cast<double>() - x).norm(), 1e-4 * x.norm())
            << (*kernels)->name << " d=" << d << " n=" << degree;
      }
    }
  }
}

TEST(RowSolver, ImprovesNothingIntoZeros) {
  const Problem problem = MakeProblem(16, 50, 3, 14);
  const Rotated rotated(problem);
  RowScratch scratch;
  RowSolver solver(rotated.side(), problem.settings, &scratch);
  std::vector<float> x(16, 1);
  solver.ImproveByGradients({}, x.data());
  EXPECT_EQ(x, std::vector<float>(16, 0.0f));
  x.assign(16, 1);
  solver.ImproveByBlocks({}, x.data());
  EXPECT_EQ(x, std::vector<float>(16, 0.0f));
}

TEST(RowRegularization, GrowsWithTheRowAsThePaperSays) {
  const AlsSettings settings{
      .unobserved_weight = 0.5f, .regularization = 0.1f, .regularization_exponent = 1};
  EXPECT_FLOAT_EQ(RowRegularization(settings, 20, 100), 0.1f * (20 + 50));
  const AlsSettings root{
      .unobserved_weight = 0.5f, .regularization = 0.1f, .regularization_exponent = 0.5f};
  EXPECT_FLOAT_EQ(RowRegularization(root, 50, 100), 0.1f * 10);
}

}  // namespace
}  // namespace vitrine
