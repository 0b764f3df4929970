#include "recommender/learn/trainer.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

#include "recommender/learn/als/run.h"
#include "recommender/learn/held_out.h"
#include "store/base/clock.h"
#include "store/base/crc32c.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// "20261122T101500Z-1a2b3c4d": when, and which content.
std::string ModelId(const Model& model) {
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

Model MakeModel(const Interactions& interactions, const TrainOptions& options,
                FactorMatrix products) {
  Model model;
  model.trained_at_ms = options.now_ms;
  model.newest_ms = interactions.newest_ms;
  model.persons = static_cast<int64_t>(interactions.by_person.rows());
  model.interactions = static_cast<int64_t>(interactions.by_person.cells.size());
  model.weights = options.weights;
  model.als = options.als;
  model.products = interactions.products;
  model.factors = std::move(products);
  model.popularity = interactions.by_person.ColumnSums();
  model.Derive();
  return model;
}

}  // namespace

absl::StatusOr<Model> TrainModel(const WebHouse& house, const TrainOptions& options) {
  ASSIGN_OR_RETURN(const TrainingData data, GatherTraining(house, options.weights, {}));
  return TrainModel(data.interactions, options);
}

absl::StatusOr<Model> TrainModel(const Interactions& interactions, const TrainOptions& options) {
  RETURN_IF_ERROR(Validate(options.weights));
  RETURN_IF_ERROR(Validate(options.als));
  if (interactions.by_person.cells.empty()) {
    return absl::FailedPreconditionError("no event says anything about taste");
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
      return options.validate(MakeModel(interactions, options, factors.products));
    };
  }
  ASSIGN_OR_RETURN(AlsResult trained, RunAls(interactions.by_person, options.als, run));
  Model model = MakeModel(interactions, options, std::move(trained.factors.products));
  model.als.epochs = trained.epochs;
  model.train_seconds = progress.Seconds();
  model.id = ModelId(model);
  if (!options.checkpoint_path.empty()) {
    std::error_code ignored;  // it may never have been written
    std::filesystem::remove(options.checkpoint_path, ignored);
  }
  return model;
}

}  // namespace vitrine
