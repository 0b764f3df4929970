#include "recommender/model/factors.h"

#include "recommender/model/eigenbasis.h"
#include "recommender/model/kernels/kernels.h"
#include "recommender/model/padded_matrix.h"

namespace vitrine {

FactorMatrix Gramian(const FactorView& factors, uint32_t threads) {
  const auto rows = static_cast<size_t>(factors.rows());
  const auto columns = static_cast<size_t>(factors.cols());
  if (columns % kWidthStep == 0) {
    return PaddedGramian(factors.data(), rows, columns, columns, threads).cast<float>();
  }
  const PaddedMatrix padded(factors);
  return PaddedGramian(padded.row(0), rows, padded.stride(), columns, threads).cast<float>();
}

}  // namespace vitrine
