// One virtual store, opened: its data, its model, and who holds it.

#ifndef VITRINE_API_SERVICE_SITE_H_
#define VITRINE_API_SERVICE_SITE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "api/auth/key_ring.h"
#include "api/service/event_tally.h"
#include "api/service/experiment_counts.h"
#include "api/service/live_visits.h"
#include "api/service/offer_desk.h"
#include "api/service/serving.h"
#include "api/service/site_segments.h"
#include "api/service/training_record.h"
#include "api/vitrine_types.h"
#include "experiments/definition/running.h"
#include "ingest/robots/robot_lists.h"
#include "recommender/learn/trainer.h"
#include "recommender/model/model.h"
#include "recommender/offline/gate.h"
#include "recommender/placements/trials.h"
#include "store/audit_verify.h"
#include "store/base/clock.h"
#include "store/base/hmac.h"
#include "store/base/limits.h"
#include "store/model_store.h"
#include "store/owner_lock.h"
#include "store/web_house.h"

namespace vitrine {

// Owns the folder <data>/<name>/: OWNER, db/, models/, checkpoints/. Thread-safe.
class Site {
 public:
  // NotFound if there is no such site and `create` is false; FailedPrecondition if another process
  // owns it. A model that is damaged is an error: the message names the file.
  static absl::StatusOr<std::unique_ptr<Site>> Open(const std::string& data_directory,
                                                    absl::string_view name, bool create,
                                                    std::shared_ptr<StoreBudget> budget,
                                                    bool accept_loss = false);
  ~Site();

  const std::string& name() const { return name_; }
  const std::string& directory() const { return directory_; }
  WebHouse& house() { return *house_; }
  KeyRing& keys() const { return *keys_; }

  // The model that answers now; null before the first training. A caller uses one for a whole
  // request.
  std::shared_ptr<Serving> serving() const;
  std::shared_ptr<const Model> model() const;

  // What the storefront shows by now.
  std::shared_ptr<const PlacementVersion> placements() const;
  // Makes this what it shows by (WebHouse::SetPlacements). InvalidArgument, naming what is wrong,
  // if it makes no sense, or an experiment that goes on does not in it.
  absl::StatusOr<PlacementVersion> SetPlacements(const PlacementSet& content, int64_t based_on,
                                                 absl::string_view who, absl::string_view comment);

  // What it offers, and to whom.
  OfferDesk& offers() const { return *offers_; }

  // The models beside the one that answers which arms of experiments answer with, by id, without
  // those that cannot be read.
  using TrialModels = absl::flat_hash_map<std::string, std::shared_ptr<Serving>>;
  std::shared_ptr<const TrialModels> trial_models() const;

  // What is tried out now.
  std::shared_ptr<const experiments::RunningExperiments> experiments() const;
  // Makes a draft of it, or changes it (WebHouse::SetExperiment); of its life it keeps what it had.
  // InvalidArgument, naming what is wrong, if it makes no sense in its placement, or if this may
  // not change any more (experiments/definition/definition.h).
  absl::StatusOr<ExperimentChange> SetExperiment(const Experiment& content, int64_t based_on,
                                                 absl::string_view who, absl::string_view comment);
  // Starts, pauses, stops or archives it, from the next request on. NotFound; InvalidArgument if it
  // cannot go there.
  absl::StatusOr<ExperimentChange> MoveExperiment(absl::string_view id, ExperimentStatus to,
                                                  int64_t now_ms, absl::string_view who,
                                                  absl::string_view comment);
  // Begins the next batch of a bandit that runs (experiments/choices/bandit_report.h). NotFound;
  // InvalidArgument if it is none, or does not run. Reads all persons.
  absl::StatusOr<ExperimentChange> UpdateWeights(absl::string_view id, int64_t now_ms,
                                                 absl::string_view who);
  // The same for all whose batch has lasted long enough.
  absl::Status UpdateDueWeights(int64_t now_ms);
  // A link's part that shows this arm until then (experiments/assignment/forced_arms.h). NotFound.
  absl::StatusOr<std::string> ForceArm(absl::string_view experiment, absl::string_view arm,
                                       int64_t expires_ms) const;
  // What its units did so far (KeptExperimentCounts). FailedPrecondition if it has not begun.
  absl::StatusOr<experiments::ExperimentCounts> CountExperiment(const Experiment& experiment);
  // These shelves were kept; whether this is a robot was decided; so was something of everybody.
  void NoteShown(std::span<const Exposure> shelves) { counts_.NoteShown(shelves); }
  void NoteDecided(const Person& person) {
    counts_.NoteChanged({&person, 1});
    segments_->Note({&person, 1});
  }
  void CountAnew() {
    counts_.Forget();
    segments_->NoteAll();
  }

  // The arms that it forces; none if it is not good.
  experiments::ForcedArms ForcedBy(absl::string_view token, int64_t now_ms) const;

