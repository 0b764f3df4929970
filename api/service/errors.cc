#include "api/service/errors.h"

#include <string>

#include "api/vitrine_types.h"
#include "store/base/check.h"

namespace vitrine {
namespace {

template <typename Exception>
[[noreturn]] void Throw(const std::string& message) {
  Exception exception;
  exception.message = message;
  throw exception;
}

}  // namespace

void ThrowStatus(const absl::Status& status) {
  CHECK(!status.ok());
  const std::string message(status.message());
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

absl::Status CheckRange(absl::string_view field, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", value, " is not between ", low, " and ", high));
}

}  // namespace vitrine
