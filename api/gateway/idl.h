// What the IDL says of the structs that storefronts send and get: names, numbers and types of their
// fields, read from what the Thrift compiler makes of api/vitrine.thrift. JSON then needs no list
// of names of its own.

#ifndef VITRINE_API_GATEWAY_IDL_H_
#define VITRINE_API_GATEWAY_IDL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vitrine {

class Idl {
 public:
  struct Record;

  struct Enum {
    std::string name;
    std::map<std::string, int32_t, std::less<>> values;  // by name, in small letters

    // Empty if no value has the number.
    absl::string_view NameOf(int32_t value) const;
  };

  struct Type {
    enum class Kind { kBool, kInt32, kInt64, kDouble, kString, kEnum, kList, kMap, kRecord };

    Kind kind = Kind::kString;
    const Enum* values = nullptr;         // kEnum
    const Record* record = nullptr;       // kRecord
    std::shared_ptr<const Type> element;  // kList; kMap, of the values: keys are strings
  };

  struct Field {
    int16_t id = 0;
    std::string name;
    Type type;
    std::string default_json;  // empty: none
  };

  struct Record {
    std::string name;
    std::vector<Field> fields;

    // Null if there is none.
    const Field* Find(absl::string_view field) const;
    const Field* Find(int16_t id) const;
  };

  // The one of this program. Made at the first call, in a few milliseconds.
  static const Idl& Get();

  // REQUIRES: it is one of the Storefront's structs, or part of one.
  const Record& record(absl::string_view name) const;
  const std::map<std::string, std::unique_ptr<Record>, std::less<>>& records() const {
    return records_;
  }

 private:
  struct Source;

  explicit Idl(const Source& source);
  const Record* Add(const Source& source, const std::string& name);
  const Enum* AddEnum(const Source& source, const std::string& name);

  std::map<std::string, std::unique_ptr<Record>, std::less<>> records_;
  std::map<std::string, Enum, std::less<>> enums_;
};

}  // namespace vitrine

#endif  // VITRINE_API_GATEWAY_IDL_H_
