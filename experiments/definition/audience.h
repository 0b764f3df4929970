// Who is in an experiment, by what a request says.

#ifndef VITRINE_EXPERIMENTS_DEFINITION_AUDIENCE_H_
#define VITRINE_EXPERIMENTS_DEFINITION_AUDIENCE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "experiments/assignment/forced_arms.h"
#include "store/records_types.h"

namespace vitrine::experiments {

// What a request says; views of it.
struct RequestFacts {
  absl::string_view customer = {};  // empty: not known
  absl::string_view visitor = {};
  Channel channel = Channel::WEB;
  Device device = Device::UNKNOWN_DEVICE;
  absl::string_view country = {};
  absl::string_view language = {};
  const std::map<std::string, std::string>* attributes = nullptr;  // null: none
  // Ids of the segments that the customer is in; null: none, as of visitors nobody knows.
  const std::vector<std::string>* segments = nullptr;
  bool returning = false;  // the person did something before
  int64_t now_ms = 0;
  double holdout = 0;                  // SiteSettings.experiment_holdout
  const ForcedArms* forced = nullptr;  // null: none
};

// InvalidArgument, beginning with the place of the first mistake.
absl::Status CheckAudience(const Audience& audience);

// Whether the request is of the audience. O(values of its conditions).
bool IsIn(const Audience& audience, const RequestFacts& facts);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_DEFINITION_AUDIENCE_H_
