// The plain SHA-256 functions are those of OpenSSL 1.1's interface: EVP allocates for every
// message.
#define OPENSSL_API_COMPAT 0x10100000L

#include "store/base/hmac.h"

#include <cstring>
#include <openssl/sha.h>

namespace vitrine {
namespace {

constexpr size_t kBlockBytes = SHA256_CBLOCK;

SHA256_CTX StateOf(const uint8_t (&key)[kBlockBytes], uint8_t pad) {
  uint8_t block[kBlockBytes];
  for (size_t i = 0; i < kBlockBytes; ++i) block[i] = key[i] ^ pad;
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, block, kBlockBytes);
  return state;
}

}  // namespace

struct Hmac::States {
  SHA256_CTX inner;
  SHA256_CTX outer;
};

Hmac::Hmac(absl::string_view key) {
  uint8_t block[kBlockBytes] = {};
  if (key.size() > kBlockBytes) {
    SHA256(reinterpret_cast<const uint8_t*>(key.data()), key.size(), block);
  } else if (!key.empty()) {
    std::memcpy(block, key.data(), key.size());
  }
  states_ = std::make_unique<const States>(States{StateOf(block, 0x36), StateOf(block, 0x5c)});
}

Hmac::~Hmac() = default;

Hmac::Digest Hmac::Of(std::initializer_list<absl::string_view> parts) const {
  Digest digest;
  SHA256_CTX state = states_->inner;
  for (const absl::string_view part : parts) SHA256_Update(&state, part.data(), part.size());
  SHA256_Final(digest.data(), &state);
  state = states_->outer;
  SHA256_Update(&state, digest.data(), digest.size());
  SHA256_Final(digest.data(), &state);
  return digest;
}

}  // namespace vitrine
