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
// Blocks that a scan looks at with one bar, at most: 16 KiB of codes at d = 64.
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

  // Each product once, in any order.
  void Offer(uint32_t product, float score) {
    if (!(score >= bar_) || RankOf({product, score}) < last_) return;
    if (exclude_.Contains(product)) return;
    ranks_.push_back(RankOf({product, score}));
    if (ranks_.size() == ranks_.capacity()) DropTheRest();
  }

  // What a product must reach.
  float bar() const { return bar_; }

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

  void DropTheRest() {
    const auto last = ranks_.begin() + static_cast<ptrdiff_t>(k_ - 1);
    std::nth_element(ranks_.begin(), last, ranks_.end(), std::greater<>());
    last_ = *last;
    bar_ = ScoredOf(last_).score;
    ranks_.resize(k_);
  }

  const Excluded& exclude_;
  const size_t k_;
  std::vector<uint64_t> ranks_;  // their capacity never changes
  uint64_t last_ = 0;            // of the best k, when it was last looked
  float bar_ = std::numeric_limits<float>::lowest();
};

std::span<const float> Floats(const Eigen::VectorXf& vector) {
  return {vector.data(), static_cast<size_t>(vector.size())};
}

template <typename T>
void Prefetch(std::span<const T> values) {
  constexpr size_t kLine = 64 / sizeof(T);
  for (size_t i = 0; i < values.size(); i += kLine) __builtin_prefetch(&values[i]);
}

// One taste on its way through the catalogue. What passes both looks is a candidate: k of those
// tell what a product must reach, and only of the last ones is the score computed.
template <typename Excluded>
class Scan {
 public:
  // REQUIRES: QuantizedFactors::HasCodes(taste), k > 0.
  Scan(const QuantizedFactors& quantized, const FactorView& factors, std::span<const float> taste,
       const Excluded& exclude, size_t k)
      : quantized_(quantized),
        factors_(factors),
        taste_(taste),
        exclude_(exclude),
        k_(k),
        kernel_(ScanKernels().front()),
        query_(MakeScanQuery(taste)) {}

  // Looks at the blocks [first, end), which follow those of the call before. While few products are
  // known, nearly all pass: the first steps are short, for a bar to form. What passes the last step
  // is looked at again when the next call comes: until then its codes have time to arrive. False
  // once nothing that follows can be among the best.
  bool Look(size_t first, size_t end) {
    while (first < end) {
      LookAgain();
      const size_t blocks = BlocksInReach(first, std::min({step_, end - first, kStepBlocks}));
      if (blocks == 0) return false;
      found_ = kernel_.scan(quantized_, query_, first, blocks, bar_, hits_.data());
      ForEachHit([&](size_t place) { Prefetch(quantized_.fine_codes(place)); });
      first += blocks;
      step_ = std::min(2 * step_, kStepBlocks);
    }
    return true;
  }

  std::vector<Scored> BestFirst() && {
    LookAgain();
    DropTheRest();
    for (const Candidate& candidate : candidates_) {
      Prefetch(std::span(factors_.data() + candidate.product * taste_.size(), taste_.size()));
    }
    Selection<Excluded> selection(exclude_, k_);
    for (const Candidate& candidate : candidates_) {
      selection.Offer(candidate.product, ScoreOf(factors_, candidate.product, taste_));
    }
    return std::move(selection).BestFirst();
  }

 private:
  struct Candidate {
    ScoreRange score;
    uint32_t product;
  };

  // How many of so many blocks have products whose norms let them be among the best: norms fall.
  size_t BlocksInReach(size_t first, size_t blocks) const {
    const auto bounds = quantized_.arrays().bounds.subspan(first, blocks);
    if (bounds[0].norm == 0 && zeros_ >= k_) return 0;  // they come by rising number
    const auto end = std::ranges::partition_point(
        bounds, [&](const auto& bound) { return query_.Reach(bound.norm) >= bar_; });
    return static_cast<size_t>(end - bounds.begin());
  }

