#include "store/base/crc32c.h"

#include <algorithm>
#include <limits>

#include <isa-l/crc.h>

namespace vitrine {

uint32_t Crc32c(absl::string_view data, uint32_t crc) {
  // crc32_iscsi takes an int length and leaves both inversions to the caller.
  crc = ~crc;
  while (!data.empty()) {
    const size_t length = std::min<size_t>(data.size(), std::numeric_limits<int>::max());
    unsigned char* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(data.data()));
    crc = crc32_iscsi(bytes, static_cast<int>(length), crc);
    data.remove_prefix(length);
  }
  return ~crc;
}

}  // namespace vitrine
