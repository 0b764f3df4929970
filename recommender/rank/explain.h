// Why a product is suggested: how much of its score each product of the person's history gives
// (Hu, Koren, Volinsky 2008, section 5).
//
// With A = a0 G + sum_i w_i y_i y_i^T + reg I, the system of a fold-in (model/row_solver.h), the
// score of product j is y_j.x = sum_i w_i y_j^T A^-1 y_i: a sum over the cells of the history. With
// V = diag(sqrt(w)) Y and the diagonal D of the eigenbasis,
//
//   sqrt(w_i) y_j^T A^-1 y_i = t_i,   (I + V D^-1 V^T) t = V D^-1 y_j
//
// (the push-through identity of model/kernels/kernels.h), so that no d x d matrix is inverted where
// the history is short; where it is long, A is factorized.

#ifndef VITRINE_RECOMMENDER_RANK_EXPLAIN_H_
#define VITRINE_RECOMMENDER_RANK_EXPLAIN_H_

#include <cstdint>
#include <span>
#include <vector>

#include "Eigen/Cholesky"
#include "Eigen/Core"

#include "recommender/model/model.h"
#include "recommender/rank/fold_in.h"

namespace vitrine {

// What a product of the history gives to the score of another one.
struct Contribution {
  uint32_t product = 0;
  float score = 0;  // may be negative
};

// The scores that follow from one Taste, explained. Immutable and thread-safe.
class Explainer {
 public:
  // For the taste of the same arguments: Taste(model, profile, session, session_share) in
  // fold_in.h, of which history and session (as CellsOf gives them) are each explained. `model`
  // must outlive it. O(min(n, d)^2 max(n, d)) for n cells.
  Explainer(const Model& model, const Profile& profile, std::span<const Cell> session,
            float session_share);

  // Every product of history and session, once, with its part of `product`'s score; the strongest
  // first, equal ones by product. They add up to the score (to 1e-4 of |taste| |factors|).
  // O(n (n + d)), or O(d (n + d)) for a history of more than d cells.
  std::vector<Contribution> Explain(uint32_t product) const;
  // The first of them alone, of each of the products; a score of 0 where there is none. One at a
  // time takes several times as long.
  std::vector<Contribution> Strongest(std::span<const uint32_t> products) const;

 private:
  // One fold-in.
  class Part {
   public:
    Part(const Model& model, std::span<const Cell> cells, double share);

    // What each cell gives to each product: n x products.
    Eigen::MatrixXd Given(std::span<const uint32_t> products) const;

    std::vector<size_t> places;  // of its cells in from_

   private:
    Eigen::MatrixXd RowsOf(std::span<const uint32_t> products) const;  // width x products

    FixedSide side_;
    Eigen::VectorXd scale_;             // share of the taste * root of the weights
    Eigen::VectorXd inverse_diagonal_;  // D^-1
    Eigen::MatrixXd weighted_;          // V, n x width
    bool small_ = true;                 // system_ is n x n
    Eigen::LLT<Eigen::MatrixXd> system_;
  };

  // from_ x products.
  Eigen::MatrixXd Given(std::span<const uint32_t> products) const;

  std::vector<uint32_t> from_;  // products of history and session, ascending
  std::vector<Part> parts_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_EXPLAIN_H_
