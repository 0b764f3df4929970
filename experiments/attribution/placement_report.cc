#include "experiments/attribution/placement_report.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using Message = Report::Message;
using Table = Report::Table;
constexpr Report::Unit kShare = Report::Unit::kShare;
constexpr int64_t kProgressPersons = 1 << 12;
constexpr int64_t kDayMs = 86'400'000;

absl::Status CheckKeys(const std::vector<PlacementKey>& by) {
  const std::set<PlacementKey> keys(by.begin(), by.end());
  if (!by.empty() && keys.size() == by.size()) return absl::OkStatus();
  return absl::InvalidArgumentError("by: at least one key, and none twice");
}

// Reads the store person by person.
class Reader {
 public:
  Reader(const WebHouse& house, const PlacementReportOptions& options)
      : house_(house),
        options_(options),
        robots_(house.Robots()),
        tallies_{PlacementTally({}, options.period),
                 PlacementTally({options.by.front()}, options.period),
                 PlacementTally(options.by, options.period)} {}

  absl::Status Read() {
    absl::Status status = house_.ForEachPerson([this](const Person& person) {
      if (++read_ % kProgressPersons == 0 && options_.on_progress) options_.on_progress(read_);
      return ReadPerson(person);
    });
    const absl::Status robots = robots_.Finish();
    RETURN_IF_ERROR(status);
    RETURN_IF_ERROR(robots);
    ExposureCursor nobody = house_.ExposuresOfNobody();
    for (; status.ok() && nobody.Valid(); nobody.Next()) status = AddShelf(nobody.value());
    RETURN_IF_ERROR(nobody.Finish());
    return status;
  }

  const PlacementTally& all() const { return tallies_[0]; }
  const PlacementTally& short_one() const { return tallies_[1]; }
  const PlacementTally& long_one() const { return tallies_[2]; }
  int64_t persons() const { return persons_; }
  int64_t robots_found() const { return robots_found_; }
  int64_t unknown() const { return unknown_; }

 private:
  absl::Status AddShelf(const Exposure& shelf) {
    for (PlacementTally& tally : tallies_) RETURN_IF_ERROR(tally.AddShelf(shelf));
    return absl::OkStatus();
  }

  absl::Status ReadPerson(const Person& person) {
    if (robots_.IsRobot(keys::PersonPrefix(person))) {
      ++robots_found_;
      return absl::OkStatus();
    }
    shelves_.clear();
    RETURN_IF_ERROR(
        house_.ForEachExposureOf(person, options_.period.from_ms, SIZE_MAX,
                                 [this](const Exposure& shelf) { shelves_.push_back(shelf); }));
    bool shown = false;
    for (const Exposure& shelf : shelves_) {
      shown = shown || options_.period.Holds(shelf);
      RETURN_IF_ERROR(AddShelf(shelf));
    }
    persons_ += shown ? 1 : 0;
    RETURN_IF_ERROR(ReadEvents(person));
    if (events_.empty() || shelves_.empty()) return absl::OkStatus();
    const Crediting crediting = CreditEvents(shelves_, events_, options_.windows);
    for (PlacementTally& tally : tallies_) {
      RETURN_IF_ERROR(tally.AddCredits(shelves_, events_, crediting));
    }
    return absl::OkStatus();
  }

  // Keeps what can earn credit, and finds the shelves of others, or of nobody, that it names: a
  // first page was shown before there was a cookie.
  absl::Status ReadEvents(const Person& person) {
    events_.clear();
    absl::flat_hash_set<std::string> asked;
    for (const Exposure& shelf : shelves_) asked.insert(shelf.id);
    absl::Status status;
    RETURN_IF_ERROR(house_.ForEachOf(person, limits::kCreditedEventsMax, [&](const Event& event) {
      if (!CreditedKind(event.kind).has_value() || !status.ok()) return;
      const bool names = event.__isset.recommendation_id;
      if (!names && event.time_ms < options_.period.from_ms) return;
      if (names && asked.insert(event.recommendation_id).second) {
        absl::StatusOr<Exposure> shelf = house_.GetExposure(event.recommendation_id);
        if (shelf.ok()) {
          shelves_.push_back(*std::move(shelf));
        } else if (absl::IsNotFound(shelf.status())) {
          missing_.insert(event.recommendation_id);
        } else {
          status = shelf.status();
        }
      }
      if (names && missing_.contains(event.recommendation_id)) ++unknown_;
      events_.push_back(event);
    }));
    missing_.clear();
    return status;
  }

  const WebHouse& house_;
  const PlacementReportOptions& options_;
  RobotScan robots_;
  PlacementTally tallies_[3];
  int64_t read_ = 0;
  int64_t persons_ = 0;
  int64_t robots_found_ = 0;
  int64_t unknown_ = 0;
  // Of the person at hand.
  std::vector<Exposure> shelves_;
  std::vector<Event> events_;
  absl::flat_hash_set<std::string> missing_;
};

Report::Cell KeyCell(PlacementKey key, const std::string& value) {
  if (key == PlacementKey::kSource) {
    return value == "unknown" ? Message{value} : Message{absl::StrCat("source.", value)};
  }
  int64_t position;
  if (key == PlacementKey::kPosition && absl::SimpleAtoi(value, &position)) return position;
  return value;
}

