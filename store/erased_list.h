// The file in a backup folder that says who was erased, so that a restore from an older backup does
// it again. A line a person: digest, up to when, CRC-32C of both; lines are only ever added.
// Internal to store.

#ifndef VITRINE_STORE_ERASED_LIST_H_
#define VITRINE_STORE_ERASED_LIST_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "store/privacy.h"

namespace vitrine {

// Empty if there is no such file. DataLoss that names the line if one is damaged; a last line
// without a line end was never acknowledged, and is none.
absl::StatusOr<Privacy::Erased> ReadErasedList(const std::string& path);

// Adds what the file does not say yet; synced when it returns. Safe beside others that do the same.
absl::Status AddToErasedList(const std::string& path, const Privacy::Erased& erased);

}  // namespace vitrine

#endif  // VITRINE_STORE_ERASED_LIST_H_
