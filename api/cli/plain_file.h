// Interactions and sessions in plain files, as `vitrine evaluate` takes them.

#ifndef VITRINE_API_CLI_PLAIN_FILE_H_
#define VITRINE_API_CLI_PLAIN_FILE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "recommender/offline/visits_builder.h"

namespace vitrine::cli {

struct PlainFileOptions {
  enum class Format {
    kTable,     // CSV or TSV with a head, an interaction a line
    kSessions,  // "item item item", oldest first; in a test part also "item item<TAB>what was next"
    kSets,      // "person item item item", in no order
  };

  Format format = Format::kTable;
  std::optional<char> delimiter = {};  // of a table; by default what its head has most of , ; tab
  // Names in the head of a table. Empty: the column with one of the usual names, if there is one.
  std::string person, item, time, session, kind;
};

// Seconds or (from 10^11) milliseconds since 1970, 2024-01-31, 2024-01-31 23:59:59, RFC 3339; UTC
// where it says no zone. InvalidArgument for anything else.
absl::StatusOr<int64_t> ParsePlainTime(absl::string_view text);

// Called now and then with the bytes read and (0: not known) all.
using BytesRead = std::function<void(int64_t done, int64_t all)>;

// Adds what is in the file, which may be packed (gzip, zstd), to `builder`. The first line that
// cannot be read ends it: InvalidArgument with the file, the line and why; ResourceExhausted alike
// beyond the limits of VisitsBuilder. Holds one line at a time.
absl::Status ReadPlainFile(const std::string& path, const PlainFileOptions& options,
                           const BytesRead& on_progress, VisitsBuilder* builder);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_PLAIN_FILE_H_
