#include "recommender/learn/item_to_item.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "recommender/model/parallel.h"

namespace vitrine {
namespace {

constexpr size_t kProductsPerChunk = 16;

// The cells that count, as the settings say.
SparseRows CountedRows(const SparseRows& rows, const ItemToItemSettings& settings) {
  SparseRows counted;
  counted.columns = rows.columns;
  counted.offsets.reserve(rows.rows() + 1);
  std::vector<Cell> row;
  for (size_t r = 0; r < rows.rows(); ++r) {
    row.clear();
    std::ranges::copy_if(rows.row(r), std::back_inserter(row), [](const Cell& cell) {
      return cell.weight > 0 && std::isfinite(cell.weight);
    });
    if (row.size() > settings.row_cells_max) {
      std::mt19937_64 random(settings.seed + r);
      std::vector<Cell> sample;
      std::ranges::sample(row, std::back_inserter(sample),
                          static_cast<ptrdiff_t>(settings.row_cells_max), random);
      row.swap(sample);
    }
    counted.cells.insert(counted.cells.end(), row.begin(), row.end());
    counted.offsets.push_back(counted.cells.size());
  }
  return counted;
}

struct Column {
  uint32_t rows = 0;
  float length = 0;
};

std::vector<Column> ColumnsOf(const SparseRows& by_product) {
  std::vector<Column> columns(by_product.rows());
  for (size_t p = 0; p < columns.size(); ++p) {
    double squares = 0;
    for (const Cell& cell : by_product.row(p)) squares += double{cell.weight} * cell.weight;
    columns[p] = {static_cast<uint32_t>(by_product.row(p).size()),
                  static_cast<float>(std::sqrt(squares))};
  }
  return columns;
}

// What one product has in common with all others, in an array that is cleaned by touching only what
// was used.
class PairCounts {
 public:
  struct Pair {
    uint32_t together = 0;
    float inner_product = 0;
  };

  PairCounts(const SparseRows& by_row, const SparseRows& by_product)
      : by_row_(by_row), by_product_(by_product), pairs_(by_row.columns) {}

  // Calls each(other product, pair) for those that share a row with `product`.
  template <typename Each>
  void ForEach(uint32_t product, const Each& each) {
    for (const Cell& in : by_product_.row(product)) {
      for (const Cell& other : by_row_.row(in.index)) {
        Pair& pair = pairs_[other.index];
        if (pair.together++ == 0) touched_.push_back(other.index);
        pair.inner_product += in.weight * other.weight;
      }
    }
    for (const uint32_t other : touched_) {
      if (other != product) each(other, pairs_[other]);
      pairs_[other] = {};
    }
    touched_.clear();
  }

 private:
  const SparseRows& by_row_;
  const SparseRows& by_product_;
  std::vector<Pair> pairs_;
  std::vector<uint32_t> touched_;
};

void KeepBest(size_t count, std::vector<ItemLink>* links) {
  const auto better = [](const ItemLink& a, const ItemLink& b) {
    return a.score != b.score ? a.score > b.score : a.product < b.product;
  };
  const size_t kept = std::min(count, links->size());
  std::partial_sort(links->begin(), links->begin() + static_cast<ptrdiff_t>(kept), links->end(),
                    better);
  links->resize(kept);
}

ItemLinkLists Joined(const std::vector<std::vector<ItemLink>>& lists) {
  ItemLinkLists out;
  for (const std::vector<ItemLink>& list : lists) {
    out.links.insert(out.links.end(), list.begin(), list.end());
    out.offsets.push_back(out.links.size());
  }
  return out;
}

}  // namespace

ItemToItem LearnItemToItem(const SparseRows& rows, const ItemToItemSettings& settings) {
  const SparseRows by_row = CountedRows(rows, settings);
  const SparseRows by_product = by_row.Transposed();
  const std::vector<Column> columns = ColumnsOf(by_product);
  uint64_t filled_rows = 0;
  for (size_t r = 0; r < by_row.rows(); ++r) filled_rows += !by_row.row(r).empty();

  std::vector<std::vector<ItemLink>> by_cosine(columns.size());
  std::vector<std::vector<ItemLink>> by_likelihood(columns.size());
  Chunks chunks(columns.size(), kProductsPerChunk);
  RunOnThreads(settings.threads, [&] {
    PairCounts counts(by_row, by_product);
    std::vector<ItemLink> cosines, likelihoods;
    while (const auto chunk = chunks.Next()) {
      for (size_t p = chunk->begin; p < chunk->end; ++p) {
        cosines.clear();
        likelihoods.clear();
        counts.ForEach(static_cast<uint32_t>(p), [&](uint32_t other, const auto& pair) {
          if (pair.together < settings.together_min) return;
          const float cosine = pair.inner_product / (columns[p].length * columns[other].length);
          cosines.push_back({other, pair.together, cosine});
          const auto ratio = static_cast<float>(
              LogLikelihoodRatio(pair.together, columns[p].rows, columns[other].rows, filled_rows));
          if (ratio > 0) likelihoods.push_back({other, pair.together, ratio});
        });
        KeepBest(settings.links, &cosines);
        KeepBest(settings.links, &likelihoods);
        by_cosine[p] = cosines;
        by_likelihood[p] = likelihoods;
      }
    }
  });
  return {Joined(by_cosine), Joined(by_likelihood)};
}

double LogLikelihoodRatio(uint64_t together, uint64_t with_a, uint64_t with_b, uint64_t rows) {
  const auto total = static_cast<double>(rows);
  const auto a = static_cast<double>(with_a);
  const auto b = static_cast<double>(with_b);
  const auto both = static_cast<double>(together);
  if (both * total <= a * b) return 0;
  const auto term = [total](double observed, double row_total, double column_total) {
    return observed > 0 ? observed * std::log(observed * total / (row_total * column_total)) : 0;
  };
  const double sum = term(both, a, b) + term(a - both, a, total - b) +
                     term(b - both, total - a, b) +
                     term(total - a - b + both, total - a, total - b);
  return std::max(0.0, 2 * sum);
}

void ScoreByLinks(const ItemLinks& links, std::span<const Cell> history, std::span<float> scores) {
  std::fill(scores.begin(), scores.end(), 0.0f);
  for (const Cell& cell : history) {
    for (const ItemLink& link : links.Of(cell.index)) {
      scores[link.product] += cell.weight * link.score;
    }
  }
}

}  // namespace vitrine
