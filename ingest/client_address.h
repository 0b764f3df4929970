// Who sent a request, and how much of that is kept.

#ifndef VITRINE_INGEST_CLIENT_ADDRESS_H_
#define VITRINE_INGEST_CLIENT_ADDRESS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// What Event::ip holds of an address.
enum class IpPrivacy {
  kFull,
  kTruncated,  // the network: /24 of IPv4, /48 of IPv6; of a host's name all but its first label
  kHashed,     // XXH3-128 in hex: tells two apart, but whoever tries all addresses finds it
  kNone,
};

// What is kept of `address`; one that is no IP is taken for a host's name. Empty for kNone.
std::string KeptAddress(absl::string_view address, IpPrivacy privacy);

// XXH3-128 in hex of address and user agent: a visitor who has no cookie. The same everywhere.
std::string VisitorIdOf(absl::string_view address, absl::string_view user_agent);

// Addresses of proxies whose word is taken.
class TrustedProxies {
 public:
  // Of "10.0.0.0/8", "::1", and "private" for all networks that are never routed (RFC 1918, 4193,
  // loopback, link-local). InvalidArgument for anything else.
  static absl::StatusOr<TrustedProxies> Create(const std::vector<std::string>& networks);

  bool Contains(absl::string_view address) const;

  // The client of a request that came from `peer` with this header (X-Forwarded-For: client first,
  // each proxy adds the address it was asked from): the right-most address that is no trusted
  // proxy, since all to the left of it is hearsay; the left-most if all are trusted. `peer` itself
  // if it is not trusted. A view into one of the two.
  absl::string_view ClientOf(absl::string_view peer, absl::string_view forwarded_for) const;

 private:
  using Bits = std::array<uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d
  struct Network {
    Bits bits = {};
    int prefix = 0;  // bits of it
  };
  static std::optional<Bits> Parse(absl::string_view address);

  std::vector<Network> networks_;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_CLIENT_ADDRESS_H_
