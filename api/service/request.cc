#include "api/service/request.h"

#include "absl/strings/str_cat.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/identity.h"
#include "store/web_house.h"

namespace vitrine {
namespace {

absl::Status CheckText(absl::string_view field, absl::string_view text) {
  if (text.size() <= limits::kTextBytesMax) return absl::OkStatus();
  return BadField(field, absl::StrCat("is longer than ", limits::kTextBytesMax, " bytes"));
}

}  // namespace

absl::Status BadField(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

absl::Status CheckContext(const Context& context) {
  if (context.deadline_ms < 1 || context.deadline_ms > limits::kDeadlineMsMax) {
    return BadField(
        "context.deadline_ms",
        absl::StrCat(context.deadline_ms, " is not between 1 and ", limits::kDeadlineMsMax));
  }
  if (context.__isset.request_id && context.request_id.size() > limits::kIdBytesMax) {
    return BadField("context.request_id", "is longer than 256 bytes");
  }
  if (context.__isset.customer_id) {
    RETURN_IF_ERROR(Annotate(ValidId(context.customer_id), "context.customer_id"));
  }
  if (context.__isset.visitor_id) {
    RETURN_IF_ERROR(Annotate(ValidId(context.visitor_id), "context.visitor_id"));
  }
  if (context.attributes.size() > limits::kContextAttributesMax) {
    return BadField("context.attributes",
                    absl::StrCat("more than ", limits::kContextAttributesMax));
  }
  for (const auto& [name, value] : context.attributes) {
    if (name.size() > limits::kIdBytesMax || value.size() > limits::kIdBytesMax) {
      return BadField("context.attributes",
                      absl::StrCat("longer than ", limits::kIdBytesMax, " bytes"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPage(const PageFacts& page) {
  if (page.__isset.product_id)
    RETURN_IF_ERROR(Annotate(ValidId(page.product_id), "page.product_id"));
  RETURN_IF_ERROR(CheckText("page.category", page.category));
  return CheckText("page.search_terms", page.search_terms);
}

bool IsSomebody(const Context& context) {
  return context.personalize && (context.__isset.customer_id || context.__isset.visitor_id);
}

Person PersonOf(const Context& context) {
  return context.__isset.customer_id ? Person::Customer(context.customer_id)
                                     : Person::Visitor(context.visitor_id);
}

RequestTime::RequestTime(const Clock* clock, int64_t arrived_ns, uint64_t number,
                         const Context& context)
    : clock_(clock),
      deadline_ns_(arrived_ns + int64_t{context.deadline_ms} * 1'000'000),
      id_(context.__isset.request_id ? context.request_id
                                     : absl::StrCat("r", clock->NowMs(), "-", number)) {}

absl::Status RequestTime::CheckDeadline() const {
  const int64_t late_ns = clock_->SteadyNs() - deadline_ns_;
  if (late_ns <= 0) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("request ", id_, " was ", late_ns / 1'000'000, " ms late"));
}

}  // namespace vitrine
