#include "api/gateway/idl.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "api/gateway/embedded.h"
#include "store/base/check.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

// Everything that a storefront says or hears, and documents that people edit; what these hold comes
// along.
constexpr const char* kRoots[] = {"Context",        "PageFacts",   "RecommendRequest",
                                  "RecommendReply", "PageRequest", "PageReply",
                                  "OffersRequest",  "OffersReply", "TrackRequest",
                                  "TrackReply",     "Pong",        "OfferSetVersion"};

// The compiler writes an enum down as an i32, and a list of them as one of those.
struct EnumField {
  const char* field;
  const char* name;
};
constexpr EnumField kEnumFields[] = {
    {"Consent.channel", "Channel"},
    {"ContactNote.progress", "ContactProgress"},
    {"Context.channel", "Channel"},
    {"Context.device", "Device"},
    {"Event.channel", "Channel"},
    {"Event.kind", "EventKind"},
    {"OfferEligibility.channels", "Channel"},
    {"ShopOffer.kind", "OfferKind"},
    {"Suggestion.source", "Source"},
    {"TrackReply.acknowledged", "Acknowledge"},
    {"TrackRequest.acknowledge", "Acknowledge"},
};

const char* EnumOf(const std::string& field) {
  for (const EnumField& known : kEnumFields) {
    if (field == known.field) return known.name;
  }
  return nullptr;
}

const Json& Named(const Json& list, const std::string& name) {
  for (const Json& entry : list) {
    if (entry["name"] == name) return entry;
  }
  CHECK(false) << name << " is not in the IDL";
  return list;
}

Idl::Type::Kind KindOf(const std::string& type) {
  using Kind = Idl::Type::Kind;
  if (type == "bool") return Kind::kBool;
  if (type == "i32") return Kind::kInt32;
  if (type == "i64") return Kind::kInt64;
  if (type == "double") return Kind::kDouble;
  if (type == "list") return Kind::kList;
  if (type == "map") return Kind::kMap;
  if (type == "struct") return Kind::kRecord;
  CHECK(type == "string") << "the gateway has no JSON for fields of type " << type;
  return Kind::kString;
}

}  // namespace

struct Idl::Source {
  Json json;
};

absl::string_view Idl::Enum::NameOf(int32_t value) const {
  for (const auto& [value_name, number] : values) {
    if (number == value) return value_name;
  }
  return "";
}

const Idl::Field* Idl::Record::Find(absl::string_view field) const {
  for (const Field& known : fields) {
    if (known.name == field) return &known;
  }
  return nullptr;
}

const Idl::Field* Idl::Record::Find(int16_t id) const {
  for (const Field& known : fields) {
    if (known.id == id) return &known;
  }
  return nullptr;
}

Idl::Idl(const Source& source) {
  for (const char* root : kRoots) Add(source, root);
}

const Idl::Enum* Idl::AddEnum(const Source& source, const std::string& name) {
  Enum& known = enums_[name];
  if (!known.values.empty()) return &known;
  known.name = name;
  for (const Json& member : Named(source.json["enums"], name)["members"]) {
    known.values.emplace(absl::AsciiStrToLower(member["name"].get<std::string>()),
                         member["value"].get<int32_t>());
  }
  return &known;
}

const Idl::Record* Idl::Add(const Source& source, const std::string& name) {
  std::unique_ptr<Record>& known = records_[name];
  if (known != nullptr) return known.get();
  known = std::make_unique<Record>();
  Record* const record = known.get();
  record->name = name;
  // {"typeId": "list", "elemTypeId": "struct", "elemType": {"class": ...}} and its like.
  const auto type_of = [&](const Json& type, const std::string& id, const auto& self) -> Type {
    Type made;
    made.kind = KindOf(id);
    if (made.kind == Type::Kind::kRecord) {
      made.record = Add(source, type["class"].get<std::string>());
    } else if (made.kind == Type::Kind::kList) {
      const Json element = type.value("elemType", Json::object());
      made.element =
          std::make_shared<const Type>(self(element, type["elemTypeId"].get<std::string>(), self));
    } else if (made.kind == Type::Kind::kMap) {
      CHECK(type["keyTypeId"] == "string") << "JSON has objects with names only";
      const Json value = type.value("valueType", Json::object());
      made.element =
          std::make_shared<const Type>(self(value, type["valueTypeId"].get<std::string>(), self));
    }
    return made;
  };
  for (const Json& field : Named(source.json["structs"], name)["fields"]) {
    Field& made = record->fields.emplace_back();
    made.id = field["key"].get<int16_t>();
    made.name = field["name"].get<std::string>();
    made.type =
        type_of(field.value("type", Json::object()), field["typeId"].get<std::string>(), type_of);
    if (const char* values = EnumOf(absl::StrCat(name, ".", made.name))) {
      Type one;
      one.kind = Type::Kind::kEnum;
      one.values = AddEnum(source, values);
      if (made.type.kind == Type::Kind::kList) {
        made.type.element = std::make_shared<const Type>(one);
      } else {
        made.type = one;
      }
    }
    if (field.contains("default")) made.default_json = field["default"].dump();
  }
  return record;
}

const Idl& Idl::Get() {
  static const Idl* const idl = new Idl(Source{Json::parse(kIdl)});
  return *idl;
}

const Idl::Record& Idl::record(absl::string_view name) const {
  const auto found = records_.find(std::string(name));
  CHECK(found != records_.end()) << name;
  return *found->second;
}

}  // namespace vitrine
