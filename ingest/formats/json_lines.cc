#include "ingest/formats/json_lines.h"

#include <limits>
#include <optional>
#include <simdjson.h>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "ingest/clock_repair.h"
#include "ingest/money.h"
#include "ingest/reasons.h"
#include "ingest/time_parser.h"
#include "store/base/check.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine {
namespace {

namespace ondemand = simdjson::ondemand;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status BadJson(simdjson::error_code code) {
  return Fault(reasons::kBadJson, simdjson::error_message(code));
}

#define RETURN_IF_JSON_ERROR(expression)                                               \
  do {                                                                                 \
    if (const simdjson::error_code code_ = (expression); code_ != simdjson::SUCCESS) { \
      return BadJson(code_);                                                           \
    }                                                                                  \
  } while (false)

// A text field of Event: what it is called, how it is set, and the reason if it is no text.
struct TextField {
  absl::string_view name;
  void (Event::*set)(const std::string&);
  absl::string_view reason;
};

constexpr TextField kTextFields[] = {
    {"id", &Event::__set_id, reasons::kBadId},
    {"customer_id", &Event::__set_customer_id, reasons::kBadId},
    {"visitor_id", &Event::__set_visitor_id, reasons::kBadId},
    {"order_id", &Event::__set_order_id, reasons::kBadId},
    {"recommendation_id", &Event::__set_recommendation_id, reasons::kBadId},
    {"currency", &Event::__set_currency, reasons::kBadCurrency},
    {"search_terms", &Event::__set_search_terms, reasons::kBadEvent},
    {"url", &Event::__set_url, reasons::kBadEvent},
    {"referrer", &Event::__set_referrer, reasons::kBadEvent},
    {"country", &Event::__set_country, reasons::kBadEvent},
    {"user_agent", &Event::__set_user_agent, reasons::kBadEvent},
    {"channel_name", &Event::__set_channel_name, reasons::kBadId},
};

// A value that is there: which field it is of (for messages) and why a wrong one is rejected.
struct Field {
  std::string name;
  absl::string_view reason;
  ondemand::value value;
};

absl::Status ReadText(Field field, std::string* text) {
  std::string_view read;
  if (field.value.get_string().get(read) != simdjson::SUCCESS) {
    return Fault(field.reason, field.name, " must be a string");
  }
  text->assign(read.data(), read.size());
  return absl::OkStatus();
}

absl::Status ReadInteger(Field field, int64_t* number) {
  if (field.value.get_int64().get(*number) != simdjson::SUCCESS) {
    return Fault(field.reason, field.name, " must be a whole number");
  }
  return absl::OkStatus();
}

absl::Status ReadBool(Field field, bool* truth) {
  if (field.value.get_bool().get(*truth) != simdjson::SUCCESS) {
    return Fault(field.reason, field.name, " must be true or false");
  }
  return absl::OkStatus();
}

absl::Status ReadNumber(Field field, double* number) {
  if (field.value.get_double().get(*number) != simdjson::SUCCESS) {
    return Fault(field.reason, field.name, " must be a number");
  }
  return absl::OkStatus();
}

absl::Status ReadChannel(Field field, Channel* channel) {
  std::string text;
  RETURN_IF_ERROR(ReadText(std::move(field), &text));
  const std::optional<Channel> known = ParseChannel(text);
  if (!known) return Fault(reasons::kBadChannel, "no channel is called ", Shown(text));
  *channel = *known;
  return absl::OkStatus();
}

// With or without its "was_": "opened", "bounced" say as much.
absl::Status ReadProgress(Field field, ContactProgress* progress) {
  const std::string name = field.name;
  std::string text;
  RETURN_IF_ERROR(ReadText(std::move(field), &text));
  for (const char* prefix : {"", "was_", "has_"}) {
    if (const auto known = ParseContactProgress(absl::StrCat(prefix, text))) {
      *progress = *known;
      return absl::OkStatus();
    }
  }
  return Fault(reasons::kBadEvent, name, ": no contact is ", Shown(text));
}

// The digits of a number as they stand in the line, or the text of a string.
absl::Status ReadDecimal(Field field, std::string* digits) {
  ondemand::json_type type;
  RETURN_IF_JSON_ERROR(field.value.type().get(type));
  if (type != ondemand::json_type::number) return ReadText(std::move(field), digits);
  absl::string_view token = View(field.value.raw_json_token());
  *digits = std::string(token.substr(0, token.find_last_not_of(" \t\r\n") + 1));
  return absl::OkStatus();
}

template <typename Function>
absl::Status ForEachField(ondemand::object object, const Function& function) {
  for (auto result : object) {
    ondemand::field field;
    RETURN_IF_JSON_ERROR(std::move(result).get(field));
    std::string_view key;
    RETURN_IF_JSON_ERROR(field.unescaped_key().get(key));
    bool is_null;
    RETURN_IF_JSON_ERROR(field.value().is_null().get(is_null));
    if (!is_null) RETURN_IF_ERROR(function(View(key), field.value()));
  }
  return absl::OkStatus();
}

// Gives `function` each field of the object `name`, as Field with the reason `bad_event`.
template <typename Function>
absl::Status ForEachFieldOf(absl::string_view name, ondemand::value value,
                            const Function& function) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return Fault(reasons::kBadEvent, name, " must be an object");
  }
  return ForEachField(object, [&](absl::string_view key, ondemand::value part) {
    return function(key, Field{absl::StrCat(name, ".", key), reasons::kBadEvent, part});
  });
}

