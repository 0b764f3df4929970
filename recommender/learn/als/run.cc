#include "recommender/learn/als/run.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/learn/als/checkpoint.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

absl::Status CheckRun(const SparseRows& by_person, const AlsSettings& settings, const AlsRun& run) {
  if (run.start != nullptr && (static_cast<size_t>(run.start->rows()) != by_person.columns ||
                               run.start->cols() != settings.factors)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot begin from ", run.start->rows(), " products with ", run.start->cols(),
                     " factors: there are ", by_person.columns, ", to have ", settings.factors));
  }
  if (run.validate && run.patience == 0) return absl::InvalidArgumentError("patience is 0");
  if (run.validate && !run.checkpoint_path.empty()) {
    return absl::InvalidArgumentError("a training that is validated keeps no checkpoint");
  }
  return absl::OkStatus();
}

// Writes one whenever the last is old enough.
class Keeper {
 public:
  Keeper(const AlsRun& run, uint32_t fingerprint)
      : run_(run), fingerprint_(fingerprint), last_ns_(Now()) {}

  absl::Status MaybeKeep(uint32_t epoch, const AlsTrainer& trainer) {
    if (run_.checkpoint_path.empty()) return absl::OkStatus();
    if (static_cast<double>(Now() - last_ns_) * 1e-9 < run_.checkpoint_seconds) {
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(
        WriteCheckpoint(run_.checkpoint_path, fingerprint_, {epoch, trainer.Products()}));
    last_ns_ = Now();
    return absl::OkStatus();
  }

 private:
  int64_t Now() const {
    return run_.clock == nullptr ? Clock::System().SteadyNs() : run_.clock->SteadyNs();
  }

  const AlsRun& run_;
  const uint32_t fingerprint_;
  int64_t last_ns_;
};

// What has been best so far.
class Best {
 public:
  explicit Best(const AlsRun& run) : run_(run) {}

  // Whether to go on.
  bool Consider(uint32_t epoch, const AlsTrainer& trainer) {
    AlsFactors factors = trainer.Factors();
    const double quality = run_.validate(factors);
    if (result_.epochs > 0 && !(quality > result_.quality)) return ++worse_ < run_.patience;
    if (!run_.keep_persons) factors.persons.resize(0, 0);
    result_ = {std::move(factors), epoch, quality};
    worse_ = 0;
    return true;
  }
  AlsResult Take() && { return std::move(result_); }

 private:
  const AlsRun& run_;
  AlsResult result_;
  uint32_t worse_ = 0;
};

}  // namespace

absl::StatusOr<AlsResult> RunAls(const SparseRows& by_person, const AlsSettings& settings,
                                 const AlsRun& run) {
  RETURN_IF_ERROR(CheckRun(by_person, settings, run));
  AlsTrainer trainer(by_person, settings);
  uint32_t fingerprint = 0;
  std::optional<AlsCheckpoint> kept;
  if (!run.checkpoint_path.empty()) {
    fingerprint = Fingerprint(by_person, settings, run.start);
    absl::StatusOr<AlsCheckpoint> read = ReadCheckpoint(run.checkpoint_path, fingerprint);
    if (!read.ok() && !absl::IsNotFound(read.status())) return read.status();
    if (read.ok() && read->epoch <= settings.epochs) kept = *std::move(read);
  }
  if (kept) {
    trainer.StartFrom(kept->products);  // the person sweep of its epoch
  } else if (run.start != nullptr) {
    trainer.StartFrom(*run.start);
  }

  const uint32_t first = kept ? kept->epoch : 1;
  Keeper keeper(run, fingerprint);
  Best best(run);
  for (uint32_t epoch = first; epoch <= settings.epochs; ++epoch) {
    if (!(kept && epoch == first)) {
      trainer.SweepProducts();
      RETURN_IF_ERROR(keeper.MaybeKeep(epoch, trainer));
      trainer.SweepPersons();
    }
    if (run.on_epoch) run.on_epoch(epoch, epoch - first + 1);
    if (run.validate && !best.Consider(epoch, trainer)) break;
  }
  if (run.validate) return std::move(best).Take();
  if (!run.keep_persons) return AlsResult{{{}, trainer.Products()}, settings.epochs, 0};
  return AlsResult{trainer.Factors(), settings.epochs, 0};
}

}  // namespace vitrine
