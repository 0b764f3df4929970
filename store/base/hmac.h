// HMAC-SHA-256 (RFC 2104, FIPS 180-4) with the key's two states made once: a message of 100 bytes
// costs three compressions, about 0.2 us with the processor's SHA instructions.

#ifndef VITRINE_STORE_BASE_HMAC_H_
#define VITRINE_STORE_BASE_HMAC_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>

#include "absl/strings/string_view.h"

namespace vitrine {

// Immutable, so thread-safe.
class Hmac {
 public:
  using Digest = std::array<uint8_t, 32>;

  explicit Hmac(absl::string_view key);
  ~Hmac();

  // Of the parts one behind the other: whoever calls makes sure that they cannot be cut otherwise.
  Digest Of(std::initializer_list<absl::string_view> parts) const;

 private:
  struct States;
  std::unique_ptr<const States> states_;
};

inline absl::string_view AsBytes(const Hmac::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_HMAC_H_
