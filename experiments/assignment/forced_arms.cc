#include "experiments/assignment/forced_arms.h"

#include <algorithm>
#include <openssl/crypto.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace vitrine::experiments {
namespace {

// Ends with a zero byte, as the site does: no site and claim can be cut in another way.
constexpr absl::string_view kPurpose("vitrine forced arms 1\0", 22);

bool IsName(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-';
  });
}

std::string Signature(const Hmac& key, absl::string_view site, absl::string_view claim) {
  return absl::BytesToHexString(
      AsBytes(key.Of({kPurpose, site, absl::string_view("\0", 1), claim})));
}

absl::Status Refused(absl::string_view why) {
  return absl::PermissionDeniedError(absl::StrCat("forced arms: ", why));
}

}  // namespace

absl::StatusOr<std::string> SignForcedArms(const Hmac& key, absl::string_view site,
                                           const ForcedArms& arms, int64_t expires_ms) {
  if (arms.empty() || arms.size() > kForcedArmsMax) {
    return absl::InvalidArgumentError(absl::StrCat("one to ", kForcedArmsMax, " arms at once"));
  }
  std::string claim = absl::StrCat(expires_ms, ".");
  for (const auto& [experiment, arm] : arms) {
    if (!IsName(experiment)) {
      return absl::InvalidArgumentError("an experiment's name is of letters, digits, _ and -");
    }
    absl::StrAppend(&claim, claim.back() == '.' ? "" : ",", experiment, ":", arm);
  }
  std::string token = absl::StrCat(claim, ".", Signature(key, site, claim));
  if (token.size() > kForcedTokenBytesMax) {
    return absl::InvalidArgumentError("names too long to be forced together");
  }
  return token;
}

absl::StatusOr<ForcedArms> ReadForcedArms(const Hmac& key, absl::string_view site,
                                          absl::string_view token, int64_t now_ms) {
  const size_t dot = token.rfind('.');
  if (token.size() > kForcedTokenBytesMax || dot == absl::string_view::npos) {
    return Refused("not a token");
  }
  const absl::string_view claim = token.substr(0, dot);
  const absl::string_view shown = token.substr(dot + 1);
  const std::string right = Signature(key, site, claim);
  if (shown.size() != right.size() ||
      CRYPTO_memcmp(shown.data(), right.data(), right.size()) != 0) {
    return Refused("not signed by this site");
  }
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(claim, absl::MaxSplits('.', 1));
  int64_t expires_ms = 0;
  if (!absl::SimpleAtoi(parts.first, &expires_ms)) return Refused("no end");
  if (now_ms >= expires_ms) return Refused("expired");
  ForcedArms arms;
  for (const absl::string_view piece : absl::StrSplit(parts.second, ',')) {
    const std::pair<absl::string_view, absl::string_view> arm = absl::StrSplit(piece, ':');
    uint32_t number = 0;
    if (!IsName(arm.first) || !absl::SimpleAtoi(arm.second, &number)) return Refused("no arm");
    arms.emplace_back(arm.first, number);
  }
  return arms;
}

std::optional<uint32_t> ForcedArm(const ForcedArms& arms, absl::string_view experiment) {
  for (const auto& [name, arm] : arms) {
    if (name == experiment) return arm;
  }
  return std::nullopt;
}

}  // namespace vitrine::experiments
