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
    RETURN_IF_ERROR(ReadText(field(reasons::kBadChannel), &text));
    const std::optional<Channel> channel = ParseChannel(text);
    if (!channel) return Fault(reasons::kBadChannel, "no channel is called ", Shown(text));
    event->channel = *channel;
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
  bool priced = false;
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
