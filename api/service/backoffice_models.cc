// Models of a site: trained, listed, rolled back.

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "api/service/backoffice.h"
#include "api/service/errors.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

ModelInfo Describe(const Model& model, const Site& site) {
  ModelInfo info;
  info.model_id = model.id;
  info.trained_at_ms = model.trained_at_ms;
  info.products = static_cast<int64_t>(model.products.size());
  info.persons = model.persons;
  info.interactions = model.interactions;
  info.factors = static_cast<int32_t>(model.als.factors);
  info.epochs = static_cast<int32_t>(model.als.epochs);
  info.train_seconds = model.train_seconds;
  info.file_bytes = site.ModelFileBytes(model.id);
  const std::shared_ptr<const Model> served = site.model();
  info.served = served != nullptr && served->id == model.id;
  return info;
}

GateReport Describe(const GateVerdict& verdict) {
  GateReport gate;
  gate.visits = static_cast<int64_t>(verdict.visits);
  gate.ndcg = verdict.ndcg;
  gate.served_ndcg = verdict.served_ndcg;
  gate.difference_low = verdict.difference.low;
  gate.difference_high = verdict.difference.high;
  return gate;
}

void Append(const char* what, const LearnedQuality& quality, std::vector<LearnedReport>* reports) {
  LearnedReport& report = reports->emplace_back();
  report.what = what;
  report.cases = static_cast<int64_t>(quality.cases);
  report.before = quality.before;
  report.after = quality.after;
  report.used = quality.used;
}

absl::StatusOr<TrainOptions> OptionsOf(const TrainRequest& request) {
  TrainOptions options;
  AlsSettings& als = options.als;
  if (request.__isset.factors) {
    RETURN_IF_ERROR(CheckRange("factors", request.factors, 1, limits::kFactorsMax));
    als.factors = static_cast<uint32_t>(request.factors);
  }
  if (request.__isset.epochs) {
    RETURN_IF_ERROR(CheckRange("epochs", request.epochs, 1, 1000));
    als.epochs = static_cast<uint32_t>(request.epochs);
  }
  if (request.__isset.unobserved_weight) {
    RETURN_IF_ERROR(CheckRange("unobserved_weight", request.unobserved_weight, 0, 1000));
    als.unobserved_weight = static_cast<float>(request.unobserved_weight);
    als.fit_unobserved_weight = false;
  }
  if (request.__isset.regularization) {
    RETURN_IF_ERROR(CheckRange("regularization", request.regularization, 1e-9, 1e6));
    als.regularization = static_cast<float>(request.regularization);
  }
  if (request.__isset.regularization_exponent) {
    RETURN_IF_ERROR(CheckRange("regularization_exponent", request.regularization_exponent, 0, 2));
    als.regularization_exponent = static_cast<float>(request.regularization_exponent);
  }
  if (request.__isset.seed) als.seed = static_cast<uint64_t>(request.seed);
  if (request.__isset.solver) {
    const std::optional<AlsSolver> solver = SolverOfName(request.solver);
    if (!solver) {
      return absl::InvalidArgumentError(
          absl::StrCat("solver: '", request.solver, "' is none of exact, cg, ials++"));
    }
    als.solver = *solver;
  }
  if (request.__isset.half_life_days) {
    RETURN_IF_ERROR(CheckRange("half_life_days", request.half_life_days, 0.01, 36'500));
    options.weights.half_life_days = request.half_life_days;
  }
  if (request.__isset.view_weight) {
    RETURN_IF_ERROR(CheckRange("view_weight", request.view_weight, 0, 1000));
    options.weights.view_item = static_cast<float>(request.view_weight);
  }
  return options;
}

}  // namespace

void Backoffice::train(ModelInfo& info, const TrainRequest& request) {
  Site* site = FindOrThrow(request.site);
  TrainOptions options = ValueOrThrow(OptionsOf(request));
  options.now_ms = clock_->NowMs();
  options.on_progress = on_train_;
  const TrainOutcome outcome =
      ValueOrThrow(site->Train(options, {.warm = request.warm,
                                         .early_stop = request.early_stop,
                                         .force = request.force,
                                         .learn_lists = request.learn_lists}));
  info = Describe(*outcome.model, *site);
  info.published = outcome.published;
  info.__set_gate(Describe(outcome.verdict));
  if (!outcome.lists) return;
  info.__isset.learned = true;
  Append("session", outcome.lists->session, &info.learned);
  Append("mix", outcome.lists->home, &info.learned);
}

void Backoffice::model_info(ModelInfo& info, const std::string& site_name) {
  Site* site = FindOrThrow(site_name);
  const std::shared_ptr<const Model> model = site->model();
  if (model == nullptr) {
    ThrowStatus(absl::UnavailableError(absl::StrCat("site ", site_name, " has no model yet")));
  }
  info = Describe(*model, *site);
}

void Backoffice::models(std::vector<ModelInfo>& models, const std::string& site_name) {
  Site* site = FindOrThrow(site_name);
  for (const auto& model : ValueOrThrow(site->Models())) {
    models.push_back(Describe(*model, *site));
  }
}

void Backoffice::roll_back_model(ModelInfo& info, const std::string& site_name,
                                 const std::string& model_id) {
  Site* site = FindOrThrow(site_name);
  info = Describe(*ValueOrThrow(site->RollBack(model_id)), *site);
}

}  // namespace vitrine
