#include "api/gateway/json_codec.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using apache::thrift::protocol::TType;
using Json = nlohmann::ordered_json;
using Kind = Idl::Type::Kind;
using Value = JsonTree::Value;

TType WireType(Kind kind) {
  switch (kind) {
    case Kind::kBool:
      return apache::thrift::protocol::T_BOOL;
    case Kind::kInt32:
    case Kind::kEnum:
      return apache::thrift::protocol::T_I32;
    case Kind::kInt64:
      return apache::thrift::protocol::T_I64;
    case Kind::kDouble:
      return apache::thrift::protocol::T_DOUBLE;
    case Kind::kString:
      return apache::thrift::protocol::T_STRING;
    case Kind::kList:
      return apache::thrift::protocol::T_LIST;
    case Kind::kMap:
      return apache::thrift::protocol::T_MAP;
    case Kind::kRecord:
      break;
  }
  return apache::thrift::protocol::T_STRUCT;
}

// Where in the request we are; text is made of it only when something is wrong there.
struct Path {
  const Path* parent = nullptr;
  absl::string_view name;
  int64_t index = -1;  // of an element of a list

  std::string Text() const {
    const std::string before = parent == nullptr ? "" : parent->Text();
    if (index >= 0) return absl::StrCat(before, "[", index, "]");
    return before.empty() ? std::string(name) : absl::StrCat(before, ".", name);
  }
};

absl::Status Wrong(const Path& path, absl::string_view what) {
  // Names come from strangers: no more of them than one can read.
  std::string text = path.Text();
  if (text.size() > 200) text.resize(200);
  return absl::InvalidArgumentError(absl::StrCat(text, ": ", what));
}

class Writer {
 public:
  explicit Writer(CompactProtocol* out) : out_(out) {}

  // The fields of a struct, each with what the JSON says of it.
  using Found = std::map<const Idl::Field*, Value>;

  static absl::Status Find(const Value& json, const Idl::Record& record, const Path& path,
                           Found* found) {
    if (!json.is_object()) return Wrong(path, "is no object");
    for (const Value& child : json.children()) {
      const Path here = {&path, child.key()};
      const Idl::Field* const field = record.Find(child.key());
      if (field == nullptr) return Wrong(here, "is not known");
      RETURN_IF_ERROR(Add(field, child, here, found));
    }
    return absl::OkStatus();
  }

  static absl::Status Add(const Idl::Field* field, const Value& value, const Path& path,
                          Found* found) {
    if (value.is_null()) return absl::OkStatus();
    return found->emplace(field, value).second ? absl::OkStatus() : Wrong(path, "is there twice");
  }

  // Writes a struct; `nested` says what is in those fields that are structs spread over the top.
  absl::Status Fields(const Found& found, const Path& path,
                      const std::map<const Idl::Field*, Found>& nested = {}) {
    out_->writeStructBegin("");
    for (const auto& [field, inner] : nested) {
      if (inner.empty()) continue;
      const Path here = {&path, field->name};
      out_->writeFieldBegin("", WireType(field->type.kind), field->id);
      RETURN_IF_ERROR(Fields(inner, here));
    }
    for (const auto& [field, value] : found) {
      const Path here = {&path, field->name};
      out_->writeFieldBegin("", WireType(field->type.kind), field->id);
      RETURN_IF_ERROR(Any(field->type, value, here));
    }
    out_->writeFieldStop();
    out_->writeStructEnd();
    return absl::OkStatus();
  }

 private:
  absl::Status Any(const Idl::Type& type, const Value& value, const Path& path) {
    switch (type.kind) {
      case Kind::kBool:
        if (value.type() != JsonTree::Type::kTrue && value.type() != JsonTree::Type::kFalse) {
          return Wrong(path, "is neither true nor false");
        }
        out_->writeBool(value.type() == JsonTree::Type::kTrue);
        return absl::OkStatus();
      case Kind::kInt32:
      case Kind::kInt64:
      case Kind::kDouble:
        return Number(type.kind, value, path);
      case Kind::kString:
        if (!value.is_string()) return Wrong(path, "is no string");
        if (value.text().size() > static_cast<size_t>(limits::kWireStringBytesMax)) {
          return Wrong(path,
                       absl::StrCat("is longer than ", limits::kWireStringBytesMax, " bytes"));
        }
        out_->writeString(std::string(value.text()));
        return absl::OkStatus();
      case Kind::kEnum:
        return OneOf(*type.values, value, path);
      case Kind::kList:
        return List(type, value, path);
      case Kind::kMap:
        return Map(type, value, path);
      case Kind::kRecord:
        break;
    }
    Found found;
    RETURN_IF_ERROR(Find(value, *type.record, path, &found));
    return Fields(found, path);
  }

  absl::Status Number(Kind kind, const Value& value, const Path& path) {
    if (!value.is_number()) return Wrong(path, "is no number");
    int32_t small;
    int64_t large;
    double real;
    if (kind == Kind::kInt32 && absl::SimpleAtoi(value.text(), &small)) {
      out_->writeI32(small);
    } else if (kind == Kind::kInt64 && absl::SimpleAtoi(value.text(), &large)) {
      out_->writeI64(large);
    } else if (kind == Kind::kDouble && absl::SimpleAtod(value.text(), &real)) {
      out_->writeDouble(real);
    } else {
      return Wrong(path, kind == Kind::kInt32   ? "is no whole number of 32 bits"
                         : kind == Kind::kInt64 ? "is no whole number of 64 bits"
                                                : "is no number");
    }
    return absl::OkStatus();
  }

