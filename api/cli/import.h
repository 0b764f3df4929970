// One file through the back office, whichever side of a socket it is on: shared by the commands
// that import.

#ifndef VITRINE_API_CLI_IMPORT_H_
#define VITRINE_API_CLI_IMPORT_H_

#include <string>

#include "absl/status/statusor.h"

#include "api/Backoffice.h"
#include "ingest/importer.h"
#include "ingest/mapping.h"

namespace vitrine::cli {

// Imports `file` into `site` (ImportFile) and shows how it goes on.
absl::StatusOr<ImportSummary> ImportThrough(BackofficeIf* backoffice, const std::string& site,
                                            const std::string& file, const Mapping& mapping,
                                            size_t batch_events);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_IMPORT_H_
