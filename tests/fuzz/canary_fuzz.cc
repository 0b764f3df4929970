// A reader with a bug: it believes the length that the bytes claim. scripts/fuzz fails if this
// target does not, since then it would find nothing elsewhere either.

#include <cstring>
#include <vector>

#include "tests/fuzz/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 5 || data[0] != 'v' || data[1] != 'i' || data[2] != 't') return 0;
  const std::vector<uint8_t> body(data + 4, data + size);
  volatile uint8_t sum = 0;
  for (size_t i = 0; i < data[3]; ++i) sum = sum + body.data()[i];
  return 0;
}
