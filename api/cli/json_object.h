// Documents that people edit, as JSON: a struct is described once, for reading and for writing.

#ifndef VITRINE_API_CLI_JSON_OBJECT_H_
#define VITRINE_API_CLI_JSON_OBJECT_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace vitrine::cli {

// One object of the document, read or written: each struct below is described once for both ways.
// When reading, the first mistake is kept and the rest goes on with defaults.
class JsonObject {
 public:
  using Json = nlohmann::ordered_json;

  static JsonObject Reading(const Json& json, std::string where, absl::Status* status) {
    JsonObject object(std::move(where), status);
    object.reading_ = true;
    object.json_ = json;
    if (!json.is_object()) object.Fail("", "an object is wanted");
    return object;
  }
  static JsonObject Writing() { return JsonObject("", nullptr); }

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
  void Field(const char* name, std::vector<double>* value) {
    Plain(
        name, value,
        [](const Json& json) {
          return json.is_array() && std::all_of(json.begin(), json.end(), [](const Json& entry) {
                   return entry.is_number();
                 });
        },
        "a list of numbers is wanted");
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

  // An empty list is written where `even_empty` says so.
  template <typename Struct, typename Describe>
  void List(const char* name, std::vector<Struct>* list, Describe describe,
            bool even_empty = false) {
    if (!reading_) {
      Json json = Json::array();
      for (Struct& element : *list) {
        JsonObject object = Writing();
        describe(&object, &element);
        json.push_back(object.Finish());
      }
      if (!json.empty() || even_empty) json_[name] = std::move(json);
      return;
    }
    const Json* const json = Find(name);
    if (json == nullptr) return;
    if (!json->is_array()) return Fail(name, "a list is wanted");
    for (size_t i = 0; i < json->size(); ++i) {
      JsonObject object = Reading((*json)[i], absl::StrCat(where_, name, "[", i, "]."), status_);
      describe(&object, &list->emplace_back());
      object.Finish();
    }
  }
  template <typename Struct, typename Describe>
  void One(const char* name, Struct* value, Describe describe) {
    if (!reading_) {
      JsonObject object = Writing();
      describe(&object, value);
      json_[name] = object.Finish();
      return;
    }
    const Json* const json = Find(name);
    if (json == nullptr) return;
    JsonObject object = Reading(*json, absl::StrCat(where_, name, "."), status_);
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
  JsonObject(std::string where, absl::Status* status) : where_(std::move(where)), status_(status) {
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

// For Maybe and Goes: whether an optional field is set; sets it when reading.
#define VITRINE_SET(record, field) \
  [record](bool set) { return (record)->__isset.field = (record)->__isset.field || set; }

// InvalidArgument if it is no JSON.
inline absl::StatusOr<JsonObject::Json> ParseJson(absl::string_view text) {
  try {
    return JsonObject::Json::parse(text.begin(), text.end());
  } catch (const JsonObject::Json::exception& e) {
    return absl::InvalidArgumentError(absl::StrCat("this is no JSON: ", e.what()));
  }
}

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_JSON_OBJECT_H_
