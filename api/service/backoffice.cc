#include "api/service/backoffice.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"

#include "api/service/errors.h"
#include "api/service/history.h"
#include "ingest/batch_sink.h"
#include "store/backup.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/base/thread.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

int32_t CheckedLimit(int32_t limit) {
  ThrowIfError(CheckRange("limit", limit, 1, limits::kWireContainerMax));
  return limit;
}

// OK if the folder lies under `root`, links followed.
absl::Status CheckBackupFolder(const std::string& root, const std::string& directory) {
  if (root.empty()) {
    return absl::FailedPreconditionError(
        "this server makes no backups: start it with --backup-root and the folder for them");
  }
  std::error_code error;
  fs::path top = fs::weakly_canonical(root, error);
  if (!top.has_filename()) top = top.parent_path();  // "/backups/"
  const fs::path path = error ? fs::path() : fs::weakly_canonical(directory, error);
  const auto [end, rest] = std::mismatch(top.begin(), top.end(), path.begin(), path.end());
  if (!error && fs::path(directory).is_absolute() && end == top.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "directory: ", directory, " does not lie under the server's backup root ", root));
}

Person PersonOrThrow(const std::string& customer_id, const std::string& visitor_id) {
  if (customer_id.empty() == visitor_id.empty()) {
    ThrowStatus(absl::InvalidArgumentError("give either customer_id or visitor_id"));
  }
  Person person = customer_id.empty() ? Person::Visitor(visitor_id) : Person::Customer(customer_id);
  ThrowIfError(ValidId(person.id));
  return person;
}

}  // namespace

Backoffice::Backoffice(Sites* sites, const Clock* clock, OnTrain on_train, std::string backup_root)
    : sites_(sites),
      clock_(clock),
      on_train_(std::move(on_train)),
      backup_root_(std::move(backup_root)) {}

Site* Backoffice::FindOrThrow(const std::string& name) const {
  return ValueOrThrow(sites_->Find(name));
}

void Backoffice::counts(SiteCounts& counts, const std::string& site_name) {
  const WebHouse& house = FindOrThrow(site_name)->house();
  counts.totals = house.GetTotals();
  SourceCursor cursor = house.Sources();
  for (; cursor.Valid(); cursor.Next()) counts.sources.push_back(cursor.value());
  ThrowIfError(cursor.Finish());
}

void Backoffice::health(SiteHealth& health, const std::string& site_name) {
  Site* const site = FindOrThrow(site_name);
  health = HealthOf(FactsOf(site, process_ ? process_() : ProcessFacts(), *clock_));
}

void Backoffice::source(SourceState& state, const std::string& site_name, const std::string& name) {
  state = ValueOrThrow(FindOrThrow(site_name)->house().GetSource(name));
}

void Backoffice::restart_source(const std::string& site_name, const std::string& name) {
  ThrowIfError(FindOrThrow(site_name)->house().RestartSource(name));
}

void Backoffice::import_batch(CommitResult& result, const std::string& site_name,
                              const EventBatch& batch) {
  DoInBackground("import",
                 [&] { result = ValueOrThrow(ImportPrepared(site_name, batch, nullptr)); });
}

absl::StatusOr<std::shared_ptr<const PreparedEvents>> Backoffice::Prepare(
    const std::string& site_name, const EventBatch& batch) const {
  return FindOrThrow(site_name)->house().Prepare(batch);
}

absl::StatusOr<CommitResult> Backoffice::ImportPrepared(const std::string& site_name,
                                                        const EventBatch& batch,
                                                        const PreparedEvents* prepared) {
  Site* site = FindOrThrow(site_name);
  RETURN_IF_ERROR(site->offers().Settle(batch.events, clock_->NowMs()));
  absl::StatusOr<CommitResult> committed = site->house().Commit(batch, Ack::kApplied, prepared);
  const absl::Status forgotten = site->Forget(batch.events);
  RETURN_IF_ERROR(committed.status());
  RETURN_IF_ERROR(forgotten);
  if (!batch.products.empty()) site->NoteProducts(batch.products);
  for (const CustomerFacts& facts : batch.customers) {
    const Person person = Person::Customer(facts.id);
    site->segments().Note({&person, 1});
  }
  return committed;
}

void Backoffice::import_done(const std::string& site_name, const SiteSettingsPatch& settings) {
  Site* site = FindOrThrow(site_name);
  DoInBackground("import", [&] {
    ThrowIfError(site->house().PatchSettings(settings));
    site->CountAnew();  // also whose a shared device's history is may have changed
    ThrowIfError(site->house().SpillEvents());
    ThrowIfError(site->Derive());
    ThrowIfError(site->house().Sync());
    ValueOrThrow(site->ApplyRetention(clock_->NowMs()));
  });
}

