// The web house: everything one site knows, in one RocksDB.
//
//   ASSIGN_OR_RETURN(auto house, WebHouse::Open({.directory = "data/gifts"}));
//   ASSIGN_OR_RETURN(CommitResult done, house->Commit(batch, Ack::kDurable));
//   EventCursor history = house->History(Person::Customer("17850"));
//
// Promises: a batch is written whole or not at all, with its accounting and its source's position
// in the same write; an event id is kept once; what `Commit` acknowledged as durable survives loss
// of power. Derived rows (sessions, customers) are written by ReplaceDerived for the persons that
// `Dirty` names, so that they are a pure function of the events whatever order those came in.
//
// Thread-safe. Commits run one at a time; reads never wait for them.

#ifndef VITRINE_STORE_WEB_HOUSE_H_
#define VITRINE_STORE_WEB_HOUSE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "store/audit_verify.h"
#include "store/base/clock.h"
#include "store/base/disk_space.h"
#include "store/base/limits.h"
#include "store/cursor.h"
#include "store/identity.h"
#include "store/key_format.h"
#include "store/records_types.h"
#include "store/store_figures.h"

namespace rocksdb {
class BackupEngine;
}  // namespace rocksdb

namespace vitrine {

class PreparedEvents;  // store/prepared_events.h

// When a write counts as done.
enum class Ack {
  kApplied,  // in the log: survives kill -9, not loss of power
  kDurable,  // synced to disk (concurrent callers share one sync)
};

// The source that live events are accounted to.
inline constexpr absl::string_view kTrackSource = "track";

// What the sites of one process share.
class StoreBudget {
 public:
  // `cache_bytes` of blocks read, `write_buffer_bytes` of rows not yet in tables (part of the
  // former), `table_files` that may be open; the more `sites` there are, the smaller the pieces in
  // which each takes of it. The threads that flush and compact are the process's own anyway.
  StoreBudget(size_t cache_bytes, size_t write_buffer_bytes, size_t sites = 1,
              size_t table_files = limits::kTableFilesDefault);
  ~StoreBudget();

 private:
  friend class WebHouse;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The derived rows of one person, as of the moment its dirty mark was read.
struct Derived {
  Person person;
  uint64_t mark = 0;  // the mark that Dirty() or MarkOf() gave
  std::vector<Session> sessions;
  std::optional<Customer> customer;     // none: a visitor, or a customer without events
  std::vector<std::string> robot = {};  // RobotVerdict::sources; empty: no robot
  bool shared = false;  // a visitor whose device is: its customers know that it is not theirs
};

struct DirtyPerson {
  Person person;
  uint64_t mark = 0;
  std::optional<bool> decided = std::nullopt;  // RobotVerdict::decided
};

// What became of rows of products and customers.
struct FactsResult {
  int64_t changed = 0;
  int64_t unchanged = 0;
};

class WebHouse {
 public:
  struct Options {
    std::string directory;                          // made if absent, with its parents
    bool create = true;                             // else NotFound where there is no store
    std::shared_ptr<StoreBudget> budget = nullptr;  // null: one of its own, 256 MiB in all
    // Of the audit chain (store/audit_chain.h); empty: AuditKeyPath(directory). Made with the
    // store.
    std::string audit_key_path = "";
    // False only to measure what the chain costs; a store made without stays without.
    bool audit = true;
    const Clock* clock = &Clock::System();
    // Opens a store that has lost what it acknowledged as durable, and says so in the audit chain.
    bool accept_loss = false;
    std::function<absl::StatusOr<DiskSpace>(const std::string&)> disk_space = DiskSpaceOf;
  };

  // Opens the store for reading and writing. FailedPrecondition if another process owns it, its
  // format is not kStoreFormat, or the key of its audit chain is missing or another store's;
  // DataLoss if its accounting does not add up, RocksDB finds damage, or writes that were
  // acknowledged as durable are missing (store/watermark.h).
  static absl::StatusOr<std::unique_ptr<WebHouse>> Open(const Options& options);

  // Opens a checkpoint for reading; every writing function then returns FailedPrecondition.
  static absl::StatusOr<std::unique_ptr<WebHouse>> OpenCheckpoint(const std::string& directory);

  ~WebHouse();
  WebHouse(const WebHouse&) = delete;
  WebHouse& operator=(const WebHouse&) = delete;

  // --- Writing ---

