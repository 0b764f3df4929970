// Is it text?

#ifndef VITRINE_STORE_BASE_UTF8_H_
#define VITRINE_STORE_BASE_UTF8_H_

#include "absl/strings/string_view.h"

namespace vitrine {

// True if `text` is well-formed UTF-8 (no overlong forms, no surrogates). Several GB/s (simdjson).
bool IsUtf8(absl::string_view text);

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_UTF8_H_
