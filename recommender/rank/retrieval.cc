#include "recommender/rank/retrieval.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "recommender/model/parallel.h"
#include "recommender/rank/scan_kernel.h"

namespace vitrine {
namespace {

constexpr size_t kLanes = QuantizedFactors::kLanes;
// Blocks that a scan looks at with one bar, at most: 32 KiB of codes at d = 64.
constexpr size_t kStepBlocks = 32;
// Tastes that take turns at one step: their lists and queries stay in the second-level cache.
constexpr size_t kTastesAtOnce = 128;

struct SortedIds {
  std::span<const uint32_t> ids;
  bool Contains(uint32_t product) const {
    return std::binary_search(ids.begin(), ids.end(), product);
  }
};

// A whole number that is the higher the better: the score's bits, made to grow with it, before the
// product's, made to shrink. Comparing one number costs no branch that is hard to foretell.
uint64_t RankOf(Scored scored) {
  const auto bits = std::bit_cast<uint32_t>(scored.score + 0.0f);  // -0 is 0
  const uint32_t grows = (bits >> 31) != 0 ? ~bits : bits | 0x8000'0000u;
  return uint64_t{grows} << 32 | ~scored.product;
}

Scored ScoredOf(uint64_t rank) {
  const auto grows = static_cast<uint32_t>(rank >> 32);
  const uint32_t bits = (grows >> 31) != 0 ? grows & 0x7FFF'FFFFu : ~grows;
  return {~static_cast<uint32_t>(rank), std::bit_cast<float>(bits)};
}

// The best so far, and some that were taken in since it was last looked which those are. Nearly
// every product fails the comparison with the bar; only one that passes is looked up in the
// excluded.
template <typename Excluded>
class Selection {
 public:
  // REQUIRES: k > 0.
  Selection(const Excluded& exclude, size_t k) : exclude_(exclude), k_(k) {
    ranks_.reserve(k + std::max(k / 2, kSpare));
  }

  // Later calls must offer higher products.
  void Offer(uint32_t product, float score) {
    if (!(score > bar_) || exclude_.Contains(product)) return;
    ranks_.push_back(RankOf({product, score}));
    if (ranks_.size() == ranks_.capacity()) DropTheRest();
  }

  // What a product must exceed.
  float bar() const { return bar_; }

  // There are k products of these scores or higher still to be offered.
  void RaiseBarBelow(float score) {
    bar_ = std::max(bar_, std::nextafter(score, -std::numeric_limits<float>::infinity()));
  }

  std::vector<Scored> BestFirst() && {
    if (ranks_.size() > k_) DropTheRest();
    std::sort(ranks_.begin(), ranks_.end(), std::greater<>());
    std::vector<Scored> best;
    best.reserve(ranks_.size());
    for (const uint64_t rank : ranks_) best.push_back(ScoredOf(rank));
    return best;
  }

 private:
  static constexpr size_t kSpare = 16;

  // One that is as good as the last that stays has a higher product, so the bar is to be exceeded.
  void DropTheRest() {
    const auto last = ranks_.begin() + static_cast<ptrdiff_t>(k_ - 1);
    std::nth_element(ranks_.begin(), last, ranks_.end(), std::greater<>());
    bar_ = ScoredOf(*last).score;
    ranks_.resize(k_);
  }

  const Excluded& exclude_;
  const size_t k_;
  std::vector<uint64_t> ranks_;  // their capacity never changes
  float bar_ = -std::numeric_limits<float>::infinity();
};

std::span<const float> Floats(const Eigen::VectorXf& vector) {
  return {vector.data(), static_cast<size_t>(vector.size())};
}

// Bounds are floats too: of a taste that is out of all proportion they would be infinite.
bool CanBeScanned(std::span<const float> taste) {
  constexpr float kFactorMax = 1e15f;
  return std::all_of(taste.begin(), taste.end(),
                     [](float factor) { return std::abs(factor) < kFactorMax; });
}

// One taste on its way through the catalogue.
template <typename Excluded>
class Scan {
 public:
  Scan(const QuantizedFactors& quantized, const FactorView& factors, std::span<const float> taste,
       const Excluded& exclude, size_t k)
      : quantized_(quantized),
        factors_(factors),
        taste_(taste),
        kernel_(ScanKernels().front()),
        query_(MakeScanQuery(taste, kernel_)),
        selection_(exclude, k),
        uncoded_(quantized.uncoded()) {}

