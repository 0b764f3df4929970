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

using Q = QuantizedFactors;

constexpr size_t kLanes = Q::kLanes;
constexpr float kComponentMax = 127;

// What a block's approximate scores may be short of: `relative` in units of each product's scale.
struct Slack {
  float relative;
  float absolute;
};

// What all kernels compute of codes and components are sums of sixteenths: whole bytes times the
// components of the upper group, and 16 times their lower halves times those of the lower.
Slack SlackOf(const Q::Bounds& bounds, const ScanQuery& query) {
  return {query.per_residual * bounds.residual, query.per_norm * bounds.norm + query.kUnderflow};
}

size_t ScanPortable(const QuantizedFactors& products, const ScanQuery& query, size_t first,
                    size_t blocks, float bar, ScanHit* hits) {
  size_t found = 0;
  for (size_t b = first; b < first + blocks; ++b) {
    const uint8_t* codes = products.codes(b);
    const float* const scales = products.scales(b);
    const Slack slack = SlackOf(products.bounds(b), query);
    int32_t sums[kLanes];
    std::fill(sums, sums + kLanes, -query.zero);
    for (size_t s = 0; s < products.slices(); ++s, codes += Q::kSliceBytes) {
      const int8_t* const low = query.components.data() + s * Q::kSlice;
      const int8_t* const high = low + Q::kGroup;
      for (size_t i = 0; i < Q::kSliceBytes; ++i) {
        const size_t j = i % Q::kGroup;
        sums[i / Q::kGroup] += codes[i] * high[j] + codes[i] % Q::kParts * Q::kParts * low[j];
      }
    }
    unsigned above = 0;
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float sum = static_cast<float>(sums[lane]) * query.scale + slack.relative;
      if (sum * scales[lane] + slack.absolute >= bar) above |= 1u << lane;
    }
    if (above != 0) hits[found++] = {static_cast<uint32_t>(b), above};
  }
  return found;
}

#if defined(__x86_64__)

int32_t LoadGroup(const ScanQuery& query, size_t g) {
  int32_t group;
  std::memcpy(&group, query.components.data() + g * Q::kGroup, sizeof(group));
  return group;
}

#define VITRINE_AVX2 __attribute__((target("avx2,fma")))

// Of eight products: what the slices [s, end) add to their sums, as pairs of 16 bits. They do not
// overflow for up to four slices: 4 * 2 * 2 * 15 * 127 < 2^15. As whole bytes would, the parts of
// them are apart.
struct Pairs {
  __m256i sixteens;
  __m256i ones;
};

VITRINE_AVX2 inline Pairs SumSlices(const uint8_t* codes, const ScanQuery& query, size_t s,
                                    size_t end) {
  const __m256i halves = _mm256_set1_epi8(0x0F);
  Pairs sums = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (; s < end; ++s) {
    const __m256i bytes =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + s * Q::kSliceBytes));
    const __m256i lower = _mm256_and_si256(bytes, halves);
    const __m256i upper = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), halves);
    const __m256i low = _mm256_set1_epi32(LoadGroup(query, 2 * s));
    const __m256i high = _mm256_set1_epi32(LoadGroup(query, 2 * s + 1));
    sums.sixteens = _mm256_add_epi16(
        sums.sixteens,
        _mm256_add_epi16(_mm256_maddubs_epi16(lower, low), _mm256_maddubs_epi16(upper, high)));
    sums.ones = _mm256_add_epi16(sums.ones, _mm256_maddubs_epi16(lower, high));
  }
  return sums;
}

