#include "recommender/learn/trainer.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

#include "recommender/learn/als/als.h"
#include "recommender/learn/als/run.h"
#include "recommender/learn/held_out.h"
#include "store/base/clock.h"
#include "store/base/crc32c.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// "20261122T101500Z-1a2b3c4d": when, and which content.
std::string ModelId(const ModelParts& model) {
  uint32_t crc = 0;
  for (const std::string& product : model.products) crc = Crc32c(product, crc);
  crc = Crc32c({reinterpret_cast<const char*>(model.factors.data()),
                static_cast<size_t>(model.factors.size()) * sizeof(float)},
               crc);
  const std::string time = absl::FormatTime(
      "%Y%m%d%ET%H%M%SZ", absl::FromUnixMillis(model.trained_at_ms), absl::UTCTimeZone());
  return absl::StrCat(time, "-", absl::StrFormat("%08x", crc));
}

// The previous model's factors for these products, zeros where it does not know one.
std::optional<FactorMatrix> StartOf(const std::vector<std::string>& products,
                                    const TrainOptions& options) {
  if (options.previous == nullptr || options.previous->factors.cols() != options.als.factors) {
    return std::nullopt;
  }
  FactorMatrix start =
      FactorMatrix::Zero(static_cast<Eigen::Index>(products.size()), options.als.factors);
  for (size_t p = 0; p < products.size(); ++p) {
    if (const auto known = options.previous->Find(products[p])) {
      start.row(static_cast<Eigen::Index>(p)) = options.previous->factors.row(*known);
    }
  }
  if (start.isZero(0)) return std::nullopt;  // nothing would ever come of it
  return start;
}

// Tells how long the rest takes if it goes on like this.
class ProgressReporter {
 public:
  explicit ProgressReporter(const TrainOptions& options) : options_(options) {}

  double Seconds() const {
    return static_cast<double>(Clock::System().SteadyNs() - start_ns_) * 1e-9;
  }

  void Report(uint32_t done, uint32_t of_this_run) const {
    if (!options_.on_progress) return;
    const double seconds_per_epoch = Seconds() / of_this_run;
    options_.on_progress(
        {done, options_.als.epochs, seconds_per_epoch * (options_.als.epochs - done)});
  }

 private:
  const TrainOptions& options_;
  const int64_t start_ns_ = Clock::System().SteadyNs();
};

ModelParts PartsOf(const Interactions& interactions, const TrainOptions& options,
                   FactorMatrix products) {
  ModelParts parts;
  parts.trained_at_ms = options.now_ms;
  parts.newest_ms = interactions.newest_ms;
  parts.persons = static_cast<int64_t>(interactions.by_person.rows());
  parts.interactions = static_cast<int64_t>(interactions.by_person.cells.size());
  parts.weights = options.weights;
  parts.als = options.als;
  parts.products = interactions.products;
  parts.factors = std::move(products);
  parts.popularity = interactions.by_person.ColumnSums();
  return parts;
}

}  // namespace

absl::StatusOr<ModelParts> TrainParts(const Interactions& interactions,
                                      const TrainOptions& wanted) {
  RETURN_IF_ERROR(Validate(wanted.weights));
  RETURN_IF_ERROR(Validate(wanted.als));
  if (interactions.by_person.cells.empty()) {
    return absl::FailedPreconditionError("no event says anything about taste");
  }

  TrainOptions options = wanted;
  if (std::exchange(options.als.fit_unobserved_weight, false)) {
    options.als.unobserved_weight = SuitableUnobservedWeight(interactions.by_person);
  }
  const ProgressReporter progress(options);
  const std::optional<FactorMatrix> start = StartOf(interactions.products, options);
  AlsRun run{
      .start = start ? &*start : nullptr,
      .keep_persons = false,
      .checkpoint_path = options.checkpoint_path,
      .on_epoch = [&](uint32_t done, uint32_t of_this_run) { progress.Report(done, of_this_run); }};
  if (options.validate) {
    run.validate = [&](const AlsFactors& factors) {
      const absl::StatusOr<Model> model =
          MakeModel(PartsOf(interactions, options, factors.products));
      return model.ok() ? options.validate(*model) : -std::numeric_limits<double>::infinity();
    };
  }
  ASSIGN_OR_RETURN(AlsResult trained, RunAls(interactions.by_person, options.als, run));
  ModelParts parts = PartsOf(interactions, options, std::move(trained.factors.products));
  parts.als.epochs = trained.epochs;
  parts.train_seconds = progress.Seconds();
  parts.id = ModelId(parts);
  if (!options.checkpoint_path.empty()) {
    std::error_code ignored;  // it may never have been written
    std::filesystem::remove(options.checkpoint_path, ignored);
  }
  return parts;
}

absl::StatusOr<Model> TrainModel(const Interactions& interactions, const TrainOptions& options) {
  ASSIGN_OR_RETURN(ModelParts parts, TrainParts(interactions, options));
  return MakeModel(std::move(parts));
}

absl::StatusOr<Model> TrainModel(const WebHouse& house, const TrainOptions& options) {
  ASSIGN_OR_RETURN(const TrainingData data, GatherTraining(house, options.weights, {}));
  return TrainModel(data.interactions, options);
}

}  // namespace vitrine
