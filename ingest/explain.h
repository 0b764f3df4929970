// What a mapping makes of a URL, without a log to try it on.

#ifndef VITRINE_INGEST_EXPLAIN_H_
#define VITRINE_INGEST_EXPLAIN_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "ingest/mapping.h"
#include "store/base/report.h"

namespace vitrine {

// Which rule fires for the request, and the event that comes of it or why it is ignored. `request`
// is "URL", "METHOD URL" or "METHOD URL STATUS"; GET and 200 otherwise. InvalidArgument if it is
// none of these, or the mapping is not for access logs; a fault where the line would be rejected.
absl::StatusOr<Report> ExplainRequest(const Mapping& mapping, absl::string_view request);

}  // namespace vitrine

#endif  // VITRINE_INGEST_EXPLAIN_H_
