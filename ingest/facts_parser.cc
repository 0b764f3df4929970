#include "ingest/facts_parser.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "ingest/formats/dialect_fields.h"
#include "ingest/money.h"
#include "ingest/reasons.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/product_facts.h"
#include "store/web_house.h"

namespace vitrine {
namespace {

template <typename Record>
struct TextField {
  absl::string_view name;
  TextSetter<Record> set;
};

constexpr TextField<Product> kProductTexts[] = {{"name", &Product::__set_name},
                                                {"brand", &Product::__set_brand},
                                                {"image_url", &Product::__set_image_url},
                                                {"url", &Product::__set_url}};

constexpr TextField<CustomerFacts> kCustomerTexts[] = {
    {"name", &CustomerFacts::__set_name},         {"email", &CustomerFacts::__set_email},
    {"phone", &CustomerFacts::__set_phone},       {"country", &CustomerFacts::__set_country},
    {"language", &CustomerFacts::__set_language}, {"time_zone", &CustomerFacts::__set_time_zone}};

// What JSON values are as texts: strings and numbers as they are, true and false by their names.
absl::StatusOr<absl::string_view> TextOf(const JsonValue& value) {
  switch (value.type()) {
    case JsonTree::Type::kTrue:
      return "true";
    case JsonTree::Type::kFalse:
      return "false";
    case JsonTree::Type::kArray:
    case JsonTree::Type::kObject:
      return Fault(reasons::kBadEvent, value.key(), " must be a text or a number");
    default:
      return value.text();
  }
}

}  // namespace

FactsParser::FactsParser(const Mapping& mapping)
    : mapping_(&mapping), splitter_(mapping.delimiter), tree_(std::make_unique<JsonTree>()) {
  if (!mapping.facts.time_format.empty()) {
    times_.push_back(*TimeParser::Create(mapping.facts.time_format, mapping.facts.time_zone));
    return;
  }
  for (const absl::string_view format : {"%Y-%m-%d", absl::RFC3339_full}) {
    times_.push_back(*TimeParser::Create(format, "UTC"));
  }
}

absl::StatusOr<FactsParser> FactsParser::Create(const Mapping& mapping, absl::string_view header) {
  FactsParser parser(mapping);
  if (mapping.format != Mapping::Format::kCsv) return parser;
  const std::vector<absl::string_view>& names = parser.splitter_.Split(header);
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string name(absl::StripAsciiWhitespace(names[i]));
    if (!parser.columns_.emplace(name, i).second) {
      return absl::InvalidArgumentError(absl::StrCat("there are two columns \"", name, "\""));
    }
  }
  const auto known = [&](const std::string& column) -> absl::Status {
    if (parser.columns_.contains(column)) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no column \"", column, "\"; the file has: ", absl::StrJoin(names, ", ")));
  };
  for (const auto& [field, columns] : mapping.facts.columns) {
    for (const std::string& column : columns) RETURN_IF_ERROR(known(column));
  }
  return parser;
}

void FactsParser::Parse(absl::string_view line, int64_t now_ms, std::vector<Element>* elements) {
  const bool csv = mapping_->format == Mapping::Format::kCsv;
  const std::vector<absl::string_view> rows =
      csv ? std::vector<absl::string_view>{line} : SplitJsonValues(line);
  if (rows.empty()) elements->push_back(Ignored("array_bracket"));
  if (rows.size() > limits::kElementsPerLineMax) return TooMany(line, elements);
  for (const absl::string_view row : rows) {
    Element& element = elements->emplace_back();
    element.product.facts_time_ms = element.customer.facts_time_ms = now_ms;
    attributes_.clear();
    const absl::Status read = csv ? ReadCsv(row, &element) : ReadJson(row, &element);
    if (!read.ok()) element = Rejected(read);
    KeepRaw(row, "", "", &element);
  }
}

absl::Status FactsParser::ReadCsv(absl::string_view line, Element* element) {
  const std::vector<absl::string_view>& fields = splitter_.Split(line);
  if (fields.size() != columns_.size()) {
    return Fault(reasons::kWrongColumnCount, fields.size(), " columns, the header has ",
                 columns_.size());
  }
  const auto text = [&](const std::string& name) -> absl::StatusOr<absl::string_view> {
    return absl::StripAsciiWhitespace(fields[columns_.at(name)]);
  };
  const auto attributes = mapping_->facts.columns.find("attributes");
  if (attributes != mapping_->facts.columns.end()) {
    for (const std::string& column : attributes->second) {
      const absl::string_view value = absl::StripAsciiWhitespace(fields[columns_.at(column)]);
      if (!value.empty()) attributes_[column] = std::string(value);
    }
  }
  return Read(text, element);
}

absl::Status FactsParser::ReadJson(absl::string_view object, Element* element) {
  RETURN_IF_ERROR(tree_->Parse(object));
  const auto text = [&](const std::string& name) { return TextOf(tree_->root()[name]); };
  const auto named = mapping_->facts.columns.find("attributes");
  const JsonValue attributes =
      tree_->root()[named == mapping_->facts.columns.end() ? "attributes" : named->second[0]];
  if (!attributes.is_null() && !attributes.is_object()) {
    return Fault(reasons::kBadEvent, "attributes must be an object");
  }
  for (const JsonValue& attribute : attributes.children()) {
    ASSIGN_OR_RETURN(const absl::string_view value, TextOf(attribute));
    attributes_[std::string(attribute.key())] = std::string(value);
  }
  return Read(text, element);
}

