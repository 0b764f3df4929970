// A file that is gzip, zstd or neither, read as lines. Lines are numbered without a gap, lie behind
// one another, and a damaged file ends in DataLoss.

#include "ingest/formats/line_reader.h"
#include "tests/fuzz/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  static fuzz::MemoryFile& file = *new fuzz::MemoryFile;
  absl::StatusOr<LineReader> reader =
      LineReader::Open(file.Hold(fuzz::Text(data, size)), std::nullopt);
  if (!reader.ok()) return 0;
  int64_t number = 0, offset = 0;
  for (Line line; reader->Next(&line);) {
    CHECK(line.number == ++number);
    CHECK(line.offset >= offset);
    offset = line.offset + 1;
    CHECK(std::string(line.text) == line.text);
  }
  CHECK(reader->status().ok() || absl::IsDataLoss(reader->status())) << reader->status();
  return 0;
}