class Writer {
 public:
  Writer(const Reader& reader, const PlacementReportOptions& options)
      : reader_(reader), options_(options) {
    for (const auto& [group, counts] : reader.all().groups()) all_ = counts;
    for (const auto& [currency, minor] : all_.revenue_minor) currencies_.push_back(currency);
  }

  Report Write() && {
    report_.summary.push_back(
        {"placements.summary",
         {all_.shelves, reader_.persons(), all_.shown, all_.clicked, all_.orders}});
    Table overview = {"overview", "", {{"visitors"}}, {{reader_.persons()}}};
    AddFigureColumns(&overview);
    AddFigures(all_, /*with_intervals=*/false, &overview.rows.front());
    report_.tables.push_back(std::move(overview));
    AddGroups("shelves_shown", reader_.short_one());
    const std::string first(PlacementKeyName(options_.by.front()));
    report_.plots.push_back({Report::Plot::Kind::kDots, "shelves_shown", {first, "click_rate"}});
    if (options_.by.size() > 1) AddGroups("shelves_shown_in_detail", reader_.long_one());
    AddNotes();
    return std::move(report_);
  }

 private:
  void AddFigureColumns(Table* table) const {
    for (const char* const name : {"shelves", "shown"}) table->columns.push_back({name});
    for (const char* const name : {"click_rate", "cart_rate"}) {
      table->columns.push_back({name, 2, kShare});
    }
    table->columns.push_back({"orders"});
    for (const std::string& currency : currencies_) {
      table->columns.push_back(
          {absl::StrCat("revenue@", currency), options_.minor_digits(currency)});
    }
  }

  static Report::Cell ShareCell(int64_t part, int64_t of, bool with_interval) {
    const Report::Estimate share = WilsonShare(part, of);
    return with_interval ? Report::Cell(share) : Report::Cell(share.value);
  }

  void AddFigures(const ShownCounts& counts, bool with_intervals,
                  std::vector<Report::Cell>* row) const {
    row->emplace_back(counts.shelves);
    row->emplace_back(counts.shown);
    row->push_back(ShareCell(counts.clicked, counts.shown, with_intervals));
    row->push_back(ShareCell(counts.carted, counts.shown, with_intervals));
    row->emplace_back(counts.orders);
    for (const std::string& currency : currencies_) {
      const auto it = counts.revenue_minor.find(currency);
      const int64_t minor = it == counts.revenue_minor.end() ? 0 : it->second;
      row->emplace_back(static_cast<double>(minor) / std::pow(10, options_.minor_digits(currency)));
    }
  }

  // What was shown most comes first.
  void AddGroups(const char* name, const PlacementTally& tally) {
    Table table = {name, "", {}, {}};
    for (const PlacementKey key : tally.by()) {
      table.columns.push_back({std::string(PlacementKeyName(key))});
    }
    AddFigureColumns(&table);
    std::vector<std::pair<std::vector<std::string>, ShownCounts>> groups(tally.groups().begin(),
                                                                         tally.groups().end());
    const bool in_places = tally.by().size() == 1 && tally.by().front() == PlacementKey::kPosition;
    if (!in_places) {
      std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
        return a.second.shown > b.second.shown;
      });
    }
    for (const auto& [values, counts] : groups) {
      std::vector<Report::Cell>& row = table.rows.emplace_back();
      for (size_t k = 0; k < values.size(); ++k) row.push_back(KeyCell(tally.by()[k], values[k]));
      AddFigures(counts, /*with_intervals=*/true, &row);
    }
    report_.tables.push_back(std::move(table));
  }

  void AddNotes() {
    const CreditWindows& windows = options_.windows;
    Message::Argument days = windows.order_ms / kDayMs;
    if (windows.order_ms % kDayMs != 0) {
      days = static_cast<double>(windows.order_ms) / static_cast<double>(kDayMs);
    }
    report_.messages.push_back({"placements.windows", {windows.click_ms / 60'000, days}});
    report_.messages.push_back({"placements.intervals"});
    report_.messages.push_back({"placements.orders"});
    if (reader_.robots_found() > 0) {
      report_.messages.push_back({"placements.robots", {reader_.robots_found()}});
    }
    if (reader_.unknown() > 0) {
      report_.messages.push_back({"placements.unknown", {reader_.unknown()}});
    }
  }

  const Reader& reader_;
  const PlacementReportOptions& options_;
  ShownCounts all_;
  std::vector<std::string> currencies_;
  Report report_;
};

}  // namespace

Report::Estimate WilsonShare(int64_t part, int64_t of) {
  if (of == 0) return {0, 0, 1};
  constexpr double kZ = 1.959963984540054;  // of the normal distribution, 97.5 %
  const double n = static_cast<double>(of);
  const double share = static_cast<double>(part) / n;
  const double shrink = 1 + kZ * kZ / n;
  const double middle = (share + kZ * kZ / (2 * n)) / shrink;
  const double half = kZ / shrink * std::sqrt(share * (1 - share) / n + kZ * kZ / (4 * n * n));
  return {share, std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

absl::StatusOr<Report> PlacementReport(const WebHouse& house,
                                       const PlacementReportOptions& options) {
  RETURN_IF_ERROR(CheckKeys(options.by));
  Reader reader(house, options);
  RETURN_IF_ERROR(reader.Read());
  return Writer(reader, options).Write();
}

}  // namespace vitrine
