#include "recommender/rank/scan_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vitrine {
namespace {

constexpr size_t kLanes = QuantizedFactors::kLanes;
constexpr size_t kGroup = QuantizedFactors::kGroup;
constexpr size_t kGroupBytes = kLanes * kGroup;  // of a block

float Slack(const QuantizedFactors::Bounds& bounds, const ScanQuery& query) {
  return query.per_residual * bounds.residual + query.per_norm * bounds.norm;
}

size_t ScanPortable(const QuantizedFactors& products, const ScanQuery& query, size_t first,
                    size_t blocks, float bar, ScanHit* hits) {
  size_t found = 0;
  for (size_t b = first; b < first + blocks; ++b) {
    const uint8_t* codes = products.codes(b);
    const float* const scales = products.scales(b);
    const float slack = Slack(products.bounds(b), query);
    int32_t sums[kLanes];
    std::fill(sums, sums + kLanes, -query.zero);
    for (size_t g = 0; g < products.groups(); ++g, codes += kGroupBytes) {
      const int8_t* const c = query.components.data() + g * kGroup;
      for (size_t lane = 0; lane < kLanes; ++lane) {
        for (size_t j = 0; j < kGroup; ++j) sums[lane] += codes[lane * kGroup + j] * c[j];
      }
    }
    unsigned above = 0;
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float bound = (static_cast<float>(sums[lane]) * query.scale + slack) * scales[lane];
      if (bound > bar) above |= 1u << lane;
    }
    if (above != 0) hits[found++] = {static_cast<uint32_t>(b), above};
  }
  return found;
}

#if defined(__x86_64__)

int32_t LoadGroup(const ScanQuery& query, size_t g) {
  int32_t group;
  std::memcpy(&group, query.components.data() + g * kGroup, sizeof(group));
  return group;
}

// Sixteen products are two halves. Sums of two products of bytes stay within 16 bits for components
// up to 63: 2 * 255 * 63 < 2^15.
__attribute__((target("avx2,fma"))) size_t ScanAvx2(const QuantizedFactors& products,
                                                    const ScanQuery& query, size_t first,
                                                    size_t blocks, float bar, ScanHit* hits) {
  size_t found = 0;
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256 query_scale = _mm256_set1_ps(query.scale);
  const __m256 bars = _mm256_set1_ps(bar);
  for (size_t b = first; b < first + blocks; ++b) {
    const uint8_t* codes = products.codes(b);
    __m256i sums[2] = {_mm256_set1_epi32(-query.zero), _mm256_set1_epi32(-query.zero)};
    for (size_t g = 0; g < products.groups(); ++g, codes += kGroupBytes) {
      const __m256i c = _mm256_set1_epi32(LoadGroup(query, g));
      for (int half = 0; half < 2; ++half) {
        const __m256i four =
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + half * 32));
        const __m256i pairs = _mm256_maddubs_epi16(four, c);
        sums[half] = _mm256_add_epi32(sums[half], _mm256_madd_epi16(pairs, ones));
      }
    }
    const __m256 slack = _mm256_set1_ps(Slack(products.bounds(b), query));
    const float* const scales = products.scales(b);
    unsigned lanes = 0;
    for (int half = 0; half < 2; ++half) {
      const __m256 bound =
          _mm256_mul_ps(_mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[half]), query_scale, slack),
                        _mm256_loadu_ps(scales + half * 8));
      const int above = _mm256_movemask_ps(_mm256_cmp_ps(bound, bars, _CMP_GT_OQ));
      lanes |= static_cast<unsigned>(above) << (half * 8);
    }
    if (lanes != 0) hits[found++] = {static_cast<uint32_t>(b), lanes};
  }
  return found;
}

#define VITRINE_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

// Writes a hit if there is one. Without a branch, which would often be foretold wrongly.
VITRINE_VNNI size_t AddHit(const QuantizedFactors& products, const ScanQuery& query, size_t block,
                           __m512i sums, __m512 scale, __m512 bar, ScanHit* hits, size_t found) {
  const __m512 slack = _mm512_set1_ps(Slack(products.bounds(block), query));
  const __m512 bound = _mm512_mul_ps(_mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), scale, slack),
                                     _mm512_loadu_ps(products.scales(block)));
  const uint32_t lanes = _mm512_cmp_ps_mask(bound, bar, _CMP_GT_OQ);
  hits[found] = {static_cast<uint32_t>(block), lanes};
  return found + (lanes != 0);
}

