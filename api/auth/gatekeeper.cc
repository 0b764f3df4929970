#include "api/auth/gatekeeper.h"

#include <algorithm>
#include <openssl/crypto.h>
#include <utility>

namespace vitrine {

Gatekeeper::Gatekeeper(const Sites* sites, Options options)
    : sites_(*sites), options_(std::move(options)) {}

bool Gatekeeper::IsLocal(absl::string_view key) const {
  const std::string& local = options_.local_key;
  return !local.empty() && key.size() == local.size() &&
         CRYPTO_memcmp(key.data(), local.data(), local.size()) == 0;
}

absl::Status Gatekeeper::Check(absl::string_view site_name, absl::string_view key,
                               Opens wanted) const {
  if (IsLocal(key)) return absl::OkStatus();
  const absl::StatusOr<Site*> site = sites_.Find(site_name);
  const bool has_keys = site.ok() && !(*site)->keys().empty();
  if (key.empty() && !has_keys && !options_.keys_required) return absl::OkStatus();
  if (key.empty()) {
    return absl::UnauthenticatedError("there is no API key with this call, and it wants one");
  }
  if (!has_keys) return absl::UnauthenticatedError(kKeyOpensNothing);
  return (*site)->keys().Check(key, wanted);
}

bool Gatekeeper::Knows(absl::string_view key) const {
  if (IsLocal(key)) return true;
  const std::vector<std::string> names = sites_.Names();
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return (*sites_.Find(name))->keys().Knows(key);
  });
}

bool Gatekeeper::Sees(absl::string_view site_name, absl::string_view key) const {
  const absl::StatusOr<Site*> site = sites_.Find(site_name);
  if (!site.ok()) return false;
  if (IsLocal(key)) return true;
  const KeyRing& keys = (*site)->keys();
  return keys.empty() ? !options_.keys_required : keys.Knows(key);
}

}  // namespace vitrine
