// A history as evaluation wants it: who did what in which visit, oldest first, products as numbers.
// A site's is read here; that of plain files is put together in visits_builder.h.

#ifndef VITRINE_RECOMMENDER_OFFLINE_VISITS_H_
#define VITRINE_RECOMMENDER_OFFLINE_VISITS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/model/settings.h"
#include "store/web_house.h"

namespace vitrine {

// One product in one event.
struct Action {
  int64_t time_ms = 0;
  uint32_t product = 0;
  EventKind kind = VIEW_ITEM;
};

// A session, with what in it says something about taste (never nothing).
struct Visit {
  int64_t start_ms = 0;
  std::vector<Action> actions = {};  // oldest first
  bool test = false;                 // of a given split: asked about, not trained on
  uint32_t first_asked = 1;          // where each click is asked for: from this one on
};

struct Visits {
  std::vector<std::string> products;        // ids
  std::vector<std::vector<Visit>> persons;  // visits oldest first, those of a test part last
  // What of a given split is asked for: each click of a test visit from those before it; or at once
  // everything that a person has in the test part.
  bool asks_clicks = false;
  bool timed = true;    // times are those of a clock
  bool ordered = true;  // the order within visits says something
};

// Reads events and the sessions that the store keeps; robots are left out. FailedPrecondition if an
// event lies in no session (the sessions of its person are not up to date).
absl::StatusOr<Visits> LoadVisits(const WebHouse& house, const WeightSettings& weights);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_VISITS_H_
