// Talks to Vitrine from C++: asks for suggestions, tells of a click, asks again, asks for a page.
//
//   cmake --build --preset release --target client_example
//   build/release/bin/client_example 127.0.0.1:9090 SITE [VISITOR]
//
// Links api_client, which knows timeouts and turns the IDL's exceptions into a Status.

#include "api/client/client.h"

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace {

using namespace vitrine;  // NOLINT: an example of its own

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

RecommendRequest FiveFor(const Context& context) {
  RecommendRequest request;
  request.context = context;
  request.k = 5;
  return request;
}

// The event of a visitor who looks at a product now.
Event Click(const std::string& product_id, const std::string& visitor) {
  Event event;
  event.time_ms = NowMs();
  event.id = absl::StrCat(visitor, "-", event.time_ms);  // an event that is sent twice counts once
  event.kind = EventKind::VIEW_ITEM;
  event.__set_visitor_id(visitor);
  Item item;
  item.product_id = product_id;
  event.__set_items({item});
  return event;
}

void Show(const char* title, const RecommendReply& reply) {
  std::printf("%s (events known: %d, model: %s)\n", title, reply.history_events,
              reply.model_id.c_str());
  for (const Suggestion& suggestion : reply.suggestions) {
    std::printf("  %-14s %-40.40s %9.4f\n", suggestion.product_id.c_str(), suggestion.name.c_str(),
                suggestion.score);
  }
}

void Converse(StorefrontClient* storefront, const Context& context) {
  RecommendReply reply;
  storefront->recommend(reply, FiveFor(context));
  Show("suggested", reply);

  const std::string liked = reply.suggestions.back().product_id;
  TrackRequest track;
  track.context = context;
  track.events = {Click(liked, context.visitor_id)};
  TrackReply tracked;
  storefront->track(tracked, track);
  std::printf("tracked a click on %s: accepted %d\n", liked.c_str(),
              static_cast<int>(tracked.accepted));

  storefront->recommend(reply, FiveFor(context));
  Show("suggested after the click", reply);

  // All shelves of a page in one call: no product is on two of them.
  PageRequest request;
  request.context = context;
  for (const char* placement : {"home", "trending"}) {
    ShelfWanted& wanted = request.shelves.emplace_back();
    wanted.placement = placement;
    wanted.k = 3;
  }
  PageReply page;
  storefront->page(page, request);
  for (const Shelf& shelf : page.shelves) {
    std::printf("shelf %s:", shelf.placement.c_str());
    for (const Suggestion& one : shelf.suggestions) std::printf(" %s", one.product_id.c_str());
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string address = argc > 2 ? argv[1] : "";
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port)) {
    std::fprintf(stderr, "usage: client_example HOST:PORT SITE [VISITOR]\n");
    return 2;
  }
  Context context;
  context.site = argv[2];
  context.__set_visitor_id(argc > 3 ? argv[3] : absl::StrCat("visitor-", NowMs()));
  auto connection = Connection<StorefrontClient>::Open(address.substr(0, colon), port, 10'000);
  absl::Status done = connection.status();
  if (done.ok()) done = CatchThrift([&] { Converse(&(*connection)->call(), context); });
  if (!done.ok())
    std::fprintf(stderr, "client: %s: %s\n", address.c_str(), done.ToString().c_str());
  return done.ok() ? 0 : 1;
}
