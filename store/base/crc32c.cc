#include "store/base/crc32c.h"

#include <algorithm>
#include <limits>

#include <isa-l/crc.h>

namespace vitrine {
namespace {

// Polynomials over GF(2) modulo that of CRC-32C; the highest bit is the coefficient of x^0.
constexpr uint32_t kOne = 1u << 31;

constexpr uint32_t TimesX(uint32_t a) { return (a >> 1) ^ ((a & 1) != 0 ? 0x82F63B78u : 0u); }

uint32_t Times(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (; a != 0; a <<= 1, b = TimesX(b)) {
    if ((a & kOne) != 0) product ^= b;
  }
  return product;
}

}  // namespace

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

// What comes behind it multiplies a checksum by x to the number of its bits. (Both inversions, at
// the beginning and at the end, cancel out.)
uint32_t Crc32cConcat(uint32_t first, uint32_t second, uint64_t second_size) {
  uint32_t power = kOne >> 8;  // x^8, then squared for each binary digit
  for (; second_size != 0; second_size >>= 1, power = Times(power, power)) {
    if ((second_size & 1) != 0) first = Times(first, power);
  }
  return first ^ second;
}

}  // namespace vitrine
