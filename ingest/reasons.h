// Why a line was rejected: the whole list, each explained in ingest/README.md.
//
// A fault travels as an InvalidArgument whose message is "reason: what was wrong with which
// field", the form that ValidateEvent uses too.

#ifndef VITRINE_INGEST_REASONS_H_
#define VITRINE_INGEST_REASONS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace vitrine {

namespace reasons {

constexpr absl::string_view kBadChannel = "bad_channel";
constexpr absl::string_view kBadCurrency = "bad_currency";
constexpr absl::string_view kBadEvent = "bad_event";
constexpr absl::string_view kBadId = "bad_id";
constexpr absl::string_view kBadJson = "bad_json";
constexpr absl::string_view kBadKind = "bad_kind";
constexpr absl::string_view kBadLogLine = "bad_log_line";
constexpr absl::string_view kBadPrice = "bad_price";
constexpr absl::string_view kBadQuantity = "bad_quantity";
constexpr absl::string_view kBadQuote = "bad_quote";
constexpr absl::string_view kBadTime = "bad_time";
constexpr absl::string_view kInvalidUtf8 = "invalid_utf8";
constexpr absl::string_view kLineTooLong = "line_too_long";
constexpr absl::string_view kMissingField = "missing_field";
constexpr absl::string_view kNobodysId = "nobodys_id";
constexpr absl::string_view kTextTooLong = "text_too_long";
constexpr absl::string_view kTimeInFuture = "time_in_future";
constexpr absl::string_view kTimeTooOld = "time_too_old";
constexpr absl::string_view kTooManyAttributes = "too_many_attributes";
constexpr absl::string_view kTooManyElements = "too_many_elements";
constexpr absl::string_view kTooManyItems = "too_many_items";
constexpr absl::string_view kUnclosedQuote = "unclosed_quote";
constexpr absl::string_view kUnknownDialect = "unknown_dialect";
constexpr absl::string_view kWrongColumnCount = "wrong_column_count";

constexpr absl::string_view kAll[] = {
    kBadChannel,   kBadCurrency,   kBadEvent,          kBadId,
    kBadJson,      kBadKind,       kBadLogLine,        kBadPrice,
    kBadQuantity,  kBadQuote,      kBadTime,           kInvalidUtf8,
    kLineTooLong,  kMissingField,  kNobodysId,         kTextTooLong,
    kTimeInFuture, kTimeTooOld,    kTooManyAttributes, kTooManyElements,
    kTooManyItems, kUnclosedQuote, kUnknownDialect,    kWrongColumnCount};

}  // namespace reasons

template <typename... Pieces>
absl::Status Fault(absl::string_view reason, const Pieces&... detail) {
  return absl::InvalidArgumentError(absl::StrCat(reason, ": ", detail...));
}

// The beginning of `text` in quotes, fit to be printed whatever it holds: for a fault's detail.
std::string Shown(absl::string_view text);

// The two halves of a fault's message. A message without a known reason is a bad_event.
struct FaultText {
  absl::string_view reason;
  absl::string_view detail;
};
FaultText ParseFault(absl::string_view message);

}  // namespace vitrine

#endif  // VITRINE_INGEST_REASONS_H_
