#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/base/utf8.h"
#include "store/enum_number.h"
#include "store/event_names.h"
#include "store/identity.h"
#include "store/web_house.h"

namespace vitrine {
namespace {

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

absl::Status BadAmount(absl::string_view field, int64_t minor, int64_t low) {
  if (minor >= low && minor <= limits::kPriceMinorMax) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("bad_price: ", field, ": ", minor,
                                                 " minor units is not between ", low, " and ",
                                                 limits::kPriceMinorMax));
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
  if (!IsChannel(consent.channel)) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad_channel: consent: ", NumberIn(consent.channel), " is no channel"));
  }
  RETURN_IF_ERROR(BadId("consent.purpose", consent.purpose));
  return consent.__isset.source ? BadText("consent.source", consent.source) : absl::OkStatus();
}

absl::Status ValidateContact(const ContactNote& contact) {
  RETURN_IF_ERROR(BadId("contact.contact_id", contact.contact_id));
  RETURN_IF_ERROR(BadId("contact.purpose", contact.purpose));
  const int32_t progress = NumberIn(contact.progress);
  if (progress < ContactProgress::WAS_SENT || progress > ContactProgress::WAS_COMPLAINED_OF) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad_event: contact.progress: ", progress, " is not how far a contact gets"));
  }
  const auto& set = contact.__isset;
  if (set.campaign) RETURN_IF_ERROR(BadId("contact.campaign", contact.campaign));
  if (set.case_id) RETURN_IF_ERROR(BadId("contact.case_id", contact.case_id));
  if (set.topic) RETURN_IF_ERROR(BadId("contact.topic", contact.topic));
  if (set.outcome) RETURN_IF_ERROR(BadId("contact.outcome", contact.outcome));
  return set.cost_minor ? BadAmount("contact.cost", contact.cost_minor, 0) : absl::OkStatus();
}

absl::Status ValidateRating(const Rating& rating) {
  // Written so that what is no number fails too.
  if (!(rating.best > 0 && rating.best <= limits::kBestRatingMax && rating.value >= 0 &&
        rating.value <= rating.best)) {
    return absl::InvalidArgumentError(absl::StrCat("bad_event: rating: ", rating.value, " of ",
                                                   rating.best, " is not between 0 and the best"));
  }
  return BadId("rating.about", rating.about);
}

// What belongs to customers rather than to pages.
absl::Status ValidateRelations(const Event& event) {
  const auto& set = event.__isset;
  RETURN_IF_ERROR(ValidateConsent(event));
  if (set.contact) RETURN_IF_ERROR(ValidateContact(event.contact));
  if (set.rating) RETURN_IF_ERROR(ValidateRating(event.rating));
  if (set.channel_name) RETURN_IF_ERROR(BadId("channel_name", event.channel_name));
  if (event.grants.size() > limits::kGrantsPerEventMax) {
    return absl::InvalidArgumentError(absl::StrCat("bad_event: grants: ", event.grants.size(),
                                                   ", at most ", limits::kGrantsPerEventMax));
  }
  for (const std::string& grant : event.grants) RETURN_IF_ERROR(BadId("grants", grant));
  return absl::OkStatus();
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
  if (event.__isset.recommendation_id) {
    RETURN_IF_ERROR(BadId("recommendation_id", event.recommendation_id));
  }
  const int32_t kind = NumberIn(event.kind);
  if (kind < EventKind::PAGE_VIEW || kind > EventKind::RATING) {
    return absl::InvalidArgumentError(absl::StrCat("bad_kind: ", kind, " is no event kind"));
  }
  if (!IsChannel(event.channel)) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad_channel: ", NumberIn(event.channel), " is no channel"));
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
  RETURN_IF_ERROR(ValidateRelations(event));
  return ValidateTexts(event);
}

namespace {

absl::Status BadAttributes(const std::map<std::string, std::string>& attributes) {
  if (attributes.size() > limits::kAttributesMax) {
    return absl::InvalidArgumentError(absl::StrCat("too_many_attributes: ", attributes.size(),
                                                   ", at most ", limits::kAttributesMax));
  }
  for (const auto& [name, value] : attributes) {
    RETURN_IF_ERROR(BadId("name of an attribute", name));
    RETURN_IF_ERROR(BadText("attribute", value));
  }
  return absl::OkStatus();
}

absl::Status BadTime(absl::string_view field, int64_t time_ms) {
  if (time_ms >= limits::kTimeMsMin && time_ms <= limits::kTimeMsMax) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("bad_time: ", field, ": ", time_ms,
                                                 " ms is not between the years 1990 and 2100"));
}

absl::Status BadMoney(const Product& product) {
  const auto& set = product.__isset;
  if (set.currency && product.currency.size() != 3) {
    return absl::InvalidArgumentError("bad_currency: not a code of three letters");
  }
  if ((set.price_minor || set.margin_minor) && !set.currency) {
    return absl::InvalidArgumentError("missing_field: a price or margin without a currency");
  }
  if (set.price_minor) RETURN_IF_ERROR(BadAmount("price", product.price_minor, 0));
  if (set.margin_minor) {
    RETURN_IF_ERROR(BadAmount("margin", product.margin_minor, -limits::kPriceMinorMax));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateProduct(const Product& product) {
  const auto& set = product.__isset;
  RETURN_IF_ERROR(BadId("id", product.id));
  if (set.name) RETURN_IF_ERROR(BadText("name", product.name));
  if (set.category) RETURN_IF_ERROR(BadText("category", product.category));
  if (set.brand) RETURN_IF_ERROR(BadText("brand", product.brand));
  if (set.image_url) RETURN_IF_ERROR(BadText("image_url", product.image_url));
  if (set.url) RETURN_IF_ERROR(BadText("url", product.url));
  RETURN_IF_ERROR(BadMoney(product));
  if (set.stock && (product.stock < 0 || product.stock > limits::kStockMax)) {
    return absl::InvalidArgumentError(absl::StrCat("bad_quantity: stock: ", product.stock,
                                                   " is not between 0 and ", limits::kStockMax));
  }
  if (set.available_from_ms) RETURN_IF_ERROR(BadTime("available_from", product.available_from_ms));
  if (set.available_to_ms) RETURN_IF_ERROR(BadTime("available_to", product.available_to_ms));
  if (set.available_from_ms && set.available_to_ms &&
      product.available_from_ms >= product.available_to_ms) {
    return absl::InvalidArgumentError("bad_time: available_to is not after available_from");
  }
  return set.attributes ? BadAttributes(product.attributes) : absl::OkStatus();
}

absl::Status ValidateCustomerFacts(const CustomerFacts& facts) {
  const auto& set = facts.__isset;
  RETURN_IF_ERROR(BadId("id", facts.id));
  if (set.name) RETURN_IF_ERROR(BadText("name", facts.name));
  if (set.email) RETURN_IF_ERROR(BadText("email", facts.email));
  if (set.phone) RETURN_IF_ERROR(BadText("phone", facts.phone));
  if (set.country) RETURN_IF_ERROR(BadText("country", facts.country));
  if (set.language) RETURN_IF_ERROR(BadText("language", facts.language));
  if (set.time_zone) RETURN_IF_ERROR(BadText("time_zone", facts.time_zone));
  return set.attributes ? BadAttributes(facts.attributes) : absl::OkStatus();
}

}  // namespace vitrine
