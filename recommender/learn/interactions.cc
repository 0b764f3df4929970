#include "recommender/learn/interactions.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace vitrine {

SparseRows SparseRows::Transposed() const {
  SparseRows out;
  out.columns = rows();
  out.offsets.assign(columns + 1, 0);
  for (const Cell& cell : cells) ++out.offsets[cell.index + 1];
  std::partial_sum(out.offsets.begin(), out.offsets.end(), out.offsets.begin());
  out.cells.resize(cells.size());
  std::vector<uint64_t> next(out.offsets.begin(), out.offsets.end() - 1);
  for (size_t r = 0; r < rows(); ++r) {
    for (const Cell& cell : row(r)) {
      out.cells[next[cell.index]++] = {static_cast<uint32_t>(r), cell.weight};
    }
  }
  return out;
}

std::vector<float> SparseRows::ColumnSums() const {
  std::vector<double> sums(columns);
  for (const Cell& cell : cells) sums[cell.index] += cell.weight;
  return {sums.begin(), sums.end()};
}

InteractionsBuilder::InteractionsBuilder(const WeightSettings& weights, int64_t newest_ms)
    : weights_(weights), newest_ms_(newest_ms) {}

void InteractionsBuilder::Add(EventKind kind, int64_t time_ms, absl::string_view product) {
  const float weight = EventWeight(weights_, kind, newest_ms_ - time_ms);
  if (!(weight > 0)) return;
  const auto [entry, is_new] = index_.try_emplace(product, static_cast<uint32_t>(products_.size()));
  if (is_new) products_.emplace_back(product);
  row_.push_back({entry->second, weight});
}

bool InteractionsBuilder::EndPerson() {
  if (row_.empty()) return false;
  MergeCells(weights_.cell_weight_max, &row_);
  by_person_.cells.insert(by_person_.cells.end(), row_.begin(), row_.end());
  by_person_.offsets.push_back(by_person_.cells.size());
  row_.clear();
  return true;
}

Interactions InteractionsBuilder::Build() && {
  std::vector<uint32_t> order(products_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [this](uint32_t a, uint32_t b) { return products_[a] < products_[b]; });
  std::vector<uint32_t> column_of(order.size());
  Interactions out;
  out.products.reserve(order.size());
  for (const uint32_t old : order) {
    column_of[old] = static_cast<uint32_t>(out.products.size());
    out.products.push_back(std::move(products_[old]));
  }

  out.newest_ms = newest_ms_;
  out.by_person = std::move(by_person_);
  out.by_person.columns = out.products.size();
  for (Cell& cell : out.by_person.cells) cell.index = column_of[cell.index];
  for (size_t r = 0; r < out.by_person.rows(); ++r) {
    Cell* const cells = out.by_person.cells.data();
    std::sort(cells + out.by_person.offsets[r], cells + out.by_person.offsets[r + 1],
              [](const Cell& a, const Cell& b) { return a.index < b.index; });
  }
  return out;
}

}  // namespace vitrine
