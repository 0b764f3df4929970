// The settings that training and serving must share: they travel inside the model file.

#ifndef VITRINE_RECOMMENDER_MODEL_SETTINGS_H_
#define VITRINE_RECOMMENDER_MODEL_SETTINGS_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

// How much an event of a kind says about taste, and how fast that fades. One cell of the
// interaction matrix is sum over events of weight(kind) * 2^(-age / half_life), at most
// `cell_weight_max`.
struct WeightSettings {
  float page_view = 0.1f;
  float view_item = 1.0f;
  float add_to_cart = 2.0f;
  float add_to_wishlist = 1.5f;
  float purchase = 3.0f;
  float cell_weight_max = 10.0f;
  double half_life_days = 180.0;

  // 0 for kinds that say nothing about taste.
  float Of(EventKind kind) const;
};

// iALS (Hu, Koren, Volinsky 2008) as retuned by Rendle, Krichene, Zhang, Koren 2021
// (arXiv 2110.14037): loss = sum over observed w (1 - x.y)^2 + unobserved_weight * sum over all
// (x.y)^2 + per-row L2 of strength
// regularization * (row degree + unobserved_weight * rows of the other
// side)^regularization_exponent.
enum class AlsSolver {
  kExact,
  // `cg_steps` conjugate gradients from the last epoch's factors (Takacs, Pilaszy, Tikk 2011). The
  // diagonal of the eigenbasis preconditions them: two lower the loss more than three plain ones.
  kConjugateGradient,
  // `block` factors at a time from the last epoch's (iALS++: Rendle et al. 2021, arXiv 2110.14044).
  kBlocks,
};

// "exact", "cg", "ials++".
absl::string_view SolverName(AlsSolver solver);
std::optional<AlsSolver> SolverOfName(absl::string_view name);

// Only training looks at `solver` to `block`, and at fit_unobserved_weight: a person is always
// folded in exactly. Rows with few cells are solved exactly by every solver, as that is cheaper.
struct AlsSettings {
  uint32_t factors = 64;  // 1 to limits::kFactorsMax
  AlsSolver solver = AlsSolver::kExact;
  uint32_t cg_steps = 2;
  uint32_t block = 64;  // a multiple of 16
  uint32_t epochs = 10;
  // TrainModel puts what suits the data (SuitableUnobservedWeight) in the place of the weight that
  // stands here, which is then in the model.
  bool fit_unobserved_weight = true;
  float unobserved_weight = 0.3f;
  float regularization = 0.01f;
  float regularization_exponent = 1.0f;
  float init_stddev = 0.1f;  // of the initial factors, over sqrt(factors)
  uint64_t seed = 1;
  uint32_t threads = 0;  // 0: all cores. The result does not depend on it.
};

// InvalidArgument, naming the setting, if one is out of its range or no number.
absl::Status Validate(const WeightSettings& weights);
absl::Status Validate(const AlsSettings& als);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_SETTINGS_H_
