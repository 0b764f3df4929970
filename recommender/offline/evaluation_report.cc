// An Evaluation as people read it.

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "recommender/evaluate.h"

namespace vitrine {
namespace {

using Message = Report::Message;
using Protocol = EvaluateOptions::Protocol;
using Hide = EvaluateOptions::Hide;

constexpr int kDecimals = 4;

std::string WordOf(Protocol protocol) {
  switch (protocol) {
    case Protocol::kLeaveLastOut:
      return "leave_last_out";
    case Protocol::kTimeSplit:
      return "time_split";
    case Protocol::kSessions:
      return "sessions";
    case Protocol::kGivenSplit:
      return "given_split";
  }
  return "";
}

std::string WordOf(Hide hide) {
  return hide == Hide::kServed  ? "hide_served"
         : hide == Hide::kKnown ? "hide_known"
                                : "hide_nothing";
}

std::string WordOf(Verdict verdict) {
  return verdict == Verdict::kBetter ? "better" : verdict == Verdict::kWorse ? "worse" : "no_worse";
}

Report::Estimate Cell(const Interval& interval) {
  return {interval.value, interval.low, interval.high};
}

class Reporter {
 public:
  Reporter(const Evaluation& evaluation, absl::string_view data)
      : evaluation_(evaluation), data_(data) {}

  Report Write() && {
    What();
    Methods();
    AgainstControls();
    ByLength();
    ByActivity();
    MoreMeasures();
    InWords();
    HowToRead();
    return std::move(report_);
  }

 private:
  const EvaluateOptions& options() const { return evaluation_.options; }
  std::string At(Measure measure) const { return absl::StrCat(NameOf(measure), "@", options().k); }

  void What() {
    report_.tables.push_back(
        {"evaluation",
         "What was asked",
         {{"data"}, {"protocol"}, {"lists"}, {"tested"}, {"trained"}, {"products"}, {"cells"}},
         {{std::string(data_), Message{absl::StrCat("protocol.", WordOf(options().protocol))},
           evaluation_.cases, evaluation_.clusters, evaluation_.persons, evaluation_.products,
           evaluation_.interactions}}});
  }

  void Methods() {
    Report::Table table{"methods", "Methods", {{"method"}}, {}};
    const Measure measures[] = {Measure::kRecall, Measure::kNdcg, Measure::kMrr, Measure::kHitRate};
    for (const Measure measure : measures) table.columns.push_back({At(measure), kDecimals});
    table.columns.push_back({"coverage", kDecimals});
    for (const MethodResult& result : evaluation_.methods) {
      std::vector<Report::Cell> row = {result.method};
      for (const Measure measure : measures) row.emplace_back(Cell(result.Of(measure)));
      row.emplace_back(result.coverage);
      table.rows.push_back(std::move(row));
    }
    report_.plots.push_back(
        {Report::Plot::Kind::kDots, table.name, {"method", At(Measure::kNdcg)}});
    report_.tables.push_back(std::move(table));
  }

  void AgainstControls() {
    Report::Table table{
        "against_controls",
        "Against the best control",
        {{"method"}, {"measure"}, {"control"}, {"difference", kDecimals}, {"verdict"}},
        {}};
    for (const MethodResult& result : evaluation_.methods) {
      for (size_t i = 0; i < result.comparisons.size(); ++i) {
        const Comparison& comparison = result.comparisons[i];
        const auto measure = static_cast<Measure>(i);
        table.rows.push_back({result.method, Message{absl::StrCat("column.", NameOf(measure))},
                              comparison.control, Cell(comparison.difference),
                              Message{absl::StrCat("verdict.", WordOf(comparison.verdict))}});
      }
    }
    report_.tables.push_back(std::move(table));
  }

  // The column of each method, and how it is drawn.
  void AddMethodColumns(Report::Table* table) {
    for (const MethodResult& result : evaluation_.methods) {
      table->columns.push_back({result.method, kDecimals});
    }
  }

  void ByLength() {
    Report::Table table{"recall_by_length", "Recall by length of the list", {{"length"}}, {}};
    AddMethodColumns(&table);
    for (size_t c = 0; c < evaluation_.cutoffs.size(); ++c) {
      std::vector<Report::Cell> row = {static_cast<int64_t>(evaluation_.cutoffs[c])};
      for (const MethodResult& result : evaluation_.methods) {
        row.emplace_back(Cell(result.recall_at[c]));
      }
      table.rows.push_back(std::move(row));
    }
    Report::Plot plot{Report::Plot::Kind::kCurves, table.name, {"length"}};
    for (const MethodResult& result : evaluation_.methods) plot.columns.push_back(result.method);
    report_.plots.push_back(std::move(plot));
    report_.tables.push_back(std::move(table));
  }