void Backoffice::reject_summaries(std::vector<RejectSummary>& summaries,
                                  const std::string& site_name) {
  summaries = ValueOrThrow(FindOrThrow(site_name)->house().SummarizeRejects());
}

void Backoffice::rejects(RejectPage& page, const std::string& site_name, const RejectQuery& query) {
  page = ValueOrThrow(FindOrThrow(site_name)->house().FindRejects(query));
}

void Backoffice::history(std::vector<Event>& events, const std::string& site_name,
                         const std::string& customer_id, const std::string& visitor_id,
                         int32_t limit) {
  const WebHouse& house = FindOrThrow(site_name)->house();
  const Person person = PersonOrThrow(customer_id, visitor_id);
  events = ValueOrThrow(ReadHistory(house, person, static_cast<size_t>(CheckedLimit(limit))));
}

void Backoffice::customers(std::vector<Customer>& customers, const std::string& site_name,
                           const std::string& after_id, int32_t limit) {
  const WebHouse& house = FindOrThrow(site_name)->house();
  const size_t most = static_cast<size_t>(CheckedLimit(limit));
  CustomerCursor cursor = house.Customers(after_id);
  for (; cursor.Valid() && customers.size() < most; cursor.Next()) {
    if (cursor.value().id != after_id) customers.push_back(cursor.value());
  }
  ThrowIfError(cursor.Finish());
}

void Backoffice::products(std::vector<Product>& products, const std::string& site_name,
                          const std::vector<std::string>& ids) {
  const WebHouse& house = FindOrThrow(site_name)->house();
  ThrowIfError(CheckRange("ids", static_cast<double>(ids.size()), 0, limits::kWireContainerMax));
  for (const auto& product : ValueOrThrow(house.GetProducts(ids))) products.push_back(*product);
}

void Backoffice::update_products(UpdateReply& reply, const std::string& site_name,
                                 const std::vector<Product>& products) {
  ThrowIfError(CheckRange("products", static_cast<double>(products.size()), 1,
                          static_cast<double>(limits::kBatchEventsMax)));
  Site* const site = FindOrThrow(site_name);
  std::vector<Product> rows = products;
  for (Product& row : rows) row.facts_time_ms = clock_->NowMs();
  const FactsResult result = ValueOrThrow(site->house().UpdateProducts(rows, Ack::kDurable));
  site->NoteProducts(rows);
  reply.changed = result.changed;
  reply.unchanged = result.unchanged;
}

void Backoffice::begin_replacement(const std::string& site_name, const std::string& source) {
  ThrowIfError(FindOrThrow(site_name)->house().BeginReplacement(source));
}

int64_t Backoffice::finish_replacement(const std::string& site_name, const std::string& source) {
  Site* const site = FindOrThrow(site_name);
  const int64_t withdrawn = ValueOrThrow(site->house().FinishReplacement(source));
  site->NoteProducts({});
  return withdrawn;
}

void Backoffice::catalogue(std::vector<Product>& products, const std::string& site_name,
                           const std::string& after_id, int32_t limit) {
  const WebHouse& house = FindOrThrow(site_name)->house();
  const size_t most = static_cast<size_t>(CheckedLimit(limit));
  ProductCursor cursor = house.Products(after_id);
  for (; cursor.Valid() && products.size() < most; cursor.Next()) {
    if (cursor.value().id != after_id) products.push_back(cursor.value());
  }
  ThrowIfError(cursor.Finish());
}

void Backoffice::robots(std::vector<Robot>& robots, const std::string& site_name,
                        const std::string& after_customer_id, const std::string& after_visitor_id,
                        int32_t limit) {
  const WebHouse& house = FindOrThrow(site_name)->house();
  const size_t most = static_cast<size_t>(CheckedLimit(limit));
  std::string after;
  if (!after_customer_id.empty() || !after_visitor_id.empty()) {
    after = keys::PersonPrefix(PersonOrThrow(after_customer_id, after_visitor_id));
  }
  RobotCursor cursor = house.Robots(after);
  for (; cursor.Valid() && robots.size() < most; cursor.Next()) {
    if (cursor.key() == after) continue;
    Robot& robot = robots.emplace_back();
    Person person = cursor.person();
    if (person.kind == Person::Kind::kCustomer) {
      robot.__set_customer_id(std::move(person.id));
    } else {
      robot.__set_visitor_id(std::move(person.id));
    }
    robot.verdict = cursor.value();
  }
  ThrowIfError(cursor.Finish());
}

