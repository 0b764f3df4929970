// What of a visit counts as a click of the session, for learning from it and for answering in it.

#ifndef VITRINE_RECOMMENDER_MODEL_CLICKS_H_
#define VITRINE_RECOMMENDER_MODEL_CLICKS_H_

#include <algorithm>
#include <vector>

#include "store/records_types.h"

namespace vitrine {

// Appends an act on a product (by number or by id) to the clicks of its visit, oldest first. The
// same product again is no click of its own: the page was loaded anew, or the product put in the
// cart from it. Nor is the purchase of what was looked at before, which would end every session
// with all of it again.
template <typename Product>
void AppendClick(EventKind kind, const Product& product, std::vector<Product>* clicks) {
  if (!clicks->empty() && clicks->back() == product) return;
  if (kind == PURCHASE && std::find(clicks->begin(), clicks->end(), product) != clicks->end()) {
    return;
  }
  clicks->push_back(product);
}

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_CLICKS_H_
