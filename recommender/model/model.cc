#include "recommender/model/model.h"

#include <algorithm>
#include <numeric>

namespace vitrine {

std::optional<uint32_t> Model::Find(absl::string_view product_id) const {
  const auto found = index.find(product_id);
  if (found == index.end()) return std::nullopt;
  return found->second;
}

void Model::Derive() {
  gramian = Gramian(factors, /*threads=*/1);

  by_popularity.resize(products.size());
  std::iota(by_popularity.begin(), by_popularity.end(), 0u);
  std::stable_sort(by_popularity.begin(), by_popularity.end(),
                   [this](uint32_t a, uint32_t b) { return popularity[a] > popularity[b]; });

  quantized = QuantizedFactors(factors);

  index.clear();
  index.reserve(products.size());
  for (uint32_t i = 0; i < products.size(); ++i) index.emplace(products[i], i);
}

}  // namespace vitrine
