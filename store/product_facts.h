// What a product's row says, asked for by name.

#ifndef VITRINE_STORE_PRODUCT_FACTS_H_
#define VITRINE_STORE_PRODUCT_FACTS_H_

#include <optional>

#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

// Between the levels of a category, the highest first.
inline constexpr absl::string_view kCategorySeparator = " > ";

// Whether a product of category `path` ("Shoes > Boots") is in `category`: the same, or above it.
bool IsInCategory(absl::string_view path, absl::string_view category);

// What a product has of an attribute ("id", "brand", "category", or one of the catalogue's);
// nullopt if nothing. A view into `product`.
std::optional<absl::string_view> AttributeOf(const Product& product, absl::string_view attribute);

}  // namespace vitrine

#endif  // VITRINE_STORE_PRODUCT_FACTS_H_
