#include "ingest/row_mapper.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "ingest/money.h"
#include "ingest/reasons.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// Where the columns of a file are.
class Header {
 public:
  explicit Header(const Fields& names) {
    for (const absl::string_view name : names) {
      names_.emplace_back(absl::StripAsciiWhitespace(name));
    }
  }

  // `*column` is left alone if `name` is empty.
  absl::Status Find(absl::string_view name, int* column) const {
    if (name.empty()) return absl::OkStatus();
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "there is no column \"", name, "\"; the file has: ", absl::StrJoin(names_, ", ")));
    }
    if (std::find(found + 1, names_.end(), name) != names_.end()) {
      return absl::InvalidArgumentError(absl::StrCat("there are two columns \"", name, "\""));
    }
    *column = static_cast<int>(found - names_.begin());
    return absl::OkStatus();
  }

  absl::Status FindAll(const std::vector<std::string>& names, std::vector<int>* columns) const {
    for (const std::string& name : names) RETURN_IF_ERROR(Find(name, &columns->emplace_back()));
    return absl::OkStatus();
  }

 private:
  std::vector<std::string> names_;
};

template <typename Condition>
absl::Status Compile(const Header& header, const std::vector<Mapping::Condition>& conditions,
                     std::vector<Condition>* compiled) {
  for (const Mapping::Condition& condition : conditions) {
    Condition& c = compiled->emplace_back();
    RETURN_IF_ERROR(header.Find(condition.column, &c.column));
    for (absl::string_view value : condition.values) {
      if (absl::ConsumeSuffix(&value, "*")) {
        c.starts.emplace_back(value);
      } else {
        c.values.emplace(value);
      }
    }
  }
  return absl::OkStatus();
}

template <typename Rule>
absl::Status CompileRules(const Header& header, const std::vector<Mapping::Rule>& rules,
                          std::vector<Rule>* compiled) {
  for (const Mapping::Rule& rule : rules) {
    Rule& r = compiled->emplace_back();
    r.rule = &rule;
    RETURN_IF_ERROR(Compile(header, rule.when, &r.when));
    RETURN_IF_ERROR(Compile(header, rule.unless, &r.unless));
  }
  return absl::OkStatus();
}

std::string Text(absl::string_view text) { return std::string(text); }

}  // namespace

absl::StatusOr<RowMapper> RowMapper::Create(const Mapping& mapping, const Fields& header_fields) {
  ASSIGN_OR_RETURN(TimeParser time, TimeParser::Create(mapping.time.format, mapping.time.zone));
  RowMapper mapper(mapping, std::move(time));
  const Header header(header_fields);
  mapper.width_ = header_fields.size();
  mapper.minor_digits_ = MinorDigits(mapping.currency);
  const std::pair<absl::string_view, int*> columns[] = {
      {mapping.time.step_column, &mapper.step_},
      {mapping.customer.column, &mapper.customer_},
      {mapping.visitor.column, &mapper.visitor_},
      {mapping.order, &mapper.order_},
      {mapping.product, &mapper.product_},
      {mapping.name, &mapper.name_},
      {mapping.category, &mapper.category_},
      {mapping.quantity, &mapper.quantity_},
      {mapping.price, &mapper.price_},
      {mapping.country, &mapper.country_},
      {mapping.recommendation, &mapper.recommendation_}};
  for (const auto& [name, column] : columns) RETURN_IF_ERROR(header.Find(name, column));
  RETURN_IF_ERROR(header.FindAll(mapping.time.columns, &mapper.time_columns_));
  RETURN_IF_ERROR(header.FindAll(mapping.event_id, &mapper.id_columns_));
  RETURN_IF_ERROR(CompileRules(header, mapping.kinds, &mapper.kinds_));
  RETURN_IF_ERROR(CompileRules(header, mapping.ignores, &mapper.ignores_));
  return mapper;
}

bool RowMapper::Condition::Holds(const Fields& fields) const {
  const absl::string_view field = At(fields, column);
  for (const std::string& start : starts) {
    if (absl::StartsWith(field, start)) return true;
  }
  return !values.empty() && values.contains(field);
}

bool RowMapper::Rule::Holds(const Fields& fields) const {
  const auto holds = [&](const Condition& condition) { return condition.Holds(fields); };
  return std::all_of(when.begin(), when.end(), holds) &&
         std::none_of(unless.begin(), unless.end(), holds);
}

absl::string_view RowMapper::At(const Fields& fields, int column) {
  if (column == kNone) return {};
  const absl::string_view field = fields[static_cast<size_t>(column)];
  // Nearly every field is bare: two looks instead of two searches.
  const bool bare =
      !field.empty() && !absl::ascii_isspace(field.front()) && !absl::ascii_isspace(field.back());
  return bare ? field : absl::StripAsciiWhitespace(field);
}

