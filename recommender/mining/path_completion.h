// The pages that a visitor saw again without asking the server for them.

#ifndef VITRINE_RECOMMENDER_MINING_PATH_COMPLETION_H_
#define VITRINE_RECOMMENDER_MINING_PATH_COMPLETION_H_

#include <vector>

#include "store/records_types.h"

namespace vitrine {

// The events of one session and, where they must have been, views of pages that came out of the
// browser's cache: a page whose referrer is not the page before it but one further back was reached
// by the back button, past all pages between (Cooley, Mobasher, Srivastava: "Data preparation for
// mining world wide web browsing patterns", 1999, path completion). A, B, F, O and then G from B
// becomes A, B, F, O, F, B, G.
//
// An inferred event is a copy of the first view of its page, without id, with `inferred` set; its
// time lies between its neighbours', at equal distances. For mining, not for storing. A referrer
// that is no page of this session infers nothing, nor does the page that is open already: a reload,
// or two events of one look. Addresses are compared without fragment, and
// without scheme and host where the events' own have none.
//
// REQUIRES: `session` oldest first. O(events x depth of the path).
std::vector<Event> CompletePath(std::vector<Event> session);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MINING_PATH_COMPLETION_H_