  // Looks at the blocks [first, end), which follow those of the call before. While few products are
  // known, nearly all pass: the first steps are short, for a bar to form. What passes the last step
  // is scored when the next call comes: until then its factors have time to arrive.
  void Look(size_t first, size_t end) {
    while (first < end) {
      ScoreHits();
      const size_t blocks = std::min({step_, end - first, kStepBlocks});
      found_ = kernel_.scan(quantized_, query_, first, blocks, selection_.bar(), hits_.data());
      for (const ScanHit& hit : std::span(hits_).first(found_)) Prefetch(hit);
      first += blocks;
      scanned_ = first;
      step_ = std::min(2 * step_, kStepBlocks);
    }
  }

  // Before the first Look.
  void Expect(float score) { selection_.RaiseBarBelow(score); }

  std::vector<Scored> BestFirst() && {
    ScoreHits();
    return std::move(selection_).BestFirst();
  }

 private:
  // Those that pass lie far apart: their factors come while others are scored.
  void Prefetch(const ScanHit& hit) const {
    constexpr size_t kLineFloats = 16;
    for (unsigned lanes = hit.lanes; lanes != 0; lanes &= lanes - 1) {
      const size_t product = hit.block * kLanes + static_cast<size_t>(__builtin_ctz(lanes));
      const float* const row = factors_.data() + product * taste_.size();
      for (size_t j = 0; j < taste_.size(); j += kLineFloats) __builtin_prefetch(row + j);
    }
  }

  // What passed the last step, and what there is no code of up to its end.
  void ScoreHits() {
    for (const ScanHit& hit : std::span(hits_).first(found_)) {
      ScoreUncoded(hit.block * kLanes);
      Score(hit);
    }
    found_ = 0;
    ScoreUncoded(scanned_ * kLanes);
  }

  void Score(const ScanHit& hit) {
    unsigned lanes = hit.lanes;
    const auto first = static_cast<uint32_t>(hit.block * kLanes);
    for (; !uncoded_.empty() && uncoded_.front() < first + kLanes; uncoded_ = uncoded_.subspan(1)) {
      lanes |= 1u << (uncoded_.front() - first);
    }
    for (; lanes != 0; lanes &= lanes - 1) {
      const uint32_t product = first + static_cast<uint32_t>(__builtin_ctz(lanes));
      if (product >= quantized_.products()) return;
      selection_.Offer(product, ScoreOf(factors_, product, taste_));
    }
  }

  // Products without codes below `end` that have not been scored.
  void ScoreUncoded(size_t end) {
    for (; !uncoded_.empty() && uncoded_.front() < end; uncoded_ = uncoded_.subspan(1)) {
      selection_.Offer(uncoded_.front(), ScoreOf(factors_, uncoded_.front(), taste_));
    }
  }

