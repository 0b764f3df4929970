#include "api/cli/placements_json.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "store/event_names.h"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;

// One object of the document, read or written: each struct below is described once for both ways.
// When reading, the first mistake is kept and the rest goes on with defaults.
class Object {
 public:
  static Object Reading(const Json& json, std::string where, absl::Status* status) {
    Object object(std::move(where), status);
    object.reading_ = true;
    object.json_ = json;
    if (!json.is_object()) object.Fail("", "an object is wanted");
    return object;
  }
  static Object Writing() { return Object("", nullptr); }

  // When reading: names what is left over as unknown.
  Json Finish() {
    if (!reading_) return std::move(json_);
    for (const auto& [key, value] : json_.items()) {
      if (!known_.contains(key)) Fail(key, "is not known");
    }
    return {};
  }

  void Field(const char* name, std::string* value) {
    Plain(
        name, value, [](const Json& json) { return json.is_string(); }, "a text is wanted");
  }
  void Field(const char* name, bool* value) {
    Plain(
        name, value, [](const Json& json) { return json.is_boolean(); }, "true or false is wanted");
  }
  void Field(const char* name, double* value) {
    Plain(
        name, value, [](const Json& json) { return json.is_number(); }, "a number is wanted");
  }
  void Field(const char* name, int32_t* value) { Whole(name, value); }
  void Field(const char* name, int64_t* value) { Whole(name, value); }
  void Field(const char* name, std::vector<std::string>* value) {
    Plain(
        name, value,
        [](const Json& json) {
          return json.is_array() && std::all_of(json.begin(), json.end(), [](const Json& entry) {
                   return entry.is_string();
                 });
        },
        "a list of texts is wanted");
  }
  template <typename Value>
  void Field(const char* name, std::map<std::string, Value>* value) {
    if (!reading_) {
      if (!value->empty()) json_[name] = *value;
      return;
    }
    const Json* const json = Find(name);
    if (json == nullptr) return;
    try {
      json->get_to(*value);
    } catch (const Json::exception&) {
      Fail(name, "texts by language are wanted");
    }
  }

  // Whether to go on with something that may be absent: it is there, or is set. `is_set` says the
  // latter, and is told when reading.
  template <typename IsSet>
  bool Goes(const char* name, IsSet is_set) const {
    return reading_ ? json_.contains(name) && is_set(true) : is_set(false);
  }
  template <typename Value, typename IsSet>
  void Maybe(const char* name, Value* value, IsSet is_set) {
    if (Goes(name, is_set)) Field(name, value);
  }

  // By their names.
  template <typename Enum, typename Parse, typename Name>
  void Named(const char* name, Enum* value, Parse parse, Name name_of, const std::string& names) {
    std::string text = reading_ ? "" : std::string(name_of(*value));
    if (reading_ && !json_.contains(name))
      return Fail(name, absl::StrCat("is wanted: one of ", names));
    Field(name, &text);
    if (reading_) *value = Parsed(name, text, *value, parse, names);
  }
  template <typename Enum, typename Parse, typename Name>
  void Named(const char* name, std::vector<Enum>* values, Parse parse, Name name_of,
             const std::string& names) {
    std::vector<std::string> texts;
    if (!reading_) {
      for (const Enum value : *values) texts.emplace_back(name_of(value));
    }
    Field(name, &texts);
    if (!reading_) return;
    for (const std::string& text : texts) {
      values->push_back(Parsed(name, text, Enum(), parse, names));
    }
  }

  template <typename Struct, typename Describe>
  void List(const char* name, std::vector<Struct>* list, Describe describe) {
    if (!reading_) {
      Json json = Json::array();
      for (Struct& element : *list) {
        Object object = Writing();
        describe(&object, &element);
        json.push_back(object.Finish());
      }
      if (!json.empty()) json_[name] = std::move(json);
      return;
    }
    const Json* const json = Find(name);
    if (json == nullptr) return;
    if (!json->is_array()) return Fail(name, "a list is wanted");
    for (size_t i = 0; i < json->size(); ++i) {
      Object object = Reading((*json)[i], absl::StrCat(where_, name, "[", i, "]."), status_);
      describe(&object, &list->emplace_back());
      object.Finish();
    }
  }
  template <typename Struct, typename Describe>
  void One(const char* name, Struct* value, Describe describe) {
    if (!reading_) {
      Object object = Writing();
      describe(&object, value);
      json_[name] = object.Finish();
      return;
    }
    const Json* const json = Find(name);
    if (json == nullptr) return;
    Object object = Reading(*json, absl::StrCat(where_, name, "."), status_);
    describe(&object, value);
    object.Finish();
  }

