// Percent encoding of URLs (RFC 3986), in both directions.

#ifndef VITRINE_INGEST_PERCENT_H_
#define VITRINE_INGEST_PERCENT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace vitrine {

// Appends `text` with %41 as A; with `plus_is_blank` (in queries) + as a blank. A % without two hex
// digits behind it stands for itself. The result need not be UTF-8.
void AppendPercentDecoded(absl::string_view text, bool plus_is_blank, std::string* out);

// Appends `text`, but bytes that are no UTF-8 and control characters as %FF: what is left is text
// that the store takes, and nothing of it is lost. Costs one look if `text` is fine.
void AppendAsUtf8(absl::string_view text, std::string* out);

// The byte at the front of `text` and its length there: of "%41..." A and 3, of "x..." x and 1.
// REQUIRES: `text` is not empty.
char PercentDecodedByte(absl::string_view text, size_t* bytes);

}  // namespace vitrine

#endif  // VITRINE_INGEST_PERCENT_H_
