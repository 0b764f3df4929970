// How far a training has come: apart from trainer.h, so that who only shows it need not know the
// model.

#ifndef VITRINE_RECOMMENDER_LEARN_TRAIN_PROGRESS_H_
#define VITRINE_RECOMMENDER_LEARN_TRAIN_PROGRESS_H_

#include <cstdint>

namespace vitrine {

struct TrainProgress {
  uint32_t epoch = 0;  // done
  uint32_t epochs = 0;
  double seconds_left = 0;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_TRAIN_PROGRESS_H_