  // Writes a batch: its new events, rejects, accounting and source position, all or nothing.
  // Of two events with one id, equal content is a duplicate; of different contents the one with
  // the lower digest is kept, whichever came first. InvalidArgument if an event is not valid
  // (ValidateEvent) or the counts do not add up; Aborted if the batch does not start where the
  // source stands, or replays a reject that is not there any more; ResourceExhausted if the disk is
  // nearly full, and Unavailable after any failed write: both are to be tried again. The store
  // opens itself again, at most once a second, when there is room (limits::kDiskFreeShare); a write
  // that failed may then turn out to be there. `prepared` (may be null): what Prepare made of this
  // very batch.
  absl::StatusOr<CommitResult> Commit(const EventBatch& batch, Ack ack,
                                      const PreparedEvents* prepared = nullptr);

  // Does ahead what of a Commit depends on the batch alone: half of its work, without any lock, so
  // that a thread of its own can do it while another batch is written. InvalidArgument as Commit.
  absl::StatusOr<std::shared_ptr<const PreparedEvents>> Prepare(const EventBatch& batch) const;

  // Commits live events that have no position of their own: they continue the source named
  // "track". `rejects` are those of the same call that were not valid; their `line` is the place
  // in the call (from 1) and becomes the place in the source; `robots` as in EventBatch. Otherwise
  // as Commit.
  absl::StatusOr<CommitResult> Track(std::vector<Event> events, std::vector<Reject> rejects,
                                     Ack ack, std::vector<int32_t> robots = {});

  // Keeps what was shown, in one write to the log: survives kill -9, and loss of power from the
  // next sync on. Waits for no commit. A shelf whose id is there already is replaced; one for a
  // person who was erased later than `time_ms` is left out; one that names a customer is kept
  // without the visitor. Not under the audit chain, and Version() stays. InvalidArgument if an id
  // is not valid, or a shelf names no placement: then none is kept; ResourceExhausted and
  // Unavailable as Commit.
  absl::Status AddExposures(std::span<const Exposure> shelves);

  // Merges rows of products into the catalogue in one write: of each only the fields that are set
  // (store/catalogue_writer.h). They are counted under the source "update_products".
  // InvalidArgument if a row is not valid (ValidateProduct): then none is taken.
  absl::StatusOr<FactsResult> UpdateProducts(std::span<const Product> rows, Ack ack);

  // Begins to replace the whole catalogue by what `source` says from its first line on: restarts
  // the source, takes the rows of its products whole, and remembers which it names, in this process
  // only. One replacement at a time: the next one ends it.
  absl::Status BeginReplacement(absl::string_view source);
  // Withdraws every product of the catalogue that the source has not named since; all in one
  // durable write. Gives their number. FailedPrecondition, and nothing is withdrawn, if no
  // replacement by this source is under way, or it named no product, or one of its lines was
  // rejected.
  absl::StatusOr<int64_t> FinishReplacement(absl::string_view source);

  // Makes everything written so far durable.
  absl::Status Sync();

  // If memory holds much of the events, begins to write them to tables beside what comes next.
  // After an import a core is free for that while sessions are derived; later somebody would wait.
  absl::Status SpillEvents();

  // Starts a source again from byte 0 (its content has changed); its counts stay and grow.
  absl::Status RestartSource(absl::string_view name);

  // Persons whose derived rows are older than their events, at most `limit`, in key order.
  absl::StatusOr<std::vector<DirtyPerson>> Dirty(size_t limit) const;
  absl::StatusOr<std::vector<DirtyPerson>> Dirty(Person::Kind kind, size_t limit) const;
  absl::StatusOr<uint64_t> MarkOf(const Person& person) const;  // 0: not dirty
  // As Dirty would list them: with mark 0 if they are not dirty.
  absl::StatusOr<DirtyPerson> StateOf(const Person& person) const;

  // Replaces the sessions, the customer row and the robot verdict of each person (named once), and
  // clears its dirty mark unless new events, or a decision, came since.
  absl::Status ReplaceDerived(std::span<const Derived> derived);

  // Whoever reads events to replace derived rows holds it until the rows are written: of two who
  // derive one person, the one that read earlier must not write later.
  absl::Mutex& derive_mutex() const;

  // Changing what sessions or persons depend on marks every person dirty. InvalidArgument, naming
  // the setting, if one makes no sense.
  absl::Status SetSettings(const SiteSettings& settings);
  // Changes those that are set in `patch`, in one step.
  absl::Status PatchSettings(const SiteSettingsPatch& patch);

