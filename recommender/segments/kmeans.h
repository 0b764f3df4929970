// Groups of customers who behave alike, found in the data: k-means++ (Arthur, Vassilvitskii, SODA
// 2007) over standardised behaviour, then Lloyd's rounds. k is the caller's, or the one with the
// widest mean silhouette (Rousseeuw, J. Comp. Appl. Math. 20, 1987) on a sample.
//
// Pure functions, deterministic for a seed.

#ifndef VITRINE_RECOMMENDER_SEGMENTS_KMEANS_H_
#define VITRINE_RECOMMENDER_SEGMENTS_KMEANS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/segments/behaviour.h"
#include "store/segments_types.h"

namespace vitrine {

struct KMeansOptions {
  size_t k = 0;      // 2 to limits::kCentroidsMax; 0: chosen from 2 to k_max
  size_t k_max = 8;  // the same
  uint64_t seed = 1;
  int restarts = 5;  // the one with the least distance within groups counts
  int rounds_max = 100;
  size_t sample = 1000;  // customers that the silhouette is of
};

struct KMeansResult {
  Clustering clustering;       // without id and currency; the largest group first
  std::vector<int64_t> sizes;  // of the groups
  double within = 0;           // mean squared distance to the own centroid, standardised
  double silhouette = 0;       // mean of the sample, -1 to 1: above 0.5 they are far apart
};

// What does not vary is no reason to be apart: its scale is 1. InvalidArgument for options out of
// range, or fewer different customers than groups. O(customers k rounds restarts).
absl::StatusOr<KMeansResult> ClusterBehaviour(std::span<const Behaviour> customers,
                                              const KMeansOptions& options);

// What is unlike most about a group: "high frequency, high monetary, low recency"; "as most" where
// nothing is half a standard deviation away.
std::string DescribeCentroid(const std::vector<double>& centroid);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_SEGMENTS_KMEANS_H_
