// Every kernel that this processor runs, against sums and Cholesky in double.

#include "recommender/model/kernels/kernels.h"

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "Eigen/Cholesky"

#include "recommender/model/padded_matrix.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

std::vector<const Kernels*> All() {
  std::vector<const Kernels*> all;
  for (const Kernels* const* kernels = AllKernels(); *kernels; ++kernels) all.push_back(*kernels);
  return all;
}

FactorMatrix RandomMatrix(size_t rows, size_t columns, std::mt19937* random) {
  std::normal_distribution<float> normal;
  FactorMatrix matrix(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns));
  for (float& value : matrix.reshaped()) value = normal(*random);
  return matrix;
}

TEST(Kernels, GramianIsThePlainProduct) {
  std::mt19937 random(1);
  for (const Kernels* kernels : All()) {
    for (size_t m = kWidthStep; m <= 10 * kWidthStep; m += kWidthStep) {
      for (const size_t rows : {0, 1, 7, 127, 128, 129, 300}) {
        const FactorMatrix x = RandomMatrix(rows, m, &random);
        const PaddedMatrix padded(x);
        FactorMatrix sums = FactorMatrix::Ones(x.cols(), x.cols());
        kernels->add_gramian(padded.row(0), rows, padded.stride(), m, sums.data(), m);
        const Eigen::MatrixXd error = sums.cast<double>() -
                                      Eigen::MatrixXd::Ones(x.cols(), x.cols()) -
                                      x.cast<double>().transpose() * x.cast<double>();
        const Eigen::MatrixXd upper = error.triangularView<Eigen::Upper>();
        EXPECT_LT(upper.cwiseAbs().maxCoeff(), 2e-4) << kernels->name << " " << rows << " x " << m;
      }
    }
  }
}

TEST(Kernels, ProductIsThePlainOne) {
  std::mt19937 random(2);
  for (const Kernels* kernels : All()) {
    for (size_t m = kWidthStep; m <= 10 * kWidthStep; m += kWidthStep) {
      for (const size_t rows : {kRowStep, 2 * kRowStep, size_t{128}, size_t{136}}) {
        const FactorMatrix x = RandomMatrix(rows, m, &random);
        const FactorMatrix p = RandomMatrix(m, m, &random);
        std::vector<float> packed(m * m);
        kernels->pack(p.data(), m, packed.data());
        PaddedMatrix out(rows, m);
        kernels->multiply(x.data(), rows, m, packed.data(), m, out.row(0), out.stride());
        const Eigen::MatrixXd plain = x.cast<double>() * p.cast<double>();
        EXPECT_LT((out.Unpadded().cast<double>() - plain).cwiseAbs().maxCoeff(), 1e-4)
            << kernels->name << " " << rows << " x " << m;
      }
    }
  }
}

// Systems as RowBatch has them, one per lane, of up to `cells` cells.
class Systems {
 public:
  Systems(const Kernels& kernels, size_t width, size_t cells, std::mt19937* random)
      : kernels_(kernels),
        cells_(cells),
        fixed_(std::make_shared<const PaddedMatrix>(
            FactorMatrix(0.1f * RandomMatrix(400, width, random)))) {
    std::uniform_real_distribution<float> uniform(0.1f, 2.0f);
    index_.assign(cells * kernels.lanes, 0);
    root_weight_.assign(cells * kernels.lanes, 0);
    degrees_.resize(kernels.lanes);
    for (size_t lane = 0; lane < kernels.lanes; ++lane) {
      // One lane is as long as can be, one empty, the others anything.
      degrees_[lane] = lane == 0 ? cells : lane == 1 ? 0 : (*random)() % (cells + 1);
      for (size_t i = 0; i < degrees_[lane]; ++i) {
        index_[i * kernels.lanes + lane] = static_cast<uint32_t>((*random)() % fixed_->rows());
        root_weight_[i * kernels.lanes + lane] = uniform(*random);
      }
      diagonal_.emplace_back(width);
      inverse_root_.emplace_back(width);
      for (size_t k = 0; k < width; ++k) {
        diagonal_[lane][k] = 10 * uniform(*random);
        inverse_root_[lane][k] = 1 / std::sqrt(diagonal_[lane][k]);
      }
    }
  }

  Eigen::VectorXd Twin(size_t lane) const {
    const auto d = static_cast<Eigen::Index>(fixed_->width());
    Eigen::MatrixXd system = Eigen::MatrixXd::Zero(d, d);
    Eigen::VectorXd right = Eigen::VectorXd::Zero(d);
    for (Eigen::Index k = 0; k < d; ++k) system(k, k) = diagonal_[lane][static_cast<size_t>(k)];
    for (size_t i = 0; i < degrees_[lane]; ++i) {
      const size_t at = i * kernels_.lanes + lane;
      const Eigen::VectorXd y =
          Eigen::Map<const Eigen::VectorXf>(fixed_->row(index_[at]), d).cast<double>();
      const double weight = static_cast<double>(root_weight_[at]) * root_weight_[at];
      system += weight * y * y.transpose();
      right += weight * y;
    }
    return system.llt().solve(right);
  }

