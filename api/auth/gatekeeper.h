// Who may call what, on every site of a process. The one place that decides: Thrift, HTTP and the
// queue of track ask here.

#ifndef VITRINE_API_AUTH_GATEKEEPER_H_
#define VITRINE_API_AUTH_GATEKEEPER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "api/auth/key_ring.h"
#include "api/service/site.h"

namespace vitrine {

// In front of the message of what GuardedBackoffice refuses.
inline constexpr absl::string_view kUnauthorizedPrefix = "unauthorized: ";
inline constexpr absl::string_view kOverloadedPrefix = "overloaded: ";

// Thread-safe.
class Gatekeeper {
 public:
  struct Options {
    // False: a site without keys is open to everybody who reaches the port. For loopback.
    bool keys_required = false;
    // Opens everything: that of the command line on this machine (Site::Announce). Empty: none.
    std::string local_key = "";
  };

  // `sites` outlives it.
  Gatekeeper(const Sites* sites, Options options);

  // OK if `key` (empty: none) opens this now, and it is counted against the key's quota. A key of
  // one site opens no other one. Unauthenticated, or OverloadedError (service/errors.h); whether
  // there is such a key, or such a site, is not told.
  absl::Status Check(absl::string_view site, absl::string_view key, Opens wanted) const;

  // It is a key of some site, or the local one.
  bool Knows(absl::string_view key) const;
  // The bearer of `key` may know that there is this site.
  bool Sees(absl::string_view site, absl::string_view key) const;

 private:
  bool IsLocal(absl::string_view key) const;

  const Sites& sites_;
  const Options options_;
};

}  // namespace vitrine

#endif  // VITRINE_API_AUTH_GATEKEEPER_H_
