// Compiled with the flags of its processor (recommender/CMakeLists.txt).
#define VITRINE_KERNEL_LANES 16
#include "recommender/model/kernels/table.h"

namespace vitrine {

extern const Kernels kAvx512Kernels;
const Kernels kAvx512Kernels = TableOf("avx512");

}  // namespace vitrine
