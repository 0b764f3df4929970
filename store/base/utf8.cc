#include "store/base/utf8.h"

#include <simdjson.h>

namespace vitrine {

bool IsUtf8(absl::string_view text) {
  // Ids and names are short and mostly ASCII: look before asking the library.
  bool ascii = true;
  for (const char c : text) ascii &= static_cast<unsigned char>(c) < 0x80;
  return ascii || simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace vitrine