  const QuantizedFactors& quantized_;
  const FactorView factors_;
  const std::span<const float> taste_;
  const ScanKernel& kernel_;
  const ScanQuery query_;
  Selection<Excluded> selection_;
  std::span<const uint32_t> uncoded_;  // that are still to come
  size_t step_ = 1;
  std::array<ScanHit, kStepBlocks> hits_;
  size_t found_ = 0;    // hits that are still to be scored
  size_t scanned_ = 0;  // blocks
};

template <typename Excluded>
std::vector<Scored> TopProductsPlainly(const FactorView& factors, std::span<const float> taste,
                                       const Excluded& exclude, size_t k) {
  Selection<Excluded> selection(exclude, k);
  for (uint32_t product = 0; product < factors.rows(); ++product) {
    selection.Offer(product, ScoreOf(factors, product, taste));
  }
  return std::move(selection).BestFirst();
}

// The k-th best score of those of `products` that are not excluded, if there are so many.
std::optional<float> KthScore(const FactorView& factors, std::span<const float> taste,
                              const ProductSet& exclude, size_t k,
                              std::span<const uint32_t> products) {
  std::vector<float> scores;
  scores.reserve(products.size());
  for (const uint32_t product : products) {
    if (exclude.Contains(product)) continue;
    const float score = ScoreOf(factors, product, taste);
    if (score == score) scores.push_back(score);  // a number
  }
  if (scores.size() < k) return std::nullopt;
  const auto kth = scores.begin() + static_cast<ptrdiff_t>(k - 1);
  std::nth_element(scores.begin(), kth, scores.end(), std::greater<>());
  return *kth;
}

}  // namespace

float ScoreOf(const FactorView& factors, uint32_t product, std::span<const float> taste) {
  constexpr size_t kSums = 16;
  const float* const row = factors.data() + static_cast<size_t>(product) * taste.size();
  float sums[kSums] = {};
  size_t j = 0;
  for (; j + kSums <= taste.size(); j += kSums) {
    for (size_t i = 0; i < kSums; ++i) sums[i] += row[j + i] * taste[j + i];
  }
  for (size_t i = 0; j + i < taste.size(); ++i) sums[i] += row[j + i] * taste[j + i];
  for (size_t half = kSums / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return sums[0];
}

std::vector<Scored> TopProducts(const FactorView& factors, const Eigen::VectorXf& taste,
                                const ProductSet& exclude, size_t k) {
  k = std::min(k, static_cast<size_t>(factors.rows()));
  if (k == 0) return {};
  return TopProductsPlainly(factors, Floats(taste), exclude, k);
}

std::vector<Scored> TopProducts(const QuantizedFactors& quantized, const FactorView& factors,
                                const Eigen::VectorXf& taste, const ProductSet& exclude, size_t k,
                                std::span<const uint32_t> likely) {
  k = std::min(k, quantized.products());
  if (k == 0) return {};
  if (!CanBeScanned(Floats(taste))) return TopProducts(factors, taste, exclude, k);
  Scan<ProductSet> scan(quantized, factors, Floats(taste), exclude, k);
  if (const auto score = KthScore(factors, Floats(taste), exclude, k, likely)) scan.Expect(*score);
  scan.Look(0, quantized.blocks());
  return std::move(scan).BestFirst();
}

std::vector<std::vector<Scored>> TopProductsForAll(const QuantizedFactors& quantized,
                                                   const FactorView& factors,
                                                   const FactorMatrix& tastes,
                                                   const ExcludedOf& exclude, size_t k,
                                                   uint32_t threads) {
  const auto rows = static_cast<size_t>(tastes.rows());
  std::vector<std::vector<Scored>> lists(rows);
  k = std::min(k, quantized.products());
  if (k == 0) return lists;
  const auto d = static_cast<size_t>(tastes.cols());
  Chunks chunks(rows, kTastesAtOnce);
  RunOnThreads(threads, [&] {
    while (const std::optional<Chunks::Range> chunk = chunks.Next()) {
      std::vector<SortedIds> excluded(chunk->end - chunk->begin);
      std::vector<std::pair<size_t, Scan<SortedIds>>> scans;
      scans.reserve(excluded.size());
      for (size_t row = chunk->begin; row < chunk->end; ++row) {
        const std::span<const float> taste(tastes.data() + row * d, d);
        SortedIds& ids = excluded[row - chunk->begin];
        if (exclude) ids.ids = exclude(row);
        if (CanBeScanned(taste)) {
          scans.emplace_back(row, Scan<SortedIds>(quantized, factors, taste, ids, k));
        } else {
          lists[row] = TopProductsPlainly(factors, taste, ids, k);
        }
      }
      for (size_t first = 0; first < quantized.blocks(); first += kStepBlocks) {
        const size_t end = std::min(first + kStepBlocks, quantized.blocks());
        for (auto& [row, scan] : scans) scan.Look(first, end);
      }
      for (auto& [row, scan] : scans) lists[row] = std::move(scan).BestFirst();
    }
  });
  return lists;
}

std::vector<Scored> TopScores(std::span<const float> scores, const ProductSet& exclude, size_t k) {
  k = std::min(k, scores.size());
  if (k == 0) return {};
  Selection<ProductSet> selection(exclude, k);
  for (uint32_t product = 0; product < scores.size(); ++product) {
    selection.Offer(product, scores[product]);
  }
  return std::move(selection).BestFirst();
}

}  // namespace vitrine
