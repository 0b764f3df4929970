// The events that learning goes by: those of people, not of robots.

#ifndef VITRINE_RECOMMENDER_LEARN_PEOPLE_H_
#define VITRINE_RECOMMENDER_LEARN_PEOPLE_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "store/key_format.h"
#include "store/records_types.h"
#include "store/web_house.h"

namespace vitrine {

// Calls `use` for every event of a person who is no robot: by person, each one's newest first.
absl::Status ForEachEventOfPeople(const WebHouse& house,
                                  absl::FunctionRef<void(const Person&, const Event&)> use);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_PEOPLE_H_
