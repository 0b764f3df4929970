// The list that a server gives somebody now: from their taste, the visit going on, what goes with
// their history, and what is popular, mixed as their situation wants (model/mix_settings.h).

#ifndef VITRINE_RECOMMENDER_RANK_LIVE_RANKER_H_
#define VITRINE_RECOMMENDER_RANK_LIVE_RANKER_H_

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/model/model.h"
#include "recommender/model/session_index.h"
#include "recommender/rank/blend.h"
#include "recommender/rank/mix.h"
#include "recommender/rank/ranker.h"
#include "recommender/rank/rerank.h"

namespace vitrine {

// Thread-compatible: one for a request at a time, kept for the next.
class LiveRanker {
 public:
  // With the settings that the model brings, the defaults where it has none. InvalidArgument if its
  // trees were made for another blend.
  static absl::StatusOr<LiveRanker> Make(const Model& model);

  // `model` is the one it was made for. `sessions` numbers products as `profile` does: those of the
  // model by its indices, newer ones above; null where sessions were not learned yet. As Recommend
  // in ranker.h otherwise: k products unless the catalogue less `options.exclude` has fewer. What a
  // product's place is due to most is its source; what is filled up has a score of 0. A guessed
  // product that is new is ranked by taste as those of the model are.
  RankedList Recommend(const Model& model, const SessionIndex* sessions, const Profile& profile,
                       const RankOptions& options);

  // One of the lists that the last Recommend, of this model and profile, had to mix; what it had no
  // weight for is worked out now.
  std::span<const Scored> ListOf(MixSource source, const Model& model, const Profile& profile);

 private:
  LiveRanker(std::variant<SessionBlend, Reranker> visit, Mix mix)
      : visit_(std::move(visit)), mix_(std::move(mix)) {}

  void FindClicks(const Model& model, std::span<const Act> session);
  void FindHidden(const Model& model, const Profile& profile, size_t session_acts,
                  const RankOptions& options);
  void RankVisit(const SessionIndex& sessions, size_t count);
  ListSource SourceOf(uint32_t product) const;

  std::variant<SessionBlend, Reranker> visit_;
  Mix mix_;
  MixLists lists_;
  std::vector<uint32_t> clicks_;  // of the visit going on, oldest first
  std::vector<uint32_t> known_;
  std::vector<uint32_t> exclude_;
  std::vector<uint32_t> hidden_;  // both, ascending
  std::vector<Scored> visit_list_;
  std::vector<Scored> list_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_LIVE_RANKER_H_
