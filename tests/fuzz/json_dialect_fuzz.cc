// JSON that others made: the first line names a dialect (ga4, bigquery, segment, else any), the
// second is the line. Every element is something that the store takes, or has a reason; one that is
// rejected whole is found fault with again when it is read alone.

#include <vector>

#include "ingest/formats/json_dialects.h"
#include "store/web_house.h"
#include "tests/fuzz/fuzzing.h"

namespace vitrine {
namespace {

absl::Status Complete(Event* event) {
  if (event->id.empty()) event->id = "fingerprint";
  return ValidateEvent(*event);
}

JsonDialect Dialect(absl::string_view name) {
  if (name == "ga4") return JsonDialect::kGa4;
  if (name == "bigquery") return JsonDialect::kGa4BigQuery;
  if (name == "segment") return JsonDialect::kSegment;
  return JsonDialect::kAny;
}

void CheckReread(JsonDialect dialect, const Element& rejected) {
  JsonDialectParser parser(dialect, "EUR");
  std::vector<Element> again;
  parser.Parse(rejected.raw, Complete, &again);
  for (const Element& element : again) {
    if (element.kind == Element::Kind::kRejected) return;
  }
  CHECK(false) << rejected.reason << " is gone when it is read alone: " << rejected.raw;
}

void Run(absl::string_view bytes) {
  const JsonDialect dialect = Dialect(fuzz::TakeLine(&bytes));
  JsonDialectParser parser(dialect, "EUR");
  std::vector<Element> elements;
  parser.Parse(fuzz::TakeLine(&bytes), Complete, &elements);
  CHECK(!elements.empty());
  for (const Element& element : elements) {
    switch (element.kind) {
      case Element::Kind::kEvent:
        CHECK(ValidateEvent(element.event).ok()) << ValidateEvent(element.event);
        break;
      case Element::Kind::kCustomer:
        CHECK(ValidateCustomerFacts(element.customer).ok())
            << ValidateCustomerFacts(element.customer);
        break;
      case Element::Kind::kProduct:
        CHECK(ValidateProduct(element.product).ok()) << ValidateProduct(element.product);
        break;
      case Element::Kind::kIgnored:
        CHECK(!element.reason.empty());
        break;
      case Element::Kind::kRejected:
        CHECK(!element.reason.empty());
        if (element.raw_bytes == static_cast<int64_t>(element.raw.size())) {
          CheckReread(dialect, element);
        }
        break;
    }
  }
}

}  // namespace
}  // namespace vitrine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vitrine::Run(vitrine::fuzz::Text(data, size));
  return 0;
}
