// A request of HTTP and the reply to it, without a socket.

#ifndef VITRINE_API_GATEWAY_HTTP_MESSAGE_H_
#define VITRINE_API_GATEWAY_HTTP_MESSAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace vitrine {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  // "GET"
  std::string target;  // "/v1/page?site=gifts", as it came
  HttpFields headers;
  std::string body;

  // The value of a header, whatever the case of its name; empty if it is not there.
  absl::string_view Header(absl::string_view name) const;
};

struct HttpReply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  HttpFields headers = {};
};

// What stands behind the question mark: decoded, in order, at most limits::kHttpQueryFieldsMax of
// them (what is behind is lost).
HttpFields ParseQuery(absl::string_view query);

// A target in its two halves; the path is decoded.
struct HttpTarget {
  std::string path;
  absl::string_view query;  // not decoded; points into the target
};
HttpTarget SplitTarget(absl::string_view target);

// {"error": {"code": ..., "message": ..., "field": ...}}; no field if it is empty.
HttpReply ErrorReply(int status, absl::string_view code, absl::string_view message,
                     absl::string_view field = "");

}  // namespace vitrine

#endif  // VITRINE_API_GATEWAY_HTTP_MESSAGE_H_