absl::StatusOr<bool> RowMapper::Map(const Fields& fields, Event* event,
                                    absl::string_view* ignored) {
  if (fields.size() != width_) {
    return Fault(reasons::kWrongColumnCount, fields.size(), " columns, the header has ", width_);
  }
  const auto holds = [&](const Rule& rule) { return rule.Holds(fields); };
  const auto ignore = std::find_if(ignores_.begin(), ignores_.end(), holds);
  if (ignore != ignores_.end()) {
    *ignored = ignore->rule->reason;
    return false;
  }
  *event = Event();
  const auto kind = std::find_if(kinds_.begin(), kinds_.end(), holds);
  event->kind = kind == kinds_.end() ? mapping_.default_kind : kind->rule->kind;
  event->channel = mapping_.channel;
  RETURN_IF_ERROR(MapTime(fields, event));
  MapPerson(fields, event);
  RETURN_IF_ERROR(MapItem(fields, event));
  if (const absl::string_view order = At(fields, order_); !order.empty()) {
    event->__set_order_id(Text(order));
  }
  if (const absl::string_view country = At(fields, country_); !country.empty()) {
    event->__set_country(Text(country));
  }
  if (const absl::string_view shelf = At(fields, recommendation_); !shelf.empty()) {
    event->__set_recommendation_id(Text(shelf));
  }
  for (const int column : id_columns_) {
    absl::StrAppend(&event->id, event->id.empty() ? "" : "/", At(fields, column));
  }
  return true;
}

absl::Status RowMapper::MapTime(const Fields& fields, Event* event) {
  absl::string_view text = At(fields, time_columns_[0]);
  if (time_columns_.size() > 1) {
    time_text_.assign(text.data(), text.size());
    for (size_t i = 1; i < time_columns_.size(); ++i) {
      absl::StrAppend(&time_text_, " ", At(fields, time_columns_[i]));
    }
    text = time_text_;
  }
  if (text.empty()) return Fault(reasons::kMissingField, mapping_.time.columns[0], " is empty");
  RETURN_IF_ERROR(time_.Parse(text, &event->time_ms));
  if (step_ == kNone) return absl::OkStatus();
  int64_t step;
  if (!absl::SimpleAtoi(At(fields, step_), &step) ||
      __builtin_mul_overflow(step - 1, mapping_.time.step_ms, &step) ||
      __builtin_add_overflow(event->time_ms, step, &event->time_ms)) {
    return Fault(reasons::kBadTime, mapping_.time.step_column, ": ", Shown(At(fields, step_)),
                 " is no number of steps");
  }
  return absl::OkStatus();
}

void RowMapper::MapPerson(const Fields& fields, Event* event) const {
  absl::string_view customer = At(fields, customer_);
  if (!customer.empty()) {
    customer = absl::StripSuffix(customer, mapping_.customer.strip_suffix);
    event->__set_customer_id(Text(customer));
    if (mapping_.visitor.only_without_customer) return;
  }
  const absl::string_view visitor = At(fields, visitor_);
  if (!visitor.empty()) event->__set_visitor_id(absl::StrCat(mapping_.visitor.prefix, visitor));
}

absl::Status RowMapper::MapItem(const Fields& fields, Event* event) const {
  if (product_ == kNone) return absl::OkStatus();
  const absl::string_view product = At(fields, product_);
  if (product.empty()) return Fault(reasons::kMissingField, mapping_.product, " is empty");
  event->__isset.items = true;
  Item& item = event->items.emplace_back();
  item.product_id = Text(product);
  // A file without names shows its products by their ids.
  const absl::string_view name = name_ == kNone ? product : At(fields, name_);
  if (!name.empty()) item.__set_name(Text(name));
  if (const absl::string_view category = At(fields, category_); !category.empty()) {
    const auto named = mapping_.category_names.find(Text(category));
    item.__set_category(named == mapping_.category_names.end() ? Text(category) : named->second);
  }
  RETURN_IF_ERROR(MapQuantity(At(fields, quantity_), event->kind, &item));
  if (const absl::string_view price = At(fields, price_); !price.empty()) {
    int64_t price_minor;
    RETURN_IF_ERROR(ParsePrice(price, minor_digits_, &price_minor));
    item.__set_price_minor(price_minor);
    event->__set_currency(mapping_.currency);
  }
  return absl::OkStatus();
}

absl::Status RowMapper::MapQuantity(absl::string_view text, EventKind kind, Item* item) const {
  if (text.empty()) return absl::OkStatus();  // one piece
  int32_t quantity;
  if (!absl::SimpleAtoi(text, &quantity)) {
    return Fault(reasons::kBadQuantity, Shown(text), " is no whole number");
  }
  // Files write what came back as a negative number; we say it by the kind.
  if (kind == EventKind::REFUND && quantity < 0) quantity = -std::max(quantity, -INT32_MAX);
  item->quantity = quantity;
  return absl::OkStatus();
}

}  // namespace vitrine