  void ByActivity() {
    Report::Table table{
        "ndcg_by_activity", "NDCG by how much is known", {{"known"}, {"lists"}}, {}};
    AddMethodColumns(&table);
    for (size_t s = 0; s < evaluation_.segments.size(); ++s) {
      const EvaluationSegment& segment = evaluation_.segments[s];
      if (segment.cases == 0) continue;
      const auto from = static_cast<int64_t>(segment.known_min);
      const bool open = segment.known_max == std::numeric_limits<size_t>::max();
      const bool one = segment.known_max == segment.known_min;
      Message known{one ? "known.exactly" : open ? "known.from" : "known.between", {from}};
      if (!one && !open) known.arguments.emplace_back(static_cast<int64_t>(segment.known_max));
      std::vector<Report::Cell> row = {std::move(known), segment.cases};
      for (const MethodResult& result : evaluation_.methods) {
        row.emplace_back(Cell(result.segment_ndcg[s]));
      }
      table.rows.push_back(std::move(row));
    }
    report_.tables.push_back(std::move(table));
  }

  void MoreMeasures() {
    Report::Table table{"more_measures",
                        "More measures",
                        {{"method"},
                         {At(Measure::kMap), kDecimals},
                         {At(Measure::kPrecision), kDecimals},
                         {At(Measure::kNovelty), 2},
                         {"gini", kDecimals},
                         {"us_per_list", 0}},
                        {}};
    for (const MethodResult& result : evaluation_.methods) {
      table.rows.push_back({result.method, Cell(result.Of(Measure::kMap)),
                            Cell(result.Of(Measure::kPrecision)),
                            Cell(result.Of(Measure::kNovelty)), result.gini,
                            1e6 * result.seconds / static_cast<double>(evaluation_.cases)});
    }
    report_.tables.push_back(std::move(table));
  }

  // What somebody who sells should take away.
  void InWords() {
    report_.summary.push_back({absl::StrCat("evaluate.", WordOf(options().protocol))});
    for (const MethodResult& result : evaluation_.methods) Judge(result);
    for (const MethodResult& result : evaluation_.methods) {
      if (result.control) continue;
      report_.summary.push_back({"evaluate.coverage", {result.method, 100 * result.coverage}});
    }
  }

  void Say(Message message) { report_.messages.push_back(std::move(message)); }

  void HowToRead() {
    const auto k = static_cast<int64_t>(options().k);
    Say({"evaluate.lists", {evaluation_.cases, k, evaluation_.products}});
    Say({absl::StrCat("evaluate.", WordOf(options().hide))});
    for (const Message& note : evaluation_.notes) Say(note);
    Say({"evaluate.intervals",
         {static_cast<int64_t>(options().resamples), static_cast<int64_t>(options().seed)}});
    Say({"evaluate.measures"});
    Say({options().recall == RecallOf::kAll ? "evaluate.recall_of_all"
                                            : "evaluate.recall_of_reachable"});
    if (evaluation_.all_cases > evaluation_.cases) {
      Say({"evaluate.drawn",
           {evaluation_.cases, evaluation_.all_cases, static_cast<int64_t>(options().seed)}});
    }
    if (evaluation_.unknown_targets > 0) Say({"evaluate.unknown", {evaluation_.unknown_targets}});
  }

  // What the figures say of a method, by NDCG, in terms of lists with a hit.
  void Judge(const MethodResult& result) {
    if (result.comparisons.empty()) return;
    const Comparison& comparison = result.comparisons[static_cast<size_t>(Measure::kNdcg)];
    for (const MethodResult& control : evaluation_.methods) {
      if (control.method != comparison.control) continue;
      report_.summary.push_back(
          {absl::StrCat("evaluate.", WordOf(comparison.verdict)),
           {result.method, control.method, 100 * result.Of(Measure::kHitRate).value,
            100 * control.Of(Measure::kHitRate).value}});
    }
  }

  const Evaluation& evaluation_;
  const absl::string_view data_;
  Report report_;
};

}  // namespace

Report EvaluationReport(const Evaluation& evaluation, absl::string_view data) {
  return Reporter(evaluation, data).Write();
}

}  // namespace vitrine
