// A trained model: products only, so that no customer can be found in it. Made by learn, read by
// rank; immutable and shared by every request.
//
//   learn:  ModelParts parts; ...   ASSIGN_OR_RETURN(Model model, MakeModel(std::move(parts)));
//           WriteModel(model, path)
//   serve:  ASSIGN_OR_RETURN(std::shared_ptr<const Model> model, ReadModel(path))
//
// A model is views of one piece of memory that holds what its file holds, byte by byte (README.md
// draws it): of the file itself, mapped, or of a copy that was made in memory.

#ifndef VITRINE_RECOMMENDER_MODEL_MODEL_H_
#define VITRINE_RECOMMENDER_MODEL_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "recommender/model/factors.h"
#include "recommender/model/item_links.h"
#include "recommender/model/mix_settings.h"
#include "recommender/model/padded_matrix.h"
#include "recommender/model/product_ids.h"
#include "recommender/model/quantized_factors.h"
#include "recommender/model/rerank_trees.h"
#include "recommender/model/row_solver.h"
#include "recommender/model/session_settings.h"
#include "recommender/model/settings.h"

namespace vitrine {

// How a model came about.
struct ModelFacts {
  std::string id;
  int64_t trained_at_ms = 0;
  int64_t newest_ms = 0;     // of the events it was trained on: ages are counted back from here
  int64_t persons = 0;       // that it was trained on
  int64_t interactions = 0;  // cells of the matrix
  double train_seconds = 0;
  WeightSettings weights;
  AlsSettings als;
  std::optional<MixSettings> mix;  // of lists; none: MixSettings::Default()
  bool learn_lists = false;  // it was asked for mix and blend (offline/list_learning.h), which are
                             // none where nothing better than the defaults was found
};

// What a model is made from.
struct ModelParts : ModelFacts {
  std::vector<std::string> products;   // ids by index: 1 to 256 bytes, strictly ascending
  FactorMatrix factors;                // products x als.factors, finite
  std::vector<float> popularity;       // weighted interactions of each product, finite
  ItemLinkLists viewed_also_viewed;    // may be empty
  ItemLinkLists bought_together;       // may be empty
  std::optional<BlendSettings> blend;  // for sessions
  std::optional<TreeEnsemble> rerank;  // of what the blend ranks
};

struct Model : ModelFacts {
  ProductIds products;                      // ids by index, ascending
  FactorView factors;                       // products x d
  FactorView gramian;                       // d x d: factors^T factors
  std::span<const float> popularity;        // weighted interactions of each product
  std::span<const uint32_t> by_popularity;  // product indices, most popular first
  QuantizedFactors quantized;               // of `factors`
  ItemLinks viewed_also_viewed;
  ItemLinks bought_together;
  std::optional<BlendSettings> blend;
  std::optional<TreeEnsemble> rerank;

  // The factors as persons are folded in: in the basis in which their Gramian is diagonal. What
  // training writes lies in it already; else, and where the rows want padding, `rotated` is a copy.
  struct {
    std::shared_ptr<const PaddedMatrix> rotated = nullptr;
    std::vector<float> spectrum = {};  // the diagonal
    Eigen::MatrixXf basis = {};        // of the copy; empty where it lies as the factors do
  } fold_in;

  absl::string_view file;               // all bytes of it
  std::shared_ptr<const void> storage;  // what the views look at

  // O(log products).
  std::optional<uint32_t> Find(absl::string_view product_id) const {
    return products.Find(product_id);
  }
  // What a RowSolver wants; as long as the model lives. A solution x of it is `basis` * x, if there
  // is one.
  FixedSide FoldInSide() const;
};

// Works out what follows from the parts: the Gramian, the order by popularity (ties: lower index
// first), the quantized factors. DataLoss, saying what, if the parts do not fit together or are not
// as they must be. O(products * d^2), on all cores; holds everything twice for a moment.
absl::StatusOr<Model> MakeModel(ModelParts parts);

// What this model would be made from: copies.
ModelParts PartsOf(const Model& model);

// Replaces `path` whole (WriteFileAtomically).
absl::Status WriteModel(const Model& model, const std::string& path);

// Maps the file: once its bytes were looked at (all of them, on all cores: O(bytes)), the model is
// ready, and nothing of it was copied. Files of older versions, and of makers who left out what
// follows from the rest, are completed in memory (MakeModel); so are the factors alone where
// FoldInSide() wants a copy.
//
// DataLoss (with what and where) if any byte is damaged, missing or too many; InvalidArgument if it
// is no model file or of an unknown version; never more memory than the file's own size warrants.
// Whoever changes a file in place, rather than replacing it, after it was read, breaks the model
// (MappedFile).
absl::StatusOr<std::shared_ptr<const Model>> ReadModel(const std::string& path);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_MODEL_H_
