// Early return on error, for functions that return absl::Status or absl::StatusOr<T>.
//
//   RETURN_IF_ERROR(file.Sync());
//   ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
//
// ASSIGN_OR_RETURN is two statements: use it inside braces.

#ifndef VITRINE_STORE_BASE_STATUS_MACROS_H_
#define VITRINE_STORE_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#define RETURN_IF_ERROR(expression)                                       \
  do {                                                                    \
    if (absl::Status status_macro_ = (expression); !status_macro_.ok()) { \
      return status_macro_;                                               \
    }                                                                     \
  } while (false)

#define VITRINE_MACRO_CONCAT_(a, b) a##b
#define VITRINE_MACRO_CONCAT(a, b) VITRINE_MACRO_CONCAT_(a, b)

#define ASSIGN_OR_RETURN(lhs, expression) \
  ASSIGN_OR_RETURN_IMPL_(VITRINE_MACRO_CONCAT(status_or_, __LINE__), lhs, expression)

#define ASSIGN_OR_RETURN_IMPL_(temporary, lhs, expression)   \
  auto temporary = (expression);                             \
  if (!temporary.ok()) return std::move(temporary).status(); \
  lhs = *std::move(temporary)

namespace vitrine {

// The same error with `context` said first ("gifts.toml: unknown column").
inline absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(context, ": ", status.message()));
}

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_STATUS_MACROS_H_