absl::Status Missing(absl::string_view name) {
  return Fault(reasons::kMissingField, name, " is not there");
}

absl::Status ReadConsent(ondemand::value value, Event* event) {
  Consent consent;
  bool has_channel = false, has_granted = false;
  const auto read = [&](absl::string_view key, Field field) -> absl::Status {
    std::string text;
    if (key == "channel") {
      has_channel = true;
      return ReadChannel(std::move(field), &consent.channel);
    } else if (key == "purpose") {
      return ReadText(std::move(field), &consent.purpose);
    } else if (key == "granted") {
      has_granted = true;
      return ReadBool(std::move(field), &consent.granted);
    } else if (key == "source") {
      RETURN_IF_ERROR(ReadText(std::move(field), &text));
      consent.__set_source(text);
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachFieldOf("consent", value, read));
  // A word that is half there must not become a yes, or a no, to everything.
  if (!has_channel) return Missing("consent.channel");
  if (!has_granted) return Missing("consent.granted");
  event->__set_consent(consent);
  return absl::OkStatus();
}

struct NoteField {
  absl::string_view name;
  void (ContactNote::*set)(const std::string&);
};

constexpr NoteField kNoteFields[] = {
    {"contact_id", &ContactNote::__set_contact_id}, {"purpose", &ContactNote::__set_purpose},
    {"campaign", &ContactNote::__set_campaign},     {"case_id", &ContactNote::__set_case_id},
    {"topic", &ContactNote::__set_topic},           {"outcome", &ContactNote::__set_outcome},
};

absl::Status ReadContact(ondemand::value value, Event* event) {
  ContactNote note;
  const auto read = [&](absl::string_view key, Field field) -> absl::Status {
    for (const NoteField& known : kNoteFields) {
      if (key != known.name) continue;
      field.reason = reasons::kBadId;
      std::string text;
      RETURN_IF_ERROR(ReadText(std::move(field), &text));
      (note.*known.set)(text);
      return absl::OkStatus();
    }
    if (key == "inbound") return ReadBool(std::move(field), &note.inbound);
    if (key == "progress") return ReadProgress(std::move(field), &note.progress);
    if (key == "cost_minor") {
      field.reason = reasons::kBadPrice;
      int64_t cost;
      RETURN_IF_ERROR(ReadInteger(std::move(field), &cost));
      note.__set_cost_minor(cost);
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachFieldOf("contact", value, read));
  if (note.contact_id.empty()) return Missing("contact.contact_id");
  if (note.purpose.empty()) return Missing("contact.purpose");
  event->__set_contact(note);
  return absl::OkStatus();
}

absl::Status ReadRating(ondemand::value value, Event* event) {
  Rating rating;
  bool has_value = false;
  const auto read = [&](absl::string_view key, Field field) -> absl::Status {
    if (key == "value") {
      has_value = true;
      return ReadNumber(std::move(field), &rating.value);
    }
    if (key == "best") return ReadNumber(std::move(field), &rating.best);
    if (key == "about") return ReadText(std::move(field), &rating.about);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachFieldOf("rating", value, read));
  if (!has_value) return Missing("rating.value");
  event->__set_rating(rating);
  return absl::OkStatus();
}

absl::Status ReadGrants(ondemand::value value, Event* event) {
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) {
    return Fault(reasons::kBadEvent, "grants must be a list");
  }
  std::vector<std::string> grants;
  for (auto element : array) {
    ondemand::value grant;
    RETURN_IF_JSON_ERROR(std::move(element).get(grant));
    if (grants.size() == limits::kGrantsPerEventMax) {
      return Fault(reasons::kBadEvent, "grants has more than ", limits::kGrantsPerEventMax);
    }
    const std::string name = absl::StrCat("grants[", grants.size(), "]");
    RETURN_IF_ERROR(ReadText({name, reasons::kBadId, grant}, &grants.emplace_back()));
  }
  event->__set_grants(grants);
  return absl::OkStatus();
}

// The objects of an event that are about the customer rather than about products.
struct RelationField {
  absl::string_view name;
  absl::Status (*read)(ondemand::value value, Event* event);
};

constexpr RelationField kRelationFields[] = {
    {"consent", &ReadConsent},
    {"contact", &ReadContact},
    {"rating", &ReadRating},
    {"grants", &ReadGrants},
};

}  // namespace

