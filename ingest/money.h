// Decimal text to minor units, in integers only: 2.55 GBP is 255, never 254.99999.

#ifndef VITRINE_INGEST_MONEY_H_
#define VITRINE_INGEST_MONEY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// Whether `code` has the form of an ISO 4217 code: three capital letters.
bool IsCurrencyCode(absl::string_view code);

// Digits after the point of a price in this currency (ISO 4217): JPY 0, GBP 2, KWD 3; 2 for a code
// that is not among the exceptions.
int MinorDigits(absl::string_view currency);

// Reads plain decimal text ("2.55", "28", ".5"; no exponent, no thousands separator). A fault
// `bad_price` if it is something else, negative, above limits::kPriceMinorMax, or finer than the
// currency: digits beyond its last one must be zeros, since rounding would make the sums of a
// shop's books come out differently from its own.
absl::Status ParsePrice(absl::string_view text, int minor_digits, int64_t* price_minor);

}  // namespace vitrine

#endif  // VITRINE_INGEST_MONEY_H_
