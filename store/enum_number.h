// What stands in an enum field of a record.

#ifndef VITRINE_STORE_ENUM_NUMBER_H_
#define VITRINE_STORE_ENUM_NUMBER_H_

#include <cstdint>
#include <cstring>

namespace vitrine {

// The number that stands in an enum field. A peer can send any, and to load one that the enum does
// not have would be undefined.
template <typename Enum>
int32_t NumberIn(const Enum& field) {
  int32_t number;
  static_assert(sizeof(field) == sizeof(number));
  std::memcpy(&number, &field, sizeof(number));
  return number;
}

}  // namespace vitrine

#endif  // VITRINE_STORE_ENUM_NUMBER_H_
