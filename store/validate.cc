#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/base/utf8.h"
#include "store/identity.h"
#include "store/web_house.h"

namespace vitrine {
namespace {

// The number that stands in an enum field. A peer can send any, and to load one that the enum does
// not have would be undefined.
template <typename Enum>
int32_t NumberIn(const Enum& field) {
  int32_t number;
  static_assert(sizeof(field) == sizeof(number));
  std::memcpy(&number, &field, sizeof(number));
  return number;
}

absl::Status BadId(absl::string_view field, absl::string_view id) {
  if (absl::Status status = ValidId(id); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("bad_id: ", field, ": ", status.message()));
  }
  return absl::OkStatus();
}

// DropNobodysIds comes before; an event that did not pass it must not make one person of many.
absl::Status BadPersonId(absl::string_view field, absl::string_view id) {
  RETURN_IF_ERROR(BadId(field, id));
  if (!IsNobodysId(id)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("nobodys_id: ", field, " is a word for nobody"));
}

absl::Status BadText(absl::string_view field, absl::string_view text) {
  if (text.size() > limits::kTextBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("text_too_long: ", field, " has ", text.size(),
                                                   " bytes, at most ", limits::kTextBytesMax));
  }
  if (!IsUtf8(text)) {
    return absl::InvalidArgumentError(absl::StrCat("invalid_utf8: ", field, " is not UTF-8"));
  }
  return absl::OkStatus();
}

absl::Status ValidateItem(const Item& item) {
  RETURN_IF_ERROR(BadId("product_id", item.product_id));
  if (item.quantity < 1 || item.quantity > limits::kQuantityMax) {
    return absl::InvalidArgumentError(absl::StrCat("bad_quantity: ", item.quantity,
                                                   " is not between 1 and ", limits::kQuantityMax));
  }
  if (item.__isset.price_minor &&
      (item.price_minor < 0 || item.price_minor > limits::kPriceMinorMax)) {
    return absl::InvalidArgumentError(absl::StrCat("bad_price: ", item.price_minor,
                                                   " minor units is not between 0 and ",
                                                   limits::kPriceMinorMax));
  }
  if (item.__isset.name) RETURN_IF_ERROR(BadText("name", item.name));
  if (item.__isset.category) RETURN_IF_ERROR(BadText("category", item.category));
  return absl::OkStatus();
}

absl::Status ValidateConsent(const Event& event) {
  if (!event.__isset.consent) {
    return event.kind == EventKind::CONSENT
               ? absl::InvalidArgumentError("missing_field: a consent event without consent")
               : absl::OkStatus();
  }
  const Consent& consent = event.consent;
  const int32_t channel = NumberIn(consent.channel);
  if (channel < Channel::WEB || channel > Channel::OTHER_CHANNEL) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad_channel: consent: ", channel, " is no channel"));
  }
  RETURN_IF_ERROR(BadId("consent.purpose", consent.purpose));
  return consent.__isset.source ? BadText("consent.source", consent.source) : absl::OkStatus();
}

absl::Status ValidateTexts(const Event& event) {
  if (event.__isset.search_terms) RETURN_IF_ERROR(BadText("search_terms", event.search_terms));
  if (event.__isset.url) RETURN_IF_ERROR(BadText("url", event.url));
  if (event.__isset.referrer) RETURN_IF_ERROR(BadText("referrer", event.referrer));
  if (event.__isset.country) RETURN_IF_ERROR(BadText("country", event.country));
  if (event.__isset.user_agent) RETURN_IF_ERROR(BadText("user_agent", event.user_agent));
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateEvent(const Event& event) {
  RETURN_IF_ERROR(BadId("id", event.id));
  if (!event.__isset.customer_id && !event.__isset.visitor_id) {
    return absl::InvalidArgumentError("missing_field: neither customer_id nor visitor_id is given");
  }
  if (event.__isset.customer_id) RETURN_IF_ERROR(BadPersonId("customer_id", event.customer_id));
  if (event.__isset.visitor_id) RETURN_IF_ERROR(BadPersonId("visitor_id", event.visitor_id));
  if (event.__isset.order_id) RETURN_IF_ERROR(BadId("order_id", event.order_id));
  const int32_t kind = NumberIn(event.kind);
  if (kind < EventKind::PAGE_VIEW || kind > EventKind::RATING) {
    return absl::InvalidArgumentError(absl::StrCat("bad_kind: ", kind, " is no event kind"));
  }
  const int32_t channel = NumberIn(event.channel);
  if (channel < Channel::WEB || channel > Channel::OTHER_CHANNEL) {
    return absl::InvalidArgumentError(absl::StrCat("bad_channel: ", channel, " is no channel"));
  }
  if (event.time_ms < limits::kTimeMsMin || event.time_ms > limits::kTimeMsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad_time: ", event.time_ms, " ms is not between the years 1990 and 2100"));
  }
  if (event.__isset.currency && event.currency.size() != 3) {
    return absl::InvalidArgumentError("bad_currency: not a code of three letters");
  }
  if (event.items.size() > limits::kItemsPerEventMax) {
    return absl::InvalidArgumentError(absl::StrCat("too_many_items: ", event.items.size(),
                                                   ", at most ", limits::kItemsPerEventMax));
  }
  for (const Item& item : event.items) RETURN_IF_ERROR(ValidateItem(item));
  RETURN_IF_ERROR(ValidateConsent(event));
  return ValidateTexts(event);
}

}  // namespace vitrine
