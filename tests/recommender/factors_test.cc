#include "recommender/model/factors.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

TEST(Gramian, IsThePlainProduct) {
  for (const Eigen::Index rows : {0, 1, 31, 32, 33, 217, 1000}) {
    const FactorMatrix factors = FactorMatrix::Random(rows, 24);
    const Eigen::MatrixXd plain = factors.cast<double>().transpose() * factors.cast<double>();
    const FactorMatrix gramian = Gramian(factors, /*threads=*/2);
    ASSERT_EQ(gramian.rows(), 24);
    EXPECT_LT((gramian.cast<double>() - plain).cwiseAbs().maxCoeff(), 1e-3) << rows << " rows";
  }
}

TEST(Gramian, HasTheSameBitsWhateverTheThreads) {
  const FactorMatrix factors = FactorMatrix::Random(5000, 32);
  const FactorMatrix one = Gramian(factors, 1);
  EXPECT_EQ(one, Gramian(factors, 2));
  EXPECT_EQ(one, Gramian(factors, 7));
}

}  // namespace
}  // namespace vitrine
