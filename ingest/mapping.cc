#include "ingest/mapping.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <toml++/toml.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "ingest/money.h"
#include "ingest/time_parser.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }
std::string_view StdView(absl::string_view text) { return {text.data(), text.size()}; }

// Reads the keys of one table and remembers which it was asked for; what is left over is a typo.
// The first error is kept, and everything after it is read as absent.
class TableReader {
 public:
  // `error` outlives the reader and is shared by all readers of one file.
  TableReader(const toml::table& table, absl::string_view file, absl::Status* error)
      : table_(table), file_(file), error_(error) {}

  bool Has(absl::string_view key) const { return table_.contains(StdView(key)); }

  std::string String(absl::string_view key) { return Value<std::string>(key, "a string", ""); }
  bool Bool(absl::string_view key, bool otherwise) {
    return Value<bool>(key, "true or false", otherwise);
  }
  int64_t Integer(absl::string_view key, int64_t otherwise) {
    return Value<int64_t>(key, "a whole number", otherwise);
  }

  // A list of strings; one string is a list of one.
  std::vector<std::string> Strings(absl::string_view key) {
    const toml::node* const node = Find(key);
    std::vector<std::string> strings;
    if (node == nullptr) return strings;
    if (const auto* one = node->as_string()) return {one->get()};
    const toml::array* const array = node->as_array();
    if (array == nullptr) {
      Fail(*node, absl::StrCat(key, " must be a string or a list of strings"));
      return strings;
    }
    for (const toml::node& element : *array) {
      if (const auto* text = element.as_string()) {
        strings.push_back(text->get());
      } else {
        Fail(element, absl::StrCat(key, " must hold strings only"));
      }
    }
    return strings;
  }

  // The table at `key`; an empty one if there is none.
  TableReader Table(absl::string_view key) {
    static const toml::table* const empty = new toml::table();
    const toml::node* const node = Find(key);
    if (node == nullptr) return TableReader(*empty, file_, error_);
    if (const toml::table* table = node->as_table()) return TableReader(*table, file_, error_);
    Fail(*node, absl::StrCat(key, " must be a table"));
    return TableReader(*empty, file_, error_);
  }

  // The tables of [[key]].
  std::vector<TableReader> Tables(absl::string_view key) {
    const toml::node* const node = Find(key);
    std::vector<TableReader> tables;
    if (node == nullptr) return tables;
    const toml::array* const array = node->as_array();
    if (array == nullptr || (!array->empty() && !array->is_homogeneous<toml::table>())) {
      Fail(*node, absl::StrCat("write [[", key, "]], it is a list of tables"));
      return tables;
    }
    for (const toml::node& element : *array) {
      tables.push_back(TableReader(*element.as_table(), file_, error_));
    }
    return tables;
  }

  // All keys, in the order of the alphabet.
  std::vector<std::string> Keys() const {
    std::vector<std::string> keys;
    for (const auto& [key, node] : table_) keys.push_back(std::string(key.str()));
    return keys;
  }

  void FailAt(absl::string_view key, absl::string_view what) {
    const toml::node* const node = table_.get(StdView(key));
    Fail(node != nullptr ? *node : table_, absl::StrCat(key, " ", what));
  }

  // Call last: a key that nobody asked for is an error, and the one to tell, since what is missed
  // elsewhere is likely what it was meant to be.
  void RefuseOthers() {
    for (const auto& [key, node] : table_) {
      if (known_.count(std::string(key.str())) != 0) continue;
      *error_ = ErrorAt(node, absl::StrCat("nothing is called \"", View(key.str()), "\" here"));
      return;
    }
  }

 private:
  const toml::node* Find(absl::string_view key) {
    known_.insert(std::string(key));
    return error_->ok() ? table_.get(StdView(key)) : nullptr;
  }

  template <typename T>
  T Value(absl::string_view key, absl::string_view type, T otherwise) {
    const toml::node* const node = Find(key);
    if (node == nullptr) return otherwise;
    const auto* const value = node->as<T>();
    if (value == nullptr) {
      Fail(*node, absl::StrCat(key, " must be ", type));
      return otherwise;
    }
    return value->get();
  }