  // Makes this what the storefront shows by: the version after `based_on`, durable, and under the
  // audit chain. Aborted if `based_on` is not the newest version (0: none yet); whether the content
  // makes sense is for the caller to know.
  absl::StatusOr<PlacementVersion> SetPlacements(const PlacementSet& content, int64_t based_on,
                                                 absl::string_view who, absl::string_view comment);

  // The same for the experiment of this id, which counts its own versions. ResourceExhausted beyond
  // limits::kExperimentsMax.
  absl::StatusOr<ExperimentVersion> SetExperiment(const Experiment& content, int64_t based_on,
                                                  absl::string_view who, absl::string_view comment);

  // API keys of the site (api/auth). Durable, and under the audit chain: a key that somebody slips
  // into the store is found. ResourceExhausted beyond limits::kApiKeysMax; NotFound.
  absl::Status PutApiKey(const ApiKey& key);
  absl::Status RemoveApiKey(absl::string_view id);

  // An operator's word on whether a person is a robot; none: leave it to the lists and rules. Marks
  // the person dirty: the verdict and the sessions follow when they are derived.
  absl::Status DecideRobot(const Person& person, std::optional<bool> is_robot);

  // Says which lists of robots verdicts are made from now. If it is not the digest of before, every
  // person becomes dirty.
  absl::Status UseRobotLists(uint64_t digest);

  // From now on nothing that the visitor did without a name is the customer's, whatever they log
  // in on; and back. Durable. NotFound if the customer never logged in on that device, or (Relink)
  // was not unlinked from it.
  absl::Status Unlink(absl::string_view customer, absl::string_view visitor);
  absl::Status Relink(absl::string_view customer, absl::string_view visitor);

  // --- Reading: what belongs to whom (store/identity.h) ---

  // What the visitor's logins say.
  absl::StatusOr<Timeline> TimelineOf(absl::string_view visitor) const;
  // Those whom the customer ever logged in as, in order of ids, at most `limit`.
  absl::StatusOr<std::vector<std::string>> VisitorsOf(absl::string_view customer,
                                                      size_t limit = SIZE_MAX) const;
  // Everybody whose history these events, once written, may have changed.
  absl::StatusOr<std::vector<Person>> Affected(std::span<const Event> events) const;
  // The customers whose history follows from the visitor's. Of a shared device: none, once their
  // derived rows say so (Derived.shared).
  absl::StatusOr<std::vector<std::string>> CustomersOf(absl::string_view visitor) const;

  // Gives `use` the newest `limit` events that belong to the person, newest first: a customer's
  // own and those of linked visitors' that are theirs; a visitor's that are nobody's. Costs one
  // seek more than History where there is no link. With a limit, of more than
  // limits::kVisitorsReadMax visitors the rest is left out.
  using UseEvent = absl::FunctionRef<void(const Event&)>;
  absl::Status ForEachOf(const Person& person, size_t limit, UseEvent use) const;
  absl::StatusOr<std::vector<Event>> ResolvedHistory(const Person& person, size_t limit) const;

  // Every event once, by the person it belongs to, newest first. Persons come in the order of
  // their keys. For a checkpoint, or a store nobody writes to. Needs memory for one linked
  // customer's events.
  absl::Status ForEachResolved(absl::FunctionRef<void(const Person&, const Event&)> use) const;

  // Gives `use` the newest `limit` shelves that the person was shown, not older than `since_ms`,
  // newest first: whose they are follows from logins as it does for events (ForEachOf).
  using UseExposure = absl::FunctionRef<void(const Exposure&)>;
  absl::Status ForEachExposureOf(const Person& person, int64_t since_ms, size_t limit,
                                 UseExposure use) const;
  // Of whoever they are: by their id. NotFound.
  absl::StatusOr<Exposure> GetExposure(absl::string_view id) const;
  // Everybody who did something, was shown something, or logged in somewhere, each once, in the
  // order of their keys; ends at the first error. For a checkpoint, or a store nobody writes to.
  // One seek a person in each of three tables.
  absl::Status ForEachPerson(absl::FunctionRef<absl::Status(const Person&)> use) const;
  // Those shown to nobody known, newest first.
  ExposureCursor ExposuresOfNobody() const;

  // Everybody who was ever erased (store/privacy.h): a digest of each, and up to when.
  std::map<std::string, int64_t> ErasedPersons() const;

  // --- Reading: rows as they are ---

