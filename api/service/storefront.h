// What a storefront can ask, answered: the service without a socket. The same object serves the
// network and, where no server runs, the command line.

#ifndef VITRINE_API_SERVICE_STOREFRONT_H_
#define VITRINE_API_SERVICE_STOREFRONT_H_

#include <atomic>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "api/Storefront.h"
#include "api/service/site.h"
#include "store/base/clock.h"

namespace vitrine {

// Thread-safe. The functions throw the exceptions of vitrine.thrift.
class Storefront : public StorefrontIf {
 public:
  // Both must outlive this object.
  Storefront(Sites* sites, const Clock* clock);

  void recommend(RecommendReply& reply, const RecommendRequest& request) override;
  void similar(RecommendReply& reply, const SimilarRequest& request) override;
  void track(TrackReply& reply, const TrackRequest& request) override;
  void ping(Pong& pong) override;

 private:
  class Call;  // one request: its site, its deadline, its id

  absl::StatusOr<RecommendReply> Recommend(const RecommendRequest& request);
  absl::StatusOr<RecommendReply> Similar(const SimilarRequest& request);
  absl::StatusOr<TrackReply> Track(const TrackRequest& request);

  Sites* const sites_;
  const Clock* const clock_;
  std::atomic<uint64_t> calls_ = 0;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_STOREFRONT_H_
