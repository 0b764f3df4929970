// The products that answers may name, by number: those of a model in its order, then those that
// were met since it was trained, in the order in which they were met. Sessions are kept by these
// numbers, so that a product added a minute ago can be suggested by what people click.

#ifndef VITRINE_RECOMMENDER_MODEL_CATALOGUE_H_
#define VITRINE_RECOMMENDER_MODEL_CATALOGUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "recommender/model/model.h"

namespace vitrine {

// Thread-safe; a product keeps its number.
class Catalogue {
 public:
  explicit Catalogue(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

  const Model& model() const { return *model_; }

  std::optional<uint32_t> Find(absl::string_view id) const;
  // Gives the product a number if it has none; nullopt where limits::kCatalogueProductsMax have
  // one.
  std::optional<uint32_t> NumberOf(absl::string_view id);

  // REQUIRES: number < size().
  std::string IdOf(uint32_t number) const;
  // Counts up.
  size_t size() const;
  // Numbers below this are the model's own.
  size_t known() const { return model_->products.size(); }

 private:
  const std::shared_ptr<const Model> model_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> added_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, uint32_t> numbers_ ABSL_GUARDED_BY(mutex_);  // of added_
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_CATALOGUE_H_
