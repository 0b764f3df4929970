// A combined log through the rules of a shop's URLs. Every line has one outcome, and an event is
// one that the store takes.

#include "ingest/line_parser.h"
#include "ingest/mapping.h"
#include "store/web_house.h"
#include "tests/fuzz/fuzzing.h"

namespace vitrine {
namespace {

constexpr char kMapping[] = R"toml(
format = "access_log"
[access_log]
log_format = "combined"
origin = "https://shop.example"
ip = "truncated"
[[url]]
match = "/p/{id}"
kind = "view_item"
[[url]]
match = "/search?q={query}"
kind = "search"
[[url]]
match = "/cart/add/{id}"
method = "POST"
kind = "add_to_cart"
[[url]]
match = "/files/{_path...}"
ignore = "file"
[[url]]
regex = "^/o/(?P<order>[a-z0-9]+)/(?P<quantity>[0-9]+)"
kind = "purchase"
)toml";

constexpr absl::string_view kFirstLine =
    "192.0.2.1 - - [01/Jan/2024:00:00:01 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"Firefox\"\n";

void Run(absl::string_view bytes) {
  static const Mapping& mapping = *new Mapping(fuzz::Value(ParseMapping(kMapping, "fuzz.toml")));
  static fuzz::MemoryFile& file = *new fuzz::MemoryFile;
  const std::string content = absl::StrCat(kFirstLine, bytes);
  LineReader reader =
      fuzz::Value(LineReader::Open(file.Hold(content), LineParser::Delimiter(mapping)));
  absl::StatusOr<LineParser> parser = LineParser::Create(mapping, &reader);
  if (!parser.ok()) return;
  for (Line line; reader.Next(&line);) {
    Event event;
    const Outcome outcome = parser->Parse(line, &event);
    if (outcome.kind == Outcome::Kind::kEvent) {
      CHECK(ValidateEvent(event).ok()) << ValidateEvent(event);
    } else {
      CHECK(!outcome.reason.empty());
    }
  }
  CHECK(reader.status().ok()) << reader.status();
}

}  // namespace
}  // namespace vitrine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vitrine::Run(vitrine::fuzz::Text(data, size));
  return 0;
}
