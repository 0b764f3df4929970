// Our own events as JSON lines. What is read comes back from the store's encoding as it was, and
// a fault has one of the named reasons.

#include <algorithm>

#include "ingest/formats/json_lines.h"
#include "ingest/reasons.h"
#include "store/codec.h"
#include "tests/fuzz/fuzzing.h"

namespace vitrine {
namespace {

void Run(absl::string_view line) {
  static JsonEventParser& parser = *new JsonEventParser("EUR");
  Event event;
  if (absl::Status status = parser.Parse(line, &event); !status.ok()) {
    const absl::string_view reason = status.message().substr(0, status.message().find(':'));
    CHECK(std::count(std::begin(reasons::kAll), std::end(reasons::kAll), reason) == 1) << status;
    return;
  }
  Event again;
  CHECK(DecodeRecord(EncodeRecord(event), &again).ok());
  CHECK(again == event);
}

}  // namespace
}  // namespace vitrine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vitrine::Run(vitrine::fuzz::Text(data, size));
  return 0;
}
