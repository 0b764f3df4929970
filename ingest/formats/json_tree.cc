#include "ingest/formats/json_tree.h"

#include <simdjson.h>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"

#include "ingest/reasons.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

namespace ondemand = simdjson::ondemand;

absl::Status BadJson(simdjson::error_code code) {
  return Fault(reasons::kBadJson, simdjson::error_message(code));
}

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

size_t SkipDigits(absl::string_view text, size_t at) {
  while (at < text.size() && absl::ascii_isdigit(text[at])) ++at;
  return at;
}

// Whether `text` is a number by RFC 8259, of any size: simdjson checks only those it converts.
bool IsJsonNumber(absl::string_view text) {
  size_t at = text.size() > 0 && text[0] == '-' ? 1 : 0;
  const size_t whole = at;
  at = SkipDigits(text, at);
  if (at == whole || (text[whole] == '0' && at > whole + 1)) return false;
  if (at < text.size() && text[at] == '.') {
    const size_t fraction = ++at;
    at = SkipDigits(text, at);
    if (at == fraction) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const size_t exponent = at;
    at = SkipDigits(text, at);
    if (at == exponent) return false;
  }
  return at == text.size();
}

bool IsSeparator(char c) { return absl::ascii_isspace(c) || c == ',' || c == '[' || c == ']'; }

// The end of the value that begins at `begin`: behind the brace that closes it, or, of what is no
// object, before the next separator.
size_t EndOfValue(absl::string_view text, size_t begin) {
  int64_t depth = 0;
  bool quoted = false;
  for (size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}') {
      if (--depth <= 0) return i + 1;
    } else if (depth == 0 && IsSeparator(c)) {
      return i;
    }
  }
  return text.size();
}

}  // namespace

#define RETURN_IF_JSON_ERROR(expression)                                               \
  do {                                                                                 \
    if (const simdjson::error_code code_ = (expression); code_ != simdjson::SUCCESS) { \
      return BadJson(code_);                                                           \
    }                                                                                  \
  } while (false)

struct JsonTree::Simdjson {
  ondemand::parser parser;
};

class JsonTree::Builder {
 public:
  Builder(JsonTree* tree, ondemand::document* document) : tree_(tree), document_(document) {}

  absl::Status Object(ondemand::object object, int32_t node, size_t depth) {
    int32_t last = kAbsent;
    for (auto result : object) {
      ondemand::field field;
      RETURN_IF_JSON_ERROR(std::move(result).get(field));
      std::string_view key;
      RETURN_IF_JSON_ERROR(field.unescaped_key().get(key));
      last = AddChild(node, last);
      At(last).key = View(key);
      RETURN_IF_ERROR(Any(field.value(), last, depth));
    }
    return absl::OkStatus();
  }

  // What follows the root must be nothing.
  absl::Status Finish() const {
    if (document_->current_location().error() != simdjson::SUCCESS) return absl::OkStatus();
    return Fault(reasons::kBadJson, "something follows the object");
  }

 private:
  Node& At(int32_t node) { return tree_->nodes_[static_cast<size_t>(node)]; }

  int32_t AddChild(int32_t parent, int32_t previous) {
    const auto child = static_cast<int32_t>(tree_->nodes_.size());
    tree_->nodes_.emplace_back();
    (previous == kAbsent ? At(parent).first_child : At(previous).next) = child;
    return child;
  }

  absl::Status Any(ondemand::value value, int32_t node, size_t depth) {
    ondemand::json_type type;
    RETURN_IF_JSON_ERROR(value.type().get(type));
    const absl::string_view token =
        absl::StripTrailingAsciiWhitespace(View(value.raw_json_token()));
    switch (type) {
      case ondemand::json_type::object: {
        ondemand::object object;
        RETURN_IF_JSON_ERROR(value.get_object().get(object));
        RETURN_IF_ERROR(CheckDepth(depth));
        RETURN_IF_ERROR(Object(object, node, depth + 1));
        return Close(node, Type::kObject, token.data());
      }
      case ondemand::json_type::array: {
        ondemand::array array;
        RETURN_IF_JSON_ERROR(value.get_array().get(array));
        RETURN_IF_ERROR(CheckDepth(depth));
        RETURN_IF_ERROR(Array(array, node, depth + 1));
        return Close(node, Type::kArray, token.data());
      }
      case ondemand::json_type::string: {
        std::string_view text;
        RETURN_IF_JSON_ERROR(value.get_string().get(text));
        return Set(node, Type::kString, View(text));
      }
      case ondemand::json_type::number:
        if (!IsJsonNumber(token)) break;
        return Set(node, Type::kNumber, token);
      default:
        if (token == "null") return absl::OkStatus();
        if (token == "true") return Set(node, Type::kTrue, "");
        if (token == "false") return Set(node, Type::kFalse, "");
        break;
    }
    return Fault(reasons::kBadJson, Shown(token), " is no JSON value");
  }

