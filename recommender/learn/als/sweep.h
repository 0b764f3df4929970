// Half an epoch: all rows of one side, solved against the other.

#ifndef VITRINE_RECOMMENDER_LEARN_ALS_SWEEP_H_
#define VITRINE_RECOMMENDER_LEARN_ALS_SWEEP_H_

#include <cstdint>
#include <vector>

#include "recommender/learn/interactions.h"
#include "recommender/model/padded_matrix.h"
#include "recommender/model/settings.h"

namespace vitrine {

// The rows by length, longest first: rows of one length are solved together, and the last ones to
// be handed out to threads are short.
std::vector<uint32_t> LongestFirst(const SparseRows& rows);

// Rotates `fixed` into the basis in which its Gramian is diagonal, and solves every row against it
// in that basis, on settings.threads threads: exactly, or, where settings.solver says so, on from
// what is in `solved`, which lies in the basis that `fixed` had. The same bits whatever the
// threads. REQUIRES: solved->rows() == rows.rows(), fixed->rows() == rows.columns.
void Sweep(const SparseRows& rows, const std::vector<uint32_t>& order, const AlsSettings& settings,
           PaddedMatrix* fixed, PaddedMatrix* solved);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_ALS_SWEEP_H_
