#include "ingest/formats/dialect_fields.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "ingest/money.h"
#include "ingest/reasons.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/product_facts.h"

namespace vitrine {
namespace {

// What GA4's exports write for nothing.
constexpr absl::string_view kNotSet = "(not set)";

bool IsSet(absl::string_view text) { return !text.empty() && text != kNotSet; }

}  // namespace

JsonValue FirstOf(const JsonValue& object, std::initializer_list<absl::string_view> names) {
  JsonValue found = object[""];
  for (const absl::string_view name : names) {
    found = object[name];
    if (!found.is_null()) break;
  }
  return found;
}

template <typename Record>
absl::Status SetText(const JsonValue& value, absl::string_view reason, TextSetter<Record> set,
                     Record* record) {
  if (value.is_null()) return absl::OkStatus();
  if (!value.is_string()) return Fault(reason, value.key(), " must be a string");
  if (IsSet(value.text())) (record->*set)(std::string(value.text()));
  return absl::OkStatus();
}

template <typename Record>
absl::Status SetId(const JsonValue& value, TextSetter<Record> set, Record* record) {
  if (value.is_number()) {
    (record->*set)(std::string(value.text()));
    return absl::OkStatus();
  }
  return SetText(value, reasons::kBadId, set, record);
}

template absl::Status SetText(const JsonValue&, absl::string_view, TextSetter<Event>, Event*);
template absl::Status SetText(const JsonValue&, absl::string_view, TextSetter<Item>, Item*);
template absl::Status SetText(const JsonValue&, absl::string_view, TextSetter<Product>, Product*);
template absl::Status SetText(const JsonValue&, absl::string_view, TextSetter<CustomerFacts>,
                              CustomerFacts*);
template absl::Status SetId(const JsonValue&, TextSetter<Event>, Event*);
template absl::Status SetId(const JsonValue&, TextSetter<Product>, Product*);
template absl::Status SetId(const JsonValue&, TextSetter<CustomerFacts>, CustomerFacts*);

bool LooksLikeRecommendationId(absl::string_view text) {
  const std::vector<absl::string_view> groups = absl::StrSplit(text, '-');
  const auto is_hex = [](absl::string_view group) {
    return !group.empty() && group.size() <= 16 &&
           group.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
  };
  // Milliseconds of the years 2004 to 2527.
  constexpr size_t kTimeDigits = 11;
  return groups.size() == 3 && groups[0].size() == kTimeDigits && is_hex(groups[0]) &&
         is_hex(groups[1]) && is_hex(groups[2]);
}

absl::Status SetRecommendation(const JsonValue& recommendation, const JsonValue& list,
                               Event* event) {
  if (list.is_string() && LooksLikeRecommendationId(list.text())) {
    event->__set_recommendation_id(std::string(list.text()));
  }
  return SetId(recommendation, &Event::__set_recommendation_id, event);
}

absl::Status ReadWhole(const JsonValue& value, absl::string_view reason, int64_t* number) {
  absl::string_view digits = value.text();
  if (const size_t point = digits.find('.'); point != absl::string_view::npos) {
    const bool zeros = digits.find_first_not_of('0', point + 1) == absl::string_view::npos;
    if (zeros && point > 0) digits = digits.substr(0, point);
  }
  if (absl::SimpleAtoi(digits, number)) return absl::OkStatus();
  return Fault(reason, value.key(), " must be a whole number");
}

absl::Status ReadMicros(const JsonValue& value, int64_t* time_ms) {
  int64_t micros;
  RETURN_IF_ERROR(ReadWhole(value, reasons::kBadTime, &micros));
  *time_ms = micros / 1000 - (micros % 1000 < 0 ? 1 : 0);
  return absl::OkStatus();
}

absl::Status ItemReader::Read(const JsonValue& products, const JsonValue& currency, Event* event) {
  currency_.clear();
  prices_.clear();
  RETURN_IF_ERROR(TakeCurrency(currency));
  if (products.is_null()) return absl::OkStatus();
  if (!products.is_array() && !products.is_object()) {
    return Fault(reasons::kBadEvent, products.key(), " must be a list");
  }
  const std::vector<JsonValue> items =
      products.is_array() ? products.children() : std::vector<JsonValue>{products};
  if (items.size() > limits::kItemsPerEventMax) {
    return Fault(reasons::kTooManyItems, products.key(), " has ", items.size(), ", at most ",
                 limits::kItemsPerEventMax);
  }
  event->__isset.items = !items.empty();
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string name = products.is_array() ? absl::StrCat(products.key(), "[", i, "]")
                                                 : std::string(products.key());
    RETURN_IF_ERROR(ReadItem(name, items[i], event));
  }
  return SetPrices(event);
}

