#include "ingest/client_address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <xxhash.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "ingest/reasons.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr absl::string_view kPrivateNetworks[] = {"10.0.0.0/8",  "172.16.0.0/12",  "192.168.0.0/16",
                                                  "127.0.0.0/8", "169.254.0.0/16", "::1",
                                                  "fc00::/7",    "fe80::/10"};
constexpr int kIpv4Offset = 96;  // bits before an IPv4 address in its IPv6 form
constexpr size_t kIpv6Kept = 6;  // bytes: /48

std::string Hash(absl::string_view bytes) {
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(bytes.data(), bytes.size()));
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(hash.digest), sizeof(hash.digest)));
}

std::string Truncated(absl::string_view address) {
  const std::string text(address);
  in_addr v4;
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    return absl::StrCat(address.substr(0, address.rfind('.')), ".0");
  }
  in6_addr v6;
  if (::inet_pton(AF_INET6, text.c_str(), &v6) != 1) {
    const size_t dot = address.find('.');
    return dot == absl::string_view::npos ? "" : std::string(address.substr(dot + 1));
  }
  char buffer[INET6_ADDRSTRLEN];
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    v6.s6_addr[15] = 0;
  } else {
    std::fill(v6.s6_addr + kIpv6Kept, v6.s6_addr + sizeof(v6.s6_addr), 0);
  }
  return ::inet_ntop(AF_INET6, &v6, buffer, sizeof(buffer));
}

// "[2001:db8::1]:443", "10.0.0.1:443" and " 10.0.0.1" to the address alone.
absl::string_view WithoutPort(absl::string_view hop) {
  hop = absl::StripAsciiWhitespace(hop);
  if (absl::ConsumePrefix(&hop, "[")) return hop.substr(0, hop.find(']'));
  const size_t colon = hop.find(':');
  const bool one_colon = colon != absl::string_view::npos && hop.rfind(':') == colon;
  return one_colon ? hop.substr(0, colon) : hop;
}

}  // namespace

std::string KeptAddress(absl::string_view address, IpPrivacy privacy) {
  switch (privacy) {
    case IpPrivacy::kFull:
      return std::string(address);
    case IpPrivacy::kTruncated:
      return Truncated(address);
    case IpPrivacy::kHashed:
      return Hash(address);
    case IpPrivacy::kNone:
      break;
  }
  return "";
}

std::string VisitorIdOf(absl::string_view address, absl::string_view user_agent) {
  return Hash(absl::StrCat(address, absl::string_view("\0", 1), user_agent));
}

std::optional<TrustedProxies::Bits> TrustedProxies::Parse(absl::string_view address) {
  const std::string text(address);
  Bits bits = {};
  in_addr v4;
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    bits[10] = bits[11] = 0xFF;
    std::memcpy(bits.data() + 12, &v4, sizeof(v4));
    return bits;
  }
  if (::inet_pton(AF_INET6, text.c_str(), bits.data()) == 1) return bits;
  return std::nullopt;
}

absl::StatusOr<TrustedProxies> TrustedProxies::Create(const std::vector<std::string>& networks) {
  TrustedProxies proxies;
  std::vector<std::string> all;
  for (const std::string& network : networks) {
    if (network == "private") {
      for (const absl::string_view known : kPrivateNetworks) all.emplace_back(known);
    } else {
      all.push_back(network);
    }
  }
  for (const std::string& network : all) {
    const size_t slash = network.find('/');
    const std::optional<Bits> bits = Parse(network.substr(0, slash));
    const bool v4 = !absl::StrContains(network, ":");
    int prefix = v4 ? 32 : 128;
    const int longest = prefix;
    if (slash != std::string::npos &&
        (!absl::SimpleAtoi(network.substr(slash + 1), &prefix) || prefix < 0)) {
      prefix = longest + 1;
    }
    if (!bits.has_value() || prefix > longest) {
      return absl::InvalidArgumentError(absl::StrCat(
          Shown(network), " is no address, no network like 10.0.0.0/8, and not \"private\""));
    }
    proxies.networks_.push_back({*bits, prefix + (v4 ? kIpv4Offset : 0)});
  }
  return proxies;
}

bool TrustedProxies::Contains(absl::string_view address) const {
  const std::optional<Bits> bits = Parse(address);
  if (!bits.has_value()) return false;
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    const auto whole = static_cast<size_t>(network.prefix / 8);
    if (std::memcmp(bits->data(), network.bits.data(), whole) != 0) return false;
    const int rest = network.prefix % 8;
    return rest == 0 || (((*bits)[whole] ^ network.bits[whole]) >> (8 - rest)) == 0;
  });
}

absl::string_view TrustedProxies::ClientOf(absl::string_view peer,
                                           absl::string_view forwarded_for) const {
  absl::string_view client = peer;
  while (!forwarded_for.empty() && Contains(client)) {
    const size_t comma = forwarded_for.rfind(',');
    const bool last = comma == absl::string_view::npos;
    const absl::string_view hop =
        WithoutPort(last ? forwarded_for : forwarded_for.substr(comma + 1));
    forwarded_for = last ? absl::string_view() : forwarded_for.substr(0, comma);
    // "unknown" and garbage: nothing to the left of it can be believed either.
    if (!Parse(hop).has_value()) break;
    client = hop;
  }
  return client;
}

}  // namespace vitrine
