#include "recommender/segments/kmeans.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

#include <Eigen/Core>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "store/base/segment_limits.h"

namespace vitrine {
namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, kBehaviourSize, Eigen::RowMajor>;
using Row = Eigen::Matrix<double, 1, kBehaviourSize>;
using Index = Eigen::Index;

constexpr double kUnlike = 0.5;  // standard deviations that are worth a word

// In [0, 1), the same everywhere.
double Uniform(std::mt19937_64* rng) { return static_cast<double>((*rng)() >> 11) * 0x1p-53; }

struct Grouping {
  Rows centroids;
  std::vector<Index> group;  // of each customer
  double within = std::numeric_limits<double>::infinity();
};

// Each further one far from those before: with a chance as its squared distance.
Rows Seeds(const Rows& points, Index k, std::mt19937_64* rng) {
  Rows seeds(k, kBehaviourSize);
  const Index n = points.rows();
  seeds.row(0) = points.row(std::min<Index>(n - 1, static_cast<Index>(Uniform(rng) * n)));
  Eigen::VectorXd nearest = (points.rowwise() - Row(seeds.row(0))).rowwise().squaredNorm();
  for (Index c = 1; c < k; ++c) {
    double left = Uniform(rng) * nearest.sum();
    Index chosen = 0;
    nearest.maxCoeff(&chosen);  // where rounding leaves something over
    for (Index i = 0; i < n; ++i) {
      left -= nearest[i];
      if (left >= 0 || nearest[i] == 0) continue;
      chosen = i;
      break;
    }
    seeds.row(c) = points.row(chosen);
    nearest = nearest.cwiseMin((points.rowwise() - Row(seeds.row(c))).rowwise().squaredNorm());
  }
  return seeds;
}

// Each to the nearest; whether anybody moved.
bool Assign(const Rows& points, Grouping* grouping) {
  bool moved = false;
  double sum = 0;
  for (Index i = 0; i < points.rows(); ++i) {
    Index nearest = 0;
    sum += (grouping->centroids.rowwise() - Row(points.row(i)))
               .rowwise()
               .squaredNorm()
               .minCoeff(&nearest);
    moved = moved || grouping->group[i] != nearest;
    grouping->group[i] = nearest;
  }
  grouping->within = sum / static_cast<double>(points.rows());
  return moved;
}

// Into the middle of those who are theirs. One that nobody is nearest to stays where it is.
void Centre(const Rows& points, Grouping* grouping) {
  const Index k = grouping->centroids.rows();
  Rows sums = Rows::Zero(k, kBehaviourSize);
  Eigen::VectorXd counts = Eigen::VectorXd::Zero(k);
  for (Index i = 0; i < points.rows(); ++i) {
    sums.row(grouping->group[i]) += points.row(i);
    counts[grouping->group[i]] += 1;
  }
  for (Index c = 0; c < k; ++c) {
    if (counts[c] > 0) grouping->centroids.row(c) = sums.row(c) / counts[c];
  }
}

Grouping GroupInto(const Rows& points, Index k, const KMeansOptions& options) {
  std::mt19937_64 rng(options.seed);
  Grouping best;
  for (int restart = 0; restart < options.restarts; ++restart) {
    Grouping grouping;
    grouping.centroids = Seeds(points, k, &rng);
    grouping.group.assign(static_cast<size_t>(points.rows()), -1);
    for (int round = 0; round < options.rounds_max && Assign(points, &grouping); ++round) {
      Centre(points, &grouping);
    }
    if (grouping.within < best.within) best = std::move(grouping);
  }
  return best;
}

// Of a sample that is spread over all.
double Silhouette(const Rows& points, const Grouping& grouping, size_t most) {
  const Index n = points.rows(), k = grouping.centroids.rows();
  const Index stride = std::max<Index>(1, n / static_cast<Index>(most));
  std::vector<Index> sample;
  for (Index i = 0; i < n; i += stride) sample.push_back(i);
  double sum = 0;
  for (const Index i : sample) {
    Eigen::VectorXd distance = Eigen::VectorXd::Zero(k), count = Eigen::VectorXd::Zero(k);
    for (const Index j : sample) {
      if (j == i) continue;
      distance[grouping.group[j]] += (points.row(i) - points.row(j)).norm();
      count[grouping.group[j]] += 1;
    }
    const Index own = grouping.group[i];
    if (count[own] == 0) continue;  // alone: 0
    const double inside = distance[own] / count[own];
    double outside = std::numeric_limits<double>::infinity();
    for (Index c = 0; c < k; ++c) {
      if (c != own && count[c] > 0) outside = std::min(outside, distance[c] / count[c]);
    }
    const double wider = std::max(inside, outside);
    if (std::isfinite(outside) && wider > 0) sum += (outside - inside) / wider;
  }
  return sum / static_cast<double>(sample.size());
}

absl::Status Check(std::span<const Behaviour> customers, const KMeansOptions& options) {
  const auto in_range = [](size_t k) { return k >= 2 && k <= limits::kCentroidsMax; };
  if ((options.k != 0 && !in_range(options.k)) || !in_range(options.k_max)) {
    return absl::InvalidArgumentError(
        absl::StrCat("k: 2 to ", limits::kCentroidsMax, " groups are made"));
  }
  std::vector<Behaviour> different(customers.begin(), customers.end());
  absl::c_sort(different);
  different.erase(std::unique(different.begin(), different.end()), different.end());
  if (different.size() < std::max<size_t>(2, options.k)) {
    return absl::InvalidArgumentError(
        absl::StrCat("only ", different.size(), " customers behave differently: too few to group"));
  }
  return absl::OkStatus();
}

KMeansResult ResultOf(const Grouping& grouping, const Row& means, const Row& scales) {
  const auto k = static_cast<size_t>(grouping.centroids.rows());
  std::vector<int64_t> sizes(k, 0);
  for (const Index group : grouping.group) ++sizes[group];
  std::vector<size_t> order(k);
  std::iota(order.begin(), order.end(), 0);
  absl::c_stable_sort(order, [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  KMeansResult result;
  result.within = grouping.within;
  result.clustering.means.assign(means.begin(), means.end());
  result.clustering.scales.assign(scales.begin(), scales.end());
  for (const size_t c : order) {
    const Row centroid = grouping.centroids.row(static_cast<Index>(c));
    result.clustering.centroids.emplace_back(centroid.begin(), centroid.end());
    result.sizes.push_back(sizes[c]);
  }
  return result;
}

}  // namespace

absl::StatusOr<KMeansResult> ClusterBehaviour(std::span<const Behaviour> customers,
                                              const KMeansOptions& options) {
  if (absl::Status status = Check(customers, options); !status.ok()) return status;
  Rows points(static_cast<Index>(customers.size()), kBehaviourSize);
  for (size_t i = 0; i < customers.size(); ++i) {
    points.row(static_cast<Index>(i)) = Eigen::Map<const Row>(customers[i].data());
  }
  const Row means = points.colwise().mean();
  points.rowwise() -= means;
  Row scales = (points.colwise().squaredNorm() / static_cast<double>(points.rows())).cwiseSqrt();
  for (double& scale : scales) scale = scale > 1e-9 ? scale : 1;
  points.array().rowwise() /= scales.array();
  KMeansResult best;
  const size_t first = options.k == 0 ? 2 : options.k;
  const size_t last = options.k == 0 ? std::min(options.k_max, customers.size()) : options.k;
  for (size_t k = first; k <= last; ++k) {
    const Grouping grouping = GroupInto(points, static_cast<Index>(k), options);
    const double silhouette = Silhouette(points, grouping, options.sample);
    if (k > first && silhouette <= best.silhouette) continue;
    best = ResultOf(grouping, means, scales);
    best.silhouette = silhouette;
  }
  return best;
}

std::string DescribeCentroid(const std::vector<double>& centroid) {
  std::vector<size_t> order(std::min(centroid.size(), kBehaviourSize));
  std::iota(order.begin(), order.end(), 0);
  absl::c_stable_sort(
      order, [&](size_t a, size_t b) { return std::abs(centroid[a]) > std::abs(centroid[b]); });
  std::vector<std::string> words;
  for (const size_t i : order) {
    if (std::abs(centroid[i]) < kUnlike) break;
    words.push_back(absl::StrCat(centroid[i] > 0 ? "high " : "low ", kBehaviourNames[i]));
  }
  return words.empty() ? "as most" : absl::StrJoin(words, ", ");
}

}  // namespace vitrine
