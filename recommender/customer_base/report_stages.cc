// Where customers stand: life-cycle stages, movement between them, RFM.

#include <array>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/customer_base/report_parts.h"
#include "recommender/customers/rfm.h"

namespace vitrine::customer_report {
namespace {

constexpr Report::Unit kShare = Report::Unit::kShare;

struct StageSums {
  int64_t customers = 0;
  double net_minor = 0, purchases = 0, lifetime_minor = 0;
};

}  // namespace

Report::Message StageCell(LifeStage stage) { return {absl::StrCat("life.", LifeStageName(stage))}; }

void AddStages(const Facts& facts, Report* report) {
  std::array<StageSums, std::size(kLifeStages)> sums = {};
  for (const CustomerValue& value : facts.values) {
    StageSums& sum = sums[static_cast<size_t>(value.stage)];
    ++sum.customers;
    sum.net_minor += static_cast<double>(value.summary.net_minor());
    sum.purchases += value.expected_purchases;
    sum.lifetime_minor += value.lifetime_value_minor;
  }
  int64_t known = 0;
  for (const CustomerHistory& customer : facts.base.customers) {
    known += customer.known_since <= facts.as_of ? 1 : 0;
  }
  sums[static_cast<size_t>(LifeStage::kProspect)].customers =
      known - static_cast<int64_t>(facts.values.size());
  Report::Table table = {"life_stages",
                         "",
                         {{"life_stage"},
                          {"goal"},
                          {"customers"},
                          {"share", 1, kShare},
                          facts.MoneyColumn("net_revenue"),
                          {"expected_purchases", 1},
                          facts.MoneyColumn("lifetime_value")},
                         {}};
  for (const LifeStage stage : kLifeStages) {
    const StageSums& sum = sums[static_cast<size_t>(stage)];
    table.rows.push_back(
        {StageCell(stage), Report::Message{absl::StrCat("goal.", StageGoalName(GoalOf(stage)))},
         sum.customers, ShareOf(static_cast<double>(sum.customers), static_cast<double>(known)),
         facts.Money(sum.net_minor), sum.purchases, facts.Money(sum.lifetime_minor)});
  }
  report->tables.push_back(std::move(table));
  report->plots.push_back({Report::Plot::Kind::kBars, "life_stages", {"life_stage", "customers"}});
}

void AddMovement(const Facts& facts, Report* report) {
  std::map<std::pair<std::optional<LifeStage>, LifeStage>, int64_t> moves;
  for (size_t c = 0; c < facts.histories.size(); ++c) {
    const int32_t known_since = facts.base.customers[c].known_since;
    if (known_since > facts.as_of) continue;
    std::optional<LifeStage> before;  // none: not known yet
    if (known_since <= facts.since) {
      before = StageAt(facts.model, facts.histories[c], facts.since);
    }
    ++moves[{before, StageAt(facts.model, facts.histories[c], facts.as_of)}];
  }
  Report::Table table = {
      "life_movement", "", {{"life_stage_before"}, {"life_stage"}, {"customers"}}, {}};
  for (const auto& [move, customers] : moves) {
    table.rows.push_back({move.first ? StageCell(*move.first) : Report::Message{"life.unknown"},
                          StageCell(move.second), customers});
  }
  report->tables.push_back(std::move(table));
  report->plots.push_back({Report::Plot::Kind::kGraph,
                           "life_movement",
                           {"life_stage_before", "life_stage", "customers"}});
}

void AddRfm(const Facts& facts, Report* report) {
  std::vector<PurchaseSummary> summaries;
  double all_minor = 0;
  for (const CustomerValue& value : facts.values) {
    summaries.push_back(value.summary);
    all_minor += static_cast<double>(value.summary.net_minor());
  }
  const RfmGrid grid = FillRfmGrid(ScoreRfm(summaries), summaries);
  Report::Table customers = {"rfm_grid", "", {{"recency_score"}}, {}};
  Report::Table revenue = {"rfm_revenue", "", {{"recency_score"}}, {}};
  for (int f = 1; f <= kRfmScores; ++f) {
    customers.columns.push_back({absl::StrCat("frequency_score@F", f)});
    revenue.columns.push_back({absl::StrCat("frequency_score@F", f), 1, kShare});
  }
  for (int r = kRfmScores; r >= 1; --r) {
    std::vector<Report::Cell>& count = customers.rows.emplace_back();
    std::vector<Report::Cell>& share = revenue.rows.emplace_back();
    count.push_back(absl::StrCat("R", r));
    share.push_back(absl::StrCat("R", r));
    for (const RfmCell& cell : grid[static_cast<size_t>(r - 1)]) {
      count.push_back(cell.customers);
      share.push_back(ShareOf(cell.net_minor, all_minor));
    }
  }
  report->tables.push_back(std::move(customers));
  report->tables.push_back(std::move(revenue));
}

}  // namespace vitrine::customer_report
