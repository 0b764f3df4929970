// Compiled with the flags of its processor (recommender/CMakeLists.txt).
#define VITRINE_KERNEL_LANES 8
#include "recommender/model/kernels/table.h"

namespace vitrine {

extern const Kernels kAvx2Kernels;
const Kernels kAvx2Kernels = TableOf("avx2");

}  // namespace vitrine