  // Calls it with the places in the order.
  void ForEachHit(const auto& work) const {
    for (const ScanHit& hit : std::span(hits_).first(found_)) {
      const size_t first = hit.block * kLanes;
      for (unsigned lanes = hit.lanes; lanes != 0; lanes &= lanes - 1) {
        const size_t place = first + static_cast<size_t>(std::countr_zero(lanes));
        if (place < quantized_.products()) work(place);
      }
    }
  }

  void LookAgain() {
    ForEachHit([&](size_t place) {
      const ScoreRange score = RangeOf(quantized_, query_, place);
      const uint32_t product = quantized_.order()[place];
      if (score.high < bar_ || exclude_.Contains(product)) return;
      candidates_.push_back({score, product});
      zeros_ += quantized_.bounds(place / kLanes).norm == 0 ? 1 : 0;
      if (candidates_.size() >= enough_) DropTheRest();
    });
    found_ = 0;
  }

  void DropTheRest() {
    if (candidates_.size() > k_) {
      const auto kth = candidates_.begin() + static_cast<ptrdiff_t>(k_ - 1);
      std::ranges::nth_element(candidates_, kth, std::greater<>(),
                               [](const Candidate& candidate) { return candidate.score.low; });
      bar_ = std::max(bar_, kth->score.low);
      std::erase_if(candidates_, [&](const Candidate& c) { return c.score.high < bar_; });
    }
    enough_ = candidates_.size() + std::max(k_ / 2, kSpare);
  }

  static constexpr size_t kSpare = 16;

  const QuantizedFactors& quantized_;
  const FactorView factors_;
  const std::span<const float> taste_;
  const Excluded& exclude_;
  const size_t k_;
  const ScanKernel& kernel_;
  const ScanQuery query_;
  size_t step_ = 1;
  std::array<ScanHit, kStepBlocks> hits_;
  size_t found_ = 0;  // hits that are still to be looked at again
  std::vector<Candidate> candidates_;
  size_t enough_ = k_ + std::max(k_ / 2, kSpare);  // to look which of them are the best
  size_t zeros_ = 0;                               // candidates that are rows of zeros
  float bar_ = std::numeric_limits<float>::lowest();
};

template <typename Excluded>
std::vector<Scored> TopProductsPlainly(const FactorView& factors, std::span<const float> taste,
                                       const Excluded& exclude, size_t k) {
  // To a taste of nothing all products are alike, and the first of them the best.
  const bool tasteless = std::ranges::all_of(taste, [](float factor) { return factor == 0; });
  Selection<Excluded> selection(exclude, k);
  for (uint32_t product = 0; product < factors.rows(); ++product) {
    selection.Offer(product, ScoreOf(factors, product, taste));
    if (tasteless && selection.bar() >= 0) break;
  }
  return std::move(selection).BestFirst();
}

// All of them look at a step of the catalogue, those that are not done at the next.
void LookInTurn(size_t blocks, std::vector<std::pair<size_t, Scan<SortedIds>>>* scans) {
  std::vector<Scan<SortedIds>*> turn;
  for (auto& [row, scan] : *scans) turn.push_back(&scan);
  for (size_t first = 0; first < blocks && !turn.empty(); first += kStepBlocks) {
    const size_t end = std::min(first + kStepBlocks, blocks);
    std::erase_if(turn, [&](Scan<SortedIds>* scan) { return !scan->Look(first, end); });
  }
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
                                const Eigen::VectorXf& taste, const ProductSet& exclude, size_t k) {
  k = std::min(k, quantized.products());
  if (k == 0) return {};
  if (!QuantizedFactors::HasCodes(Floats(taste))) return TopProducts(factors, taste, exclude, k);
  Scan<ProductSet> scan(quantized, factors, Floats(taste), exclude, k);
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
        if (QuantizedFactors::HasCodes(taste)) {
          scans.emplace_back(row, Scan<SortedIds>(quantized, factors, taste, ids, k));
        } else {
          lists[row] = TopProductsPlainly(factors, taste, ids, k);
        }
      }
      LookInTurn(quantized.blocks(), &scans);
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