absl::Status FactsParser::Read(Column column, Element* element) {
  if (mapping_->rows == Mapping::Rows::kCustomers) {
    element->kind = Element::Kind::kCustomer;
    RETURN_IF_ERROR(ReadCustomer(column, &element->customer));
    return ValidateCustomerFacts(element->customer);
  }
  element->kind = Element::Kind::kProduct;
  RETURN_IF_ERROR(ReadProduct(column, &element->product));
  return ValidateProduct(element->product);
}

// The text of a field that has one column.
absl::StatusOr<absl::string_view> FactsParser::One(Column column, absl::string_view field) const {
  const auto named = mapping_->facts.columns.find(std::string(field));
  if (named != mapping_->facts.columns.end()) return column(named->second[0]);
  // Objects have their fields by our names unless the mapping says otherwise.
  if (mapping_->format == Mapping::Format::kCsv) return absl::string_view();
  return column(std::string(field));
}

absl::Status FactsParser::ReadProduct(Column column, Product* product) {
  ASSIGN_OR_RETURN(const absl::string_view id, One(column, "id"));
  if (id.empty()) return Fault(reasons::kMissingField, "the product has no id");
  product->id = std::string(id);
  for (const TextField<Product>& field : kProductTexts) {
    ASSIGN_OR_RETURN(const absl::string_view text, One(column, field.name));
    if (!text.empty()) (product->*field.set)(std::string(text));
  }
  RETURN_IF_ERROR(ReadCategory(column, product));
  RETURN_IF_ERROR(ReadMoney(column, product));
  ASSIGN_OR_RETURN(const absl::string_view stock, One(column, "stock"));
  if (!stock.empty()) {
    int32_t pieces;
    if (!absl::SimpleAtoi(stock, &pieces)) {
      return Fault(reasons::kBadQuantity, "stock: ", Shown(stock), " is no whole number");
    }
    product->__set_stock(pieces);
  }
  std::optional<int64_t> time_ms;
  RETURN_IF_ERROR(ReadTime(column, "available_from", &time_ms));
  if (time_ms.has_value()) product->__set_available_from_ms(*time_ms);
  RETURN_IF_ERROR(ReadTime(column, "available_to", &time_ms));
  if (time_ms.has_value()) product->__set_available_to_ms(*time_ms);
  if (!attributes_.empty()) product->__set_attributes(attributes_);
  return absl::OkStatus();
}

absl::Status FactsParser::ReadCategory(Column column, Product* product) {
  const auto named = mapping_->facts.columns.find("category");
  std::string path;
  if (named == mapping_->facts.columns.end()) {
    ASSIGN_OR_RETURN(const absl::string_view category, One(column, "category"));
    path = std::string(category);
  } else {
    for (const std::string& name : named->second) {
      ASSIGN_OR_RETURN(const absl::string_view level, column(name));
      if (level.empty()) continue;
      absl::StrAppend(&path, path.empty() ? "" : kCategorySeparator, level);
    }
  }
  if (!path.empty()) product->__set_category(path);
  return absl::OkStatus();
}

absl::Status FactsParser::ReadMoney(Column column, Product* product) {
  ASSIGN_OR_RETURN(const absl::string_view price, One(column, "price"));
  ASSIGN_OR_RETURN(absl::string_view margin, One(column, "margin"));
  ASSIGN_OR_RETURN(absl::string_view currency, One(column, "currency"));
  if (price.empty() && margin.empty()) return absl::OkStatus();
  if (currency.empty()) currency = mapping_->currency;
  if (currency.empty()) return Fault(reasons::kMissingField, "the price has no currency");
  if (!IsCurrencyCode(currency)) {
    return Fault(reasons::kBadCurrency, Shown(currency), " is no ISO 4217 code");
  }
  product->__set_currency(std::string(currency));
  int64_t minor;
  if (!price.empty()) {
    RETURN_IF_ERROR(ParsePrice(price, MinorDigits(currency), &minor));
    product->__set_price_minor(minor);
  }
  if (!margin.empty()) {
    const bool loss = absl::ConsumePrefix(&margin, "-");
    RETURN_IF_ERROR(ParsePrice(margin, MinorDigits(currency), &minor));
    product->__set_margin_minor(loss ? -minor : minor);
  }
  return absl::OkStatus();
}

absl::Status FactsParser::ReadTime(Column column, absl::string_view field,
                                   std::optional<int64_t>* time_ms) {
  time_ms->reset();
  ASSIGN_OR_RETURN(const absl::string_view text, One(column, field));
  if (text.empty()) return absl::OkStatus();
  absl::Status read;
  for (TimeParser& time : times_) {
    int64_t parsed_ms;
    read = time.Parse(text, &parsed_ms);
    if (!read.ok()) continue;
    *time_ms = parsed_ms;
    return absl::OkStatus();
  }
  return read;
}

absl::Status FactsParser::ReadCustomer(Column column, CustomerFacts* customer) {
  ASSIGN_OR_RETURN(const absl::string_view id, One(column, "id"));
  if (id.empty()) return Fault(reasons::kMissingField, "the customer has no id");
  customer->id = std::string(id);
  for (const TextField<CustomerFacts>& field : kCustomerTexts) {
    ASSIGN_OR_RETURN(const absl::string_view text, One(column, field.name));
    if (!text.empty()) (customer->*field.set)(std::string(text));
  }
  if (!attributes_.empty()) customer->__set_attributes(attributes_);
  return absl::OkStatus();
}

}  // namespace vitrine
