// How a site gets its models: read at the start, trained, published.

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/cleanup/cleanup.h"

#include "api/service/site.h"
#include "recommender/learn/held_out.h"
#include "recommender/learn/item_to_item.h"
#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"
#include "store/base/thread.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr size_t kHeldOutVisitsMax = 2000;  // of one training

// An interrupted training goes on only with the same data and settings, else it begins anew.
absl::StatusOr<ModelParts> TrainOrGoOn(const Interactions& interactions,
                                       const TrainOptions& options) {
  absl::StatusOr<ModelParts> trained = TrainParts(interactions, options);
  const bool stale =
      absl::IsFailedPrecondition(trained.status()) || absl::IsDataLoss(trained.status());
  std::error_code error;
  if (!stale || !fs::remove(options.checkpoint_path, error)) return trained;
  return TrainParts(interactions, options);
}

}  // namespace

int64_t Site::model_file_bytes() const {
  const std::shared_ptr<const Model> current = model();
  std::error_code error;
  const auto bytes = current == nullptr ? 0 : fs::file_size(models_.PathOf(current->id), error);
  return error ? 0 : static_cast<int64_t>(bytes);
}

absl::Status Site::LoadModel() {
  absl::StatusOr<std::string> id = models_.Current();
  if (absl::IsNotFound(id.status())) return absl::OkStatus();
  RETURN_IF_ERROR(id.status());
  ASSIGN_OR_RETURN(std::shared_ptr<Serving> next, ReadServing(*id));
  absl::MutexLock lock(&model_mutex_);
  serving_ = std::move(next);
  return absl::OkStatus();
}

absl::StatusOr<TrainOutcome> Site::Train(const TrainOptions& options, const TrainWishes& wishes) {
  if (!train_mutex_.TryLock()) {
    return absl::UnavailableError(absl::StrCat("site ", name_, " is already being trained"));
  }
  const absl::Cleanup unlock = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { train_mutex_.Unlock(); };
  ASSIGN_OR_RETURN(const std::string copy, Checkpoint());
  const absl::Cleanup remove = [&copy] {
    std::error_code ignored;
    fs::remove_all(copy, ignored);
  };
  absl::StatusOr<TrainOutcome> outcome;
  std::shared_ptr<Serving> next;
  DoInBackground("train", [&] { outcome = TrainOn(copy, options, wishes, &next); });
  RETURN_IF_ERROR(outcome.status());
  // Not in the background: whoever gives way must not hold a lock that requests wait for.
  if (outcome->published) RETURN_IF_ERROR(Serve(std::move(next)));
  return outcome;
}

absl::StatusOr<TrainOutcome> Site::TrainOn(const std::string& copy, TrainOptions options,
                                           const TrainWishes& wishes,
                                           std::shared_ptr<Serving>* next) {
  ASSIGN_OR_RETURN(const std::unique_ptr<WebHouse> data, WebHouse::OpenCheckpoint(copy));
  std::error_code error;
  fs::create_directories(directory_ + "/models", error);
  if (error) return ErrnoStatus("cannot make folder", directory_ + "/models", error.value());

  const std::shared_ptr<const Model> served = model();
  ASSIGN_OR_RETURN(const TrainingData training,
                   GatherTraining(*data, options.weights, {.visits_max = kHeldOutVisitsMax}));
  // The first half tells when to stop, the others what came of it.
  const std::span<const HeldOutVisit> held_out = training.held_out;
  const size_t stoppers = wishes.early_stop ? held_out.size() / 2 : 0;
  if (wishes.warm) options.previous = served.get();
  if (stoppers > 0) {
    options.validate = [&](const Model& model) {
      return JudgeModel(model, nullptr, held_out.first(stoppers)).ndcg;
    };
  } else {
    options.checkpoint_path = directory_ + "/models/training.checkpoint";
  }
  TrainOutcome outcome;
  {
    ASSIGN_OR_RETURN(ModelParts parts, TrainOrGoOn(training.interactions, options));
    const ItemToItemSettings links = {.threads = options.als.threads};
    parts.viewed_also_viewed = LearnItemToItem(training.interactions.by_person, links).by_cosine;
    parts.bought_together = LearnItemToItem(training.baskets, links).by_likelihood;
    ASSIGN_OR_RETURN(Model trained, MakeModel(std::move(parts)));
    outcome.model = std::make_shared<const Model>(std::move(trained));
  }
  outcome.verdict = JudgeModel(*outcome.model, served.get(), held_out.subspan(stoppers));
  outcome.published = outcome.verdict.may_publish() || wishes.force;
  if (!outcome.published) return outcome;
  RETURN_IF_ERROR(WriteModel(*outcome.model, models_.PathOf(outcome.model->id)));
  // What is served is what was read back: a file that cannot be read would show at the next start.
  ASSIGN_OR_RETURN(*next, ReadServing(outcome.model->id));
  // The first answer of the new model knows what people click, if those of the old one did.
  const std::shared_ptr<Serving> now = serving();
  if (now != nullptr && now->sessions()) RETURN_IF_ERROR(LearnSessions(*data, next->get()));
  if (now != nullptr && now->assortment() != nullptr) {
    ASSIGN_OR_RETURN(std::shared_ptr<const Assortment> assortment,
                     MakeAssortment(*data, next->get()));
    next->get()->SetAssortment(std::move(assortment));
  }
  return outcome;
}

absl::StatusOr<std::shared_ptr<Serving>> Site::ReadServing(absl::string_view model_id) const {
  ASSIGN_OR_RETURN(std::shared_ptr<const Model> read, ReadModel(models_.PathOf(model_id)));
  return Serving::Make(std::move(read));
}

absl::Status Site::Serve(std::shared_ptr<Serving> next) {
  RETURN_IF_ERROR(models_.Publish(next->model->id));
  {
    // What answered before goes after the lock.
    absl::MutexLock lock(&model_mutex_);
    serving_.swap(next);
  }
  absl::MutexLock lock(&derive_mutex_);
  catalogue_changed_ = true;
  return absl::OkStatus();
}

}  // namespace vitrine
