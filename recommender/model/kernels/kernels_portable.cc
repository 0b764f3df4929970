// Compiled with the flags of its processor (recommender/CMakeLists.txt).
#define VITRINE_KERNEL_LANES 4
#include "recommender/model/kernels/table.h"

namespace vitrine {

extern const Kernels kPortableKernels;
const Kernels kPortableKernels = TableOf("portable");

}  // namespace vitrine
