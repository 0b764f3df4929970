// Products that no model knows yet, with the factors that they would probably have
// (learn/cold_products.h): they stand beside a model, and whoever ranks scores both with one taste.

#ifndef VITRINE_RECOMMENDER_RANK_GUESSED_PRODUCTS_H_
#define VITRINE_RECOMMENDER_RANK_GUESSED_PRODUCTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "recommender/model/factors.h"

namespace vitrine {

// So long a product is new.
constexpr int64_t kNewMs = int64_t{30} * 24 * 60 * 60 * 1000;

struct GuessedProducts {
  std::vector<uint32_t> products = {};     // the site's numbers; the newest first
  std::vector<int64_t> new_since_ms = {};  // when the shop began to sell each; falling
  FactorMatrix factors = {};               // a row each, in the space of the model's
  absl::flat_hash_map<uint32_t, Eigen::Index> rows = {};  // by product
  // A digest of the above: of two that are alike it is the same. 0: there are none.
  uint64_t version = 0;

  // The rows at the front that are new at this time. What nobody has touched for longer is no
  // longer new: silence says something of it too, which a guess does not know.
  size_t NewAt(int64_t now_ms) const {
    return static_cast<size_t>(
        std::partition_point(new_since_ms.begin(), new_since_ms.end(),
                             [now_ms](int64_t since_ms) { return since_ms > now_ms - kNewMs; }) -
        new_since_ms.begin());
  }

  std::optional<Eigen::Index> RowOf(uint32_t product) const {
    const auto row = rows.find(product);
    if (row == rows.end()) return std::nullopt;
    return row->second;
  }
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_GUESSED_PRODUCTS_H_
