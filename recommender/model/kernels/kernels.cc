#include "recommender/model/kernels/kernels.h"

namespace vitrine {

#ifdef VITRINE_X86_KERNELS
extern const Kernels kAvx512Kernels;
extern const Kernels kAvx2Kernels;
#endif
extern const Kernels kPortableKernels;

namespace {

struct KernelList {
  const Kernels* kernels[4] = {};

  KernelList() {
    const Kernels** next = kernels;
#ifdef VITRINE_X86_KERNELS
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (avx2 && __builtin_cpu_supports("avx512f")) *next++ = &kAvx512Kernels;
    if (avx2) *next++ = &kAvx2Kernels;
#endif
    *next++ = &kPortableKernels;
  }
};

}  // namespace

const Kernels* const* AllKernels() {
  static const KernelList list;
  return list.kernels;
}

const Kernels& BestKernels() { return **AllKernels(); }

size_t BatchScratchFloats() {
  return kLanesMax * (kBatchSystemMax * (kBatchSystemMax + 1) / 2 + kBatchSystemMax * kLanesMax +
                      kBatchSystemMax);
}

size_t SingleScratchFloats(size_t width) {
  constexpr size_t kPanelRows = 128;  // kDepth of dense.h
  return (width + kPanelRows) * (width + kWidthStep) + 2 * width;
}

size_t CgScratchFloats(size_t width) { return kCgKeptFloats + (kLanesMax + 4) * width; }

}  // namespace vitrine
