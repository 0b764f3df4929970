// The API keys of one site: who may call it, and how often.
//
//   ASSIGN_OR_RETURN(const std::unique_ptr<KeyRing> keys, KeyRing::Open(&house, &clock));
//   ASSIGN_OR_RETURN(const NewKey made, keys->Create({.role = Role::STOREFRONT}));
//   RETURN_IF_ERROR(keys->Check(made.secret, Opens::kStorefront));
//
// A key reads "vk_<id>_<secret>": the id is public and names it, the secret is 256 random bits.
// Kept is the SHA-256 of the whole text, in the site's store: whoever reads the store, or a backup
// of it, cannot call. So many random bits need no slow hash.

#ifndef VITRINE_API_AUTH_KEY_RING_H_
#define VITRINE_API_AUTH_KEY_RING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "api/auth/quota.h"
#include "store/base/clock.h"
#include "store/records_types.h"
#include "store/web_house.h"

namespace vitrine {

// What whoever shows a key that does not open a call is told, whatever is wrong with it.
inline constexpr char kKeyOpensNothing[] = "the API key does not open this call";

// 256 random bits as text.
absl::StatusOr<std::string> RandomSecret();

// What a call needs a key to open. The role of a key says which of them it does.
enum class Opens {
  kStorefront,      // STOREFRONT, BACKOFFICE
  kBackofficeRead,  // BACKOFFICE, READ_ONLY
  kBackoffice,      // BACKOFFICE
};

// Thread-safe. What was created or revoked holds from the next Check on.
class KeyRing {
 public:
  struct Wish {
    Role role = Role::STOREFRONT;
    std::string comment = "";
    int32_t per_second = 0;  // 0: no quota
    int64_t expires_ms = 0;  // 0: never
  };
  struct Made {
    ApiKey key;
    std::string secret;  // the whole key, told this once
  };

  // Both outlive it.
  static absl::StatusOr<std::unique_ptr<KeyRing>> Open(WebHouse* house, const Clock* clock);

  // Those that have ended are among them until they are revoked.
  bool empty() const;
  std::vector<ApiKey> List() const;  // the oldest first

  // InvalidArgument, naming the field, if a wish makes no sense.
  absl::StatusOr<Made> Create(const Wish& wish);
  absl::Status Revoke(const std::string& id);  // NotFound

  // OK, and counted against the key's quota, if `key` opens it now. Unauthenticated, in the same
  // words and after the same work whatever is wrong with the key; OverloadedError
  // (service/errors.h) if its quota is used up. One SHA-256, about 0.3 us.
  absl::Status Check(absl::string_view key, Opens wanted) const;
  // It is one of these keys, whatever it opens.
  bool Knows(absl::string_view key) const;

 private:
  struct Entry {
    ApiKey key;
    std::shared_ptr<Quota> quota;  // null: none
  };
  using Table = absl::flat_hash_map<std::string, Entry>;  // by id

  KeyRing(WebHouse* house, const Clock* clock) : house_(*house), clock_(*clock) {}
  absl::Status Load() ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mutex_);
  std::shared_ptr<const Table> table() const;
  // The key that this text is, if it has not ended; else null.
  const Entry* Find(const Table& table, absl::string_view key) const;

  WebHouse& house_;
  const Clock& clock_;
  absl::Mutex change_mutex_;
  mutable absl::Mutex table_mutex_;
  std::shared_ptr<const Table> table_ ABSL_GUARDED_BY(table_mutex_) = std::make_shared<Table>();
};

}  // namespace vitrine

#endif  // VITRINE_API_AUTH_KEY_RING_H_
