// A mapping in TOML, and the parser that is made of it.

#include "absl/strings/match.h"

#include "ingest/line_parser.h"
#include "ingest/mapping.h"
#include "tests/fuzz/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  static fuzz::MemoryFile& file = *new fuzz::MemoryFile;
  const absl::StatusOr<Mapping> mapping = ParseMapping(fuzz::Text(data, size), "fuzz.toml");
  if (!mapping.ok()) {
    CHECK(absl::StartsWith(mapping.status().message(), "fuzz.toml")) << mapping.status();
    return 0;
  }
  const std::string path = file.Hold("a,b,c,d\n2010-12-01 08:26:00,1,2,x\n");
  LineReader reader = fuzz::Value(LineReader::Open(path, LineParser::Delimiter(*mapping)));
  absl::StatusOr<LineParser> parser = LineParser::Create(*mapping, &reader);
  if (!parser.ok()) return 0;
  Event event;
  for (Line line; reader.Next(&line);) parser->Parse(line, &event);
  return 0;
}