  void Fail(const toml::node& node, absl::string_view what) {
    if (error_->ok()) *error_ = ErrorAt(node, what);
  }

  absl::Status ErrorAt(const toml::node& node, absl::string_view what) const {
    // A table that is not there has no line of its own.
    const auto line = std::max<toml::source_index>(1, node.source().begin.line);
    return absl::InvalidArgumentError(absl::StrCat(file_, ":", line, ": ", what));
  }

  const toml::table& table_;
  const absl::string_view file_;
  absl::Status* const error_;
  std::set<std::string> known_;
};

EventKind ReadKind(TableReader* table, EventKind otherwise) {
  const std::string name = table->String("kind");
  if (name.empty()) return otherwise;
  const std::optional<EventKind> kind = ParseEventKind(name);
  if (!kind) table->FailAt("kind", absl::StrCat("must be one of ", EventKindNames()));
  return kind.value_or(otherwise);
}

Channel ReadChannel(TableReader* table) {
  const std::string name = table->String("channel");
  if (name.empty()) return Channel::WEB;
  const std::optional<Channel> channel = ParseChannel(name);
  if (!channel) table->FailAt("channel", absl::StrCat("must be one of ", ChannelNames()));
  return channel.value_or(Channel::WEB);
}

std::vector<Mapping::Condition> ReadConditions(TableReader conditions) {
  std::vector<Mapping::Condition> read;
  for (const std::string& column : conditions.Keys()) {
    read.push_back({column, conditions.Strings(column)});
    if (read.back().values.empty()) conditions.FailAt(column, "needs values to look for");
  }
  return read;
}

Mapping::Rule ReadConditionsOfRule(TableReader* table) {
  Mapping::Rule rule;
  rule.when = ReadConditions(table->Table("when"));
  rule.unless = ReadConditions(table->Table("unless"));
  if (rule.when.empty())
    table->FailAt("when", "is needed: when.<column> = [\"value\", \"start*\"]");
  return rule;
}

