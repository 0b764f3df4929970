// What stands before a storefront, whoever asks it and however: the key, the quota, and whether
// there is time.

#ifndef VITRINE_API_ADMISSION_GUARDED_STOREFRONT_H_
#define VITRINE_API_ADMISSION_GUARDED_STOREFRONT_H_

#include "api/Storefront.h"
#include "api/auth/gatekeeper.h"

namespace vitrine {

// Thread-safe, as the service behind it is.
class GuardedStorefront final : public StorefrontIf {
 public:
  // Both outlive it.
  GuardedStorefront(StorefrontIf* service, const Gatekeeper* gatekeeper)
      : service_(*service), gatekeeper_(*gatekeeper) {}

  void recommend(RecommendReply& reply, const RecommendRequest& request) override;
  void page(PageReply& reply, const PageRequest& request) override;
  void similar(RecommendReply& reply, const SimilarRequest& request) override;
  void track(TrackReply& reply, const TrackRequest& request) override;
  // Names the sites that are open to everybody.
  void ping(Pong& pong) override;

 private:
  void CheckKey(const Context& context) const;

  StorefrontIf& service_;
  const Gatekeeper& gatekeeper_;
};

}  // namespace vitrine

#endif  // VITRINE_API_ADMISSION_GUARDED_STOREFRONT_H_
