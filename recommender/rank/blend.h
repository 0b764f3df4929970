// One list from several: each source's scores are scaled to its best (unless they are absolute),
// bent by an exponent, weighted and added (settings: model/session_settings.h; learned:
// offline/session_tune.h).
//
//   score(j) = sum over sources of weight * (score of j / best score of the source)^exponent
//              * seen_factor where j is in the session and the source is not absolute

#ifndef VITRINE_RECOMMENDER_RANK_BLEND_H_
#define VITRINE_RECOMMENDER_RANK_BLEND_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/model/session_index.h"
#include "recommender/model/session_settings.h"
#include "recommender/rank/retrieval.h"
#include "recommender/rank/session_neighbours.h"

namespace vitrine {

// The scorer that the settings describe. REQUIRES: they are valid.
std::unique_ptr<SessionScorer> MakeScorer(const SourceSettings& settings);

// Sets `blended` to the blend of the sources' lists, each best first, for a session that contains
// `seen`.
void BlendLists(std::span<const std::span<const Scored>> lists, const BlendSettings& settings,
                std::span<const Seen> seen, ScoreMap* blended);

struct BlendOptions {
  size_t k = 20;
  // Products of the session are not suggested again: the sources refill from what is not hidden.
  bool hide_seen = false;
};

// Thread-compatible: one per thread. Takes no memory once it has answered requests as large.
class SessionBlend {
 public:
  // InvalidArgument if a setting is out of its range.
  static absl::StatusOr<SessionBlend> Make(const BlendSettings& settings);

  const BlendSettings& settings() const { return settings_; }

  // Fills `list` with the k best products for someone who clicked `clicks` (oldest first), best
  // first, equal scores by product. Fewer where the index knows fewer.
  void Rank(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
            const BlendOptions& options, std::vector<Scored>* list);

  // Of the last Rank: what a source gave to the score of a product; 0 if it did not name it. The
  // sum over sources is the score. O(depth).
  float Given(size_t source, uint32_t product) const;
  // Of the last Rank: the best products of a source by its own scores, best first.
  std::span<const Scored> SourceList(size_t source) const { return lists_[source]; }

 private:
  explicit SessionBlend(const BlendSettings& settings);

  BlendSettings settings_;
  std::vector<std::unique_ptr<SessionScorer>> scorers_;
  std::vector<std::vector<Scored>> lists_;
  std::vector<std::span<const Scored>> spans_;  // of lists_
  std::vector<Seen> seen_;
  ScoreMap scores_;
  ScoreMap blended_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_BLEND_H_
