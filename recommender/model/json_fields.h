// The fields of a JSON object by name, each checked before it is taken. Internal to model.

#ifndef VITRINE_RECOMMENDER_MODEL_JSON_FIELDS_H_
#define VITRINE_RECOMMENDER_MODEL_JSON_FIELDS_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace vitrine {

// Whether a value of that type can be taken from it without loss.
inline bool Fits(const nlohmann::json& json, const std::string&) { return json.is_string(); }
inline bool Fits(const nlohmann::json& json, bool) { return json.is_boolean(); }
inline bool Fits(const nlohmann::json& json, int64_t) { return json.is_number_integer(); }
inline bool Fits(const nlohmann::json& json, uint64_t) { return json.is_number_unsigned(); }
inline bool Fits(const nlohmann::json& json, uint32_t) {
  return json.is_number_unsigned() && std::in_range<uint32_t>(json.get<uint64_t>());
}
inline bool Fits(const nlohmann::json& json, double) { return json.is_number(); }
inline bool Fits(const nlohmann::json& json, float) { return json.is_number(); }

class FieldReader {
 public:
  // `object` must outlive the reader; errors call it `what`.
  FieldReader(const nlohmann::json& object, absl::string_view what) : object_(object), what_(what) {
    if (!object.is_object()) Fail("is no JSON object");
  }

  // Takes one field; what cannot be taken stays as it is and shows in status().
  template <typename T>
  void operator()(const char* name, T& value) {
    const nlohmann::json* const field = Find(name);
    if (field == nullptr) return;
    if (!Fits(*field, value)) return Fail(absl::StrCat("has no valid ", name));
    field->get_to(value);
  }

  // The field, for whoever knows more of it; null, and an error, if there is none.
  const nlohmann::json* Find(const char* name) {
    known_.insert(name);
    if (Has(name)) return &object_[name];
    Fail(absl::StrCat("has no valid ", name));
    return nullptr;
  }
  bool Has(const char* name) const { return object_.is_object() && object_.contains(name); }

  // Refuses fields that nobody asked for.
  void ExpectNoOthers() {
    if (!object_.is_object()) return;
    for (const auto& field : object_.items()) {
      if (!known_.contains(field.key())) Fail(absl::StrCat("has an unknown ", field.key()));
    }
  }

  // DataLoss, about the first field that could not be taken.
  const absl::Status& status() const { return status_; }

 private:
  void Fail(absl::string_view why) {
    if (status_.ok()) status_ = absl::DataLossError(absl::StrCat(what_, " ", why));
  }

  const nlohmann::json& object_;
  const std::string what_;
  std::set<std::string> known_;
  absl::Status status_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_JSON_FIELDS_H_
