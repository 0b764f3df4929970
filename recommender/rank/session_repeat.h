// Going back to what was looked at before, a source of its own: every product of the session at its
// probability to be the next click (model/session_repeats.h).

#ifndef VITRINE_RECOMMENDER_RANK_SESSION_REPEAT_H_
#define VITRINE_RECOMMENDER_RANK_SESSION_REPEAT_H_

#include <vector>

#include "recommender/rank/session_neighbours.h"

namespace vitrine {

// O(clicks * products of the session).
class RepeatScorer : public SessionScorer {
 public:
  void Score(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
             ScoreMap* scores) override {
    ListSeen(clicks, &query_);
    for (const Seen& seen : query_) {
      scores->Add(seen.product, index.repeats().Probability(seen, clicks.size()));
    }
  }

 private:
  std::vector<Seen> query_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_SESSION_REPEAT_H_
