// Our error codes as the IDL's exceptions: the one table.

#ifndef VITRINE_API_SERVICE_ERRORS_H_
#define VITRINE_API_SERVICE_ERRORS_H_

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// Throws the exception that stands for `status` in vitrine.thrift. REQUIRES: !status.ok().
[[noreturn]] void ThrowStatus(const absl::Status& status);

// Not now: Overloaded, and when to try again. Lies within 1 and limits::kRetryAfterMsMax.
absl::Status OverloadedError(absl::string_view message, int64_t retry_after_ms);

inline void ThrowIfError(const absl::Status& status) {
  if (!status.ok()) ThrowStatus(status);
}

template <typename T>
T ValueOrThrow(absl::StatusOr<T> value) {
  ThrowIfError(value.status());
  return *std::move(value);
}

// InvalidArgument, naming the field, if the text is longer than limits::kTextBytesMax.
absl::Status CheckText(absl::string_view field, absl::string_view text);

// InvalidArgument, naming the field, unless low <= value <= high.
absl::Status CheckRange(absl::string_view field, double value, double low, double high);

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_ERRORS_H_
