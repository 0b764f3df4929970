// Everything about one customer as a document that a person can read and keep.

#ifndef VITRINE_API_CLI_CUSTOMER_JSON_H_
#define VITRINE_API_CLI_CUSTOMER_JSON_H_

#include <string>

#include "api/vitrine_types.h"

namespace vitrine::cli {

// Indented JSON, UTF-8, ending in a line end. Times are written twice: as milliseconds and as UTC
// text. Bytes of rejects that are no text are escaped.
std::string CustomerJson(const CustomerRecord& record);

// "2026-11-22T10:15:00.000Z"
std::string TimeText(int64_t time_ms);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_CUSTOMER_JSON_H_