  EventCursor History(const Person& person) const;       // newest first
  EventCursor Events() const;                            // by person, newest first
  SessionCursor SessionsOf(const Person& person) const;  // newest first
  SessionCursor Sessions() const;
  CustomerCursor Customers(absl::string_view from = "") const;  // by id, ids >= from
  RejectCursor Rejects(absl::string_view source) const;   // by restart of the source, then line
  RobotCursor Robots(absl::string_view from = "") const;  // by person, keys >= from
  // Events that lost against another content of their id, by id; an event's person() is not in the
  // key here.
  EventCursor Conflicts() const;
  ProductCursor Products(absl::string_view from = "") const;  // by id, ids >= from
  CustomerFactsCursor AllCustomerFacts() const;               // by id
  SourceCursor Sources() const;

  absl::StatusOr<Customer> GetCustomer(absl::string_view id) const;            // NotFound
  absl::StatusOr<CustomerFacts> GetCustomerFacts(absl::string_view id) const;  // NotFound
  absl::StatusOr<Product> GetProduct(absl::string_view id) const;              // NotFound
  // The products of `ids`, in their order; one that is not there has only its id. Those asked for
  // lately are kept in memory.
  absl::StatusOr<std::vector<std::shared_ptr<const Product>>> GetProducts(
      std::span<const std::string> ids) const;
  // A source never seen is at 0 with no outcomes.
  absl::StatusOr<SourceState> GetSource(absl::string_view name) const;
  // Rejects of every source and reason, by source, then reason. O(rejects).
  absl::StatusOr<std::vector<RejectSummary>> SummarizeRejects() const;
  // The next page of them. InvalidArgument unless `query.limit` is 1 to limits::kRejectPageMax.
  absl::StatusOr<RejectPage> FindRejects(const RejectQuery& query) const;
  // Versions of the placements, the newest first, at most `limit`; none: never changed.
  absl::StatusOr<std::vector<PlacementVersion>> PlacementHistory(size_t limit) const;
  absl::StatusOr<PlacementVersion> GetPlacements(int64_t version) const;  // NotFound
  // The newest version of each experiment, by id; and those of one, the newest first.
  absl::StatusOr<std::vector<ExperimentVersion>> Experiments() const;
  absl::StatusOr<std::vector<ExperimentVersion>> ExperimentHistory(absl::string_view id,
                                                                   size_t limit) const;
  absl::StatusOr<std::vector<ApiKey>> ApiKeys() const;  // by id
  Totals GetTotals() const;
  SiteSettings GetSettings() const;

  // Counts up with every commit of an event: unchanged means nothing new was written.
  uint64_t Version() const;

  // 32 bytes that only who has the site's audit key can make; each purpose has its own.
  // FailedPrecondition for a store without a chain.
  absl::StatusOr<std::string> DerivedKey(absl::string_view purpose) const;

  // Where the audit chain stands: to be compared with what is found later (store/audit_verify.h).
  // Link 0: there is none yet.
  AuditAnchor Anchor() const;

  // How the store is doing. Some 50 us: never while a request waits.
  StoreFigures Figures() const;

  // Copies the tables into a folder of RocksDB's backups; the number of the new one. For
  // store/backup.h, which makes a site's backup of it.
  absl::StatusOr<uint32_t> BackUpTables(rocksdb::BackupEngine* engine) const;

  // Makes a consistent copy (hard links) in `directory`, which must not exist.
  absl::Status Checkpoint(const std::string& directory) const;

 private:
  friend class ContactBook;  // store/contact_book.h
  friend class Ledger;       // store/ledger.h
  friend class LedgerRows;
  friend class OfferBook;    // store/offer_book.h
  friend class Privacy;      // store/privacy.h
  friend class Removal;      // store/removal.h
  friend class SegmentBook;  // store/segment_book.h

  struct Impl;
  explicit WebHouse(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// <the folder that the store's stands in>/audit.key: one key for all that belongs to a site.
std::string AuditKeyPath(const std::string& store_directory);

// OK if the event can be stored: valid ids, known kind and channel, someone it belongs to, sane
// quantities and prices. Otherwise InvalidArgument whose message starts with the reject reason
// ("bad_quantity: ...").
absl::Status ValidateEvent(const Event& event);

// The same for rows of the catalogue and of the customer file. Prices and margins name their
// currency in the same row.
absl::Status ValidateProduct(const Product& product);
absl::Status ValidateCustomerFacts(const CustomerFacts& facts);

}  // namespace vitrine

#endif  // VITRINE_STORE_WEB_HOUSE_H_