struct JsonEventParser::Impl {
  Impl(absl::string_view currency, TimeParser time)
      : default_currency(currency), rfc3339(std::move(time)) {}

  absl::Status ReadEvent(absl::string_view line, Event* event);
  absl::Status ReadEventField(absl::string_view key, ondemand::value value, Event* event);
  absl::Status ReadItems(ondemand::value value, Event* event);
  absl::Status ReadItem(const std::string& name, ondemand::value value, Item* item);
  absl::Status Complete(Event* event);

  const std::string default_currency;
  TimeParser rfc3339;
  ondemand::parser parser;
  std::string padded;               // the line, with the room behind it that simdjson reads
  std::vector<std::string> prices;  // decimal prices by item, until the currency is known
  bool has_time = false;
  bool has_kind = false;
  std::optional<int64_t> sent_ms, received_ms;
};

JsonEventParser::JsonEventParser(absl::string_view default_currency) {
  absl::StatusOr<TimeParser> rfc3339 = TimeParser::Create(absl::RFC3339_full, "UTC");
  CHECK(rfc3339.ok()) << rfc3339.status().ToString();
  impl_ = std::make_unique<Impl>(default_currency, *std::move(rfc3339));
}

JsonEventParser::~JsonEventParser() = default;

absl::Status JsonEventParser::Parse(absl::string_view line, Event* event) {
  *event = Event();
  impl_->prices.clear();
  impl_->has_time = impl_->has_kind = false;
  impl_->sent_ms = impl_->received_ms = std::nullopt;
  RETURN_IF_ERROR(impl_->ReadEvent(line, event));
  return impl_->Complete(event);
}

absl::Status JsonEventParser::Impl::ReadEvent(absl::string_view line, Event* event) {
  padded.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  padded.assign(line.data(), line.size());
  ondemand::document document;
  RETURN_IF_JSON_ERROR(parser.iterate(padded.data(), line.size(), padded.capacity()).get(document));
  ondemand::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) {
    return Fault(reasons::kBadJson, "the line must be one JSON object");
  }
  RETURN_IF_ERROR(ForEachField(object, [&](absl::string_view key, ondemand::value value) {
    return ReadEventField(key, value, event);
  }));
  if (document.current_location().error() == simdjson::SUCCESS) {
    return Fault(reasons::kBadJson, "something follows the object");
  }
  return absl::OkStatus();
}

absl::Status JsonEventParser::Impl::ReadEventField(absl::string_view key, ondemand::value value,
                                                   Event* event) {
  const auto field = [&](absl::string_view reason) {
    return Field{std::string(key), reason, value};
  };
  for (const TextField& known : kTextFields) {
    if (key != known.name) continue;
    std::string text;
    RETURN_IF_ERROR(ReadText(field(known.reason), &text));
    (event->*known.set)(text);
    return absl::OkStatus();
  }
  for (const RelationField& known : kRelationFields) {
    if (key == known.name) return known.read(value, event);
  }
  std::string text;
  if (key == "time_ms") {
    has_time = true;
    return ReadInteger(field(reasons::kBadTime), &event->time_ms);
  }
  if (key == "sent_ms") {
    return ReadInteger(field(reasons::kBadTime), &sent_ms.emplace());
  }
  if (key == "received_ms") {
    return ReadInteger(field(reasons::kBadTime), &received_ms.emplace());
  }
  if (key == "time") {
    RETURN_IF_ERROR(ReadText(field(reasons::kBadTime), &text));
    has_time = true;
    return rfc3339.Parse(text, &event->time_ms);
  }
  if (key == "kind") {
    RETURN_IF_ERROR(ReadText(field(reasons::kBadKind), &text));
    const std::optional<EventKind> kind = ParseEventKind(text);
    if (!kind) return Fault(reasons::kBadKind, "no kind is called ", Shown(text));
    event->kind = *kind;
    has_kind = true;
  } else if (key == "channel") {
    return ReadChannel(field(reasons::kBadChannel), &event->channel);
  } else if (key == "items") {
    return ReadItems(value, event);
  }
  return absl::OkStatus();
}

