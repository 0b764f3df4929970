#include "api/service/site.h"

#include <algorithm>
#include <filesystem>
#include <sys/resource.h>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "spdlog/spdlog.h"

#include "api/service/robots.h"
#include "ingest/sessionizer.h"
#include "recommender/learn/newest_sessions.h"
#include "recommender/learn/session_learner.h"
#include "recommender/outreach/outbox.h"
#include "store/backup.h"
#include "store/base/atomic_file.h"
#include "store/base/clock.h"
#include "store/base/status_macros.h"
#include "store/base/thread.h"
#include "store/key_format.h"
#include "store/privacy.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCacheBytes = 256 << 20;
constexpr size_t kWriteBufferBytes = 128 << 20;
// How often a site looks for events that it no longer keeps.
constexpr absl::Duration kRetentionPeriod = absl::Hours(1);
// How often the background thread looks around where nobody calls it.
constexpr absl::Duration kRound = absl::Seconds(5);
// Deriving takes a site's thread one part of its time in so many, and rests at least so long.
constexpr int kDeriveShare = 4;
constexpr absl::Duration kDeriveRestMin = absl::Milliseconds(100);

}  // namespace

absl::Status ValidSiteName(absl::string_view name) {
  if (ValidName(name).ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "a site's name has 1 to 64 of the characters a-z, 0-9, '-' and '_'");
}

