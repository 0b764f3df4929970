// CRC-32C (Castagnoli polynomial 0x1EDC6F41, reflected, as in RFC 3720 appendix B.4).

#ifndef VITRINE_STORE_BASE_CRC32C_H_
#define VITRINE_STORE_BASE_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace vitrine {

// The checksum of `data`; to continue one, pass it as `crc`:
// Crc32c("ab") == Crc32c("b", Crc32c("a")). About 10 GB/s (ISA-L).
uint32_t Crc32c(absl::string_view data, uint32_t crc = 0);

// The checksum of two texts behind each other from theirs: what lies far apart can be summed at the
// same time. Crc32cConcat(Crc32c("ab"), Crc32c("c"), 1) == Crc32c("abc"). O(log second_size).
uint32_t Crc32cConcat(uint32_t first, uint32_t second, uint64_t second_size);

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_CRC32C_H_
