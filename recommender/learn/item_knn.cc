#include "recommender/learn/item_knn.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "recommender/model/parallel.h"

namespace vitrine {
namespace {

constexpr size_t kProductsPerChunk = 16;

// The inner products of one column with all others, in an array that is cleaned by touching only
// what was used.
class ColumnProducts {
 public:
  ColumnProducts(const SparseRows& by_person, const SparseRows& by_product)
      : by_person_(by_person), by_product_(by_product), sums_(by_person.columns) {}

  // One cell per product that shares a person with `product`, itself left out.
  std::vector<Cell> Of(uint32_t product) {
    for (const Cell& person : by_product_.row(product)) {
      for (const Cell& other : by_person_.row(person.index)) {
        if (sums_[other.index] == 0) touched_.push_back(other.index);
        sums_[other.index] += person.weight * other.weight;
      }
    }
    std::vector<Cell> out;
    out.reserve(touched_.size());
    for (const uint32_t other : touched_) {
      if (other != product) out.push_back({other, sums_[other]});
      sums_[other] = 0;
    }
    touched_.clear();
    return out;
  }

 private:
  const SparseRows& by_person_;
  const SparseRows& by_product_;
  std::vector<float> sums_;
  std::vector<uint32_t> touched_;
};

std::vector<float> Norms(const SparseRows& rows) {
  std::vector<float> norms(rows.rows());
  for (size_t r = 0; r < rows.rows(); ++r) {
    double squares = 0;
    for (const Cell& cell : rows.row(r)) squares += double{cell.weight} * cell.weight;
    norms[r] = static_cast<float>(std::sqrt(squares));
  }
  return norms;
}

void KeepBest(size_t count, std::vector<Cell>* cells) {
  if (cells->size() > count) {
    std::nth_element(cells->begin(), cells->begin() + static_cast<ptrdiff_t>(count), cells->end(),
                     [](const Cell& a, const Cell& b) {
                       return std::tie(b.weight, a.index) < std::tie(a.weight, b.index);
                     });
    cells->resize(count);
  }
  std::sort(cells->begin(), cells->end(),
            [](const Cell& a, const Cell& b) { return a.index < b.index; });
}

}  // namespace

SparseRows ItemNeighbours(const SparseRows& by_person, size_t neighbours, uint32_t threads) {
  const SparseRows by_product = by_person.Transposed();
  const std::vector<float> norms = Norms(by_product);
  std::vector<std::vector<Cell>> found(by_product.rows());
  Chunks chunks(found.size(), kProductsPerChunk);
  RunOnThreads(threads, [&] {
    ColumnProducts products(by_person, by_product);
    while (const auto chunk = chunks.Next()) {
      for (size_t p = chunk->begin; p < chunk->end; ++p) {
        found[p] = products.Of(static_cast<uint32_t>(p));
        for (Cell& cell : found[p]) cell.weight /= norms[p] * norms[cell.index];
        KeepBest(neighbours, &found[p]);
      }
    }
  });

  SparseRows out;
  out.columns = by_person.columns;
  for (const std::vector<Cell>& row : found) {
    out.cells.insert(out.cells.end(), row.begin(), row.end());
    out.offsets.push_back(out.cells.size());
  }
  return out;
}

void ScoreByNeighbours(const SparseRows& item_neighbours, std::span<const Cell> history,
                       std::span<float> scores) {
  std::fill(scores.begin(), scores.end(), 0.0f);
  for (const Cell& cell : history) {
    for (const Cell& neighbour : item_neighbours.row(cell.index)) {
      scores[neighbour.index] += cell.weight * neighbour.weight;
    }
  }
}

}  // namespace vitrine
