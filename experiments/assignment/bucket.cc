#include "experiments/assignment/bucket.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <xxhash.h>

namespace vitrine::experiments {
namespace {

constexpr uint32_t kFnvOffset = 0x811c9dc5;
constexpr uint32_t kFnvPrime = 0x01000193;
constexpr int32_t kBuckets1 = 1000;
constexpr int32_t kBuckets2 = 10'000;

// FNV-1a of 32 bits (Fowler, Noll, Vo), from a state on.
uint32_t Fnv32a(absl::string_view bytes, uint32_t state = kFnvOffset) {
  for (const char byte : bytes) state = (state ^ static_cast<uint8_t>(byte)) * kFnvPrime;
  return state;
}

uint32_t Fnv32aOfDecimal(uint32_t number) {
  char digits[10];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  return Fnv32a({digits, static_cast<size_t>(end - digits)});
}

uint64_t StateOf(HashVersion version, absl::string_view seed) {
  if (version == HashVersion::kNative) return XXH3_64bits(seed.data(), seed.size());
  return Fnv32a(seed);
}

}  // namespace

UnitHash::UnitHash(HashVersion version, absl::string_view seed)
    : version_(version), state_(StateOf(version, seed)) {
  if (version == HashVersion::kGrowthBook1) seed_ = std::string(seed);
}

double UnitHash::Point(absl::string_view unit) const {
  switch (version_) {
    case HashVersion::kGrowthBook1:
      return (Fnv32a(seed_, Fnv32a(unit)) % kBuckets1) / static_cast<double>(kBuckets1);
    case HashVersion::kGrowthBook2: {
      const uint32_t inner = Fnv32a(unit, static_cast<uint32_t>(state_));
      return (Fnv32aOfDecimal(inner) % kBuckets2) / static_cast<double>(kBuckets2);
    }
    case HashVersion::kNative:
      break;
  }
  const uint64_t hash = XXH3_64bits_withSeed(unit.data(), unit.size(), state_);
  return static_cast<double>(hash >> 11) * 0x1p-53;
}

int32_t UnitHash::buckets() const {
  switch (version_) {
    case HashVersion::kGrowthBook1:
      return kBuckets1;
    case HashVersion::kGrowthBook2:
      return kBuckets2;
    case HashVersion::kNative:
      break;
  }
  return 0;
}

std::vector<BucketRange> ArmRanges(size_t arms, double coverage, std::span<const double> weights) {
  coverage = std::clamp(coverage, 0.0, 1.0);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const bool equal = weights.size() != arms || !(sum >= 0.99 && sum <= 1.01);
  std::vector<BucketRange> ranges;
  double begin = 0;
  for (size_t arm = 0; arm < arms; ++arm) {
    const double weight = equal ? 1.0 / static_cast<double>(arms) : weights[arm];
    ranges.push_back({begin, begin + coverage * weight});
    begin += weight;
  }
  return ranges;
}

int ChooseArm(double point, std::span<const BucketRange> ranges) {
  for (size_t arm = 0; arm < ranges.size(); ++arm) {
    if (ranges[arm].Holds(point)) return static_cast<int>(arm);
  }
  return -1;
}

double ShareOfUnits(const UnitHash& hash, const BucketRange& range) {
  if (hash.buckets() == 0) {
    return std::max(0.0, std::min(range.end, 1.0) - std::max(range.begin, 0.0));
  }
  int32_t held = 0;
  for (int32_t bucket = 0; bucket < hash.buckets(); ++bucket) {
    held += range.Holds(bucket / static_cast<double>(hash.buckets())) ? 1 : 0;
  }
  return held / static_cast<double>(hash.buckets());
}

}  // namespace vitrine::experiments
