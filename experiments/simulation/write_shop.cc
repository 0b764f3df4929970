#include "experiments/simulation/write_shop.h"

#include <filesystem>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "experiments/simulation/access_log.h"
#include "experiments/simulation/event_json.h"
#include "experiments/simulation/file_writer.h"
#include "experiments/simulation/traffic.h"
#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine {

using simulation::FileWriter;

namespace {

constexpr size_t kTopProducts = 20;

absl::Status PrepareDirectory(const std::string& directory, bool overwrite) {
  std::error_code error;
  const auto type = std::filesystem::status(directory, error).type();
  if (type != std::filesystem::file_type::not_found &&
      type != std::filesystem::file_type::directory) {
    return absl::InvalidArgumentError(absl::StrCat(directory, " is not a directory"));
  }
  std::filesystem::create_directories(directory, error);
  const bool empty = !error && std::filesystem::is_empty(directory, error);
  if (error) return ErrnoStatus("cannot make or read", directory, error.value());
  if (empty || overwrite) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(directory, " is not empty"));
}

absl::StatusOr<int64_t> WriteCatalogue(const Shop& shop, const std::string& path) {
  ASSIGN_OR_RETURN(FileWriter file, FileWriter::Create(path));
  file.buffer()->append("id,name,category,price,currency,stock,brand\n");
  for (const Shop::Product& product : shop.products()) {
    absl::StrAppend(file.buffer(), product.id, ",", product.name, ",",
                    shop.categories()[product.category].name, ",", product.price_minor, ",");
    absl::StrAppend(file.buffer(), shop.options().currency, ",", product.stock, ",", product.brand,
                    "\n");
    RETURN_IF_ERROR(file.WriteIfFull());
  }
  RETURN_IF_ERROR(file.Close());
  return file.bytes_written();
}

std::string TopProductIds(const Shop& shop, uint32_t customer) {
  return absl::StrJoin(shop.TopProducts(customer, kTopProducts), " ",
                       [&](std::string* out, uint32_t p) { *out += shop.products()[p].id; });
}

absl::StatusOr<int64_t> WriteTruth(const Shop& shop, const std::string& path) {
  ASSIGN_OR_RETURN(FileWriter file, FileWriter::Create(path));
  file.buffer()->append("kind,id,visitor_ids,treated,top_products\n");
  for (uint32_t c = 0; c < shop.customers().size(); ++c) {
    const Shop::Customer& customer = shop.customers()[c];
    absl::StrAppend(file.buffer(), customer.has_account ? "account," : "guest,", customer.id, ",",
                    absl::StrJoin(shop.VisitorIds(c), " "), customer.treated ? ",1," : ",0,");
    absl::StrAppend(file.buffer(), TopProductIds(shop, c), "\n");
    RETURN_IF_ERROR(file.WriteIfFull());
  }
  for (const Shop::Robot& robot : shop.robots()) {
    absl::StrAppend(file.buffer(), "robot,,", robot.visitor_id, ",0,\n");
  }
  RETURN_IF_ERROR(file.Close());
  return file.bytes_written();
}

// Writes events.jsonl and access.log step by step, and counts.
class TrafficFiles {
 public:
  static absl::StatusOr<TrafficFiles> Create(const Shop* shop, const std::string& directory,
                                             bool with_log, SimulationSummary* summary) {
    ASSIGN_OR_RETURN(FileWriter events, FileWriter::Create(directory + "/events.jsonl"));
    std::optional<FileWriter> log;
    if (with_log) {
      ASSIGN_OR_RETURN(FileWriter file, FileWriter::Create(directory + "/access.log"));
      log.emplace(std::move(file));
    }
    return TrafficFiles(shop, std::move(events), std::move(log), summary);
  }

  absl::Status Write(const Visit& visit, const Step& step) {
    Count(visit, step);
    if (step.tracked) {
      simulation::AppendEventJson(ToEvent(*shop_, visit, step), events_.buffer());
      RETURN_IF_ERROR(events_.WriteIfFull());
    }
    if (!log_) return absl::OkStatus();
    summary_->log_lines += access_log_.Append(visit, step, log_->buffer());
    return log_->WriteIfFull();
  }

