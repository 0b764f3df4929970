// STAN (Garg, Gupta, Malhotra, Vig, Shroff: "Sequence and Time Aware Neighborhood for Session-based
// Recommendations", SIGIR 2019, section 3), with the idf of VSTAN (Ludewig, Mauro, Latifi, Jannach:
// "Empirical Analysis of Session-Based Recommendation Algorithms", UMUAI 2020) and three factors
// that help on every set we measured (recommender/README.md).
//
//   query     the different products i of the last L clicks, at distance d_i from the last one
//   sim(h)    sum over shared products of exp(-d_i / lambda1) * idf(i)^idf_exponent     (eq. 1, 3)
//             * exp(-age(h) / lambda2)                                                  (eq. 4)
//             / length(h)^length_exponent; age in sessions. The k most similar are N.
//   score(j)  sum over h in N and clicks on j in h of sim(h) * w                         (eq. 6)
//   w         exp(-e / lambda3), e the clicks between j and the match: the last click in h on the
//             newest product that h shares; times before_match for clicks before it; matched for
//             the match itself. The paper's own w is 0 before the match.
//   finally   score(j) / (sessions with j)^popularity_exponent

#ifndef VITRINE_RECOMMENDER_RANK_SESSION_STAN_H_
#define VITRINE_RECOMMENDER_RANK_SESSION_STAN_H_

#include <array>
#include <vector>

#include "recommender/model/session_settings.h"
#include "recommender/rank/session_neighbours.h"

namespace vitrine {

// O(L * sessions found + k * length).
class StanScorer : public SessionScorer {
 public:
  // REQUIRES: Validate(settings) is OK.
  explicit StanScorer(const StanSettings& settings);

  void Score(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
             ScoreMap* scores) override;

 private:
  void FindNeighbours(const SessionIndex::Reader& index);
  void AddClicks(std::span<const uint32_t> clicks, const Neighbour& neighbour,
                 ScoreMap* scores) const;

  const StanSettings settings_;
  const Decay recency_;
  const InversePower length_power_;
  const InversePower popularity_power_;
  std::array<float, limits::kSessionClicksMax> after_;   // by clicks after the match
  std::array<float, limits::kSessionClicksMax> before_;  // by clicks before it
  std::vector<Seen> query_;
  std::vector<float> weights_;
  std::vector<Neighbour> neighbours_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_SESSION_STAN_H_
