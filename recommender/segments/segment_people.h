// What segments go by, read from a web house: one customer, or all of them.

#ifndef VITRINE_RECOMMENDER_SEGMENTS_SEGMENT_PEOPLE_H_
#define VITRINE_RECOMMENDER_SEGMENTS_SEGMENT_PEOPLE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "recommender/customer_base/customer_base.h"
#include "recommender/customer_base/customer_values.h"
#include "recommender/segments/evaluate.h"
#include "store/segments_types.h"
#include "store/web_house.h"

namespace vitrine {

// A value model, and whose currency it is in.
struct FittedWorth {
  ValueModel model;
  CustomerBaseOptions options;  // its currency is named
};

// Fits to all of a site's histories, as of the last day on which anybody bought. Reads the whole
// store, best a checkpoint.
absl::StatusOr<std::shared_ptr<const FittedWorth>> FitWorth(const WebHouse& house);

// As of the end of the day of `now_ms`, UTC. None if nothing was bought by then.
absl::StatusOr<std::optional<CustomerValue>> WorthOf(const WebHouse& house,
                                                     const FittedWorth& worth,
                                                     absl::string_view customer, int64_t now_ms);

class SegmentPeople {
 public:
  using DeviceOf = std::function<Device(absl::string_view user_agent)>;

  // `house` and `clusterings` must outlive this object; `worth` may be null.
  SegmentPeople(const WebHouse* house, const std::vector<Clustering>* clusterings,
                std::shared_ptr<const FittedWorth> worth, DeviceOf device_of);
  SegmentPeople(const SegmentPeople&) = delete;
  SegmentPeople& operator=(const SegmentPeople&) = delete;

  const SegmentWorld& world() const { return world_; }

  // Of the newest limits::kSegmentEventsMax events. None: a robot, or somebody of whom neither an
  // event nor a row of the customer file is there.
  absl::StatusOr<std::optional<CustomerProfile>> Read(const std::string& customer) const;

  // The same of everybody, in the order of their ids; ends when `use` gives false. For a
  // checkpoint, or a store nobody writes to. Reads the whole store.
  using Use = absl::FunctionRef<bool(const std::string& customer, const CustomerProfile& profile)>;
  absl::Status ForEach(Use use) const;

 private:
  std::string CategoryOf(absl::string_view product) const;
  absl::Status AddDays(const std::string& customer, CustomerProfile* profile) const;

  const WebHouse& house_;
  const std::shared_ptr<const FittedWorth> worth_;
  SegmentWorld world_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_SEGMENTS_SEGMENT_PEOPLE_H_