absl::StatusOr<std::vector<std::string>> ListSites(const std::string& data_directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(data_directory, error)) {
    const std::string name = entry.path().filename();
    // Other names are nobody's: a restore that is not finished has one.
    if (ValidSiteName(name).ok() && fs::exists(entry.path() / "db" / "CURRENT")) {
      names.push_back(name);
    }
  }
  if (error) return ErrnoStatus("cannot list sites in", data_directory, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

// --- Site ---

Site::Site(std::string data_directory, absl::string_view name, OwnerLock lock)
    : data_directory_(std::move(data_directory)),
      name_(name),
      directory_(absl::StrCat(data_directory_, "/", name)),
      lock_(std::move(lock)),
      models_(directory_) {}

absl::StatusOr<std::unique_ptr<Site>> Site::Open(const std::string& data_directory,
                                                 absl::string_view name, bool create,
                                                 std::shared_ptr<StoreBudget> budget,
                                                 bool accept_loss) {
  RETURN_IF_ERROR(ValidSiteName(name));
  const std::string directory = absl::StrCat(data_directory, "/", name);
  if (!create && !fs::exists(directory)) {
    return absl::NotFoundError(absl::StrCat("there is no site ", name, " in ", data_directory));
  }
  ASSIGN_OR_RETURN(OwnerLock lock, OwnerLock::Take(directory));
  std::unique_ptr<Site> site(new Site(data_directory, name, std::move(lock)));
  ASSIGN_OR_RETURN(site->house_, WebHouse::Open({.directory = directory + "/db",
                                                 .create = create,
                                                 .budget = std::move(budget),
                                                 .accept_loss = accept_loss}));
  std::error_code ignored;  // copies that a process which died left behind
  fs::remove_all(directory + "/checkpoints", ignored);
  ASSIGN_OR_RETURN(site->keys_, KeyRing::Open(site->house_.get(), &Clock::System()));
  RETURN_IF_ERROR(Privacy(site->house_.get()).Resume().status());
  ASSIGN_OR_RETURN(site->offers_, OfferDesk::Open(site->house_.get()));
  RETURN_IF_ERROR(site->LoadPlacements());
  RETURN_IF_ERROR(site->LoadExperiments());
  site->segments_ = std::make_unique<SegmentKeeper>(
      site->house_.get(), [raw = site.get()](const auto& read) { return raw->ReadCopy(read); },
      &Clock::System(), site->name_);
  RETURN_IF_ERROR(site->segments_->Load());
  RETURN_IF_ERROR(site->LoadModel());
  site->LoadTrialModels();
  if (const auto record = ReadTrainingRecord(directory); record.ok()) {
    site->last_training_.Set(*record);
  }
  site->deriver_ = std::thread([raw = site.get()] { raw->DeriveLoop(); });
  return site;
}

Site::~Site() {
  {
    absl::MutexLock lock(&derive_mutex_);
    stopping_ = true;
  }
  if (deriver_.joinable()) deriver_.join();
}

SegmentIndex::Ids Site::SegmentsOf(const Context& context) const {
  if (!context.personalize || !context.__isset.customer_id) return nullptr;
  const std::shared_ptr<const SegmentIndex> index = segments_->index();
  return index == nullptr ? nullptr : index->Of(context.customer_id);
}

std::shared_ptr<Serving> Site::serving() const {
  absl::ReaderMutexLock lock(&model_mutex_);
  return serving_;
}

std::vector<std::shared_ptr<Serving>> Site::Answering() const {
  std::vector<std::shared_ptr<Serving>> servings;
  absl::ReaderMutexLock lock(&model_mutex_);
  if (serving_ != nullptr) servings.push_back(serving_);
  for (const auto& [id, trial] : *trial_models_) servings.push_back(trial);
  return servings;
}

std::vector<std::shared_ptr<Serving>> Site::Servings() const {
  std::vector<std::shared_ptr<Serving>> servings = Answering();
  absl::ReaderMutexLock lock(&model_mutex_);
  if (coming_ != nullptr) servings.push_back(coming_);
  return servings;
}

std::shared_ptr<const Model> Site::model() const {
  const std::shared_ptr<Serving> now = serving();
  return now == nullptr ? nullptr : now->model;
}

absl::Status Site::Forget(std::span<const Event> events) {
  // Whoever begins to use a later model than these reads what is written already.
  const std::vector<std::shared_ptr<Serving>> servings = Servings();
  const bool counted = counts_.wanted();
  if (servings.empty() && !counted && !segments_->wanted()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<Person> persons, house_->Affected(events));
  if (counted) counts_.NoteChanged(persons);
  segments_->Note(persons);
  for (const Person& person : persons) {
    for (const auto& serving : servings) serving->profiles.Erase(keys::PersonPrefix(person));
  }
  return absl::OkStatus();
}

void Site::ForgetAll() {
  counts_.Forget();
  segments_->NoteAll();
  for (const auto& serving : Servings()) serving->profiles.Clear();
}

void Site::Watch(std::span<const Event> events, int64_t now_ms) {
  const std::shared_ptr<Serving> now = serving();
  if (now == nullptr) return;
  visits_.Add(events, now->model->weights, now_ms, house_->GetSettings().session_gap_ms);
  for (const auto& serving : Answering()) WatchTrends(events, serving.get());
  WatchTrials(events, now->model->weights);
}

absl::Status Site::EnterVisit(const EndedVisit& visit, Serving* serving) {
  const std::shared_ptr<SessionIndex> sessions = serving->sessions();
  if (sessions == nullptr) return absl::OkStatus();
  std::vector<uint32_t> clicks;
  for (const std::string& product : visit) {
    if (const auto number = serving->catalogue.NumberOf(product)) clicks.push_back(*number);
  }
  return sessions->Add(clicks).status();
}

void Site::EnterEndedVisits() {
  const std::shared_ptr<Serving> now = serving();
  if (now == nullptr || now->sessions() == nullptr) return;  // they wait
  absl::MutexLock lock(&enter_mutex_);
  for (const EndedVisit& visit :
       visits_.TakeEnded(Clock::System().NowMs(), house_->GetSettings().session_gap_ms)) {
    for (const auto& serving : Answering()) {
      const absl::Status added = EnterVisit(visit, serving.get());
      if (!added.ok()) spdlog::warn("site {}: a visit is not learned: {}", name_, added.ToString());
    }
  }
}

absl::Status Site::LearnSessions() {
  const std::shared_ptr<Serving> now = serving();
  if (now == nullptr) return absl::OkStatus();
  return ReadCopy([&](const WebHouse& copy) -> absl::Status {
    for (const auto& serving : Answering()) RETURN_IF_ERROR(LearnSessions(copy, serving.get()));
    return absl::OkStatus();
  });
}

absl::Status Site::LearnSessions(const WebHouse& copy, Serving* serving) const {
  const SessionIndexSettings max;
  ASSIGN_OR_RETURN(
      const NewestSessions newest,
      ReadNewestSessions(copy, serving->model->weights, max,
                         [&](absl::string_view id) { return serving->catalogue.NumberOf(id); }));
  const SessionSource source = [&](const auto& add) {
    for (size_t s = 0; s < newest.size(); ++s) {
      if (newest[s].size() >= 2) RETURN_IF_ERROR(add(newest[s]));
    }
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(std::unique_ptr<SessionIndex> index,
                   vitrine::LearnSessions(source, newest.size(), newest.clicks(), max));
  serving->SetSessions(std::move(index));
  return LearnTrends(copy, serving);
}

void Site::LearnSessionsSoon() {
  absl::MutexLock lock(&derive_mutex_);
  sessions_wanted_ = true;
  catalogue_changed_ = true;
}

absl::StatusOr<std::vector<Erasure>> Site::Erase(const std::vector<std::string>& customers) {
  absl::MutexLock lock(&train_mutex_);
  std::error_code error;
  fs::remove_all(directory_ + "/checkpoints", error);
  if (error) return ErrnoStatus("cannot remove", directory_ + "/checkpoints", error.value());
  std::vector<Person> persons;
  for (const std::string& id : customers) persons.push_back(Person::Customer(id));
  absl::StatusOr<std::vector<Erasure>> receipts = Privacy(house_.get()).Erase(persons);
  ForgetAll();
  segments_->Note(persons);  // they are in none from now on, and not when everybody was looked at
  for (const std::string& id : customers) visits_.Forget(id);
  // Some of its sessions are theirs, and it does not know which.
  for (const auto& serving : Answering()) {
    if (serving->sessions() == nullptr) continue;
    serving->SetSessions(nullptr);
    LearnSessionsSoon();
  }
  RETURN_IF_ERROR(receipts.status());
  RETURN_IF_ERROR(EraseFromOutbox(directory_ + "/outreach/outbox.jsonl", customers));
  // They are erased here, whatever the disk of the backups says; the next backup tells it again.
  if (const absl::Status told = TellErased(*house_, directory_); !told.ok()) {
    spdlog::warn("site {}: the folder of backups does not know yet whom a restore must erase: {}",
                 name_, told.ToString());
  }
  RETURN_IF_ERROR(DeriveAll(house_.get(), nullptr));
  return receipts;
}

absl::StatusOr<int64_t> Site::ApplyRetention(int64_t now_ms) {
  ASSIGN_OR_RETURN(const int64_t gone, Privacy(house_.get()).ApplyRetention(now_ms));
  if (gone == 0) return gone;
  ForgetAll();
  LearnSessionsSoon();
  RETURN_IF_ERROR(DeriveAll(house_.get(), nullptr));
  return gone;
}

absl::StatusOr<std::string> Site::Checkpoint() {
  std::string directory;
  {
    absl::MutexLock lock(&model_mutex_);
    directory = absl::StrCat(directory_, "/checkpoints/", ++checkpoints_made_);
  }
  std::error_code error;
  fs::create_directories(directory_ + "/checkpoints", error);
  if (error) return ErrnoStatus("cannot make folder", directory, error.value());
  RETURN_IF_ERROR(house_->Checkpoint(directory));
  return directory;
}

absl::Status Site::ReadCopy(const std::function<absl::Status(const WebHouse&)>& read) {
  ASSIGN_OR_RETURN(const std::string copy, Checkpoint());
  const absl::Cleanup remove = [&copy] {
    std::error_code ignored;
    fs::remove_all(copy, ignored);
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<WebHouse> data, WebHouse::OpenCheckpoint(copy));
  return read(*data);
}

absl::StatusOr<AuditFindings> Site::Verify(std::vector<AuditAnchor> anchors) {
  // Before the copy: what is written meanwhile is in the copy and not in the anchor.
  if (const AuditAnchor now = house_->Anchor(); now.link != 0) anchors.push_back(now);
  ASSIGN_OR_RETURN(const std::string copy, Checkpoint());
  const absl::Cleanup remove = [&copy] {
    std::error_code ignored;
    fs::remove_all(copy, ignored);
  };
  return VerifyAudit({.directory = copy,
                      .key_path = AuditKeyPath(directory_ + "/db"),
                      .anchors = std::move(anchors)});
}

absl::Status Site::Derive() {
  const std::shared_ptr<const RobotLists> lists = robots();
  return DeriveAll(house_.get(), nullptr, lists.get());
}

std::shared_ptr<const RobotLists> Site::robots() const { return RobotListsOf(data_directory_); }

void Site::ReadRobotListsAgain() { ForgetRobotLists(data_directory_); }

void Site::DeriveSoon() {
  absl::MutexLock lock(&derive_mutex_);
  derive_wanted_ = true;
}

void Site::DeriveLoop() {
  NameThread("derive");
  GiveWayToOthers();
  int64_t retained_ns = Clock::System().SteadyNs();
  while (true) {
    bool derive = false, learn = false, look = false;
    {
      absl::MutexLock lock(&derive_mutex_);
      derive_mutex_.AwaitWithTimeout(absl::Condition(
                                         +[](Site* self) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                                           return self->derive_wanted_ || self->sessions_wanted_ ||
                                                  self->catalogue_changed_ || self->stopping_;
                                         },
                                         this),
                                     kRound);
      // What is still dirty at the end stays marked for the next start.
      if (stopping_) return;
      derive = std::exchange(derive_wanted_, false);
      learn = std::exchange(sessions_wanted_, false);
      look = std::exchange(catalogue_changed_, false);
    }
    int64_t looked_ns = 0;
    if (look) {
      const int64_t start_ns = Clock::System().SteadyNs();
      const absl::Status looked = LookAtCatalogue();
      if (!looked.ok()) spdlog::error("site {}: catalogue: {}", name_, looked.ToString());
      looked_ns = Clock::System().SteadyNs() - start_ns;
    }
    if (learn) {
      const absl::Status learned = LearnSessions();
      if (!learned.ok()) spdlog::error("site {}: sessions: {}", name_, learned.ToString());
    }
    const int64_t now_ns = Clock::System().SteadyNs();
    if (now_ns - retained_ns >= absl::ToInt64Nanoseconds(kRetentionPeriod)) {
      retained_ns = now_ns;
      const absl::Status retained = ApplyRetention(Clock::System().NowMs()).status();
      if (!retained.ok()) spdlog::error("site {}: retention: {}", name_, retained.ToString());
      derive = true;  // also what an error left behind
    }
    const int64_t start_ns = Clock::System().SteadyNs();
    if (derive) {
      const absl::Status status = Derive();
      if (!status.ok()) spdlog::error("site {}: derived rows: {}", name_, status.ToString());
    }
    EnterEndedVisits();
    const absl::Status weighed = UpdateDueWeights(Clock::System().NowMs());
    if (!weighed.ok()) spdlog::error("site {}: weights: {}", name_, weighed.ToString());
    const absl::Status lapsed = offers_->Refresh(Clock::System().NowMs());
    if (!lapsed.ok()) spdlog::error("site {}: offers: {}", name_, lapsed.ToString());
    for (const auto& serving : Answering()) serving->trends->Refresh();
    RestFromDeriving(looked_ns + Clock::System().SteadyNs() - start_ns);
  }
}

// A site whose visitors never stop must not take a core from the others. Who did ten things
// meanwhile is derived once.
void Site::RestFromDeriving(int64_t worked_ns) {
  const absl::Duration rest =
      std::max(kDeriveRestMin, absl::Nanoseconds(worked_ns) * (kDeriveShare - 1));
  absl::MutexLock lock(&derive_mutex_);
  derive_mutex_.AwaitWithTimeout(absl::Condition(&stopping_), rest);
}

// --- Sites ---

// Table files that may be open beside the connections and what each site keeps open anyway.
size_t TableFilesGranted(size_t sites) {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return limits::kTableFilesFloor;
  const size_t taken = 2 * limits::kConnectionsMax + sites * limits::kSiteDescriptors;
  const size_t all = limit.rlim_cur;
  return std::clamp(all - std::min(all, taken), limits::kTableFilesFloor,
                    limits::kTableFilesDefault);
}

Sites::Sites(size_t sites)
    : budget_(std::make_shared<StoreBudget>(kCacheBytes, kWriteBufferBytes, sites,
                                            TableFilesGranted(sites))) {}

absl::StatusOr<std::unique_ptr<Sites>> Sites::OpenAll(const std::string& data_directory,
                                                      bool accept_loss) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListSites(data_directory));
  std::unique_ptr<Sites> sites(new Sites(names.size()));
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(sites->sites_[name],
                     Site::Open(data_directory, name, false, sites->budget_, accept_loss));
    sites->sites_[name]->LearnSessionsSoon();
    sites->sites_[name]->segments().Start();
  }
  return sites;
}

absl::StatusOr<std::unique_ptr<Sites>> Sites::OpenOne(const std::string& data_directory,
                                                      absl::string_view name, bool create,
                                                      bool accept_loss) {
  std::unique_ptr<Sites> sites(new Sites(1));
  ASSIGN_OR_RETURN(std::unique_ptr<Site> site,
                   Site::Open(data_directory, name, create, sites->budget_, accept_loss));
  sites->sites_.emplace(name, std::move(site));
  return sites;
}

absl::StatusOr<Site*> Sites::Find(absl::string_view name) const {
  const auto it = sites_.find(name);
  if (it != sites_.end()) return it->second.get();
  return absl::NotFoundError(
      absl::StrCat("there is no site of this name; there are: ", absl::StrJoin(Names(), ", ")));
}

std::vector<std::string> Sites::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, site] : sites_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status Sites::Announce(const std::string& address, const std::string& local_key) {
  for (const auto& [name, site] : sites_) RETURN_IF_ERROR(site->Announce(address, local_key));
  return absl::OkStatus();
}

}  // namespace vitrine
