// Events as JSON lines: one object each, with the field names of store/records.thrift.

#ifndef VITRINE_EXPERIMENTS_SIMULATION_EVENT_JSON_H_
#define VITRINE_EXPERIMENTS_SIMULATION_EVENT_JSON_H_

#include <string>

#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine::simulation {

// Appends the event as JSON and a line feed; fields that are not set are left out.
// REQUIRES: its strings are UTF-8.
void AppendEventJson(const Event& event, std::string* out);

}  // namespace vitrine::simulation

#endif  // VITRINE_EXPERIMENTS_SIMULATION_EVENT_JSON_H_
