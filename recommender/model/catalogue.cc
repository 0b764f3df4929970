#include "recommender/model/catalogue.h"

#include "store/base/limits.h"

namespace vitrine {

std::optional<uint32_t> Catalogue::Find(absl::string_view id) const {
  if (const std::optional<uint32_t> known = model_->Find(id)) return known;
  absl::ReaderMutexLock lock(&mutex_);
  const auto it = numbers_.find(id);
  if (it == numbers_.end()) return std::nullopt;
  return it->second;
}

std::optional<uint32_t> Catalogue::NumberOf(absl::string_view id) {
  if (const std::optional<uint32_t> found = Find(id)) return found;
  absl::MutexLock lock(&mutex_);
  const size_t next = known() + added_.size();
  if (next >= limits::kCatalogueProductsMax) return std::nullopt;
  const auto [entry, is_new] = numbers_.try_emplace(std::string(id), static_cast<uint32_t>(next));
  if (is_new) added_.emplace_back(id);
  return entry->second;
}

std::string Catalogue::IdOf(uint32_t number) const {
  if (number < known()) return std::string(model_->products[number]);
  absl::ReaderMutexLock lock(&mutex_);
  return added_[number - known()];
}

size_t Catalogue::size() const {
  absl::ReaderMutexLock lock(&mutex_);
  return known() + added_.size();
}

}  // namespace vitrine
