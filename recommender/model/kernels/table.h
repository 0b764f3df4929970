// The table of one width: included once by each kernels_*.cc, last.

#include "recommender/model/kernels/batch.h"
#include "recommender/model/kernels/iterate.h"
#include "recommender/model/kernels/single.h"

namespace vitrine {
namespace {

constexpr Kernels TableOf(const char* name) {
  return {.name = name,
          .lanes = kLanes,
          .add_gramian = AddGramian,
          .pack = Pack,
          .multiply = Multiply,
          .batch_woodbury = BatchWoodbury,
          .batch_direct = BatchDirect,
          .single_woodbury = SingleWoodbury,
          .single_direct = SingleDirect,
          .single_cg = SingleCg,
          .residuals = Residuals};
}

}  // namespace
}  // namespace vitrine
