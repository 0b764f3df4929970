#include "store/product_facts.h"

#include <string>

#include "absl/strings/match.h"

namespace vitrine {

bool IsInCategory(absl::string_view path, absl::string_view category) {
  if (!absl::StartsWith(path, category)) return false;
  path.remove_prefix(category.size());
  return path.empty() || absl::StartsWith(path, kCategorySeparator);
}

std::optional<absl::string_view> AttributeOf(const Product& product, absl::string_view attribute) {
  const auto& set = product.__isset;
  if (attribute == "id") return product.id;
  if (attribute == "brand") {
    return set.brand ? std::optional<absl::string_view>(product.brand) : std::nullopt;
  }
  if (attribute == "category") {
    return set.category ? std::optional<absl::string_view>(product.category) : std::nullopt;
  }
  if (!set.attributes) return std::nullopt;
  const auto it = product.attributes.find(std::string(attribute));
  if (it == product.attributes.end()) return std::nullopt;
  return it->second;
}

}  // namespace vitrine
