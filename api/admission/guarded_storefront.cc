#include "api/admission/guarded_storefront.h"

#include <string>
#include <vector>

#include "api/service/errors.h"

namespace vitrine {

void GuardedStorefront::CheckKey(const Context& context) const {
  ThrowIfError(gatekeeper_.Check(context.site, context.api_key, Opens::kStorefront));
}

void GuardedStorefront::recommend(RecommendReply& reply, const RecommendRequest& request) {
  CheckKey(request.context);
  service_.recommend(reply, request);
}

void GuardedStorefront::page(PageReply& reply, const PageRequest& request) {
  CheckKey(request.context);
  service_.page(reply, request);
}

void GuardedStorefront::similar(RecommendReply& reply, const SimilarRequest& request) {
  CheckKey(request.context);
  service_.similar(reply, request);
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
