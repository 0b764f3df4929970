// Sequential rules "who looked at i looked at j next" (SR: Kamehkhosh, Jannach, Ludewig: "A
// Comparison of Frequent Pattern Techniques and a Deep Learning Method for Session-Based
// Recommendation", TempRec 2017, eq. 2), from several products of the session, in both directions,
// newer sessions counting more. Counted from the index when asked for, so that rules are as new as
// the newest session and take no memory of their own.
//
//   rule(i, j)  sum over sessions h and pairs of clicks on i and on j with 1 <= e <= steps between
//               them of exp(-age(h) / recency) * e^-distance_exponent, times `backward` where j
//               comes first
//   score(j)    sum over the different products i of the session, d_i clicks before the last, of
//               item_decay^d_i * rule(i, j) / (sum over j' of rule(i, j'))^row_exponent
//   finally     score(j) / (sessions with j)^popularity_exponent

#ifndef VITRINE_RECOMMENDER_RANK_SESSION_RULES_H_
#define VITRINE_RECOMMENDER_RANK_SESSION_RULES_H_

#include <vector>

#include "recommender/model/session_settings.h"
#include "recommender/rank/session_neighbours.h"

namespace vitrine {

// O(last clicks * sessions per product * length).
class RuleScorer : public SessionScorer {
 public:
  // REQUIRES: Validate(settings) is OK.
  explicit RuleScorer(const RuleSettings& settings)
      : settings_(settings),
        recency_(settings.recency),
        distance_power_(settings.distance_exponent),
        popularity_power_(settings.popularity_exponent) {}

  void Score(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
             ScoreMap* scores) override;

 private:
  // Fills row_ with the rules of a product, a conclusion as often as it was met.
  void CollectRules(const SessionIndex::Reader& index, uint32_t product);
  // Those around clicks[at].
  void CollectAround(std::span<const uint32_t> clicks, size_t at, float weight);

  const RuleSettings settings_;
  const Decay recency_;
  const InversePower distance_power_;
  const InversePower popularity_power_;
  std::vector<Seen> query_;
  std::vector<Scored> row_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_SESSION_RULES_H_
