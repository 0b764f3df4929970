// What is measured against what. A method makes a list from a question; it is one function in
// methods.cc, and one line in MethodsOf().

#ifndef VITRINE_RECOMMENDER_OFFLINE_METHODS_H_
#define VITRINE_RECOMMENDER_OFFLINE_METHODS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/learn/interactions.h"
#include "recommender/model/item_links.h"
#include "recommender/model/model.h"
#include "recommender/model/session_index.h"
#include "recommender/model/session_settings.h"
#include "recommender/offline/holdout.h"

namespace vitrine {

// Fills `list` with up to k products outside `question.exclude`, best first. Has its own scratch.
using Ranker = std::function<void(const Question& question, size_t k, std::vector<uint32_t>* list)>;

struct Method {
  std::string name;
  bool control = false;          // what others have to be measured against
  std::function<Ranker()> make;  // called once a thread; the rankers are used at the same time
};

// All that the methods have learned from a training part.
struct Learned {
  Model model;
  ItemLinkLists neighbours;                      // of products, by cosine
  std::unique_ptr<const SessionIndex> sessions;  // null where there is no order in visits
  BlendSettings blend = BlendSettings::Default();
  std::vector<Report::Message> notes;  // whether what was tuned is any better
};

// Trains on holdout.training() and no other part. Errors as TrainModel.
absl::StatusOr<Learned> Learn(const Holdout& holdout, const EvaluateOptions& options);

// Controls last. `learned` must outlive them.
std::vector<Method> MethodsOf(const Learned& learned);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_METHODS_H_