  absl::Status Close() {
    RETURN_IF_ERROR(events_.Close());
    summary_->bytes += events_.bytes_written();
    if (!log_) return absl::OkStatus();
    RETURN_IF_ERROR(log_->Close());
    summary_->bytes += log_->bytes_written();
    return absl::OkStatus();
  }

 private:
  TrafficFiles(const Shop* shop, FileWriter events, std::optional<FileWriter> log,
               SimulationSummary* summary)
      : shop_(shop),
        events_(std::move(events)),
        log_(std::move(log)),
        access_log_(shop),
        summary_(summary) {}

  void Count(const Visit& visit, const Step& step) {
    if (&step == &visit.steps.front()) {
      if (visit.who == Visit::Who::kCustomer) ++summary_->visits;
      if (visit.who == Visit::Who::kRobot) ++summary_->robot_visits;
    }
    if (!step.tracked) return;
    ++summary_->events;
    ++summary_->events_by_kind[step.kind];
  }

  const Shop* const shop_;
  FileWriter events_;
  std::optional<FileWriter> log_;
  simulation::AccessLog access_log_;
  SimulationSummary* const summary_;
};

}  // namespace

absl::StatusOr<SimulationSummary> WriteShop(const ShopOptions& shop_options,
                                            const std::string& directory,
                                            const WriteShopOptions& options, const Clock& clock) {
  const int64_t start_ns = clock.SteadyNs();
  ASSIGN_OR_RETURN(const Shop shop, Shop::Create(shop_options));
  RETURN_IF_ERROR(PrepareDirectory(directory, options.overwrite));
  SimulationSummary summary = {.seed = shop_options.seed};
  ASSIGN_OR_RETURN(summary.bytes, WriteCatalogue(shop, directory + "/catalogue.csv"));
  if (!options.events_only) {
    ASSIGN_OR_RETURN(const int64_t truth_bytes, WriteTruth(shop, directory + "/truth.csv"));
    summary.bytes += truth_bytes;
  }
  ASSIGN_OR_RETURN(TrafficFiles files,
                   TrafficFiles::Create(&shop, directory, !options.events_only, &summary));
  const int64_t first_ms = StartOfDay(shop_options.first_day);
  int32_t days_done = 0;
  const auto finish_days = [&](int64_t days) {
    if (days == days_done) return;
    days_done = static_cast<int32_t>(days);
    if (options.on_progress) options.on_progress({days_done, shop_options.days, summary.events});
  };
  RETURN_IF_ERROR(Simulate(shop, [&](const Visit& visit, const Step& step) {
    finish_days((step.time_ms - first_ms) / kDayMs);
    return files.Write(visit, step);
  }));
  finish_days(shop_options.days);
  RETURN_IF_ERROR(files.Close());
  summary.seconds = static_cast<double>(clock.SteadyNs() - start_ns) / 1e9;
  return summary;
}

Report SimulationReport(const SimulationSummary& summary) {
  Report report;
  Report::Table kinds = {"events_by_kind", "Events by kind", {{"kind"}, {"events"}}, {}};
  for (const auto& [kind, count] : summary.events_by_kind) {
    kinds.rows.push_back({std::string(EventKindName(kind)), count});
  }
  Report::Table totals = {"simulation", "Simulated shop", {{"what"}, {"value"}}, {}};
  totals.rows = {{"events", summary.events},
                 {"visits of customers", summary.visits},
                 {"visits of robots", summary.robot_visits},
                 {"log lines", summary.log_lines},
                 {"bytes", summary.bytes}};
  if (summary.seconds > 0) {
    totals.rows.push_back(
        {"events per second", static_cast<int64_t>(summary.events / summary.seconds)});
  }
  report.tables = {std::move(kinds), std::move(totals)};
  report.notes = {absl::StrCat("seed ", summary.seed, ": the same options give the same files")};
  return report;
}

}  // namespace vitrine
