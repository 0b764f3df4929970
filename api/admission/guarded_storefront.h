// What stands before a storefront, whoever asks it and however: the key, the quota, and whether
// there is time.

#ifndef VITRINE_API_ADMISSION_GUARDED_STOREFRONT_H_
#define VITRINE_API_ADMISSION_GUARDED_STOREFRONT_H_

#include <atomic>
#include <cstdint>

#include "api/Storefront.h"
#include "api/auth/gatekeeper.h"
#include "store/base/clock.h"

namespace vitrine {

// Thread-safe, as the service behind it is.
//
// A request that has waited for a quarter of its deadline (RequestArrival), or comes within a
// moment of one that had, is answered as if nobody had said who asks: without their history there
// is less to do, and the reply says `degraded`. What it waited is taken off its deadline.
class GuardedStorefront final : public StorefrontIf {
 public:
  // All outlive it.
  GuardedStorefront(StorefrontIf* service, const Gatekeeper* gatekeeper,
                    const Clock* clock = &Clock::System())
      : service_(*service), gatekeeper_(*gatekeeper), clock_(*clock) {}

  void recommend(RecommendReply& reply, const RecommendRequest& request) override;
  void page(PageReply& reply, const PageRequest& request) override;
  void similar(RecommendReply& reply, const SimilarRequest& request) override;
  void offers(OffersReply& reply, const OffersRequest& request) override;
  void track(TrackReply& reply, const TrackRequest& request) override;
  // Names the sites that are open to everybody.
  void ping(Pong& pong) override;

  // Replies that less was done for, since the start.
  int64_t degraded() const { return degraded_; }

 private:
  void CheckKey(const Context& context) const;
  // What is left of the deadline, and whether there is so much to do that this shall take less.
  // Throws Overloaded if nothing is left.
  struct Hurry {
    int32_t left_ms;
    bool degrade;
  };
  Hurry HurryOf(const Context& context);
  // Asks the service by `ask(request)`, as much in a hurry as we are; whether less was done.
  template <typename Request, typename Ask>
  bool AskInTime(const Request& request, const Ask& ask);

  StorefrontIf& service_;
  const Gatekeeper& gatekeeper_;
  const Clock& clock_;
  std::atomic<int64_t> busy_until_ns_{INT64_MIN};
  std::atomic<int64_t> degraded_{0};
};

}  // namespace vitrine

#endif  // VITRINE_API_ADMISSION_GUARDED_STOREFRONT_H_