  // As RFC 3339.
  void Time(const char* name, int64_t* time_ms) {
    if (!reading_) {
      json_[name] = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(*time_ms),
                                     absl::UTCTimeZone());
      return;
    }
    std::string text, why;
    Field(name, &text);
    absl::Time time;
    if (!absl::ParseTime(absl::RFC3339_full, text, &time, &why)) {
      return Fail(name, "a time as 2026-03-20T00:00:00Z is wanted");
    }
    *time_ms = absl::ToUnixMillis(time);
  }

 private:
  Object(std::string where, absl::Status* status) : where_(std::move(where)), status_(status) {
    json_ = Json::object();
  }

  const Json* Find(const char* name) {
    known_.insert(name);
    const auto it = json_.find(name);
    return it == json_.end() ? nullptr : &*it;
  }

  template <typename Value, typename Fits>
  void Plain(const char* name, Value* value, Fits fits, absl::string_view wanted) {
    if (!reading_) {
      if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
        if (value->empty()) return;
      }
      json_[name] = *value;
      return;
    }
    const Json* const json = Find(name);
    if (json == nullptr) return;
    if (!fits(*json)) return Fail(name, wanted);
    json->get_to(*value);
  }
  template <typename Int>
  void Whole(const char* name, Int* value) {
    Plain(
        name, value,
        [](const Json& json) {
          return json.is_number_integer() &&
                 json.get<double>() >= static_cast<double>(std::numeric_limits<Int>::min()) &&
                 json.get<double>() <= static_cast<double>(std::numeric_limits<Int>::max());
        },
        "a whole number is wanted");
  }
  template <typename Enum, typename Parse>
  Enum Parsed(const char* name, const std::string& text, Enum otherwise, Parse parse,
              const std::string& names) {
    const std::optional<Enum> value = parse(text);
    if (value) return *value;
    Fail(name, absl::StrCat("'", text, "' is none of ", names));
    return otherwise;
  }
  void Fail(absl::string_view name, absl::string_view what) {
    if (!status_->ok()) return;
    std::string place = absl::StrCat(where_, name);
    if (name.empty() && !place.empty()) place.pop_back();  // the dot
    *status_ = absl::InvalidArgumentError(
        absl::StrCat(place.empty() ? "the document" : place, ": ", what));
  }

  std::string where_;
  absl::Status* status_;
  bool reading_ = false;
  Json json_;
  std::set<std::string> known_;
};

// Whether an optional field is set; sets it when reading.
#define VITRINE_SET(record, field) \
  [record](bool set) { return (record)->__isset.field = (record)->__isset.field || set; }

void DescribeCondition(Object* object, ProductCondition* condition) {
  object->Field("attribute", &condition->attribute);
  object->Named("relation", &condition->relation, ParseRelation, RelationName, RelationNames());
  object->Field("values", &condition->values);
  object->Maybe("number", &condition->number, VITRINE_SET(condition, number));
}

void DescribeWindow(Object* object, PriceWindow* window) {
  object->Named("base", &window->base, ParsePriceBase, PriceBaseName, PriceBaseNames());
  object->Maybe("at_least", &window->at_least, VITRINE_SET(window, at_least));
  object->Maybe("at_most", &window->at_most, VITRINE_SET(window, at_most));
}

void DescribeRule(Object* object, Rule* rule) {
  object->Field("id", &rule->id);
  object->Named("kind", &rule->kind, ParseRuleKind, RuleKindName, RuleKindNames());
  object->List("products", &rule->products, DescribeCondition);
  object->Maybe("factor", &rule->factor, VITRINE_SET(rule, factor));
  object->Maybe("position", &rule->position, VITRINE_SET(rule, position));
  object->Maybe("product_id", &rule->product_id, VITRINE_SET(rule, product_id));
  object->Maybe("attribute", &rule->attribute, VITRINE_SET(rule, attribute));
  object->Maybe("most", &rule->most, VITRINE_SET(rule, most));
  object->Maybe("days", &rule->days, VITRINE_SET(rule, days));
  if (object->Goes("price", VITRINE_SET(rule, price))) {
    object->One("price", &rule->price, DescribeWindow);
  }
  if (object->Goes("from", VITRINE_SET(rule, from_ms))) object->Time("from", &rule->from_ms);
  if (object->Goes("to", VITRINE_SET(rule, to_ms))) object->Time("to", &rule->to_ms);
  object->Named("channels", &rule->channels, ParseChannel, ChannelName, ChannelNames());
  object->Field("countries", &rule->countries);
  object->Named("devices", &rule->devices, ParseDevice, DeviceName, DeviceNames());
  object->Field("except_categories", &rule->except_categories);
}

void DescribeSource(Object* object, RecipeSource* source) {
  object->Named("source", &source->source, ParseSource, SourceName, SourceNames());
  object->Field("weight", &source->weight);
  object->Maybe("days", &source->days, VITRINE_SET(source, days));
}

void DescribePlacement(Object* object, Placement* placement) {
  object->Field("id", &placement->id);
  object->Field("titles", &placement->titles);
  object->Field("k", &placement->k);
  object->Field("may_be_short", &placement->may_be_short);
  object->List("recipe", &placement->recipe, DescribeSource);
  object->List("rules", &placement->rules, DescribeRule);
}

void DescribeSet(Object* object, PlacementSet* content) {
  object->Maybe("free_shipping_minor", &content->free_shipping_minor,
                VITRINE_SET(content, free_shipping_minor));
  object->Maybe("currency", &content->currency, VITRINE_SET(content, currency));
  object->Field("reasons", &content->reasons);
  object->List("rules", &content->rules, DescribeRule);
  object->List("placements", &content->placements, DescribePlacement);
}

#undef VITRINE_SET

}  // namespace

std::string PlacementsToJson(const PlacementVersion& version) {
  Object object = Object::Writing();
  int64_t number = version.version;
  object.Field("version", &number);
  PlacementSet content = version.content;
  DescribeSet(&object, &content);
  return object.Finish().dump(2) + "\n";
}

absl::StatusOr<PlacementDocument> PlacementsFromJson(absl::string_view text) {
  Json json;
  try {
    json = Json::parse(text.begin(), text.end());
  } catch (const Json::exception& e) {
    return absl::InvalidArgumentError(absl::StrCat("this is no JSON: ", e.what()));
  }
  absl::Status status;
  PlacementDocument document;
  int64_t version = 0;
  bool has_version = false;
  Object object = Object::Reading(json, "", &status);
  object.Maybe("version", &version, [&](bool set) { return has_version = has_version || set; });
  DescribeSet(&object, &document.content);
  object.Finish();
  if (!status.ok()) return status;
  if (has_version) document.version = version;
  return document;
}

}  // namespace vitrine::cli