VITRINE_AVX2 size_t ScanAvx2(const QuantizedFactors& products, const ScanQuery& query, size_t first,
                             size_t blocks, float bar, ScanHit* hits) {
  constexpr size_t kSlicesAtOnce = 4;
  size_t found = 0;
  const __m256i one = _mm256_set1_epi16(1);
  const __m256i sixteen = _mm256_set1_epi16(Q::kParts);
  const __m256 query_scale = _mm256_set1_ps(query.scale);
  const __m256 bars = _mm256_set1_ps(bar);
  for (size_t b = first; b < first + blocks; ++b) {
    const Slack slack = SlackOf(products.bounds(b), query);
    unsigned lanes = 0;
    for (size_t half = 0; half < 2; ++half) {
      const uint8_t* const codes = products.codes(b) + half * Q::kSliceBytes / 2;
      __m256i sums = _mm256_set1_epi32(-query.zero);
      for (size_t s = 0; s < products.slices(); s += kSlicesAtOnce) {
        const size_t end = std::min(s + kSlicesAtOnce, products.slices());
        const Pairs pairs = SumSlices(codes, query, s, end);
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs.sixteens, sixteen));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs.ones, one));
      }
      const __m256 sum =
          _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), query_scale, _mm256_set1_ps(slack.relative));
      const __m256 bound =
          _mm256_fmadd_ps(sum, _mm256_loadu_ps(products.scales(b) + half * kLanes / 2),
                          _mm256_set1_ps(slack.absolute));
      const int above = _mm256_movemask_ps(_mm256_cmp_ps(bound, bars, _CMP_GE_OQ));
      lanes |= static_cast<unsigned>(above) << (half * kLanes / 2);
    }
    if (lanes != 0) hits[found++] = {static_cast<uint32_t>(b), lanes};
  }
  return found;
}

#undef VITRINE_AVX2

#define VITRINE_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

// The sums of a block's products, in sixteens and in ones.
struct Sums {
  __m512i sixteens;
  __m512i ones;
};

VITRINE_VNNI inline Sums AddSlice(Sums sums, const uint8_t* codes, __m512i low, __m512i high) {
  const __m512i bytes = _mm512_loadu_si512(codes);
  const __m512i lower = _mm512_and_si512(bytes, _mm512_set1_epi8(0x0F));
  return {_mm512_dpbusd_epi32(sums.sixteens, lower, low),
          _mm512_dpbusd_epi32(sums.ones, bytes, high)};
}

// Writes a hit if there is one. Without a branch, which would often be foretold wrongly.
VITRINE_VNNI inline size_t AddHit(const QuantizedFactors& products, const ScanQuery& query,
                                  size_t block, Sums sums, __m512 scale, __m512 bar, ScanHit* hits,
                                  size_t found) {
  const Slack slack = SlackOf(products.bounds(block), query);
  const __m512i whole = _mm512_add_epi32(_mm512_slli_epi32(sums.sixteens, 4), sums.ones);
  const __m512 sum =
      _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole), scale, _mm512_set1_ps(slack.relative));
  const __m512 bound =
      _mm512_fmadd_ps(sum, _mm512_loadu_ps(products.scales(block)), _mm512_set1_ps(slack.absolute));
  const uint32_t lanes = _mm512_cmp_ps_mask(bound, bar, _CMP_GE_OQ);
  hits[found] = {static_cast<uint32_t>(block), lanes};
  return found + (lanes != 0);
}

// For products of kHeld slices, few enough for the query to stay in registers: then a block costs
// no other loads than its codes.
template <size_t kHeld>
VITRINE_VNNI size_t ScanHeld(const QuantizedFactors& products, const ScanQuery& query, size_t first,
                             size_t blocks, float bar, ScanHit* hits) {
  const __m512 scale = _mm512_set1_ps(query.scale);
  const __m512 bars = _mm512_set1_ps(bar);
  const Sums zero = {_mm512_setzero_si512(), _mm512_set1_epi32(-query.zero)};
  __m512i held[2 * kHeld];
  for (size_t g = 0; g < 2 * kHeld; ++g) held[g] = _mm512_set1_epi32(LoadGroup(query, g));
  size_t found = 0;
  for (size_t b = first; b < first + blocks; ++b) {
    const uint8_t* const codes = products.codes(b);
    Sums sums = zero;
#pragma GCC unroll 8
    for (size_t s = 0; s < kHeld; ++s) {
      sums = AddSlice(sums, codes + s * Q::kSliceBytes, held[2 * s], held[2 * s + 1]);
    }
    found = AddHit(products, query, b, sums, scale, bars, hits, found);
  }
  return found;
}

