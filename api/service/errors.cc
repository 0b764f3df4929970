#include "api/service/errors.h"

#include <algorithm>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "api/vitrine_types.h"
#include "store/base/check.h"
#include "store/base/limits.h"

namespace vitrine {
namespace {

template <typename Exception>
[[noreturn]] void Throw(const std::string& message) {
  Exception exception;
  exception.message = message;
  throw exception;
}

// What tells Overloaded from a full disk: the time, in decimal.
constexpr absl::string_view kRetryAfterUrl = "vitrine/retry_after_ms";

}  // namespace

absl::Status OverloadedError(absl::string_view message, int64_t retry_after_ms) {
  absl::Status status = absl::ResourceExhaustedError(message);
  retry_after_ms = std::clamp<int64_t>(retry_after_ms, 1, limits::kRetryAfterMsMax);
  status.SetPayload(kRetryAfterUrl, absl::Cord(absl::StrCat(retry_after_ms)));
  return status;
}

void ThrowStatus(const absl::Status& status) {
  CHECK(!status.ok());
  const std::string message(status.message());
  if (const auto retry_after_ms = status.GetPayload(kRetryAfterUrl)) {
    Overloaded overloaded;
    overloaded.message = message;
    const bool is_number =
        absl::SimpleAtoi(std::string(*retry_after_ms), &overloaded.retry_after_ms);
    CHECK(is_number);
    throw overloaded;
  }
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kAborted:  // a batch that does not start where its source stands
      Throw<InvalidRequest>(message);
    case absl::StatusCode::kNotFound:
      Throw<NotFound>(message);
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      Throw<Unauthorized>(message);
    case absl::StatusCode::kDeadlineExceeded:
      Throw<DeadlineExceeded>(message);
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:  // the disk is full
      Throw<Unavailable>(message);
    default:
      Throw<InternalError>(message);
  }
}

absl::Status CheckText(absl::string_view field, absl::string_view text) {
  if (text.size() <= limits::kTextBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": is longer than ", limits::kTextBytesMax, " bytes"));
}

absl::Status CheckRange(absl::string_view field, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", value, " is not between ", low, " and ", high));
}

}  // namespace vitrine
