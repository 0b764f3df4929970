// API keys: what a back office does with them. Whom they let in is api/auth's.

#include <algorithm>

#include "absl/status/status.h"

#include "api/auth/key_ring.h"
#include "api/service/backoffice.h"
#include "api/service/errors.h"

namespace vitrine {

// Of a caller in this process, who needs no key; of a connection, GuardedBackoffice answers.
void Backoffice::authenticate(const std::string& api_key) {
  const std::vector<std::string> names = sites_->Names();
  const bool known = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return FindOrThrow(name)->keys().Knows(api_key);
  });
  if (!known) ThrowStatus(absl::UnauthenticatedError(kKeyOpensNothing));
}

void Backoffice::keys(std::vector<ApiKey>& keys, const std::string& site) {
  keys = FindOrThrow(site)->keys().List();
  for (ApiKey& key : keys) key.digest.clear();  // of no use to anybody
}

void Backoffice::create_key(NewKey& made, const std::string& site, Role role,
                            const std::string& comment, int32_t per_second, int64_t expires_ms) {
  KeyRing::Made key =
      ValueOrThrow(FindOrThrow(site)->keys().Create({role, comment, per_second, expires_ms}));
  made.key = std::move(key.key);
  made.key.digest.clear();
  made.secret = std::move(key.secret);
}

void Backoffice::revoke_key(const std::string& site, const std::string& key_id) {
  ThrowIfError(FindOrThrow(site)->keys().Revoke(key_id));
}

}  // namespace vitrine
