// VMIS-kNN: Vector-Multiplication-Indexed-Session k nearest neighbours (Kersbergen, Sprangers,
// Schelter: "Serenade", SIGMOD 2022, section 3 and algorithm 2), which computes what V-SKNN
// (Ludewig, Jannach 2018) computes.
//
//   query     the different products of the last L clicks; p_i = (clicks - distance) / products
//   sim(h)    sum over products shared with session h of p_i, over length(h)^length_exponent; of
//             the m newest sessions that share one, the k most similar are N
//   score(j)  sum over h in N that contain j of sim(h) * match(h) * (offset + weight * idf(j))
//   match(h)  1 - 0.1 * (1 + distance of the newest shared product), at least 0.05
//
// Serenade's own code lets match(h) fall to zero at the tenth click and below it after that, which
// turns a neighbour against its own products; the floor is ours and changes nothing before.

#ifndef VITRINE_RECOMMENDER_RANK_SESSION_VMIS_H_
#define VITRINE_RECOMMENDER_RANK_SESSION_VMIS_H_

#include <vector>

#include "recommender/model/session_settings.h"
#include "recommender/rank/session_neighbours.h"

namespace vitrine {

// O(m * L + k * length).
class VmisScorer : public SessionScorer {
 public:
  // REQUIRES: Validate(settings) is OK.
  explicit VmisScorer(const VmisSettings& settings)
      : settings_(settings), length_power_(settings.length_exponent) {}

  void Score(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
             ScoreMap* scores) override;

 private:
  void FindNeighbours(const SessionIndex::Reader& index, size_t clicks);

  const VmisSettings settings_;
  const InversePower length_power_;
  std::vector<Seen> query_;
  std::vector<float> weights_;
  std::vector<Neighbour> neighbours_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_SESSION_VMIS_H_
