// Where a unit falls between 0 and 1, and which arm's range holds that point. Pure functions of two
// strings: the same unit gets the same arm on every server, in every process, with no look-up.

#ifndef VITRINE_EXPERIMENTS_ASSIGNMENT_BUCKET_H_
#define VITRINE_EXPERIMENTS_ASSIGNMENT_BUCKET_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vitrine::experiments {

enum class HashVersion {
  // XXH3 of 64 bits, its seed the XXH3 of the experiment's seed: 2^53 buckets, and no two pairs of
  // seed and unit run together ("ab" + "c" and "a" + "bc" do with the others).
  kNative,
  // GrowthBook's two (SDK specification 0.8.0), for units that its SDKs assign too. Version 2 has
  // 10,000 buckets. Version 1 has 1,000, and its experiments are correlated with one another: it is
  // here for namespaces, which use it still.
  kGrowthBook1,
  kGrowthBook2,
};

// A seed taken in once. Hashed are the bytes of the unit, so UTF-8 is hashed as UTF-8.
// (GrowthBook's JavaScript hashes UTF-16 code units: ids beyond ASCII get other buckets there.)
// Immutable, thread-safe.
class UnitHash {
 public:
  UnitHash(HashVersion version, absl::string_view seed);

  // In [0, 1). Allocates nothing.
  double Point(absl::string_view unit) const;

  HashVersion version() const { return version_; }
  // How many different points there are; 0 for the native mode, where they are too many to matter.
  int32_t buckets() const;

 private:
  HashVersion version_;
  std::string seed_;  // of version 1, which hashes it behind the unit
  uint64_t state_;    // of the others: after the seed
};

// From begin (inclusive) until end (exclusive). An empty range holds no point, not even 0.
struct BucketRange {
  double begin = 0;
  double end = 0;

  bool Holds(double point) const { return begin <= point && point < end; }
  bool operator==(const BucketRange&) const = default;
};

// The range of each arm: they begin at the sums of the weights before, and `coverage` (cut to
// [0, 1]) shortens each at its end, so that more coverage moves nobody to another arm (GrowthBook,
// getBucketRanges). As there, weights of another number than `arms`, or whose sum is not in
// [0.99, 1.01], count as equal ones: Assigner refuses them before.
std::vector<BucketRange> ArmRanges(size_t arms, double coverage, std::span<const double> weights);

// The first range that holds the point, -1 if none does.
int ChooseArm(double point, std::span<const BucketRange> ranges);

// Which part of all units falls into the range: what counts are to be held against. With few
// buckets it is not the range's length.
double ShareOfUnits(const UnitHash& hash, const BucketRange& range);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ASSIGNMENT_BUCKET_H_
