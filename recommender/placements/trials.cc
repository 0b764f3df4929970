#include "recommender/placements/trials.h"

#include "absl/strings/str_cat.h"

namespace vitrine {

void Trials::AddShown(absl::string_view product_id) {
  absl::MutexLock lock(&mutex_);
  ++trials_[product_id].shown;
}

void Trials::AddTaken(absl::string_view product_id, absl::string_view recommendation_id) {
  absl::MutexLock lock(&mutex_);
  if (taken_.size() >= kTakenMax) taken_.clear();
  // No id holds a control character.
  if (!taken_.insert(absl::StrCat(recommendation_id, "\n", product_id)).second) return;
  ++trials_[product_id].taken;
}

Trial Trials::Of(absl::string_view product_id) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto trial = trials_.find(product_id);
  return trial == trials_.end() ? Trial() : trial->second;
}

}  // namespace vitrine
