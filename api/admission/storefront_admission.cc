#include "api/admission/storefront_admission.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "api/Storefront.h"
#include "api/service/wire_peek.h"
#include "store/base/limits.h"

namespace vitrine {
namespace {

using apache::thrift::protocol::T_I32;
using apache::thrift::protocol::TProtocol;

constexpr absl::string_view kMethods[] = {"recommend", "page", "similar", "offers"};
static_assert(std::size(kMethods) <= Admission::kKindsMax);

constexpr int16_t kDeadlineField = 3;  // of Context (vitrine.thrift)

}  // namespace

std::optional<Admission::Request> StorefrontAdmission::RequestOf(absl::string_view method,
                                                                 TProtocol& arguments) const {
  const auto* const found = std::find(std::begin(kMethods), std::end(kMethods), method);
  if (found == std::end(kMethods) || !EnterContext(arguments)) return std::nullopt;
  Request request;
  request.kind = static_cast<size_t>(found - std::begin(kMethods));
  request.deadline_ms = limits::kDeadlineMsDefault;
  if (EnterField(kDeadlineField, T_I32, arguments)) arguments.readI32(request.deadline_ms);
  const bool valid = request.deadline_ms >= 1 && request.deadline_ms <= limits::kDeadlineMsMax;
  return valid ? std::optional(request) : std::nullopt;
}

void StorefrontAdmission::WriteRefusal(TProtocol& out, int32_t retry_after_ms) const {
  // The field that says so is the same in the results of all three, and the rest is left out.
  Storefront_recommend_result result;
  result.overloaded.message = "too busy to answer in time";
  result.overloaded.retry_after_ms = retry_after_ms;
  result.__isset.overloaded = true;
  result.write(&out);
}

}  // namespace vitrine
