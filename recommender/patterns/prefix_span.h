// Frequent sequential patterns: what many people do in the same order, not necessarily one right
// after the other. PrefixSpan with pseudo-projection (Pei, Han, Mortazavi-Asl et al., "PrefixSpan:
// mining sequential patterns efficiently by prefix-projected pattern growth", ICDE 2001).

#ifndef VITRINE_RECOMMENDER_PATTERNS_PREFIX_SPAN_H_
#define VITRINE_RECOMMENDER_PATTERNS_PREFIX_SPAN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/patterns/lists.h"
#include "store/base/limits.h"

namespace vitrine {

struct Pattern {
  std::vector<uint32_t> items;
  int64_t count = 0;  // sequences (or baskets) that hold it, each counted once

  bool operator==(const Pattern&) const = default;
};

struct PatternOptions {
  int64_t min_count = 2;  // at least 1
  size_t max_length = 3;  // at least 1
  size_t max_patterns = limits::kPatternsMax;
};

// Or-ed to an item: it happened together with the one before it (the lines of one order). A pattern
// takes at most one item from what happened together. Items are below kTogether - 1.
constexpr uint32_t kTogether = uint32_t{1} << 31;

// All patterns of 1 to max_length items that at least min_count sequences hold, each prefix before
// its extensions, extensions by item. InvalidArgument for options out of range;
// ResourceExhausted if there are more than max_patterns.
//
// Memory: 8 bytes * sum of lengths * max_length at most, and the patterns. Time: the sum of what is
// left of each sequence behind each pattern. Items should be small numbers: O(largest) memory too.
absl::StatusOr<std::vector<Pattern>> PrefixSpan(const Lists& sequences,
                                                const PatternOptions& options);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PATTERNS_PREFIX_SPAN_H_