absl::Status ItemReader::TakeCurrency(const JsonValue& value) {
  if (value.is_null() || (value.is_string() && value.text().empty())) return absl::OkStatus();
  const std::string code = absl::AsciiStrToUpper(value.text());
  if (!value.is_string() || !IsCurrencyCode(code)) {
    return Fault(reasons::kBadCurrency, value.key(), " is no ISO 4217 code");
  }
  if (!currency_.empty() && currency_ != code) {
    return Fault(reasons::kBadCurrency, "one event has prices in ", currency_, " and in ", code);
  }
  currency_ = code;
  return absl::OkStatus();
}

absl::Status ItemReader::ReadItem(const std::string& name, const JsonValue& value, Event* event) {
  if (!value.is_object()) return Fault(reasons::kBadEvent, name, " must be an object");
  Item& item = event->items.emplace_back();
  const JsonValue id = FirstOf(value, fields_.id);
  if (!id.is_string() && !id.is_number()) {
    return Fault(reasons::kMissingField, name, " has no product id");
  }
  item.product_id = std::string(id.text());
  RETURN_IF_ERROR(SetText(value[fields_.name], reasons::kBadEvent, &Item::__set_name, &item));
  std::string path;
  for (const absl::string_view level : fields_.categories) {
    const JsonValue category = value[level];
    if (!category.is_string() || !IsSet(category.text())) continue;
    absl::StrAppend(&path, path.empty() ? "" : kCategorySeparator, category.text());
  }
  if (!path.empty()) item.__set_category(path);
  if (const JsonValue quantity = value[fields_.quantity]; !quantity.is_null()) {
    int64_t pieces;
    RETURN_IF_ERROR(ReadWhole(quantity, reasons::kBadQuantity, &pieces));
    if (pieces < 1 || pieces > limits::kQuantityMax) {
      return Fault(reasons::kBadQuantity, name, ": ", pieces, " is not between 1 and ",
                   limits::kQuantityMax);
    }
    item.quantity = static_cast<int32_t>(pieces);
  }
  const JsonValue price = value[fields_.price];
  if (!price.is_null() && !price.is_number() && !price.is_string()) {
    return Fault(reasons::kBadPrice, name, ": the price must be a number");
  }
  prices_.emplace_back(price.text());
  if (!prices_.back().empty()) RETURN_IF_ERROR(TakeCurrency(value["currency"]));
  return absl::OkStatus();
}

absl::Status ItemReader::SetPrices(Event* event) {
  if (currency_.empty()) currency_ = default_currency_;
  for (size_t i = 0; i < prices_.size(); ++i) {
    if (prices_[i].empty()) continue;
    if (currency_.empty()) {
      return Fault(reasons::kMissingField, "currency is not there, and prices are");
    }
    int64_t price_minor;
    RETURN_IF_ERROR(ParsePrice(prices_[i], MinorDigits(currency_), &price_minor));
    event->items[i].__set_price_minor(price_minor);
    event->__set_currency(currency_);
  }
  return absl::OkStatus();
}

Element Ignored(absl::string_view reason) {
  Element element;
  element.kind = Element::Kind::kIgnored;
  element.reason = std::string(reason);
  return element;
}

Element Rejected(const absl::Status& fault) {
  const FaultText text = ParseFault(fault.message());
  Element element;
  element.kind = Element::Kind::kRejected;
  element.reason = std::string(text.reason);
  element.detail = std::string(text.detail);
  return element;
}

void TooMany(absl::string_view line, std::vector<Element>* elements) {
  elements->push_back(Rejected(
      Fault(reasons::kTooManyElements, "a line holds more than ", limits::kElementsPerLineMax)));
  KeepRaw(line, "", "", &elements->back());
}

void KeepRaw(absl::string_view whole, absl::string_view batch, absl::string_view part,
             Element* element) {
  if (element->kind != Element::Kind::kRejected) return;
  const size_t begin = batch.empty() ? 0 : static_cast<size_t>(batch.data() - whole.data());
  const absl::string_view pieces[] = {whole.substr(0, begin), batch.empty() ? "" : "[", part,
                                      batch.empty() ? "" : "]", whole.substr(begin + batch.size())};
  for (const absl::string_view piece : pieces) {
    const size_t room = limits::kRejectRawBytesMax - element->raw.size();
    absl::StrAppend(&element->raw, piece.substr(0, room));
    element->raw_bytes += static_cast<int64_t>(piece.size());
  }
}

}  // namespace vitrine
