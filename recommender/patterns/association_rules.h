// What goes together: frequent sets of items in baskets, and the rules that follow from them
// (Agrawal & Srikant, "Fast algorithms for mining association rules", VLDB 1994).

#ifndef VITRINE_RECOMMENDER_PATTERNS_ASSOCIATION_RULES_H_
#define VITRINE_RECOMMENDER_PATTERNS_ASSOCIATION_RULES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/patterns/lists.h"
#include "recommender/patterns/prefix_span.h"

namespace vitrine {

// All sets of 1 to max_length items that at least min_count baskets hold; items ascending in each.
// A basket is a set: an item twice in it counts once. Errors as PrefixSpan.
//
// By pattern growth, not by Apriori's candidates: with the items of a basket sorted from the rarest
// to the most frequent, subsets are subsequences, and PrefixSpan finds them without ever counting a
// set that does not occur.
absl::StatusOr<std::vector<Pattern>> FrequentSets(const Lists& baskets,
                                                  const PatternOptions& options);

// "Who has the antecedent has the consequent too." With P(X) the share of baskets that hold X:
struct AssociationRule {
  std::vector<uint32_t> antecedent;  // ascending, never empty
  uint32_t consequent = 0;
  int64_t count = 0;      // baskets that hold all of it
  double support = 0;     // P(A and C)
  double confidence = 0;  // P(A and C) / P(A)
  double lift = 0;        // P(A and C) / (P(A) P(C)); 1 if they have nothing to do with each other
  double leverage = 0;    // P(A and C) - P(A) P(C)
};

// The rules with at least that confidence, highest lift first. One item is the consequent, all
// others of a set are the antecedent. REQUIRES: `sets` is a whole answer of FrequentSets for
// `baskets` baskets. O(sets).
std::vector<AssociationRule> Rules(std::span<const Pattern> sets, size_t baskets,
                                   double min_confidence);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PATTERNS_ASSOCIATION_RULES_H_
