#include "ingest/money.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "ingest/reasons.h"
#include "store/base/limits.h"

namespace vitrine {
namespace {

// ISO 4217 currencies whose minor unit is not a hundredth, blank-separated for one look-up.
constexpr absl::string_view kNoMinorUnit =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
constexpr absl::string_view kThreeDigits = "BHD IQD JOD KWD LYD OMR TND";
constexpr absl::string_view kFourDigits = "CLF UYW";

bool AllZeros(absl::string_view digits) {
  return digits.find_first_not_of('0') == absl::string_view::npos;
}

absl::Status NotANumber(absl::string_view text) {
  return Fault(reasons::kBadPrice, Shown(text), " is not a plain decimal number");
}

}  // namespace

bool IsCurrencyCode(absl::string_view code) {
  return code.size() == 3 && std::all_of(code.begin(), code.end(), absl::ascii_isupper);
}

int MinorDigits(absl::string_view currency) {
  constexpr auto npos = absl::string_view::npos;
  if (!IsCurrencyCode(currency)) return 2;
  if (kNoMinorUnit.find(currency) != npos) return 0;
  if (kThreeDigits.find(currency) != npos) return 3;
  if (kFourDigits.find(currency) != npos) return 4;
  return 2;
}

absl::Status ParsePrice(absl::string_view text, int minor_digits, int64_t* price_minor) {
  if (!text.empty() && text.front() == '-') {
    return Fault(reasons::kBadPrice, Shown(text), " is negative");
  }
  const size_t point = std::min(text.find('.'), text.size());
  const absl::string_view whole = text.substr(0, point);
  absl::string_view fraction = text.substr(std::min(point + 1, text.size()));
  if (whole.empty() && fraction.empty()) return NotANumber(text);

  int64_t value = 0;
  const auto append = [&value](char digit) {
    value = std::min(value * 10 + (digit - '0'), limits::kPriceMinorMax + 1);
  };
  for (const char c : whole) {
    if (!absl::ascii_isdigit(c)) return NotANumber(text);
    append(c);
  }
  const size_t minor = static_cast<size_t>(minor_digits);
  for (size_t i = 0; i < fraction.size(); ++i) {
    if (!absl::ascii_isdigit(fraction[i])) return NotANumber(text);
    if (i < minor) append(fraction[i]);
  }
  for (size_t i = fraction.size(); i < minor; ++i) append('0');
  if (fraction.size() > minor && !AllZeros(fraction.substr(minor))) {
    return Fault(reasons::kBadPrice, Shown(text), " has more than the ", minor_digits,
                 " decimals of its currency");
  }
  if (value > limits::kPriceMinorMax) {
    return Fault(reasons::kBadPrice, Shown(text), " is above the limit");
  }
  *price_minor = value;
  return absl::OkStatus();
}

}  // namespace vitrine
