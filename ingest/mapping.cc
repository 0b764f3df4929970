#include "ingest/mapping.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include <toml++/toml.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "ingest/mapping_keys.h"
#include "ingest/money.h"
#include "ingest/time_parser.h"
#include "ingest/toml_table.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine {
namespace {

std::vector<Mapping::Condition> ReadConditions(TomlTable conditions) {
  std::vector<Mapping::Condition> read;
  for (const std::string& column : conditions.Keys()) {
    read.push_back({column, conditions.Strings(column)});
    if (read.back().values.empty()) conditions.FailAt(column, "needs values to look for");
  }
  return read;
}

Mapping::Rule ReadConditionsOfRule(TomlTable* table) {
  Mapping::Rule rule;
  rule.when = ReadConditions(table->Table("when"));
  rule.unless = ReadConditions(table->Table("unless"));
  if (rule.when.empty())
    table->FailAt("when", "is needed: when.<column> = [\"value\", \"start*\"]");
  return rule;
}

Mapping::Rule ReadIgnore(TomlTable table) {
  Mapping::Rule rule = ReadConditionsOfRule(&table);
  rule.reason = table.String("reason");
  if (!IsIgnoreReason(rule.reason)) {
    table.FailAt("reason", "is needed, in small letters, digits and underscores");
  }
  table.RefuseOthers();
  return rule;
}

Mapping::Rule ReadKindRule(TomlTable table) {
  Mapping::Rule rule = ReadConditionsOfRule(&table);
  if (!table.Has("kind")) table.FailAt("kind", "is needed");
  rule.kind = ReadKind(&table, rule.kind);
  table.RefuseOthers();
  return rule;
}

Mapping::Time ReadTime(TomlTable table) {
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

// Minutes at `key`, in milliseconds; none if the file does not say.
std::optional<int64_t> ReadMinutes(TomlTable* table, absl::string_view key, int64_t max) {
  if (!table->Has(key)) return std::nullopt;
  const int64_t minutes = table->Integer(key, 1);
  if (minutes < 1 || minutes > max) table->FailAt(key, absl::StrCat("must be 1 to ", max));
  return minutes * 60 * 1000;
}

SiteSettingsPatch ReadSite(TomlTable table) {
  SiteSettingsPatch site;
  if (const auto gap_ms = ReadMinutes(&table, "session_gap_minutes", 24 * 60)) {
    site.__set_session_gap_ms(*gap_ms);
  }
  if (const auto max_ms = ReadMinutes(&table, "session_max_minutes", 30 * 24 * 60)) {
    site.__set_session_max_ms(*max_ms);
  }
  if (table.Has("cut_at_campaign")) {
    site.__set_cut_at_campaign(table.Bool("cut_at_campaign", false));
  }
  if (table.Has("exclude_bought")) site.__set_exclude_bought(table.Bool("exclude_bought", true));
  if (table.Has("hosts")) {
    site.__set_hosts(table.Strings("hosts"));
    for (std::string& host : site.hosts) absl::AsciiStrToLower(&host);
  }
  table.RefuseOthers();
  return site;
}

void ReadColumns(TomlTable table, Mapping* mapping) {
  mapping->event_id = table.Strings("event_id");
  mapping->order = table.String("order");
  mapping->product = table.String("product");
  mapping->name = table.String("name");
  mapping->category = table.String("category");
  mapping->quantity = table.String("quantity");
  mapping->price = table.String("price");
  mapping->country = table.String("country");
  mapping->recommendation = table.String("recommendation");
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

void ReadPersons(TomlTable* root, Mapping* mapping) {
  TomlTable customer = root->Table("customer");
  mapping->customer.column = customer.String("column");
  mapping->customer.strip_suffix = customer.String("strip_suffix");
  customer.RefuseOthers();

  TomlTable visitor = root->Table("visitor");
  mapping->visitor.column = visitor.String("column");
  mapping->visitor.prefix = visitor.String("prefix");
  mapping->visitor.only_without_customer = visitor.Bool("only_without_customer", false);
  visitor.RefuseOthers();

  if (mapping->customer.column.empty() && mapping->visitor.column.empty()) {
    root->FailAt("customer", "or visitor must have a column: an event belongs to someone");
  }
}

void ReadDelimiter(TomlTable* root, Mapping* mapping) {
  if (!root->Has("delimiter")) return;
  const std::string delimiter = root->String("delimiter");
  if (delimiter.size() != 1 || delimiter == "\"" || delimiter == "\n" || delimiter == "\r") {
    root->FailAt("delimiter", "must be one character, and no quote or line end");
  } else {
    mapping->delimiter = delimiter[0];
  }
}

void ReadCsv(TomlTable* root, Mapping* mapping) {
  ReadDelimiter(root, mapping);
  mapping->default_kind = ReadKind(root, mapping->default_kind);
  mapping->channel = ReadChannel(root, mapping->channel);
  ReadPersons(root, mapping);
  ReadColumns(root->Table("columns"), mapping);
  mapping->time = ReadTime(root->Table("time"));
  for (TomlTable& table : root->Tables("kinds")) {
    mapping->kinds.push_back(ReadKindRule(std::move(table)));
  }
  for (TomlTable& table : root->Tables("ignore")) {
    mapping->ignores.push_back(ReadIgnore(std::move(table)));
  }
  TomlTable names = root->Table("category_names");
  for (const std::string& key : names.Keys()) mapping->category_names[key] = names.String(key);
}

// How a mapping says which format its files have.
struct FormatName {
  absl::string_view name;
  Mapping::Format format;
};
constexpr FormatName kFormats[] = {{"csv", Mapping::Format::kCsv},
                                   {"json_lines", Mapping::Format::kJsonLines},
                                   {"access_log", Mapping::Format::kAccessLog},
                                   {"json", Mapping::Format::kJson},
                                   {"ga4", Mapping::Format::kGa4},
                                   {"ga4_bigquery", Mapping::Format::kGa4BigQuery},
                                   {"segment", Mapping::Format::kSegment}};

Mapping::Format ReadFormat(TomlTable* root) {
  const std::string wanted = root->String("format");
  std::string names;
  for (const FormatName& known : kFormats) {
    if (wanted == known.name) return known.format;
    absl::StrAppend(&names, names.empty() ? "" : ", ", "\"", known.name, "\"");
  }
  root->FailAt("format", absl::StrCat("must be one of ", names));
  return Mapping::Format::kCsv;
}

constexpr absl::string_view kProductFields[] = {
    "id",     "name",     "category", "brand",          "image_url",    "url",       "price",
    "margin", "currency", "stock",    "available_from", "available_to", "attributes"};
constexpr absl::string_view kCustomerFields[] = {"id",      "name",     "email",     "phone",
                                                 "country", "language", "time_zone", "attributes"};

// A [catalogue] or [customers] section.
void ReadFacts(TomlTable table, std::span<const absl::string_view> fields, bool csv,
               Mapping::Facts* facts) {
  for (const absl::string_view field : fields) {
    std::vector<std::string> columns = table.Strings(field);
    // A category may be a path of columns, and a CSV file have any number of attributes.
    const bool many = field == "category" || (field == "attributes" && csv);
    if (columns.size() > 1 && !many) table.FailAt(field, "has one column");
    if (!columns.empty()) facts->columns[std::string(field)] = std::move(columns);
  }
  if (csv && facts->columns.count("id") == 0) table.FailAt("id", "is needed: the column with it");
  facts->time_format = table.String("time_format");
  if (table.Has("time_zone_of_times")) facts->time_zone = table.String("time_zone_of_times");
  if (!facts->time_format.empty()) {
    const absl::Status known = TimeParser::Create(facts->time_format, facts->time_zone).status();
    if (!known.ok()) table.FailAt("time_zone_of_times", known.message());
  }
  table.RefuseOthers();
}

// True if the mapping is of products or customers.
bool ReadRows(TomlTable* root, Mapping* mapping) {
  const bool products = root->Has("catalogue");
  const bool customers = root->Has("customers");
  if (!products && !customers) return false;
  const bool csv = mapping->format == Mapping::Format::kCsv;
  if (products && customers) root->FailAt("customers", "and catalogue are of different files");
  if (!csv && mapping->format != Mapping::Format::kJsonLines) {
    root->FailAt("format", "must be \"csv\" or \"json_lines\" for a catalogue or for customers");
  }
  if (csv) ReadDelimiter(root, mapping);
  mapping->rows = products ? Mapping::Rows::kProducts : Mapping::Rows::kCustomers;
  if (products) {
    ReadFacts(root->Table("catalogue"), kProductFields, csv, &mapping->facts);
  } else {
    ReadFacts(root->Table("customers"), kCustomerFields, csv, &mapping->facts);
  }
  return true;
}

absl::StatusOr<Mapping> ReadMapping(const toml::table& document, absl::string_view file_name) {
  absl::Status error;
  TomlTable root(document, file_name, &error);
  Mapping mapping;
  mapping.format = ReadFormat(&root);
  mapping.currency = root.String("currency");
  if (!mapping.currency.empty() && !IsCurrencyCode(mapping.currency)) {
    root.FailAt("currency", "must be an ISO 4217 code, three capital letters");
  }
  mapping.site = ReadSite(root.Table("site"));
  const int64_t days = root.Integer("max_age_days", 0);
  if (days < 0 || days > limits::kMaxAgeDays) {
    root.FailAt("max_age_days", absl::StrCat("must be 1 to ", limits::kMaxAgeDays));
  }
  mapping.max_age_ms = days * 24 * 60 * 60 * 1000;
  const bool is_facts = ReadRows(&root, &mapping);
  if (!is_facts && mapping.format == Mapping::Format::kCsv) ReadCsv(&root, &mapping);
  if (mapping.format == Mapping::Format::kAccessLog) ReadAccessLog(&root, &mapping.access_log);
  root.RefuseOthers();
  RETURN_IF_ERROR(error);
  return mapping;
}

}  // namespace

absl::StatusOr<Mapping> ParseMapping(absl::string_view toml, absl::string_view file_name) {
  try {
    return ReadMapping(toml::parse(std::string_view(toml.data(), toml.size()),
                                   std::string_view(file_name.data(), file_name.size())),
                       file_name);
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(file_name, ":", error.source().begin.line, ": ",
                     absl::string_view(error.description().data(), error.description().size())));
  }
}

}  // namespace vitrine
