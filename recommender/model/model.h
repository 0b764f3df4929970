// A trained model: products only, so that no customer can be found in it. Written by learn, read by
// rank; immutable once opened and shared by every request.
//
// File format (little-endian; recommender/model/README.md draws it byte by byte): a header with
// magic, version, section count and its own CRC-32C; a table of sections (name, offset, size,
// CRC-32C); the sections, each aligned to 64 bytes.

#ifndef VITRINE_RECOMMENDER_MODEL_MODEL_H_
#define VITRINE_RECOMMENDER_MODEL_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "recommender/model/factors.h"
#include "recommender/model/padded_matrix.h"
#include "recommender/model/quantized_factors.h"
#include "recommender/model/row_solver.h"
#include "recommender/model/settings.h"

namespace vitrine {

struct Model {
  std::string id;
  int64_t trained_at_ms = 0;
  int64_t newest_ms = 0;     // of the events it was trained on: ages are counted back from here
  int64_t persons = 0;       // that it was trained on
  int64_t interactions = 0;  // cells of the matrix
  double train_seconds = 0;
  WeightSettings weights;
  AlsSettings als;

  std::vector<std::string> products;    // ids, by index
  FactorMatrix factors;                 // products x d
  FactorMatrix gramian;                 // d x d: factors^T factors
  std::vector<float> popularity;        // weighted interactions of each product
  std::vector<uint32_t> by_popularity;  // product indices, most popular first
  QuantizedFactors quantized;           // of `factors`

  // Index of a product id; derived when the model is made or read.
  absl::flat_hash_map<std::string, uint32_t> index;

  // The factors as persons are folded in: in the basis in which their Gramian is diagonal. What
  // training writes lies in it already; else, and where the rows want padding, `rotated` is a copy.
  struct {
    std::shared_ptr<const PaddedMatrix> rotated = nullptr;
    std::vector<float> spectrum = {};  // the diagonal
    Eigen::MatrixXf basis = {};        // of the copy; empty where it lies as the factors do
  } fold_in;

  std::optional<uint32_t> Find(absl::string_view product_id) const;
  // What a RowSolver wants; as long as the model lives. A solution x of it is `basis` * x, if there
  // is one.
  FixedSide FoldInSide() const;
  // Fills `gramian`, `by_popularity` (ties: lower index first), `quantized`, `fold_in` and `index`
  // from the rest. One thread: O(products * d^2), and O(d^3) where the Gramian is not diagonal.
  void Derive();
};

// Replaces `path` whole (WriteFileAtomically).
absl::Status WriteModel(const Model& model, const std::string& path);

// DataLoss (with what and where) if any byte is damaged, missing or too many; InvalidArgument if it
// is no model file or of an unknown version; never more memory than the file's own size warrants.
absl::StatusOr<std::shared_ptr<const Model>> ReadModel(const std::string& path);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_MODEL_H_
