#include "store/base/utf8.h"

#include <cstdint>
#include <cstring>
#include <simdjson.h>

namespace vitrine {
namespace {

// Looks at eight bytes at a time: ids and names are too short for wider steps to begin.
bool IsAscii(absl::string_view text) {
  uint64_t bits = 0;
  while (text.size() >= sizeof(bits)) {
    uint64_t word;
    std::memcpy(&word, text.data(), sizeof(word));
    bits |= word;
    text.remove_prefix(sizeof(word));
  }
  for (const char c : text) bits |= static_cast<unsigned char>(c);
  return (bits & 0x8080808080808080) == 0;
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  // Ids and names are short and mostly ASCII: look before asking the library.
  return IsAscii(text) || simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace vitrine
