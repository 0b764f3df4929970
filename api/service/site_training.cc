// How a site gets its models: read at the start, trained, published, rolled back.

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_join.h"
#include "spdlog/spdlog.h"

#include "api/service/history.h"
#include "api/service/site.h"
#include "recommender/learn/held_out.h"
#include "recommender/learn/item_to_item.h"
#include "recommender/learn/newest_sessions.h"
#include "recommender/placements/offers.h"
#include "store/base/atomic_file.h"
#include "store/base/clock.h"
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

// Puts into the model what is better than the defaults.
absl::StatusOr<LearnedLists> LearnListsOf(const WebHouse& data,
                                          std::span<const HeldOutVisit> held_out, uint32_t threads,
                                          Model* model) {
  ListLearningOptions options;
  options.threads = threads;
  const SessionIndexSettings newest = {.sessions = options.sessions_max};
  ASSIGN_OR_RETURN(const NewestSessions sessions,
                   ReadNewestSessions(data, model->weights, newest,
                                      [&](absl::string_view id) { return model->Find(id); }));
  ASSIGN_OR_RETURN(const LearnedLists lists, LearnLists(*model, sessions, held_out, options));
  if (!lists.blend && !lists.mix) return lists;
  ModelParts parts = PartsOf(*model);
  parts.blend = lists.blend;
  parts.mix = lists.mix;
  ASSIGN_OR_RETURN(*model, MakeModel(std::move(parts)));
  return lists;
}

// Of a mutex that TryLock took.
class ABSL_SCOPED_LOCKABLE UnlockAtEnd {
 public:
  explicit UnlockAtEnd(absl::Mutex* mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) : mutex_(mutex) {}
  ~UnlockAtEnd() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  UnlockAtEnd(const UnlockAtEnd&) = delete;
  UnlockAtEnd& operator=(const UnlockAtEnd&) = delete;

 private:
  absl::Mutex* const mutex_;
};

// Ranks for `next`, with what `before` kept of such rankings.
void RankAgain(const KnownPerson& before, const KnownPerson& after, int64_t session_gap_ms,
               Serving* next) {
  const auto assortment = next->assortment();
  const auto sessions = next->sessions();
  std::unique_ptr<LiveRanker> ranker = next->BorrowRanker();
  for (const auto& [key, depth] : before.memo.Kept()) {
    OfferContext context;
    context.model = next->model.get();
    context.sessions = sessions.get();
    context.assortment = assortment.get();
    context.profile = &after.profile;
    context.memo = &after.memo;
    context.rank.now_ms = Clock::System().NowMs();
    context.rank.session_gap_ms = session_gap_ms;
    context.rank.exclude_bought = key.exclude_bought;
    context.rank.exclude_seen = key.exclude_seen;
    OfferMaker(context, ranker.get()).Remember(depth);
  }
  next->Return(std::move(ranker));
}

}  // namespace

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
  const UnlockAtEnd unlock(&train_mutex_);
  training_ = true;
  const absl::Cleanup not_any_more = [this] { training_ = false; };
  TrainingRecord record;
  record.started_ms = options.now_ms;
  record.events = house_->GetTotals().events;
  const int64_t start_ns = Clock::System().SteadyNs();
  absl::StatusOr<TrainOutcome> outcome;
  const absl::Status swapped = SwapIn([&](const WebHouse& data) {
    outcome = TrainOn(data, options, wishes);
    return outcome.ok() && outcome->published ? outcome->model->id : "";
  });
  if (outcome.ok() && !swapped.ok()) outcome = swapped;
  record.seconds = static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-9;
  record.Describe(outcome);
  last_training_.Set(record);
  RETURN_IF_ERROR(WriteTrainingRecord(record, directory_));
  return outcome;
}

absl::StatusOr<std::shared_ptr<const Model>> Site::RollBack(absl::string_view model_id) {
  if (!train_mutex_.TryLock()) {
    return absl::UnavailableError(
        absl::StrCat("site ", name_, " is being trained; roll back when that is done"));
  }
  const UnlockAtEnd unlock(&train_mutex_);
  std::string id(model_id);
  if (id.empty()) {
    ASSIGN_OR_RETURN(id, models_.BeforeCurrent());
  } else {
    ASSIGN_OR_RETURN(const std::vector<std::string> ids, models_.List());
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
      return absl::NotFoundError(absl::StrCat(
          "site ", name_, " keeps no model of this id; it has: ", absl::StrJoin(ids, ", ")));
    }
  }
  RETURN_IF_ERROR(SwapIn([&](const WebHouse&) { return id; }));
  return model();
}

absl::Status Site::SwapIn(absl::FunctionRef<std::string(const WebHouse&)> choose) {
  ASSIGN_OR_RETURN(const std::string copy, Checkpoint());
  std::shared_ptr<Serving> next;
  const absl::Cleanup clean = [&] {
    {
      absl::MutexLock lock(&model_mutex_);
      coming_ = nullptr;
    }
    std::error_code ignored;
    fs::remove_all(copy, ignored);
  };
  absl::Status ready;
  DoInBackground("train", [&] { ready = PrepareNext(copy, choose, &next); });
  RETURN_IF_ERROR(ready);
  if (next == nullptr) return absl::OkStatus();
  // Not in the background: whoever gives way must not hold a lock that requests wait for.
  return Serve(std::move(next));
}

