// A person's taste vector, worked out when it is asked for: the model holds products only.

#ifndef VITRINE_RECOMMENDER_RANK_FOLD_IN_H_
#define VITRINE_RECOMMENDER_RANK_FOLD_IN_H_

#include <span>
#include <vector>

#include "Eigen/Core"

#include "recommender/model/catalogue.h"
#include "recommender/model/cell.h"
#include "recommender/model/model.h"
#include "store/records_types.h"

namespace vitrine {

// One product in one event, by its index in the model or its number in a Catalogue. An event
// without a product it knows is one with kNoProduct: it still keeps a visit going.
struct Act {
  static constexpr uint32_t kNoProduct = UINT32_MAX;

  int64_t time_ms = 0;
  EventKind kind = PAGE_VIEW;
  uint32_t product = kNoProduct;
};

// All that ranking needs to know of a person, for one model: good until the person does something.
struct Profile {
  std::vector<Act> acts;       // newest first
  std::vector<Cell> cells;     // the row of the interaction matrix
  Eigen::VectorXf taste;       // folded in from it; zero if it is empty
  int32_t history_events = 0;  // that gave a cell
};

// Takes a history event by event, newest first, as a scan of the store gives it.
class ProfileBuilder {
 public:
  // `catalogue` (of this model; may be null) knows the products that are newer than the model.
  explicit ProfileBuilder(const Model& model, const Catalogue* catalogue = nullptr)
      : model_(model), catalogue_(catalogue) {}

  void Add(const Event& event);
  // O(n log n + n d^2 + d^3) for n events.
  Profile Build() &&;

 private:
  const Model& model_;
  const Catalogue* const catalogue_;
  Profile profile_;
};

// The same for events in memory.
Profile MakeProfile(const Model& model, std::span<const Event> history);

// The row that training would have made of these acts. Ages are counted back from the model's
// newest event, whenever the request comes, so a person who did nothing since training has exactly
// the trained vector; what happened since then counts in full. Products the model does not know are
// left out.
std::vector<Cell> CellsOf(const Model& model, std::span<const Act> acts);

// The taste that explains `history` best, by the loss of training; where `session` (the part of the
// history that belongs to the visit going on) is not empty, mixed with the taste that explains the
// session alone:
//
//   x = (1 - share) * fold_in(history) + share * fold_in(session) * e
//
// where e gives both the same spread of scores over the catalogue (sqrt(x^T G x)), as a short
// session alone gives a short vector. Without a session, or when the session is all there is, this
// is the plain fold-in. Zero if the history is empty.
Eigen::VectorXf Taste(const Model& model, std::span<const Cell> history,
                      std::span<const Cell> session, float session_share);

// A taste, and what it was mixed from: history_share * fold_in(history) + session_share *
// fold_in(session). (e is in the latter.)
struct MixedTaste {
  Eigen::VectorXf taste;
  float history_share = 1;
  float session_share = 0;
};

// The same for a history that was folded in before.
MixedTaste MixTastes(const Model& model, const Profile& profile, std::span<const Cell> session,
                     float session_share);
Eigen::VectorXf Taste(const Model& model, const Profile& profile, std::span<const Cell> session,
                      float session_share);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_FOLD_IN_H_