  // Who is in which segment.
  SegmentKeeper& segments() const { return *segments_; }
  // That whoever asks is in; null: nobody who is known asks, or none are known yet.
  SegmentIndex::Ids SegmentsOf(const Context& context) const;

  // These products were written: what is new among them can be shown, and the catalogue is looked
  // at as a whole again soon.
  void NoteProducts(std::span<const Product> products);

  // These events were written: the profiles of everybody whose history they change are to be folded
  // in anew. To be called before the write is acknowledged.
  absl::Status Forget(std::span<const Event> events);
  // The same for everybody.
  void ForgetAll();

  // These events were written just now: the clicks in them enter the session index when their
  // visits end, and tell of new products that were tried.
  void Watch(std::span<const Event> events, int64_t now_ms);
  // Learns the newest sessions from the store, from a copy of it, for the model that answers now.
  // Nothing where there is none. O(events).
  absl::Status LearnSessions();
  // Looks at the catalogue as a whole, for the model that answers now. O(words of the catalogue).
  absl::Status LookAtCatalogue();
  // Has the background thread do both.
  void LearnSessionsSoon();
  // Puts the visits that have ended into the session index, if it was learned. The background
  // thread does so whenever it has derived.
  void EnterEndedVisits();

  // Erases these customers (store/privacy.h), and the copies of the store that hold them: whoever
  // reads one meets an error. Waits for a training to end.
  absl::StatusOr<std::vector<Erasure>> Erase(const std::vector<std::string>& customers);
  // Drops what is older than the site keeps it; how many events.
  absl::StatusOr<int64_t> ApplyRetention(int64_t now_ms);

  // Trains on a checkpoint; publishes the model and swaps it in, unless it is worse than the one
  // that is served (offline/gate.h). The visits that tell are kept from the training. One that was
  // interrupted goes on. Works on threads that give way to requests. Unavailable if a training is
  // already under way.
  absl::StatusOr<TrainOutcome> Train(const TrainOptions& options, const TrainWishes& wishes);
  // What came of the last one, be it before a restart; none yet: started_ms is 0.
  TrainingRecord last_training() const { return last_training_.Get(); }
  bool training() const { return training_; }

  // How new products did that were tried since the site was opened.
  Trials& trials() { return trials_; }

  // What live events came lately, and what is going on, for those who watch the site.
  EventTally& tally() { return tally_; }
  int64_t opened_ns() const { return opened_ns_; }  // steady
  size_t live_visits() const { return visits_.size(); }

  // Serves this model again; empty: the one made before the one that is served. What is served is
  // what was read and checked; it is the current one at the next start too. NotFound, Unavailable
  // while a training is under way, DataLoss if the file is damaged: nothing has changed then.
  absl::StatusOr<std::shared_ptr<const Model>> RollBack(absl::string_view model_id);

  // Those on disk that can be read, the newest first. O(bytes of them).
  absl::StatusOr<std::vector<std::shared_ptr<const Model>>> Models() const;
  int64_t ModelFileBytes(absl::string_view model_id) const;  // 0: there is none

  // What somebody changed behind our back (store/audit_verify.h), looked for on a copy; the end of
  // the chain is compared with `anchors` and with where this process left it.
  absl::StatusOr<AuditFindings> Verify(std::vector<AuditAnchor> anchors);

  // A consistent copy in a new folder; whoever asked removes it.
  absl::StatusOr<std::string> Checkpoint();
  // Reads such a copy, and removes it.
  absl::Status ReadCopy(const std::function<absl::Status(const WebHouse&)>& read);

  // Brings sessions, customers and verdicts up to date.
  absl::Status Derive();
  // Tells the background thread to.
  void DeriveSoon();

  // The lists of robots of this data folder (service/robots.h).
  std::shared_ptr<const RobotLists> robots() const;
  void ReadRobotListsAgain();

  // Where others find us, and the key that the command line on this machine shows there.
  absl::Status Announce(const std::string& address, const std::string& local_key) {
    return lock_.Announce(address, local_key);
  }