absl::Status Site::PrepareNext(const std::string& copy,
                               absl::FunctionRef<std::string(const WebHouse&)> choose,
                               std::shared_ptr<Serving>* next) {
  ASSIGN_OR_RETURN(const std::unique_ptr<WebHouse> data, WebHouse::OpenCheckpoint(copy));
  const std::string id = choose(*data);
  if (id.empty()) return absl::OkStatus();
  // What is served is what was read back: a file that cannot be read would show at the next start.
  ASSIGN_OR_RETURN(*next, ReadServing(id));
  // The first answer of the new model knows what people click, if those of the old one did.
  const std::shared_ptr<Serving> now = serving();
  if (now == nullptr) return absl::OkStatus();
  if (now->sessions()) RETURN_IF_ERROR(LearnSessions(*data, next->get()));
  if (now->assortment() != nullptr) {
    ASSIGN_OR_RETURN(std::shared_ptr<const Assortment> assortment,
                     MakeAssortment(*data, next->get()));
    next->get()->SetAssortment(std::move(assortment));
  }
  {
    absl::MutexLock lock(&model_mutex_);
    coming_ = *next;  // from here on Forget reaches it
  }
  return Warm(*now, next->get());
}

absl::StatusOr<TrainOutcome> Site::TrainOn(const WebHouse& data, TrainOptions options,
                                           const TrainWishes& wishes) {
  std::error_code error;
  fs::create_directories(directory_ + "/models", error);
  if (error) return ErrnoStatus("cannot make folder", directory_ + "/models", error.value());

  const std::shared_ptr<const Model> served = model();
  ASSIGN_OR_RETURN(const TrainingData training,
                   GatherTraining(data, options.weights, {.visits_max = kHeldOutVisitsMax}));
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
    parts.learn_lists = wishes.learn_lists;
    ASSIGN_OR_RETURN(Model trained, MakeModel(std::move(parts)));
    if (wishes.learn_lists) {
      ASSIGN_OR_RETURN(outcome.lists, LearnListsOf(data, held_out, options.als.threads, &trained));
    }
    outcome.model = std::make_shared<const Model>(std::move(trained));
  }
  outcome.verdict = JudgeModel(*outcome.model, served.get(), held_out.subspan(stoppers));
  outcome.published = outcome.verdict.may_publish() || wishes.force;
  if (!outcome.published) return outcome;
  RETURN_IF_ERROR(WriteModel(*outcome.model, models_.PathOf(outcome.model->id)));
  return outcome;
}

absl::StatusOr<std::shared_ptr<Serving>> Site::ReadServing(absl::string_view model_id) const {
  ASSIGN_OR_RETURN(std::shared_ptr<const Model> read, ReadModel(models_.PathOf(model_id)));
  return Serving::Make(std::move(read));
}

absl::Status Site::Warm(Serving& now, Serving* next) const {
  while (next->rankers() < now.rankers()) {
    ASSIGN_OR_RETURN(LiveRanker ranker, LiveRanker::Make(*next->model));
    next->Return(std::make_unique<LiveRanker>(std::move(ranker)));
  }
  const int64_t session_gap_ms = house_->GetSettings().session_gap_ms;
  for (const std::string& key : now.profiles.Keys()) {
    ASSIGN_OR_RETURN(const std::shared_ptr<const KnownPerson> after,
                     FoldedIn(keys::ParsePerson(key), *house_, next));
    uint64_t ticket;
    const auto before = now.profiles.Get(key, &ticket);
    if (before != nullptr) RankAgain(*before, *after, session_gap_ms, next);
  }
  return absl::OkStatus();
}

absl::Status Site::Serve(std::shared_ptr<Serving> next) {
  RETURN_IF_ERROR(models_.Publish(next->model->id));
  {
    // What answered before goes after the lock.
    absl::MutexLock lock(&model_mutex_);
    coming_ = nullptr;
    serving_.swap(next);
  }
  {
    absl::MutexLock lock(&derive_mutex_);
    catalogue_changed_ = true;  // it was looked at as it was when this began
  }
  LoadTrialModels();
  // While `next`, the model of before, is still held here: so that it is not a request under way
  // that gives its memory back.
  return models_.Prune(static_cast<size_t>(house_->GetSettings().models_kept),
                       experiments()->models());
}

absl::StatusOr<std::vector<std::shared_ptr<const Model>>> Site::Models() const {
  ASSIGN_OR_RETURN(std::vector<std::string> ids, models_.List());
  std::vector<std::shared_ptr<const Model>> models;
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    absl::StatusOr<std::shared_ptr<const Model>> model = ReadModel(models_.PathOf(*id));
    if (model.ok()) {
      models.push_back(*std::move(model));
    } else {
      spdlog::error("site {}: model {}: {}", name_, *id, model.status().ToString());
    }
  }
  return models;
}

int64_t Site::ModelFileBytes(absl::string_view model_id) const {
  std::error_code error;
  const auto bytes = fs::file_size(models_.PathOf(model_id), error);
  return error ? 0 : static_cast<int64_t>(bytes);
}

}  // namespace vitrine
