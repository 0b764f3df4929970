// Keys that several sections of a mapping have in common. Internal to ingest.

#ifndef VITRINE_INGEST_MAPPING_KEYS_H_
#define VITRINE_INGEST_MAPPING_KEYS_H_

#include "absl/strings/string_view.h"

#include "ingest/toml_table.h"
#include "store/records_types.h"

namespace vitrine {

// `kind` and `channel` of a table; `otherwise` if they are not there or (an error) not known.
EventKind ReadKind(TomlTable* table, EventKind otherwise);
Channel ReadChannel(TomlTable* table, Channel otherwise);

// Whether lines may be counted under "ignored:<text>".
bool IsIgnoreReason(absl::string_view text);

}  // namespace vitrine

#endif  // VITRINE_INGEST_MAPPING_KEYS_H_
