#include "recommender/model/product_ids.h"

namespace vitrine {

std::optional<uint32_t> ProductIds::Find(absl::string_view id) const {
  size_t begin = 0;
  size_t end = size();
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    const int order = (*this)[middle].compare(id);
    if (order == 0) return static_cast<uint32_t>(middle);
    if (order < 0) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return std::nullopt;
}

}  // namespace vitrine