absl::Status JsonEventParser::Impl::ReadItems(ondemand::value value, Event* event) {
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) {
    return Fault(reasons::kBadEvent, "items must be a list");
  }
  event->items.clear();
  prices.clear();
  for (auto element : array) {
    ondemand::value item;
    RETURN_IF_JSON_ERROR(std::move(element).get(item));
    if (event->items.size() == limits::kItemsPerEventMax) {
      return Fault(reasons::kTooManyItems, "items has more than ", limits::kItemsPerEventMax);
    }
    const std::string name = absl::StrCat("items[", event->items.size(), "]");
    prices.emplace_back();
    RETURN_IF_ERROR(ReadItem(name, item, &event->items.emplace_back()));
  }
  event->__isset.items = true;
  return absl::OkStatus();
}

absl::Status JsonEventParser::Impl::ReadItem(const std::string& name, ondemand::value value,
                                             Item* item) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return Fault(reasons::kBadEvent, name, " must be an object");
  }
  return ForEachField(object, [&](absl::string_view key, ondemand::value part) -> absl::Status {
    const auto field = [&](absl::string_view reason) {
      return Field{absl::StrCat(name, ".", key), reason, part};
    };
    std::string text;
    int64_t number;
    if (key == "product_id") {
      return ReadText(field(reasons::kBadId), &item->product_id);
    } else if (key == "quantity") {
      RETURN_IF_ERROR(ReadInteger(field(reasons::kBadQuantity), &number));
      if (number < 1 || number > limits::kQuantityMax) {
        return Fault(reasons::kBadQuantity, name, ".quantity must be 1 to ", limits::kQuantityMax);
      }
      item->quantity = static_cast<int32_t>(number);
    } else if (key == "price_minor") {
      RETURN_IF_ERROR(ReadInteger(field(reasons::kBadPrice), &number));
      item->__set_price_minor(number);
    } else if (key == "price") {
      return ReadDecimal(field(reasons::kBadPrice), &prices.back());
    } else if (key == "name") {
      RETURN_IF_ERROR(ReadText(field(reasons::kBadEvent), &text));
      item->__set_name(text);
    } else if (key == "category") {
      RETURN_IF_ERROR(ReadText(field(reasons::kBadEvent), &text));
      item->__set_category(text);
    }
    return absl::OkStatus();
  });
}

// What only the whole line tells: is anything missing, and what a decimal price is in minor units.
absl::Status JsonEventParser::Impl::Complete(Event* event) {
  if (!has_time) return Fault(reasons::kMissingField, "neither time nor time_ms is there");
  if (!has_kind) return Fault(reasons::kMissingField, "kind is not there");
  if (sent_ms.has_value() && received_ms.has_value()) {
    event->time_ms = RepairedTimeMs(event->time_ms, *sent_ms, *received_ms);
  }
  bool priced = event->contact.__isset.cost_minor;
  for (size_t i = 0; i < prices.size(); ++i) {
    priced = priced || event->items[i].__isset.price_minor || !prices[i].empty();
  }
  if (priced && !event->__isset.currency) {
    if (default_currency.empty()) {
      return Fault(reasons::kMissingField, "currency is not there, and prices are");
    }
    event->__set_currency(default_currency);
  }
  for (size_t i = 0; i < prices.size(); ++i) {
    if (prices[i].empty()) continue;
    int64_t price_minor;
    RETURN_IF_ERROR(ParsePrice(prices[i], MinorDigits(event->currency), &price_minor));
    event->items[i].__set_price_minor(price_minor);
  }
  return absl::OkStatus();
}

}  // namespace vitrine
