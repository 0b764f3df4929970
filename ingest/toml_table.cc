#include "ingest/toml_table.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace vitrine {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }
std::string_view StdView(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace

bool TomlTable::Has(absl::string_view key) const { return table_.contains(StdView(key)); }

std::string TomlTable::String(absl::string_view key) {
  return Value<std::string>(key, "a string", "");
}

bool TomlTable::Bool(absl::string_view key, bool otherwise) {
  return Value<bool>(key, "true or false", otherwise);
}

int64_t TomlTable::Integer(absl::string_view key, int64_t otherwise) {
  return Value<int64_t>(key, "a whole number", otherwise);
}

std::vector<std::string> TomlTable::Strings(absl::string_view key) {
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

TomlTable TomlTable::Table(absl::string_view key) {
  static const toml::table* const empty = new toml::table();
  const toml::node* const node = Find(key);
  if (node == nullptr) return TomlTable(*empty, file_, error_);
  if (const toml::table* table = node->as_table()) return TomlTable(*table, file_, error_);
  Fail(*node, absl::StrCat(key, " must be a table"));
  return TomlTable(*empty, file_, error_);
}

std::vector<TomlTable> TomlTable::Tables(absl::string_view key) {
  const toml::node* const node = Find(key);
  std::vector<TomlTable> tables;
  if (node == nullptr) return tables;
  const toml::array* const array = node->as_array();
  if (array == nullptr || (!array->empty() && !array->is_homogeneous<toml::table>())) {
    Fail(*node, absl::StrCat("write [[", key, "]], it is a list of tables"));
    return tables;
  }
  for (const toml::node& element : *array) {
    tables.push_back(TomlTable(*element.as_table(), file_, error_));
  }
  return tables;
}

std::vector<std::string> TomlTable::Keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, node] : table_) keys.push_back(std::string(key.str()));
  return keys;
}

void TomlTable::FailAt(absl::string_view key, absl::string_view what) {
  const toml::node* const node = table_.get(StdView(key));
  Fail(node != nullptr ? *node : table_, absl::StrCat(key, " ", what));
}

void TomlTable::RefuseOthers() {
  for (const auto& [key, node] : table_) {
    if (known_.count(std::string(key.str())) != 0) continue;
    *error_ = ErrorAt(node, absl::StrCat("nothing is called \"", View(key.str()), "\" here"));
    return;
  }
}

const toml::node* TomlTable::Find(absl::string_view key) {
  known_.insert(std::string(key));
  return error_->ok() ? table_.get(StdView(key)) : nullptr;
}

template <typename T>
T TomlTable::Value(absl::string_view key, absl::string_view type, T otherwise) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return otherwise;
  const auto* const value = node->as<T>();
  if (value == nullptr) {
    Fail(*node, absl::StrCat(key, " must be ", type));
    return otherwise;
  }
  return value->get();
}

void TomlTable::Fail(const toml::node& node, absl::string_view what) {
  if (error_->ok()) *error_ = ErrorAt(node, what);
}

absl::Status TomlTable::ErrorAt(const toml::node& node, absl::string_view what) const {
  // A table that is not there has no line of its own.
  const auto line = std::max<toml::source_index>(1, node.source().begin.line);
  return absl::InvalidArgumentError(absl::StrCat(file_, ":", line, ": ", what));
}

}  // namespace vitrine
