#include "api/service/offer_grants.h"

#include <charconv>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace vitrine {
namespace {

constexpr size_t kTagBytes = 8;  // one in 10^19 guesses is right

std::optional<int64_t> FromHex(absl::string_view text) {
  int64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, /*base=*/16);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::string GrantNames::TagOf(absl::string_view front, absl::string_view person) const {
  const Hmac::Digest digest = hmac_.Of({front, ".", person});
  return absl::BytesToHexString(AsBytes(digest).substr(0, kTagBytes));
}

std::string GrantNames::NameOf(const Grant& grant, absl::string_view person) const {
  const std::string front =
      absl::StrCat(grant.offer_id, ".", absl::Hex(grant.stretch), ".", absl::Hex(grant.cost_minor));
  return absl::StrCat(front, ".", TagOf(front, person));
}

std::optional<Grant> GrantNames::Parse(absl::string_view name, absl::string_view person) const {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '.');
  if (parts.size() != 4) return std::nullopt;
  const std::optional<int64_t> stretch = FromHex(parts[1]);
  const std::optional<int64_t> cost = FromHex(parts[2]);
  if (!stretch || !cost) return std::nullopt;
  Grant grant = {std::string(parts[0]), *stretch, *cost};
  if (NameOf(grant, person) != name) return std::nullopt;
  return grant;
}

}  // namespace vitrine
