#include "ingest/replay.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "ingest/formats/line_reader.h"
#include "ingest/line_parser.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// Why a reject cannot be read again.
constexpr absl::string_view kCut = "only the beginning of the line was kept";
constexpr absl::string_view kLive = "a live event, not a line of a file";
constexpr absl::string_view kFacts =
    "the mapping is of a catalogue or of customers: import the corrected file again";
constexpr absl::string_view kUnknownLog =
    "no format of log is recognised by this line alone: name the format in the mapping";
constexpr absl::string_view kOtherFormat =
    "a line of another format than the mapping's, or its column names were too long to keep";

class Replay {
 public:
  Replay(const Mapping& mapping, const FindRejects& find, BatchSink* sink,
         const ReplayOptions& options)
      : mapping_(mapping), find_(find), sink_(sink), options_(options) {}

  absl::StatusOr<ReplaySummary> Run() {
    summary_.dry_run = options_.dry_run;
    RejectQuery query;
    query.source = options_.source;
    query.reason = options_.reason;
    query.limit = limits::kRejectPageMax;
    do {
      ASSIGN_OR_RETURN(const RejectPage page, find_(query));
      for (const SourceReject& found : page.rejects) {
        if (found.source != batch_.source || batch_.replays.size() >= options_.batch_rejects) {
          RETURN_IF_ERROR(Flush());
          batch_.source = found.source;
        }
        Take(found.reject);
      }
      query.after = page.resume;
      if (options_.on_progress) options_.on_progress(summary_.lines);
    } while (!query.after.empty());
    RETURN_IF_ERROR(Flush());
    if (!options_.dry_run && wrote_) RETURN_IF_ERROR(sink_->Finish(mapping_.site));
    return std::move(summary_);
  }

 private:
  // Reads one reject again into the batch.
  void Take(const Reject& reject) {
    ++summary_.lines;
    if (const std::string why = WhyNot(reject); !why.empty()) {
      ++summary_.left[why];
      return;
    }
    Event& event = batch_.events.emplace_back();
    Line line = LineReader::Reread(reject.raw, LineParser::Delimiter(mapping_));
    line.id = LineParser::IdIn(reject.context);
    const Outcome outcome = parser_->Parse(line, &event);
    if (outcome.kind != Outcome::Kind::kEvent) batch_.events.pop_back();
    if (outcome.kind == Outcome::Kind::kRejected && outcome.reason == reject.reason) {
      ++summary_.still_rejected;
      return;
    }
    RejectPlace& place = batch_.replays.emplace_back();
    place.generation = reject.generation;
    place.line = reject.line;
    Change("rejected:" + reject.reason, -1);
    if (outcome.kind == Outcome::Kind::kIgnored) {
      ++batch_.ignored[outcome.reason];
      Change("ignored:" + outcome.reason, 1);
    } else if (outcome.kind == Outcome::Kind::kRejected) {
      Reject& again = batch_.rejects.emplace_back(reject);
      again.reason = outcome.reason;
      again.detail = outcome.detail;
      Change("rejected:" + outcome.reason, 1);
    }
  }

  // Sets parser_ to one for this line. Why there is none otherwise.
  std::string WhyNot(const Reject& reject) {
    if (batch_.source == kTrackSource) return std::string(kLive);
    if (mapping_.rows != Mapping::Rows::kEvents) return std::string(kFacts);
    if (reject.raw_bytes > static_cast<int64_t>(reject.raw.size())) return std::string(kCut);
    // What it shares with its neighbours: all but its id.
    std::string shared = reject.context;
    if (const absl::string_view id = LineParser::IdIn(reject.context); !id.empty()) {
      shared.erase(static_cast<size_t>(id.data() - reject.context.data()), id.size());
    }
    if (parser_.has_value() && parser_of_ == std::pair(batch_.source, shared)) return "";
    parser_.reset();
    const bool has_context =
        mapping_.format == Mapping::Format::kCsv || mapping_.format == Mapping::Format::kAccessLog;
    if (has_context != reject.__isset.context) return std::string(kOtherFormat);
    absl::StatusOr<LineParser> parser = LineParser::Create(mapping_, reject.context, reject.raw);
    if (!parser.ok() && mapping_.format == Mapping::Format::kAccessLog) {
      return std::string(kUnknownLog);  // the whole message tells of this line alone
    }
    if (!parser.ok()) {
      return absl::StrCat("the mapping does not fit the file: ", parser.status().message());
    }
    parser_.emplace(*std::move(parser));
    parser_of_ = {batch_.source, std::move(shared)};
    return "";
  }

  absl::Status Flush() {
    EventBatch batch;
    std::swap(batch, batch_);
    batch_.source = batch.source;
    if (batch.replays.empty()) return absl::OkStatus();
    if (options_.dry_run) {
      Change("event", static_cast<int64_t>(batch.events.size()));
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const CommitResult result, sink_->Commit(batch));
    wrote_ = true;
    Change("accepted", result.accepted);
    Change("robot", result.robot);
    Change("duplicate", result.duplicate);
    Change("conflicting_duplicate", result.conflicting_duplicate);
    return absl::OkStatus();
  }

  void Change(absl::string_view outcome, int64_t lines) {
    if (lines != 0) summary_.changes[{batch_.source, std::string(outcome)}] += lines;
  }

  const Mapping& mapping_;
  const FindRejects& find_;
  BatchSink* const sink_;
  const ReplayOptions& options_;
  ReplaySummary summary_;
  EventBatch batch_;
  std::optional<LineParser> parser_;
  std::pair<std::string, std::string> parser_of_;  // source and context that it was made for
  bool wrote_ = false;
};

}  // namespace

absl::StatusOr<ReplaySummary> ReplayRejects(const Mapping& mapping, const FindRejects& find,
                                            BatchSink* sink, const ReplayOptions& options) {
  return Replay(mapping, find, sink, options).Run();
}

Report ReplayReport(const ReplaySummary& summary) {
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "replay";
  table.title = summary.dry_run ? "What would become of the rejects" : "What became of the rejects";
  table.columns = {{"source"}, {"outcome"}, {"change"}};
  int64_t moved = 0;
  for (const auto& [key, lines] : summary.changes) {
    if (lines == 0) continue;
    table.rows.push_back({key.first, key.second, lines});
    if (lines > 0) moved += lines;
  }
  report.notes.push_back(absl::StrCat(
      summary.lines, " rejects: ", moved, summary.dry_run ? " would be" : " are",
      " something else now, ", summary.still_rejected, " still rejected for the same reason."));
  for (const auto& [why, lines] : summary.left) {
    report.notes.push_back(absl::StrCat(lines, " not read again: ", why));
  }
  if (summary.dry_run) report.notes.push_back("Nothing was written: this was a dry run.");
  return report;
}

}  // namespace vitrine
