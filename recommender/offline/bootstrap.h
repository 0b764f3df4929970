// How sure a mean is: it is worked out again on persons drawn with replacement, many times, and the
// middle 95 % of what comes out is its interval (Efron, Tibshirani 1993, chapter 13). What is drawn
// are clusters, all cases of a person at once, as those are not independent (Field, Welsh 2007).
// All measures of all methods are worked out on the same draws, so that the difference of two has
// an interval of its own that is as narrow as pairing makes it.

#ifndef VITRINE_RECOMMENDER_OFFLINE_BOOTSTRAP_H_
#define VITRINE_RECOMMENDER_OFFLINE_BOOTSTRAP_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vitrine {

// A value and where it lies with 95 % confidence.
struct Interval {
  double value = 0;
  double low = 0;
  double high = 0;
};

// Sums over the cases of each cluster, by column. What is asked for are ratios of columns: the mean
// of a measure is its column over the column that counts its cases. Float sums: of thousands of
// cases of a cluster, not of millions.
class ClusterSums {
 public:
  ClusterSums(size_t clusters, size_t columns) : columns_(columns), sums_(clusters * columns) {}

  size_t clusters() const { return columns_ == 0 ? 0 : sums_.size() / columns_; }
  size_t columns() const { return columns_; }
  std::span<float> Of(size_t cluster) { return {sums_.data() + cluster * columns_, columns_}; }
  std::span<const float> Of(size_t cluster) const {
    return {sums_.data() + cluster * columns_, columns_};
  }

 private:
  size_t columns_;
  std::vector<float> sums_;
};

// Thread-safe once made.
class Bootstrap {
 public:
  // Draws as many clusters as there are, `resamples` times, on `threads` threads (0: one per core).
  // The same for the same seed, whatever the threads. O(resamples * clusters * columns) time,
  // resamples * columns doubles.
  Bootstrap(const ClusterSums& sums, uint32_t resamples, uint64_t seed, uint32_t threads);

  // column / count; zeros if nothing was counted.
  Interval Mean(size_t column, size_t count) const;
  // a / count - b / count.
  Interval Difference(size_t a, size_t b, size_t count) const;

 private:
  // Over all draws where something was counted.
  template <typename Statistic>
  Interval Around(const Statistic& statistic, size_t count) const;

  size_t columns_;
  std::vector<double> all_;    // sums over all clusters
  std::vector<double> drawn_;  // by resample, then column
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_BOOTSTRAP_H_
