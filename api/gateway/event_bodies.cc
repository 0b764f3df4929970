#include "api/gateway/event_bodies.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "ingest/formats/element.h"
#include "ingest/formats/json_tree.h"
#include "ingest/line_parser.h"
#include "ingest/mapping.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// The body with its time of arrival, where it has none of its own: in a file both would be an
// error, since only the server that took it knew.
absl::StatusOr<std::string> WithArrival(absl::string_view body, BodyFormat format, int64_t now_ms) {
  body = absl::StripAsciiWhitespace(body);
  JsonTree tree;
  RETURN_IF_ERROR(tree.Parse(body));
  const bool is_ga4 = format == BodyFormat::kGa4;
  const absl::string_view key = is_ga4 ? "timestamp_micros" : "receivedAt";
  if (!tree.root()[key].is_null()) return std::string(body);
  const std::string value =
      is_ga4 ? absl::StrCat(now_ms, "000")
             : absl::StrCat("\"",
                            absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(now_ms),
                                             absl::UTCTimeZone()),
                            "\"");
  const absl::string_view rest = body.substr(1);  // it is an object: it begins with a brace
  const bool is_empty = absl::StartsWith(absl::StripLeadingAsciiWhitespace(rest), "}");
  // In front, where it wins over a null of its own.
  return absl::StrCat("{\"", key, "\":", value, is_empty ? "" : ",", rest);
}

}  // namespace

absl::StatusOr<EventBody> ReadEventBody(absl::string_view body, BodyFormat format, int64_t now_ms) {
  ASSIGN_OR_RETURN(const std::string text, WithArrival(body, format, now_ms));
  Mapping mapping;
  mapping.format = format == BodyFormat::kGa4 ? Mapping::Format::kGa4 : Mapping::Format::kSegment;
  mapping.max_age_ms = limits::kTrackAgeMsMax;
  ASSIGN_OR_RETURN(LineParser parser, LineParser::Create(mapping, "", ""));
  Line line;
  line.text = text;
  line.number = 1;
  std::vector<Element> elements;
  parser.ParseElements(line, &elements);
  EventBody read;
  for (size_t i = 0; i < elements.size(); ++i) {
    Element& element = elements[i];
    if (element.kind == Element::Kind::kEvent) {
      read.events.push_back(std::move(element.event));
      read.indexes.push_back(static_cast<int32_t>(i));
    } else if (element.kind == Element::Kind::kRejected) {
      TrackReject& reject = read.rejects.emplace_back();
      reject.index = static_cast<int32_t>(i);
      reject.reason = element.reason;
      reject.detail = element.detail;
    } else {
      ++read.ignored;  // also facts about customers and products: those are the back office's
    }
  }
  return read;
}

}  // namespace vitrine