  std::vector<std::vector<float>> Batch(void (*solve)(RowBatch*)) {
    const AlignedFloats scratch(BatchScratchFloats());
    std::vector<std::vector<float>> out(kernels_.lanes, std::vector<float>(fixed_->width(), -1));
    RowBatch batch{.fixed = fixed_->row(0),
                   .stride = fixed_->stride(),
                   .width = fixed_->width(),
                   .cells = cells_,
                   .index = index_.data(),
                   .root_weight = root_weight_.data(),
                   .scratch = scratch.data()};
    for (size_t lane = 0; lane < kernels_.lanes; ++lane) {
      batch.diagonal[lane] = diagonal_[lane].data();
      batch.inverse_root[lane] = inverse_root_[lane].data();
      batch.out[lane] = out[lane].data();
    }
    solve(&batch);
    return out;
  }

  std::vector<float> Single(void (*solve)(SingleRow*), size_t lane) {
    const AlignedFloats scratch(SingleScratchFloats(fixed_->width()));
    std::vector<float> out(fixed_->width(), -1), root_weight;
    std::vector<uint32_t> index;
    for (size_t i = 0; i < degrees_[lane]; ++i) {
      index.push_back(index_[i * kernels_.lanes + lane]);
      root_weight.push_back(root_weight_[i * kernels_.lanes + lane]);
    }
    SingleRow row{.fixed = fixed_->row(0),
                  .stride = fixed_->stride(),
                  .width = fixed_->width(),
                  .cells = index.size(),
                  .index = index.data(),
                  .root_weight = root_weight.data(),
                  .diagonal = diagonal_[lane].data(),
                  .inverse_root = inverse_root_[lane].data(),
                  .out = out.data(),
                  .scratch = scratch.data()};
    solve(&row);
    return out;
  }

  void ExpectTwin(const std::vector<float>& solution, size_t lane, const char* how) const {
    const Eigen::VectorXd twin = Twin(lane);
    const Eigen::Map<const Eigen::VectorXf> x(solution.data(), twin.size());
    EXPECT_LT((x.cast<double>() - twin).norm(), 1e-5 * (twin.norm() + 0.1))
        << kernels_.name << " " << how << ": " << degrees_[lane] << " cells, width "
        << fixed_->width();
  }

  void SetDiagonal(size_t lane, float value) {
    diagonal_[lane].assign(diagonal_[lane].size(), value);
    inverse_root_[lane].assign(diagonal_[lane].size(), 1 / std::sqrt(value));
  }

  size_t lanes() const { return kernels_.lanes; }

 private:
  const Kernels& kernels_;
  const size_t cells_;
  const std::shared_ptr<const PaddedMatrix> fixed_;
  std::vector<size_t> degrees_;
  std::vector<uint32_t> index_;
  std::vector<float> root_weight_;
  std::vector<std::vector<float>> diagonal_, inverse_root_;
};

TEST(Kernels, BatchesAgreeWithCholeskyInDouble) {
  const uint32_t seed = 3;
  std::mt19937 random(seed);
  for (const Kernels* kernels : All()) {
    for (const size_t width : {16, 32, 48, 64, 80, 128}) {
      for (size_t cells = 1; cells <= kBatchSystemMax;
           cells = cells < 23 ? cells + 1 : 2 * cells - 5) {
        Systems systems(*kernels, width, cells, &random);
        const auto woodbury = systems.Batch(kernels->batch_woodbury);
        const auto direct = systems.Batch(kernels->batch_direct);
        for (const size_t lane : {size_t{0}, size_t{1}, size_t{2}, systems.lanes() - 1}) {
          systems.ExpectTwin(woodbury[lane], lane, "batch_woodbury");
          systems.ExpectTwin(direct[lane], lane, "batch_direct");
        }
      }
    }
  }
}

TEST(Kernels, SingleRowsAgreeWithCholeskyInDouble) {
  std::mt19937 random(4);
  for (const Kernels* kernels : All()) {
    for (const size_t width : {16, 48, 112, 144, 272}) {
      for (const size_t cells : {1, 3, 4, 5, 15, 16, 17, 31, 47, 127, 128, 129, 200, 300}) {
        Systems systems(*kernels, width, cells, &random);
        systems.ExpectTwin(systems.Single(kernels->single_direct, 0), 0, "single_direct");
        if ((cells + kWidthStep - 1) / kWidthStep * kWidthStep > width) continue;
        systems.ExpectTwin(systems.Single(kernels->single_woodbury, 0), 0, "single_woodbury");
      }
    }
  }
}

TEST(Kernels, WhatIsNoNumberStaysInItsLane) {
  std::mt19937 random(5);
  for (const Kernels* kernels : All()) {
    Systems systems(*kernels, 32, 9, &random);
    const size_t bad = 2;
    for (const bool woodbury : {false, true}) {
      const auto solve = woodbury ? kernels->batch_woodbury : kernels->batch_direct;
      Systems spoilt = systems;
      spoilt.SetDiagonal(bad, std::numeric_limits<float>::quiet_NaN());
      const auto out = spoilt.Batch(solve);
      const auto clean = systems.Batch(solve);
      for (size_t lane = 0; lane < kernels->lanes; ++lane) {
        if (lane == bad) {
          EXPECT_FALSE(std::isfinite(out[lane][0])) << kernels->name;
        } else {
          EXPECT_EQ(out[lane], clean[lane]) << kernels->name << " lane " << lane;
        }
      }
    }
  }
}

TEST(Kernels, TheBestIsTheFirstAndThePortableAlwaysThere) {
  EXPECT_EQ(&BestKernels(), All().front());
  EXPECT_STREQ(All().back()->name, "portable");
}

}  // namespace
}  // namespace vitrine