  absl::Status Array(ondemand::array array, int32_t node, size_t depth) {
    int32_t last = kAbsent;
    for (auto element : array) {
      ondemand::value value;
      RETURN_IF_JSON_ERROR(std::move(element).get(value));
      last = AddChild(node, last);
      RETURN_IF_ERROR(Any(value, last, depth));
    }
    return absl::OkStatus();
  }

  static absl::Status CheckDepth(size_t depth) {
    if (depth < limits::kJsonDepthMax) return absl::OkStatus();
    return Fault(reasons::kBadJson, "nested deeper than ", limits::kJsonDepthMax, " levels");
  }

  absl::Status Set(int32_t node, Type type, absl::string_view text) {
    At(node).type = type;
    At(node).text = text;
    return absl::OkStatus();
  }

  // The value that began at `begin` ends with the last bracket before the next token.
  absl::Status Close(int32_t node, Type type, const char* begin) {
    const char* next = tree_->raw().data() + tree_->size_;
    const char* location;
    if (document_->current_location().get(location) == simdjson::SUCCESS) next = location;
    const absl::string_view text(begin, static_cast<size_t>(next - begin));
    return Set(node, type, text.substr(0, text.rfind(type == Type::kObject ? '}' : ']') + 1));
  }

  JsonTree* const tree_;
  ondemand::document* const document_;
};

JsonTree::JsonTree() : simdjson_(std::make_unique<Simdjson>()) {}
JsonTree::~JsonTree() = default;

absl::Status JsonTree::Parse(absl::string_view text) {
  nodes_.clear();
  size_ = text.size();
  padded_.assign(text.data(), text.size());
  padded_.append(simdjson::SIMDJSON_PADDING, ' ');
  ondemand::document document;
  RETURN_IF_JSON_ERROR(
      simdjson_->parser.iterate(padded_.data(), size_, padded_.size()).get(document));
  ondemand::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) {
    return Fault(reasons::kBadJson, "not a JSON object");
  }
  nodes_.emplace_back().type = Type::kObject;
  nodes_.back().text = raw();
  Builder builder(this, &document);
  RETURN_IF_ERROR(builder.Object(object, 0, 1));
  return builder.Finish();
}

JsonTree::Value JsonTree::Value::operator[](absl::string_view key) const {
  if (!is_object()) return Value(tree_, kAbsent);
  int32_t child = tree_->nodes_[static_cast<size_t>(node_)].first_child;
  while (child != kAbsent && tree_->nodes_[static_cast<size_t>(child)].key != key) {
    child = tree_->nodes_[static_cast<size_t>(child)].next;
  }
  return Value(tree_, child);
}

JsonTree::Type JsonTree::Value::type() const {
  return node_ == kAbsent ? Type::kNull : tree_->nodes_[static_cast<size_t>(node_)].type;
}

absl::string_view JsonTree::Value::text() const {
  if (!is_string() && !is_number()) return {};
  return tree_->nodes_[static_cast<size_t>(node_)].text;
}

absl::string_view JsonTree::Value::key() const {
  return node_ == kAbsent ? "" : tree_->nodes_[static_cast<size_t>(node_)].key;
}

absl::string_view JsonTree::Value::raw() const {
  if (!is_object() && !is_array()) return {};
  return tree_->nodes_[static_cast<size_t>(node_)].text;
}

std::vector<JsonTree::Value> JsonTree::Value::children() const {
  std::vector<Value> children;
  if (node_ == kAbsent) return children;
  int32_t child = tree_->nodes_[static_cast<size_t>(node_)].first_child;
  for (; child != kAbsent; child = tree_->nodes_[static_cast<size_t>(child)].next) {
    children.push_back(Value(tree_, child));
  }
  return children;
}

std::vector<absl::string_view> SplitJsonValues(absl::string_view text) {
  std::vector<absl::string_view> values;
  for (size_t at = 0; at < text.size();) {
    if (IsSeparator(text[at])) {
      ++at;
      continue;
    }
    const size_t end = EndOfValue(text, at);
    values.push_back(text.substr(at, end - at));
    at = end;
  }
  return values;
}

}  // namespace vitrine