bool IsReason(absl::string_view text) {
  const auto fits = [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

Mapping::Rule ReadIgnore(TableReader table) {
  Mapping::Rule rule = ReadConditionsOfRule(&table);
  rule.reason = table.String("reason");
  if (!IsReason(rule.reason)) {
    table.FailAt("reason", "is needed, in small letters, digits and underscores");
  }
  table.RefuseOthers();
  return rule;
}

Mapping::Rule ReadKindRule(TableReader table) {
  Mapping::Rule rule = ReadConditionsOfRule(&table);
  if (!table.Has("kind")) table.FailAt("kind", "is needed");
  rule.kind = ReadKind(&table, rule.kind);
  table.RefuseOthers();
  return rule;
}

Mapping::Time ReadTime(TableReader table) {
  Mapping::Time time;
  time.columns = table.Strings("columns");
  if (time.columns.empty()) table.FailAt("columns", "is needed in [time]");
  time.format = table.String("format");
  if (time.format.empty()) table.FailAt("format", "is needed in [time]");
  if (table.Has("zone")) time.zone = table.String("zone");
  if (const absl::Status known = TimeParser::Create(time.format, time.zone).status(); !known.ok()) {
    table.FailAt("zone", known.message());
  }
  time.step_column = table.String("step_column");
  time.step_ms = table.Integer("step_ms", 0);
  if (time.step_column.empty() != (time.step_ms == 0)) {
    table.FailAt("step_ms", "and step_column need each other");
  }
  table.RefuseOthers();
  return time;
}

SiteSettings ReadSite(TableReader table) {
  constexpr int64_t kMinuteMs = 60 * 1000;
  SiteSettings site;
  const int64_t minutes = table.Integer("session_gap_minutes", site.session_gap_ms / kMinuteMs);
  if (minutes < 1 || minutes > 24 * 60) {
    table.FailAt("session_gap_minutes", "must be 1 to 1440");
  }
  site.session_gap_ms = minutes * kMinuteMs;
  site.exclude_bought = table.Bool("exclude_bought", site.exclude_bought);
  table.RefuseOthers();
  return site;
}

void ReadColumns(TableReader table, Mapping* mapping) {
  mapping->event_id = table.Strings("event_id");
  mapping->order = table.String("order");
  mapping->product = table.String("product");
  mapping->name = table.String("name");
  mapping->category = table.String("category");
  mapping->quantity = table.String("quantity");
  mapping->price = table.String("price");
  mapping->country = table.String("country");
  if (mapping->product.empty()) {
    for (const absl::string_view fact : {"name", "category", "quantity", "price"}) {
      if (table.Has(fact)) table.FailAt(fact, "says something of a product: name its column too");
    }
  }
  if (!mapping->price.empty() && mapping->currency.empty()) {
    table.FailAt("price", "needs a currency = \"...\" at the top of the mapping");
  }
  table.RefuseOthers();
}

void ReadPersons(TableReader* root, Mapping* mapping) {
  TableReader customer = root->Table("customer");
  mapping->customer.column = customer.String("column");
  mapping->customer.strip_suffix = customer.String("strip_suffix");
  customer.RefuseOthers();

  TableReader visitor = root->Table("visitor");
  mapping->visitor.column = visitor.String("column");
  mapping->visitor.prefix = visitor.String("prefix");
  mapping->visitor.only_without_customer = visitor.Bool("only_without_customer", false);
  visitor.RefuseOthers();

  if (mapping->customer.column.empty() && mapping->visitor.column.empty()) {
    root->FailAt("customer", "or visitor must have a column: an event belongs to someone");
  }
}

void ReadCsv(TableReader* root, Mapping* mapping) {
  if (root->Has("delimiter")) {
    const std::string delimiter = root->String("delimiter");
    if (delimiter.size() != 1 || delimiter == "\"" || delimiter == "\n" || delimiter == "\r") {
      root->FailAt("delimiter", "must be one character, and no quote or line end");
    } else {
      mapping->delimiter = delimiter[0];
    }
  }
  mapping->default_kind = ReadKind(root, mapping->default_kind);
  mapping->channel = ReadChannel(root);
  ReadPersons(root, mapping);
  ReadColumns(root->Table("columns"), mapping);
  mapping->time = ReadTime(root->Table("time"));
  for (TableReader& table : root->Tables("kinds")) {
    mapping->kinds.push_back(ReadKindRule(std::move(table)));
  }
  for (TableReader& table : root->Tables("ignore")) {
    mapping->ignores.push_back(ReadIgnore(std::move(table)));
  }
  TableReader names = root->Table("category_names");
  for (const std::string& key : names.Keys()) mapping->category_names[key] = names.String(key);
}

absl::StatusOr<Mapping> ReadMapping(const toml::table& document, absl::string_view file_name) {
  absl::Status error;
  TableReader root(document, file_name, &error);
  Mapping mapping;
  const std::string format = root.String("format");
  if (format != "csv" && format != "json_lines") {
    root.FailAt("format", "must be \"csv\" or \"json_lines\"");
  }
  mapping.currency = root.String("currency");
  if (!mapping.currency.empty() && !IsCurrencyCode(mapping.currency)) {
    root.FailAt("currency", "must be an ISO 4217 code, three capital letters");
  }
  mapping.site = ReadSite(root.Table("site"));
  if (format == "json_lines") {
    mapping.format = Mapping::Format::kJsonLines;
  } else {
    ReadCsv(&root, &mapping);
  }
  root.RefuseOthers();
  RETURN_IF_ERROR(error);
  return mapping;
}

}  // namespace

absl::StatusOr<Mapping> ParseMapping(absl::string_view toml, absl::string_view file_name) {
  try {
    return ReadMapping(toml::parse(StdView(toml), StdView(file_name)), file_name);
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(file_name, ":", error.source().begin.line, ": ", View(error.description())));
  }
}

}  // namespace vitrine