// For products of kHeld groups, few enough for the query to stay in registers: then a block costs
// no other loads than its codes.
template <size_t kHeld>
VITRINE_VNNI size_t ScanHeld(const QuantizedFactors& products, const ScanQuery& query, size_t first,
                             size_t blocks, float bar, ScanHit* hits) {
  const __m512 scale = _mm512_set1_ps(query.scale);
  const __m512 bars = _mm512_set1_ps(bar);
  const __m512i zero = _mm512_set1_epi32(-query.zero);
  __m512i held[kHeld];
  for (size_t g = 0; g < kHeld; ++g) held[g] = _mm512_set1_epi32(LoadGroup(query, g));
  size_t found = 0;
  for (size_t b = first; b < first + blocks; ++b) {
    const uint8_t* const codes = products.codes(b);
    // Two sums, so that one addition need not wait for the other.
    __m512i sums[2] = {zero, _mm512_setzero_si512()};
#pragma GCC unroll 16
    for (size_t g = 0; g < kHeld; ++g) {
      sums[g % 2] =
          _mm512_dpbusd_epi32(sums[g % 2], _mm512_loadu_si512(codes + g * kGroupBytes), held[g]);
    }
    found =
        AddHit(products, query, b, _mm512_add_epi32(sums[0], sums[1]), scale, bars, hits, found);
  }
  return found;
}

VITRINE_VNNI size_t ScanVnni(const QuantizedFactors& products, const ScanQuery& query, size_t first,
                             size_t blocks, float bar, ScanHit* hits) {
  constexpr size_t kHeld = 16;  // 64 factors
  if (products.groups() == kHeld) {
    return ScanHeld<kHeld>(products, query, first, blocks, bar, hits);
  }
  const __m512 scale = _mm512_set1_ps(query.scale);
  const __m512 bars = _mm512_set1_ps(bar);
  size_t found = 0;
  for (size_t b = first; b < first + blocks; ++b) {
    const uint8_t* codes = products.codes(b);
    __m512i even = _mm512_set1_epi32(-query.zero);
    __m512i odd = _mm512_setzero_si512();
    size_t g = 0;
    for (; g + 2 <= products.groups(); g += 2, codes += 2 * kGroupBytes) {
      even = _mm512_dpbusd_epi32(even, _mm512_loadu_si512(codes),
                                 _mm512_set1_epi32(LoadGroup(query, g)));
      odd = _mm512_dpbusd_epi32(odd, _mm512_loadu_si512(codes + kGroupBytes),
                                _mm512_set1_epi32(LoadGroup(query, g + 1)));
    }
    if (g < products.groups()) {
      even = _mm512_dpbusd_epi32(even, _mm512_loadu_si512(codes),
                                 _mm512_set1_epi32(LoadGroup(query, g)));
    }
    found = AddHit(products, query, b, _mm512_add_epi32(even, odd), scale, bars, hits, found);
  }
  return found;
}

#undef VITRINE_VNNI

#endif  // __x86_64__

std::vector<ScanKernel> FindKernels() {
  std::vector<ScanKernel> kernels;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw")) {
    kernels.push_back({"avx512vnni", ScanVnni, 127});
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    kernels.push_back({"avx2", ScanAvx2, 63});
  }
#endif
  kernels.push_back({"portable", ScanPortable, 127});
  return kernels;
}

}  // namespace

std::span<const ScanKernel> ScanKernels() {
  static const std::vector<ScanKernel>& kernels = *new std::vector<ScanKernel>(FindKernels());
  return kernels;
}

ScanQuery MakeScanQuery(std::span<const float> taste, const ScanKernel& kernel) {
  ScanQuery query;
  query.components.resize((taste.size() + kGroup - 1) / kGroup * kGroup);
  float largest = 0;
  for (const float factor : taste) largest = std::max(largest, std::abs(factor));
  query.scale = std::max(largest / static_cast<float>(kernel.component_max),
                         std::numeric_limits<float>::min());
  double norm = 0, residual = 0;
  for (size_t j = 0; j < taste.size(); ++j) {
    const double exact = taste[j];
    const auto c = static_cast<int>(std::nearbyint(exact / query.scale));
    query.components[j] = static_cast<int8_t>(c);
    query.zero += 128 * c;
    norm += exact * exact;
    residual += (exact - double{query.scale} * c) * (exact - double{query.scale} * c);
  }
  norm = std::sqrt(norm);
  residual = std::sqrt(residual);
  // A sum of d products of floats is off by at most d roundings of |v| |q|; the bound itself by
  // few.
  const double rounding = static_cast<double>(taste.size() + 16) * 1.2e-7 * norm;
  query.per_residual = static_cast<float>((norm + rounding) * (1 + 1e-6));
  query.per_norm = static_cast<float>((residual + rounding) * (1 + 1e-6));
  return query;
}

}  // namespace vitrine
