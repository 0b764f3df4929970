#include "api/admission/guarded_storefront.h"

#include <string>
#include <vector>

#include "api/server/admission.h"
#include "api/service/errors.h"
#include "api/service/request.h"

namespace vitrine {
namespace {

constexpr int64_t kMsNs = 1'000'000;
constexpr int64_t kDegradePart = 4;
// Others are in the same hurry for so long, those too whose waiting nobody measured.
constexpr int64_t kBusyNs = 20 * kMsNs;

}  // namespace

void GuardedStorefront::CheckKey(const Context& context) const {
  ThrowIfError(gatekeeper_.Check(context.site, context.api_key, Opens::kStorefront));
}

GuardedStorefront::Hurry GuardedStorefront::HurryOf(const Context& context) {
  const int64_t now_ns = clock_.SteadyNs();
  const int64_t arrived_ns = RequestArrival::Ns() == 0 ? now_ns : RequestArrival::Ns();
  const int64_t deadline_ns = int64_t{context.deadline_ms} * kMsNs;
  const int64_t waited_ns = now_ns - arrived_ns;
  if (context.deadline_ms < 1) return {context.deadline_ms, false};  // the service says so
  if (waited_ns >= deadline_ns) {
    ThrowStatus(OverloadedError("too busy to answer in time", deadline_ns / kMsNs));
  }
  if (waited_ns > deadline_ns / kDegradePart) busy_until_ns_ = now_ns + kBusyNs;
  return {static_cast<int32_t>((deadline_ns - waited_ns + kMsNs - 1) / kMsNs),
          now_ns < busy_until_ns_};
}

template <typename Request, typename Ask>
bool GuardedStorefront::AskInTime(const Request& request, const Ask& ask) {
  const Hurry hurry = HurryOf(request.context);
  if (!hurry.degrade && hurry.left_ms == request.context.deadline_ms) {
    ask(request);
    return false;
  }
  Request asked = request;
  asked.context.deadline_ms = hurry.left_ms;
  if (hurry.degrade) {
    asked.context.__isset.customer_id = asked.context.__isset.visitor_id = false;
    asked.context.customer_id.clear();
    asked.context.visitor_id.clear();
  }
  const DegradedAnswer answer(hurry.degrade);
  ask(asked);
  if (hurry.degrade) ++degraded_;
  return hurry.degrade;
}

void GuardedStorefront::recommend(RecommendReply& reply, const RecommendRequest& request) {
  CheckKey(request.context);
  reply.degraded = AskInTime(request, [&](const auto& asked) { service_.recommend(reply, asked); });
}

void GuardedStorefront::page(PageReply& reply, const PageRequest& request) {
  CheckKey(request.context);
  reply.degraded = AskInTime(request, [&](const auto& asked) { service_.page(reply, asked); });
}

void GuardedStorefront::similar(RecommendReply& reply, const SimilarRequest& request) {
  CheckKey(request.context);
  reply.degraded = AskInTime(request, [&](const auto& asked) { service_.similar(reply, asked); });
}

void GuardedStorefront::offers(OffersReply& reply, const OffersRequest& request) {
  CheckKey(request.context);
  reply.degraded = AskInTime(request, [&](const auto& asked) { service_.offers(reply, asked); });
}

void GuardedStorefront::track(TrackReply& reply, const TrackRequest& request) {
  CheckKey(request.context);
  service_.track(reply, request);
}

void GuardedStorefront::ping(Pong& pong) {
  service_.ping(pong);
  std::erase_if(pong.sites, [&](const std::string& name) { return !gatekeeper_.Sees(name, ""); });
}

}  // namespace vitrine
