// Rows of the store as someone else might have written them: the first byte chooses the struct.
// What decodes comes back from its encoding as it was.

#include <string>

#include "store/codec.h"
#include "store/records_types.h"
#include "tests/fuzz/fuzzing.h"

namespace vitrine {
namespace {

template <typename Record>
void Run(absl::string_view bytes) {
  Record record, again;
  if (!DecodeRecord(bytes, &record).ok()) return;
  const std::string encoded = EncodeRecord(record);
  CHECK(DecodeRecord(encoded, &again).ok());
  CHECK(EncodeRecord(again) == encoded);  // not ==: a double that is no number equals nothing
}

constexpr void (*kRuns[])(absl::string_view) = {
    Run<Event>,  Run<Session>,      Run<Customer>,    Run<CustomerFacts>, Run<Product>,
    Run<Reject>, Run<RobotVerdict>, Run<SourceState>, Run<Totals>,        Run<SiteSettings>};

}  // namespace
}  // namespace vitrine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  if (size == 0) return 0;
  kRuns[data[0] % std::size(kRuns)](fuzz::Text(data + 1, size - 1));
  return 0;
}
