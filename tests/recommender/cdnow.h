// CDNOW (../shared/data/cdnow): a tenth of the customers who first bought at a shop for CDs in the
// first quarter of 1997, and all they bought until June 1998. The field's models are published with
// figures for it.

#ifndef VITRINE_TESTS_RECOMMENDER_CDNOW_H_
#define VITRINE_TESTS_RECOMMENDER_CDNOW_H_

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

#include "recommender/customers/purchase_summary.h"
#include "store/base/status_macros.h"
#include "tests/testing/unpack.h"

namespace vitrine {

struct Cdnow {
  std::vector<std::vector<PurchaseDay>> customers;  // in the order of the file; amounts in cents
  int64_t rows = 0;

  static int32_t CalibrationEnd() { return DayNumber(absl::CivilDay(1997, 9, 30)); }
  static int32_t End() { return DayNumber(absl::CivilDay(1998, 6, 30)); }  // 39 weeks later
};

// The histories of the calibration, in weeks.
inline std::vector<RepeatHistory> CalibrationHistories(const Cdnow& data) {
  std::vector<RepeatHistory> histories;
  for (const std::vector<PurchaseDay>& days : data.customers) {
    histories.push_back(SummarizePurchases(days, Cdnow::CalibrationEnd())->history);
  }
  return histories;
}

// A line: id in the whole set, id, day, pieces, dollars.
inline absl::StatusOr<Cdnow> ReadCdnow(const std::string& data = "../shared/data") {
  ASSIGN_OR_RETURN(const std::string text, Unpack(data + "/cdnow/CDNOW_sample.txt.zst"));
  Cdnow read;
  std::vector<Transaction> transactions;
  std::string customer;
  const auto end_customer = [&] {
    if (!transactions.empty()) {
      read.customers.push_back(MergeDays(transactions, absl::UTCTimeZone()));
    }
    transactions.clear();
  };
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> fields =
        absl::StrSplit(line, absl::ByAnyChar(" \r"), absl::SkipEmpty());
    if (fields.size() != 5) continue;
    if (fields[1] != customer) end_customer();
    customer = std::string(fields[1]);
    int day = 0;
    double dollars = 0;
    if (!absl::SimpleAtoi(fields[2], &day) || !absl::SimpleAtod(fields[4], &dollars)) {
      return absl::DataLossError(std::string(line));
    }
    const absl::CivilDay civil(day / 10'000, day / 100 % 100, day % 100);
    transactions.push_back(
        {.time_ms = absl::ToUnixMillis(absl::FromCivil(civil, absl::UTCTimeZone())),
         .amount_minor = std::llround(dollars * 100)});
    ++read.rows;
  }
  end_customer();
  return read;
}

}  // namespace vitrine

#endif  // VITRINE_TESTS_RECOMMENDER_CDNOW_H_
