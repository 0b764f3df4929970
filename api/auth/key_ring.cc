#include "api/auth/key_ring.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "api/service/errors.h"
#include "api/service/request.h"
#include "store/base/check.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/base/utf8.h"

namespace vitrine {
namespace {

constexpr absl::string_view kPrefix = "vk_";
constexpr size_t kIdBytes = 8;
constexpr size_t kIdLetters = 2 * kIdBytes;
constexpr size_t kSecretBytes = 32;

using Digest = std::array<uint8_t, SHA256_DIGEST_LENGTH>;

Digest DigestOf(absl::string_view key) {
  Digest digest;
  SHA256(reinterpret_cast<const uint8_t*>(key.data()), key.size(), digest.data());
  return digest;
}

template <size_t kBytes>
absl::StatusOr<std::string> RandomBytes() {
  std::string bytes(kBytes, '\0');
  if (RAND_bytes(reinterpret_cast<uint8_t*>(bytes.data()), kBytes) == 1) return bytes;
  return absl::InternalError("the system gives no random bytes");
}

// Empty if the text is no key.
absl::string_view IdOf(absl::string_view key) {
  if (key.size() > limits::kApiKeyBytesMax || !absl::StartsWith(key, kPrefix)) return "";
  return key.substr(kPrefix.size(), kIdLetters);
}

bool RoleOpens(Role role, Opens wanted) {
  switch (role) {
    case Role::STOREFRONT:
      return wanted == Opens::kStorefront;
    case Role::BACKOFFICE:
      return true;
    case Role::READ_ONLY:
      return wanted == Opens::kBackofficeRead;
  }
  return false;
}

absl::Status CheckWish(const KeyRing::Wish& wish, int64_t now_ms) {
  // A peer may have written any number: it is looked at as one.
  int32_t role;
  static_assert(sizeof(wish.role) == sizeof(role));
  std::memcpy(&role, &wish.role, sizeof(role));
  if (_Role_VALUES_TO_NAMES.count(role) == 0) {
    return BadField("role", "is none of Role");
  }
  if (wish.comment.size() > limits::kApiKeyCommentBytesMax || !IsUtf8(wish.comment)) {
    return BadField("comment", absl::StrCat("is not UTF-8 of at most ",
                                            limits::kApiKeyCommentBytesMax, " bytes"));
  }
  if (wish.per_second < 0 || wish.per_second > limits::kApiKeyPerSecondMax) {
    return BadField("per_second", absl::StrCat(wish.per_second, " is not between 0 and ",
                                               limits::kApiKeyPerSecondMax));
  }
  if (wish.expires_ms != 0 && (wish.expires_ms <= now_ms || wish.expires_ms > limits::kTimeMsMax)) {
    return BadField("expires_ms", "is not a time to come");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> RandomSecret() {
  ASSIGN_OR_RETURN(const std::string bytes, RandomBytes<kSecretBytes>());
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<std::unique_ptr<KeyRing>> KeyRing::Open(WebHouse* house, const Clock* clock) {
  std::unique_ptr<KeyRing> ring(new KeyRing(house, clock));
  absl::MutexLock lock(&ring->change_mutex_);
  RETURN_IF_ERROR(ring->Load());
  return ring;
}

absl::Status KeyRing::Load() {
  ASSIGN_OR_RETURN(const std::vector<ApiKey> rows, house_.ApiKeys());
  const std::shared_ptr<const Table> before = table();
  auto now = std::make_shared<Table>();
  for (const ApiKey& row : rows) {
    Entry entry = {row, nullptr};
    // A quota that is used up stays so when another key is made.
    const auto known = before->find(row.id);
    if (known != before->end()) {
      entry.quota = known->second.quota;
    } else if (row.per_second > 0) {
      entry.quota = std::make_shared<Quota>(row.per_second);
    }
    now->emplace(row.id, std::move(entry));
  }
  absl::MutexLock lock(&table_mutex_);
  table_ = std::move(now);
  return absl::OkStatus();
}

std::shared_ptr<const KeyRing::Table> KeyRing::table() const {
  absl::ReaderMutexLock lock(&table_mutex_);
  return table_;
}

bool KeyRing::empty() const { return table()->empty(); }

std::vector<ApiKey> KeyRing::List() const {
  std::vector<ApiKey> keys;
  for (const auto& [id, entry] : *table()) keys.push_back(entry.key);
  std::sort(keys.begin(), keys.end(), [](const ApiKey& a, const ApiKey& b) {
    return std::tie(a.created_ms, a.id) < std::tie(b.created_ms, b.id);
  });
  return keys;
}

absl::StatusOr<KeyRing::Made> KeyRing::Create(const Wish& wish) {
  const int64_t now_ms = clock_.NowMs();
  RETURN_IF_ERROR(CheckWish(wish, now_ms));
  ASSIGN_OR_RETURN(const std::string id, RandomBytes<kIdBytes>());
  ASSIGN_OR_RETURN(const std::string secret, RandomSecret());
  Made made;
  ApiKey& key = made.key;
  key.id = absl::BytesToHexString(id);
  made.secret = absl::StrCat(kPrefix, key.id, "_", secret);
  const Digest digest = DigestOf(made.secret);
  key.digest.assign(reinterpret_cast<const char*>(digest.data()), digest.size());
  key.role = wish.role;
  key.comment = wish.comment;
  key.per_second = wish.per_second;
  key.created_ms = now_ms;
  if (wish.expires_ms != 0) key.__set_expires_ms(wish.expires_ms);
  absl::MutexLock lock(&change_mutex_);
  RETURN_IF_ERROR(house_.PutApiKey(key));
  RETURN_IF_ERROR(Load());
  return made;
}

absl::Status KeyRing::Revoke(const std::string& id) {
  absl::MutexLock lock(&change_mutex_);
  RETURN_IF_ERROR(house_.RemoveApiKey(id));
  return Load();
}

const KeyRing::Entry* KeyRing::Find(const Table& table, absl::string_view key) const {
  static constexpr Digest kNobodys = {};
  const absl::string_view id = IdOf(key);
  const auto found = table.find(id);
  const bool known = found != table.end() && found->second.key.digest.size() == kNobodys.size();
  // The same work for a key that is known and for one that is not; nothing of the text is compared
  // but its digest, and that in constant time.
  const Digest shown = DigestOf(key.substr(0, limits::kApiKeyBytesMax));
  const void* const kept = known ? static_cast<const void*>(found->second.key.digest.data())
                                 : static_cast<const void*>(kNobodys.data());
  const bool equal = CRYPTO_memcmp(shown.data(), kept, shown.size()) == 0;
  if (!known || !equal) return nullptr;
  const ApiKey& row = found->second.key;
  const bool ended = row.__isset.expires_ms && row.expires_ms <= clock_.NowMs();
  return ended ? nullptr : &found->second;
}

bool KeyRing::Knows(absl::string_view key) const { return Find(*table(), key) != nullptr; }

absl::Status KeyRing::Check(absl::string_view key, Opens wanted) const {
  const std::shared_ptr<const Table> held = table();
  const Entry* const entry = Find(*held, key);
  if (entry == nullptr || !RoleOpens(entry->key.role, wanted)) {
    return absl::UnauthenticatedError(kKeyOpensNothing);
  }
  if (entry->quota == nullptr) return absl::OkStatus();
  const int64_t wait_ns = entry->quota->Take(clock_.SteadyNs());
  if (wait_ns == 0) return absl::OkStatus();
  return OverloadedError(absl::StrCat("the quota of this API key, ", entry->key.per_second,
                                      " calls a second, is used up"),
                         wait_ns / 1'000'000 + 1);
}

}  // namespace vitrine
