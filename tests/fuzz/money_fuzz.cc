// Prices: the first byte chooses the currency's digits. What was read, written out and read again
// is the same.

#include "absl/strings/str_format.h"

#include "ingest/money.h"
#include "store/base/limits.h"
#include "tests/fuzz/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  if (size == 0) return 0;
  const int digits = data[0] % 4;
  int64_t price;
  if (!ParsePrice(fuzz::Text(data + 1, size - 1), digits, &price).ok()) return 0;
  CHECK(price >= 0 && price <= limits::kPriceMinorMax);
  int64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  const std::string written = digits == 0
                                  ? absl::StrCat(price)
                                  : absl::StrFormat("%d.%0*d", price / unit, digits, price % unit);
  int64_t again = -1;
  CHECK(ParsePrice(written, digits, &again).ok()) << written;
  CHECK(again == price) << written;
  return 0;
}
