// A CSV file, from bytes to outcomes: the first line names the columns. Every line has one outcome,
// every byte belongs to a line, and an event is one that the store takes.

#include "ingest/line_parser.h"
#include "ingest/mapping.h"
#include "store/web_house.h"
#include "tests/fuzz/fuzzing.h"

namespace vitrine {
namespace {

constexpr char kMapping[] = R"(
format = "csv"
kind = "purchase"
currency = "GBP"
[customer]
column = "customer"
strip_suffix = ".0"
[visitor]
column = "invoice"
prefix = "i-"
[time]
columns = ["time"]
format = "%Y-%m-%d %H:%M:%S"
zone = "Europe/London"
[columns]
order = "invoice"
product = "product"
name = "name"
quantity = "quantity"
price = "price"
[[kinds]]
kind = "refund"
when.invoice = ["C*"]
[[ignore]]
reason = "postage"
when.product = ["POST"]
)";

constexpr absl::string_view kHeader = "invoice,product,name,quantity,time,price,customer\n";

void Run(absl::string_view bytes) {
  static const Mapping& mapping = *new Mapping(fuzz::Value(ParseMapping(kMapping, "fuzz.toml")));
  static fuzz::MemoryFile& file = *new fuzz::MemoryFile;
  const std::string content = absl::StrCat(kHeader, bytes);
  LineReader reader =
      fuzz::Value(LineReader::Open(file.Hold(content), LineParser::Delimiter(mapping)));
  LineParser parser = fuzz::Value(LineParser::Create(mapping, &reader));
  int64_t end = static_cast<int64_t>(kHeader.size());
  for (Line line; reader.Next(&line);) {
    CHECK(line.offset == end) << "a byte belongs to no line";
    end = reader.Position();
    Event event;
    const Outcome outcome = parser.Parse(line, &event);
    if (outcome.kind == Outcome::Kind::kEvent) {
      CHECK(ValidateEvent(event).ok()) << ValidateEvent(event);
    } else {
      CHECK(!outcome.reason.empty());
    }
  }
  CHECK(reader.status().ok()) << reader.status();
  CHECK(end == static_cast<int64_t>(content.size()));
}

}  // namespace
}  // namespace vitrine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vitrine::Run(vitrine::fuzz::Text(data, size));
  return 0;
}