 private:
  Site(std::string data_directory, absl::string_view name, OwnerLock lock);
  absl::Status LoadModel();
  // Makes a model the one that answers: the one whose id `choose` gives, from a copy of the store,
  // in the background; none if that is empty.
  absl::Status SwapIn(absl::FunctionRef<std::string(const WebHouse&)> choose);
  absl::Status PrepareNext(const std::string& copy,
                           absl::FunctionRef<std::string(const WebHouse&)> choose,
                           std::shared_ptr<Serving>* next);
  // Trains and writes the model, if it is to be published.
  absl::StatusOr<TrainOutcome> TrainOn(const WebHouse& data, TrainOptions options,
                                       const TrainWishes& wishes);
  absl::StatusOr<std::shared_ptr<Serving>> ReadServing(absl::string_view model_id) const;
  // Folds in for `next` whoever asked `now` lately, and ranks for them what was ranked: the first
  // to ask it need not wait for that, nor all of them at once.
  absl::Status Warm(Serving& now, Serving* next) const;
  // Makes its model the current one, here and at the next start, and removes old ones.
  absl::Status Serve(std::shared_ptr<Serving> next);
  // What answers now: first the model that does for everybody else, if there is one.
  std::vector<std::shared_ptr<Serving>> Answering() const;
  // These, and what is about to.
  std::vector<std::shared_ptr<Serving>> Servings() const;
  // Reads the models of experiments that are not there yet, and lets go of others.
  void LoadTrialModels();
  absl::Status LearnSessions(const WebHouse& copy, Serving* serving) const;
  absl::Status LearnTrends(const WebHouse& copy, Serving* serving) const;
  void WatchTrends(std::span<const Event> events, Serving* serving) const;
  void WatchTrials(std::span<const Event> events, const WeightSettings& weights);
  absl::StatusOr<std::shared_ptr<const Assortment>> MakeAssortment(const WebHouse& from,
                                                                   Serving* serving) const;
  absl::Status LoadPlacements();
  absl::Status LoadExperiments();
  absl::Status CheckGoingOn(const PlacementSet& set) const;
  absl::Status CheckModels(const Experiment& experiment) const;
  static absl::Status EnterVisit(const EndedVisit& visit, Serving* serving);
  void DeriveLoop();
  void RestFromDeriving(int64_t worked_ns);

  const std::string data_directory_;
  const std::string name_;
  const std::string directory_;
  OwnerLock lock_;
  std::unique_ptr<WebHouse> house_;
  std::unique_ptr<KeyRing> keys_;
  std::unique_ptr<OfferDesk> offers_;
  const ModelStore models_;

  LiveVisits visits_{limits::kVisitsGoingOnMax};
  absl::Mutex enter_mutex_;  // of whoever puts visits into the index

  Trials trials_;
  EventTally tally_;
  const int64_t opened_ns_ = Clock::System().SteadyNs();
  std::atomic<bool> training_ = false;

  absl::Mutex train_mutex_;
  LastTraining last_training_;
  mutable absl::Mutex model_mutex_;
  std::shared_ptr<Serving> serving_ ABSL_GUARDED_BY(model_mutex_);
  std::shared_ptr<Serving> coming_ ABSL_GUARDED_BY(model_mutex_);  // is warmed; else null
  std::shared_ptr<const PlacementVersion> placements_ ABSL_GUARDED_BY(model_mutex_);
  absl::Mutex experiments_mutex_ ABSL_ACQUIRED_BEFORE(model_mutex_);  // of whoever changes one
  std::shared_ptr<const experiments::RunningExperiments> experiments_ ABSL_GUARDED_BY(model_mutex_);
  KeptExperimentCounts counts_;
  absl::Mutex trial_mutex_ ABSL_ACQUIRED_BEFORE(model_mutex_);  // of whoever loads them
  std::shared_ptr<const TrialModels> trial_models_ ABSL_GUARDED_BY(model_mutex_) =
      std::make_shared<const TrialModels>();
  std::unique_ptr<const Hmac> forced_key_;  // null: the store has no key to make it of
  uint64_t checkpoints_made_ ABSL_GUARDED_BY(model_mutex_) = 0;

  std::unique_ptr<SegmentKeeper> segments_;

  absl::Mutex derive_mutex_;
  bool derive_wanted_ ABSL_GUARDED_BY(derive_mutex_) = false;
  bool sessions_wanted_ ABSL_GUARDED_BY(derive_mutex_) = false;
  bool catalogue_changed_ ABSL_GUARDED_BY(derive_mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(derive_mutex_) = false;
  std::thread deriver_;
};

// The sites of one process, by name; fixed once opened.
class Sites {
 public:
  // Opens every site under `data_directory`; there may be none.
  // `accept_loss`: see WebHouse::Options.
  static absl::StatusOr<std::unique_ptr<Sites>> OpenAll(const std::string& data_directory,
                                                        bool accept_loss = false);
  // Opens one.
  static absl::StatusOr<std::unique_ptr<Sites>> OpenOne(const std::string& data_directory,
                                                        absl::string_view name, bool create,
                                                        bool accept_loss = false);

  // NotFound with the names that there are.
  absl::StatusOr<Site*> Find(absl::string_view name) const;
  std::vector<std::string> Names() const;  // sorted
  absl::Status Announce(const std::string& address, const std::string& local_key = "");

 private:
  explicit Sites(size_t sites);

  std::shared_ptr<StoreBudget> budget_;
  absl::flat_hash_map<std::string, std::unique_ptr<Site>> sites_;
};

// Names of the site folders under `data_directory`, sorted; NotFound if it is not there.
absl::StatusOr<std::vector<std::string>> ListSites(const std::string& data_directory);

// OK for 1 to 64 of a-z, 0-9, '-' and '_'.
absl::Status ValidSiteName(absl::string_view name);

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_SITE_H_
