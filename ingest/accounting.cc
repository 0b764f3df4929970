#include <map>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "ingest/importer.h"

namespace vitrine {
namespace {

// Outcomes in the order people ask for them: what came in, what was left out, what was wrong.
int RankOf(absl::string_view outcome) {
  if (outcome == "accepted") return 0;
  if (outcome == "robot") return 1;
  if (outcome == "product" || outcome == "customer") return 2;
  if (outcome == "unchanged" || outcome == "duplicate") return 3;
  if (outcome == "conflicting_duplicate") return 4;
  return absl::StartsWith(outcome, "ignored:") ? 5 : 6;
}

struct Counts {
  int64_t now = 0;
  int64_t in_all = 0;
};

int64_t LinesOf(const SourceState& state) { return state.lines + state.earlier_lines; }

std::map<std::pair<int, std::string>, Counts> CountOutcomes(const ImportSummary& summary) {
  std::map<std::pair<int, std::string>, Counts> counts;
  for (const auto& [outcome, lines] : summary.after.outcomes) {
    counts[{RankOf(outcome), outcome}] = {lines, lines};
  }
  for (const auto& [outcome, lines] : summary.before.outcomes) {
    counts[{RankOf(outcome), outcome}].now -= lines;
  }
  return counts;
}

std::string SumsNote(const Counts& sums, const Counts& lines) {
  if (sums.now == lines.now && sums.in_all == lines.in_all) {
    return absl::StrCat("Every line has one outcome: ", lines.now, " of ", lines.now,
                        " lines in this import, ", lines.in_all, " of ", lines.in_all, " in all.");
  }
  return absl::StrCat("THE SUMS ARE WRONG: ", sums.now, " outcomes for ", lines.now,
                      " lines in this import, ", sums.in_all, " for ", lines.in_all, " in all.");
}

Report::Table RejectsTable(const ImportSummary& summary) {
  Report::Table table;
  table.name = "first_rejects";
  table.title = "The first lines that were rejected";
  table.columns = {{"line"}, {"reason"}, {"what was wrong"}};
  for (const Reject& reject : summary.first_rejects) {
    table.rows.push_back({reject.line, reject.reason, reject.detail});
  }
  return table;
}

}  // namespace

Report AccountingReport(const ImportSummary& summary) {
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "accounting";
  table.title = absl::StrCat("What became of the lines of ", summary.after.name);
  table.columns = {{"outcome"}, {"this import"}, {"in all"}};
  Counts sums;
  for (const auto& [key, counts] : CountOutcomes(summary)) {
    table.rows.push_back({key.second, counts.now, counts.in_all});
    sums.now += counts.now;
    sums.in_all += counts.in_all;
  }
  table.rows.push_back({std::string("total"), sums.now, sums.in_all});

  const int64_t in_all = LinesOf(summary.after);
  report.notes.push_back(SumsNote(sums, {in_all - LinesOf(summary.before), in_all}));
  if (summary.after.restarts > summary.before.restarts) {
    report.notes.push_back(
        "The file no longer begins as it did: it was read again from its first line. Events that "
        "were in it before count as duplicates.");
  }
  if (!summary.format.empty()) {
    report.notes.push_back(absl::StrCat("It was read as ", summary.format, "."));
  }
  if (!summary.first_rejects.empty()) report.tables.push_back(RejectsTable(summary));
  return report;
}

}  // namespace vitrine
