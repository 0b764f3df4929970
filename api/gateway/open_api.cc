#include "api/gateway/open_api.h"

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "api/gateway/embedded.h"
#include "api/gateway/idl.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Idl::Type::Kind;

Json Reference(const std::string& name) {
  return {{"$ref", absl::StrCat("#/components/schemas/", name)}};
}

Json SchemaOf(const Idl::Type& type) {
  switch (type.kind) {
    case Kind::kBool:
      return {{"type", "boolean"}};
    case Kind::kInt32:
      return {{"type", "integer"}, {"format", "int32"}};
    case Kind::kInt64:
      return {{"type", "integer"}, {"format", "int64"}};
    case Kind::kDouble:
      return {{"type", "number"}, {"format", "double"}};
    case Kind::kString:
      return {{"type", "string"}};
    case Kind::kEnum: {
      Json names = Json::array();
      for (const auto& [name, value] : type.values->values) names.push_back(name);
      return {{"type", "string"}, {"enum", std::move(names)}};
    }
    case Kind::kList:
      return {{"type", "array"}, {"items", SchemaOf(*type.element)}};
    case Kind::kMap:
      return {{"type", "object"}, {"additionalProperties", SchemaOf(*type.element)}};
    case Kind::kRecord:
      break;
  }
  return Reference(type.record->name);
}

// A request's context and page are spread over it.
void AddProperties(const Idl::Record& record, bool is_request, Json* properties) {
  for (const Idl::Field& field : record.fields) {
    if (is_request && (field.name == "context" || field.name == "page")) {
      AddProperties(*field.type.record, false, properties);
      continue;
    }
    if (field.name == "api_key") continue;  // goes into a header
    Json& schema = (*properties)[field.name] = SchemaOf(field.type);
    if (field.default_json.empty() || field.type.kind == Kind::kRecord) continue;
    Json value = Json::parse(field.default_json);
    if (field.type.kind == Kind::kBool) value = value != 0;
    if (field.type.kind == Kind::kEnum) {
      value = std::string(field.type.values->NameOf(value.get<int32_t>()));
    }
    schema["default"] = std::move(value);
  }
}

std::string MakeText() {
  Json description = Json::parse(kOpenApi);
  Json& schemas = description["components"]["schemas"];
  for (const auto& [name, record] : Idl::Get().records()) {
    if (name == "Context" || name == "PageFacts" || name == "Pong") continue;
    const bool is_request = absl::EndsWith(name, "Request");
    Json& schema = schemas[name] = {{"type", "object"}, {"properties", Json::object()}};
    AddProperties(*record, is_request, &schema["properties"]);
    if (is_request) schema["additionalProperties"] = false;
  }
  return description.dump(1);
}

}  // namespace

const std::string& OpenApiText() {
  static const std::string* const text = new std::string(MakeText());
  return *text;
}

}  // namespace vitrine
