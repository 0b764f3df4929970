// Arms that a link forces, so that somebody can look at them: signed, with an end, for one site.
// What is forced is shown but never analysed (Assignment::analysed).

#ifndef VITRINE_EXPERIMENTS_ASSIGNMENT_FORCED_ARMS_H_
#define VITRINE_EXPERIMENTS_ASSIGNMENT_FORCED_ARMS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/base/hmac.h"

namespace vitrine::experiments {

inline constexpr size_t kForcedArmsMax = 16;          // in one token
inline constexpr size_t kForcedTokenBytesMax = 4096;  // that a visitor may show

// By experiment. Names are of letters, digits, '_' and '-'.
using ForcedArms = std::vector<std::pair<std::string, uint32_t>>;

// "<expires_ms>.<experiment>:<arm>,<experiment>:<arm>.<HMAC-SHA-256 in hex>": fit for an URL. The
// key signs the site with it. InvalidArgument for names or a number of arms that do not fit.
absl::StatusOr<std::string> SignForcedArms(const Hmac& key, absl::string_view site,
                                           const ForcedArms& arms, int64_t expires_ms);

// PermissionDenied for everything that SignForcedArms did not make with this key for this site, and
// for what has expired. The signature is compared before anything else is read.
absl::StatusOr<ForcedArms> ReadForcedArms(const Hmac& key, absl::string_view site,
                                          absl::string_view token, int64_t now_ms);

std::optional<uint32_t> ForcedArm(const ForcedArms& arms, absl::string_view experiment);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ASSIGNMENT_FORCED_ARMS_H_