  absl::Status OneOf(const Idl::Enum& values, const Value& value, const Path& path) {
    int32_t number;
    if (value.is_number() && absl::SimpleAtoi(value.text(), &number) &&
        !values.NameOf(number).empty()) {
      out_->writeI32(number);
      return absl::OkStatus();
    }
    const auto named = values.values.find(std::string(value.is_string() ? value.text() : ""));
    if (named == values.values.end()) return Wrong(path, absl::StrCat("is no ", values.name));
    out_->writeI32(named->second);
    return absl::OkStatus();
  }

  absl::Status List(const Idl::Type& type, const Value& value, const Path& path) {
    if (!value.is_array()) return Wrong(path, "is no list");
    const std::vector<Value> elements = value.children();
    if (elements.size() > static_cast<size_t>(limits::kWireContainerMax)) {
      return Wrong(path, absl::StrCat("has more than ", limits::kWireContainerMax, " entries"));
    }
    out_->writeListBegin(WireType(type.element->kind), static_cast<uint32_t>(elements.size()));
    for (size_t i = 0; i < elements.size(); ++i) {
      const Path here = {&path, "", static_cast<int64_t>(i)};
      RETURN_IF_ERROR(Any(*type.element, elements[i], here));
    }
    out_->writeListEnd();
    return absl::OkStatus();
  }

  absl::Status Map(const Idl::Type& type, const Value& value, const Path& path) {
    if (!value.is_object()) return Wrong(path, "is no object");
    const std::vector<Value> entries = value.children();
    if (entries.size() > static_cast<size_t>(limits::kWireContainerMax)) {
      return Wrong(path, absl::StrCat("has more than ", limits::kWireContainerMax, " entries"));
    }
    out_->writeMapBegin(WireType(Kind::kString), WireType(type.element->kind),
                        static_cast<uint32_t>(entries.size()));
    for (const Value& entry : entries) {
      const Path here = {&path, entry.key()};
      out_->writeString(std::string(entry.key()));
      RETURN_IF_ERROR(Any(*type.element, entry, here));
    }
    out_->writeMapEnd();
    return absl::OkStatus();
  }

  CompactProtocol* const out_;
};

Json Decode(const Idl::Type& type, CompactProtocol* in) {
  switch (type.kind) {
    case Kind::kBool: {
      bool value;
      in->readBool(value);
      return value;
    }
    case Kind::kInt32:
    case Kind::kEnum: {
      int32_t value;
      in->readI32(value);
      const absl::string_view name =
          type.kind == Kind::kEnum ? type.values->NameOf(value) : absl::string_view();
      return name.empty() ? Json(value) : Json(std::string(name));
    }
    case Kind::kInt64: {
      int64_t value;
      in->readI64(value);
      return value;
    }
    case Kind::kDouble: {
      double value;
      in->readDouble(value);
      return value;
    }
    case Kind::kString: {
      std::string value;
      in->readString(value);
      return value;
    }
    case Kind::kList: {
      TType element;
      uint32_t size;
      in->readListBegin(element, size);
      Json list = Json::array();
      for (uint32_t i = 0; i < size; ++i) list.push_back(Decode(*type.element, in));
      in->readListEnd();
      return list;
    }
    case Kind::kMap: {
      TType key, value;
      uint32_t size;
      in->readMapBegin(key, value, size);
      Json map = Json::object();
      for (uint32_t i = 0; i < size; ++i) {
        std::string name;
        in->readString(name);
        map[name] = Decode(*type.element, in);
      }
      in->readMapEnd();
      return map;
    }
    case Kind::kRecord:
      break;
  }
  return DecodeRecord(*type.record, in);
}

}  // namespace

absl::Status EncodeRequest(const JsonTree::Value& json, const Idl::Record& record,
                           CompactProtocol* out) {
  const Path top;
  if (!json.is_object()) return absl::InvalidArgumentError("the body is no JSON object");
  Writer::Found own;
  std::map<const Idl::Field*, Writer::Found> nested;
  for (const char* name : {"context", "page"}) {
    const Idl::Field* const field = record.Find(name);
    if (field != nullptr && field->type.kind == Kind::kRecord) nested[field];
  }
  for (const Value& child : json.children()) {
    const Path here = {&top, child.key()};
    const Idl::Field* field = record.Find(child.key());
    if (field != nullptr && nested.contains(field)) {
      if (child.is_null()) continue;
      RETURN_IF_ERROR(Writer::Find(child, *field->type.record, here, &nested[field]));
      continue;
    }
    Writer::Found* found = &own;
    for (auto& [outer, inner] : nested) {
      if (field != nullptr) break;
      field = outer->type.record->Find(child.key());
      found = &inner;
    }
    if (field == nullptr) return Wrong(here, "is not known");
    RETURN_IF_ERROR(Writer::Add(field, child, here, found));
  }
  return Writer(out).Fields(own, top, nested);
}

Json DecodeRecord(const Idl::Record& record, CompactProtocol* in) {
  Json json = Json::object();
  std::string unused;
  in->readStructBegin(unused);
  for (;;) {
    TType type;
    int16_t id;
    in->readFieldBegin(unused, type, id);
    if (type == apache::thrift::protocol::T_STOP) break;
    const Idl::Field* const field = record.Find(id);
    if (field == nullptr) {
      in->skip(type);
    } else {
      json[field->name] = Decode(field->type, in);
    }
    in->readFieldEnd();
  }
  in->readStructEnd();
  return json;
}

}  // namespace vitrine
