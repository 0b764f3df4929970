// Who came back: month by month, and by the month of the first purchase.

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

#include "recommender/customer_base/report_parts.h"
#include "store/base/limits.h"

namespace vitrine::customer_report {
namespace {

constexpr Report::Unit kShare = Report::Unit::kShare;
constexpr int kCohortMonths = 12;

absl::CivilMonth MonthOf(int32_t day) { return absl::CivilMonth(CivilDayOf(day)); }

// Months with a purchase until the day of the report, ascending.
std::set<absl::CivilMonth> MonthsBought(const Facts& facts, size_t buyer) {
  std::set<absl::CivilMonth> months;
  for (const PurchaseDay& day : facts.histories[facts.buyers[buyer]]) {
    if (day.orders > 0 && day.day <= facts.as_of) months.insert(MonthOf(day.day));
  }
  return months;
}

struct MonthCounts {
  int64_t buyers = 0;
  int64_t first = 0;    // for the first time
  int64_t of_last = 0;  // bought in the month before too
};

struct Cohort {
  int64_t customers = 0;
  std::map<int64_t, int64_t> bought;  // by months since the first
};

// The newest months that a table has room for.
template <typename Value>
auto Newest(const std::map<absl::CivilMonth, Value>& months) {
  const size_t skip = months.size() - std::min(months.size(), limits::kCohortsMax);
  return std::next(months.begin(), static_cast<std::ptrdiff_t>(skip));
}

}  // namespace

void AddRetention(const Facts& facts, Report* report) {
  std::map<absl::CivilMonth, MonthCounts> months;
  for (size_t b = 0; b < facts.buyers.size(); ++b) {
    const std::set<absl::CivilMonth> bought = MonthsBought(facts, b);
    for (const absl::CivilMonth month : bought) {
      MonthCounts& counts = months[month];
      ++counts.buyers;
      counts.first += month == *bought.begin() ? 1 : 0;
      counts.of_last += bought.contains(month - 1) ? 1 : 0;
    }
  }
  Report::Table table = {"retention",
                         "",
                         {{"month"},
                          {"buyers"},
                          {"first_purchases"},
                          {"bought_before", 1, kShare},
                          {"retained", 1, kShare}},
                         {}};
  for (auto it = Newest(months); it != months.end(); ++it) {
    const auto& [month, counts] = *it;
    const auto last = months.find(month - 1);
    const double of = last == months.end() ? 0 : static_cast<double>(last->second.buyers);
    table.rows.push_back(
        {absl::FormatCivilTime(month), counts.buyers, counts.first,
         1 - ShareOf(static_cast<double>(counts.first), static_cast<double>(counts.buyers)),
         ShareOf(static_cast<double>(counts.of_last), of)});
  }
  report->tables.push_back(std::move(table));
  report->plots.push_back({Report::Plot::Kind::kLine, "retention", {"month", "buyers"}});
  report->plots.push_back({Report::Plot::Kind::kLine, "retention", {"month", "retained"}});
}

void AddCohorts(const Facts& facts, Report* report) {
  std::map<absl::CivilMonth, Cohort> cohorts;
  for (size_t b = 0; b < facts.buyers.size(); ++b) {
    const std::set<absl::CivilMonth> bought = MonthsBought(facts, b);
    Cohort& cohort = cohorts[*bought.begin()];
    ++cohort.customers;
    for (const absl::CivilMonth month : bought) ++cohort.bought[month - *bought.begin()];
  }
  // Months that are over, of the oldest cohort.
  const int64_t months = MonthOf(facts.as_of + 1) - cohorts.begin()->first - 1;
  const int shown = static_cast<int>(std::min<int64_t>(months, kCohortMonths));
  Report::Table table = {"cohorts", "", {{"first_month"}, {"customers"}}, {}};
  for (int m = 1; m <= shown; ++m) {
    table.columns.push_back({absl::StrCat("month@+", m), 1, kShare});
  }
  for (auto it = Newest(cohorts); it != cohorts.end(); ++it) {
    const auto& [first, cohort] = *it;
    std::vector<Report::Cell>& row = table.rows.emplace_back();
    row.push_back(absl::FormatCivilTime(first));
    row.push_back(cohort.customers);
    for (int m = 1; m <= shown; ++m) {
      // A month that is not over, or has not begun, says nothing.
      if (absl::CivilDay(first + m + 1) - 1 > CivilDayOf(facts.as_of)) {
        row.emplace_back("");
        continue;
      }
      const auto found = cohort.bought.find(m);
      const int64_t bought = found == cohort.bought.end() ? 0 : found->second;
      row.push_back(ShareOf(static_cast<double>(bought), static_cast<double>(cohort.customers)));
    }
  }
  report->tables.push_back(std::move(table));
}

}  // namespace vitrine::customer_report