void Backoffice::decide_robot(const std::string& site_name, const std::string& customer_id,
                              const std::string& visitor_id, RobotDecision decision) {
  Site* site = FindOrThrow(site_name);
  std::optional<bool> is_robot;
  switch (decision) {
    case RobotDecision::ROBOT:
      is_robot = true;
      break;
    case RobotDecision::NO_ROBOT:
      is_robot = false;
      break;
    case RobotDecision::AUTOMATIC:
      break;
    default:
      ThrowStatus(absl::InvalidArgumentError("decision: is none of RobotDecision"));
  }
  const Person person = PersonOrThrow(customer_id, visitor_id);
  ThrowIfError(site->house().DecideRobot(person, is_robot));
  ThrowIfError(site->Derive());
  site->NoteDecided(person);
  ThrowIfError(site->house().Sync());
}

void Backoffice::robot_lists(std::vector<RobotListInfo>& lists, const std::string& site_name) {
  const std::shared_ptr<const RobotLists> robots = FindOrThrow(site_name)->robots();
  for (const RobotLists::Info& info : robots->lists()) {
    RobotListInfo& list = lists.emplace_back();
    list.path = info.path;
    list.source = info.source;
    list.patterns = info.patterns;
    list.patterns_not_taken = info.patterns_not_taken;
    list.problem = info.problem;
  }
}

void Backoffice::relist_robots(const std::string& site_name) {
  Site* site = FindOrThrow(site_name);
  site->ReadRobotListsAgain();
  ThrowIfError(site->Derive());
  site->CountAnew();
  ThrowIfError(site->house().Sync());
}

void Backoffice::checkpoint(std::string& directory, const std::string& site_name) {
  directory = ValueOrThrow(FindOrThrow(site_name)->Checkpoint());
}

void Backoffice::verify(VerifyReply& reply, const VerifyRequest& request) {
  Site* site = FindOrThrow(request.site);
  ThrowIfError(CheckRange("anchors", static_cast<double>(request.anchors.size()), 0,
                          limits::kWireContainerMax));
  std::vector<AuditAnchor> anchors;
  for (const std::string& line : request.anchors) {
    anchors.push_back(ValueOrThrow(AuditAnchor::Parse(line)));
  }
  AuditFindings found;
  DoInBackground("verify", [&] { found = ValueOrThrow(site->Verify(std::move(anchors))); });
  reply.rows = static_cast<int64_t>(found.rows);
  reply.links = static_cast<int64_t>(found.links);
  reply.removed = static_cast<int64_t>(found.removed);
  reply.problems_found = static_cast<int64_t>(found.problems_found);
  for (const AuditFinding& finding : found.problems) {
    VerifyProblem& problem = reply.problems.emplace_back();
    problem.kind = std::string(NameOf(finding.kind));
    problem.row = finding.row;
    problem.link = static_cast<int64_t>(finding.link);
    problem.version = static_cast<int64_t>(finding.version);
    problem.time_ms = finding.time_ms;
  }
  for (const AuditFindings::Note& noted : found.notes) {
    VerifyNote& note = reply.notes.emplace_back();
    note.time_ms = noted.time_ms;
    note.kind = noted.kind;
    note.text = noted.text;
  }
  if (found.head.link != 0) reply.anchor = found.head.Format();
}

void Backoffice::backup(BackupReply& reply, const BackupRequest& request) {
  Site* site = FindOrThrow(request.site);
  ThrowIfError(CheckBackupFolder(backup_root_, request.directory));
  ThrowIfError(CheckRange("keep", request.keep, 0, std::numeric_limits<int32_t>::max()));
  ThrowIfError(
      CheckRange("bytes_per_second", static_cast<double>(request.bytes_per_second), 0, 1e15));
  const BackupOptions options = {request.directory, request.keep, request.bytes_per_second};
  BackupManifest made;
  DoInBackground("backup", [&] {
    made =
        ValueOrThrow(MakeBackup(site->house(), site->name(), site->directory(), options, *clock_));
  });
  reply.id = static_cast<int32_t>(made.id);
  reply.taken_at_ms = made.taken_at_ms;
  reply.bytes = made.Bytes();
  reply.new_bytes = made.new_bytes;
  reply.seconds = made.seconds;
}

void Backoffice::sites(std::vector<std::string>& names) { names = sites_->Names(); }

}  // namespace vitrine
