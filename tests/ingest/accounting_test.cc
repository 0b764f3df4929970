#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/importer.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Row = std::vector<Report::Cell>;

ImportSummary TwoImports() {
  ImportSummary summary;
  summary.before.lines = 10;
  summary.before.outcomes = {{"accepted", 9}, {"rejected:bad_time", 1}};
  summary.after.name = "shop.csv";
  summary.after.lines = 30;
  summary.after.outcomes = {
      {"accepted", 20}, {"duplicate", 4}, {"ignored:blank_line", 3}, {"rejected:bad_time", 3}};
  return summary;
}

TEST(AccountingReport, ShowsThisImportBesideAllAndThatTheyAddUp) {
  const Report report = AccountingReport(TwoImports());
  ASSERT_EQ(report.tables.size(), 1u);
  EXPECT_THAT(report.tables[0].rows, ElementsAre(Row{"accepted", int64_t{11}, int64_t{20}},
                                                 Row{"duplicate", int64_t{4}, int64_t{4}},
                                                 Row{"ignored:blank_line", int64_t{3}, int64_t{3}},
                                                 Row{"rejected:bad_time", int64_t{2}, int64_t{3}},
                                                 Row{"total", int64_t{20}, int64_t{30}}));
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_EQ(report.notes[0],
            "Every line has one outcome: 20 of 20 lines in this import, 30 of 30 in all.");
}

TEST(AccountingReport, SaysLoudlyWhenTheSumsAreWrong) {
  ImportSummary summary = TwoImports();
  summary.after.outcomes["accepted"] -= 1;
  EXPECT_THAT(AccountingReport(summary).notes.at(0), HasSubstr("THE SUMS ARE WRONG"));
}

TEST(AccountingReport, CountsOnFromWhatAChangedFileHeldBefore) {
  ImportSummary summary = TwoImports();
  summary.after.restarts = 1;
  summary.after.earlier_lines = 10;
  summary.after.lines = 20;
  const Report report = AccountingReport(summary);
  EXPECT_THAT(report.notes.at(0), HasSubstr("20 of 20 lines in this import, 30 of 30 in all"));
  EXPECT_THAT(report.notes.at(1), HasSubstr("read again from its first line"));
}

TEST(AccountingReport, ShowsTheFirstRejects) {
  ImportSummary summary = TwoImports();
  Reject reject;
  reject.line = 17;
  reject.reason = "bad_time";
  reject.detail = "\"x\" is no time";
  summary.first_rejects = {reject};
  const Report report = AccountingReport(summary);
  ASSERT_EQ(report.tables.size(), 2u);
  EXPECT_THAT(report.tables[1].rows, ElementsAre(Row{int64_t{17}, "bad_time", "\"x\" is no time"}));
}

}  // namespace
}  // namespace vitrine