VITRINE_VNNI size_t ScanVnni(const QuantizedFactors& products, const ScanQuery& query, size_t first,
                             size_t blocks, float bar, ScanHit* hits) {
  constexpr size_t kHeld = 8;  // 64 factors
  if (products.slices() == kHeld) {
    return ScanHeld<kHeld>(products, query, first, blocks, bar, hits);
  }
  const __m512 scale = _mm512_set1_ps(query.scale);
  const __m512 bars = _mm512_set1_ps(bar);
  size_t found = 0;
  for (size_t b = first; b < first + blocks; ++b) {
    const uint8_t* const codes = products.codes(b);
    Sums sums = {_mm512_setzero_si512(), _mm512_set1_epi32(-query.zero)};
    for (size_t s = 0; s < products.slices(); ++s) {
      sums = AddSlice(sums, codes + s * Q::kSliceBytes, _mm512_set1_epi32(LoadGroup(query, 2 * s)),
                      _mm512_set1_epi32(LoadGroup(query, 2 * s + 1)));
    }
    found = AddHit(products, query, b, sums, scale, bars, hits, found);
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
    kernels.push_back({"avx512vnni", ScanVnni});
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    kernels.push_back({"avx2", ScanAvx2});
  }
#endif
  kernels.push_back({"portable", ScanPortable});
  return kernels;
}

}  // namespace

std::span<const ScanKernel> ScanKernels() {
  static const std::vector<ScanKernel>& kernels = *new std::vector<ScanKernel>(FindKernels());
  return kernels;
}

ScoreRange RangeOf(const QuantizedFactors& products, const ScanQuery& query, size_t place) {
  static_assert(Q::kFineZero == Q::kZero * Q::kParts);
  const std::span<const uint8_t> codes = products.fine_codes(place);
  const int8_t* const components = query.components.data();
  int32_t sum = -query.zero;
  for (size_t j = 0; j < codes.size(); ++j) sum += codes[j] * components[j];
  const Q::Bounds& bounds = products.bounds(place / kLanes);
  const float scale = products.scales(place / kLanes)[place % kLanes];
  const float middle = static_cast<float>(sum) * query.fine_scale * scale;
  const float slack =
      query.per_residual * bounds.fine_residual * scale + SlackOf(bounds, query).absolute;
  return {middle - slack, middle + slack};
}

ScanQuery MakeScanQuery(std::span<const float> taste) {
  ScanQuery query;
  query.components.resize(Q::Slices(taste.size()) * Q::kSlice);
  float largest = 0;
  for (const float factor : taste) largest = std::max(largest, std::abs(factor));
  const float scale = largest / kComponentMax;
  query.scale = scale / Q::kParts;
  query.fine_scale = scale / Q::kFineParts;
  double norm = 0, residual = 0, rounded_norm = 0;
  for (size_t j = 0; j < taste.size(); ++j) {
    const double exact = taste[j];
    const auto c = static_cast<int>(std::nearbyint(exact / scale));
    const double rounded = double{scale} * c;
    query.components[j] = static_cast<int8_t>(c);
    query.zero += Q::kZero * Q::kParts * c;
    norm += exact * exact;
    rounded_norm += rounded * rounded;
    residual += (exact - rounded) * (exact - rounded);
  }
  norm = std::sqrt(norm);
  // A sum of d products of floats is off by at most d roundings of |v| |q|; the bound itself by
  // few.
  const double rounding = static_cast<double>(taste.size() + 16) * 1.2e-7 * norm;
  constexpr double kUp = 1 + 1e-6;
  query.per_residual = static_cast<float>(std::sqrt(rounded_norm) * kUp);
  query.per_norm = static_cast<float>((std::sqrt(residual) + rounding) * kUp);
  query.norm = static_cast<float>((norm + rounding) * kUp);
  return query;
}

}  // namespace vitrine
