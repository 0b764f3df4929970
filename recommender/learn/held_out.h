// What a training is given: the interactions and orders of a store, less the last visits of some
// people, which say afterwards whether the new model is as good as the one that is served.

#ifndef VITRINE_RECOMMENDER_LEARN_HELD_OUT_H_
#define VITRINE_RECOMMENDER_LEARN_HELD_OUT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/learn/interactions.h"
#include "recommender/model/settings.h"
#include "store/records_types.h"
#include "store/web_house.h"

namespace vitrine {

// The last visit of somebody who had been there before.
struct HeldOutVisit {
  int64_t start_ms = 0;
  std::vector<Event> history = {};  // of before, newest first: time, kind and products
  // Of the visit, once each, without what was bought before.
  std::vector<std::string> products = {};
};

struct HoldOutOptions {
  size_t visits_max = 0;  // 0: nothing is held out
  uint32_t one_person_in = 10;
  uint32_t seed = 1;  // of the draw of persons
};

struct TrainingData {
  Interactions interactions;
  // Orders by the products in them (columns as in `interactions`), all weights 1; those of less
  // than two are left out.
  SparseRows baskets;
  std::vector<HeldOutVisit> held_out;
};

// Everything in `house` (a checkpoint, or a store nobody writes to), each event with the person it
// belongs to; robots are left out. Read twice: for the newest event that says something about taste
// and the visits to hold out, then for all of them. FailedPrecondition if no event says anything
// about taste; InvalidArgument if a weight is out of range.
absl::StatusOr<TrainingData> GatherTraining(const WebHouse& house, const WeightSettings& weights,
                                            const HoldOutOptions& hold_out);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_HELD_OUT_H_
