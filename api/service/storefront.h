// What a storefront can ask, answered: the service without a socket. The same object serves the
// network and, where no server runs, the command line.

#ifndef VITRINE_API_SERVICE_STOREFRONT_H_
#define VITRINE_API_SERVICE_STOREFRONT_H_

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "api/Storefront.h"
#include "api/service/site.h"
#include "store/base/clock.h"

namespace vitrine {

class RequestTime;

// A call of track, from its arrival to its answer.
struct TrackCall {
  TrackRequest request;
  int64_t arrived_ns = 0;  // steady: its deadline counts from here
  absl::StatusOr<TrackReply> reply = absl::UnknownError("not done");
};

// Thread-safe. The functions throw the exceptions of vitrine.thrift.
class Storefront : public StorefrontIf {
 public:
  // Both must outlive this object.
  Storefront(Sites* sites, const Clock* clock);

  void recommend(RecommendReply& reply, const RecommendRequest& request) override;
  void page(PageReply& reply, const PageRequest& request) override;
  void similar(RecommendReply& reply, const SimilarRequest& request) override;
  void offers(OffersReply& reply, const OffersRequest& request) override;
  void track(TrackReply& reply, const TrackRequest& request) override;
  void ping(Pong& pong) override;

  // Does them in order, each as track would, and syncs each site once for all that asked for it. A
  // call whose deadline has passed before its turn is not written.
  void Track(std::span<TrackCall* const> calls);

  const Clock& clock() const { return *clock_; }
  const Sites& sites() const { return *sites_; }

 private:
  absl::StatusOr<RecommendReply> Recommend(const RecommendRequest& request);
  absl::StatusOr<PageReply> Page(const PageRequest& request);
  absl::StatusOr<RecommendReply> Similar(const SimilarRequest& request);
  absl::StatusOr<OffersReply> Offers(const OffersRequest& request);
  std::string NextRecommendationId();
  // Track, before it is durable.
  absl::StatusOr<TrackReply> Apply(const TrackRequest& request, const RequestTime& time);

  Sites* const sites_;
  const Clock* const clock_;
  std::atomic<uint64_t> calls_ = 0;
  const std::string ids_;  // in front of every recommendation id
  std::atomic<uint64_t> recommendations_ = 0;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_STOREFRONT_H_
