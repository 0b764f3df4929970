// Requests of HTTP as the gateway answers them: the first line is method and target, the lines
// behind it are headers up to an empty one, the rest is the body. Every request has a reply that is
// well-formed, and what reaches the storefront goes through JSON unchanged.

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

#include "api/gateway/http_api.h"
#include "api/gateway/json_codec.h"
#include "tests/fuzz/fuzzing.h"

namespace vitrine {
namespace {

template <typename Request>
void CheckRoundTrip(Request request, absl::string_view name) {
  request.context.api_key.clear();  // of a header: any bytes
  JsonTree tree;
  const std::string json = ToJson(request, name).dump();
  CHECK(tree.Parse(json).ok()) << json;
  Request again;
  const absl::Status read = ReadJson(tree.root(), name, &again);
  CHECK(read.ok()) << read << json;
  CHECK(again == request) << json;
}

class CheckingStorefront : public StorefrontNull {
 public:
  void recommend(RecommendReply&, const RecommendRequest& request) override {
    CheckRoundTrip(request, "RecommendRequest");
  }
  void page(PageReply&, const PageRequest& request) override {
    CheckRoundTrip(request, "PageRequest");
  }
  void track(TrackReply&, const TrackRequest& request) override {
    // An event without a kind, which the store rejects, has none that JSON could name.
    for (const Event& event : request.events) {
      if (static_cast<int>(event.kind) == 0) return;
    }
    CheckRoundTrip(request, "TrackRequest");
  }
};

const HttpApi& Api() {
  static const HttpApi* const api = [] {
    GatewayParts parts;
    parts.storefront = new CheckingStorefront;
    parts.hosts = [](const std::string&) { return std::vector<std::string>{"shop.example"}; };
    return new HttpApi(std::move(parts), ShopFiles());
  }();
  return *api;
}

void Run(absl::string_view bytes) {
  HttpRequest request;
  const std::pair<absl::string_view, absl::string_view> first =
      absl::StrSplit(fuzz::TakeLine(&bytes), absl::MaxSplits(' ', 1));
  request.method = std::string(first.first);
  request.target = std::string(first.second);
  for (absl::string_view line; !(line = fuzz::TakeLine(&bytes)).empty();) {
    const std::pair<absl::string_view, absl::string_view> header =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    // The parser in front lets no control characters through.
    std::string value(header.second);
    for (char& c : value) c = absl::ascii_iscntrl(c) ? '?' : c;
    request.headers.emplace_back(header.first, value);
  }
  request.body = std::string(bytes);
  const HttpReply reply = Api().Handle(request);
  CHECK(reply.status >= 200 && reply.status < 600 && reply.status != 500) << reply.body;
  if (reply.content_type == "application/json") {
    CHECK(nlohmann::json::accept(reply.body)) << reply.body;
  }
  for (const auto& [name, value] : reply.headers) {
    for (const char c : value) CHECK(!absl::ascii_iscntrl(c)) << name;
  }
}

}  // namespace
}  // namespace vitrine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vitrine::Run(vitrine::fuzz::Text(data, size));
  return 0;
}
