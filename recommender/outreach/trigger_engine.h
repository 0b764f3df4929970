// Says what the triggers of a site say, when there is cause: into the outbox, through the contact
// policy, once for each cause.
//
//   ASSIGN_OR_RETURN(auto engine, TriggerEngine::Open(&house, folder, &clock));
//   while (serving) { engine->Run(); wait a second or two; }
//
// A run looks at the customers and products that changed since the one before, keeps what will be
// due within a day as plans that wait (store/contact_book.h), and takes up those whose time has
// come: the cause is looked for again; if it is gone, so is the plan. Else the policy says: goes
// now (a line of the outbox), is held (is taken up again then), or is refused.
//
// Killed at any moment it says nothing twice and loses nothing. A plan is durable before its line
// is, and is marked as sent after; where the line is missing, the next run writes it. What changed
// while nobody looked is seen at the first run, which looks at everybody; prices and stocks are
// compared with those that the folder keeps from the run before. What the folder holds:
//
//   outbox.jsonl   recommender/outreach/outbox.h
//   products.json  prices and stocks as last seen, and the changes that somebody may wait for
//
// A run costs a look at every customer's counters (a million: about a second), the whole history of
// those who changed, and, when something was written since, a look at every product.

#ifndef VITRINE_RECOMMENDER_OUTREACH_TRIGGER_ENGINE_H_
#define VITRINE_RECOMMENDER_OUTREACH_TRIGGER_ENGINE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "recommender/outreach/outbox.h"
#include "recommender/outreach/triggers.h"
#include "store/base/clock.h"
#include "store/contact_book.h"
#include "store/outreach_types.h"
#include "store/web_house.h"

namespace vitrine {

// Not thread-safe, and one a site.
class TriggerEngine {
 public:
  // `house` and `clock` must outlive the engine; `folder` is made if it is not there.
  static absl::StatusOr<std::unique_ptr<TriggerEngine>> Open(WebHouse* house,
                                                             const std::string& folder,
                                                             const Clock* clock);

  struct Outcome {
    int64_t looked = 0;   // customers
    int64_t waiting = 0;  // new causes, due within a day
    int64_t sent = 0;     // lines of the outbox
    int64_t held = 0;
    int64_t dropped = 0;                     // their cause was gone
    std::map<std::string, int64_t> refused;  // by rule
  };
  absl::StatusOr<Outcome> Run();

 private:
  // What is known of a product from the look before.
  struct Seen {
    int64_t price_minor = 0;
    bool in_stock = true;
  };
  // By which it is seen that a customer did something.
  using Counters = std::pair<int32_t, int64_t>;

  TriggerEngine(WebHouse* house, std::string folder, const Clock* clock, Outbox outbox)
      : house_(house),
        book_(house),
        folder_(std::move(folder)),
        clock_(clock),
        outbox_(std::move(outbox)) {}

  absl::StatusOr<Outcome> RunOnce();
  absl::Status LoadProducts();
  absl::Status SaveProducts() const;
  absl::Status LookAtProducts(absl::flat_hash_set<std::string>* customers);
  void NoteProduct(const Product& product, absl::flat_hash_set<std::string>* customers);
  absl::Status FindChanged(absl::flat_hash_set<std::string>* customers);
  // Everything that a customer's causes follow from; the events live as long as `events`.
  absl::StatusOr<TriggerFacts> ReadFacts(const std::string& customer, std::vector<Event>* events,
                                         std::vector<ProductChange>* changes) const;
  absl::Status Look(const std::string& customer, Outcome* outcome);
  void NoteInterest(const std::string& customer, const std::vector<Event>& events);
  absl::Status TakeUp(const PlannedContact& plan, Outcome* outcome);
  absl::Status TakeUpDue(Outcome* outcome);
  absl::Status Send(const std::vector<PlannedContact>& ready, Outcome* outcome);

  WebHouse* const house_;
  ContactBook book_;
  const std::string folder_;
  const Clock* const clock_;
  Outbox outbox_;

  TriggerSet triggers_;
  int64_t triggers_version_ = -1;
  int64_t now_ms_ = 0;
  int64_t looked_at_all_ms_ = 0;
  uint64_t seen_version_ = 0;
  absl::flat_hash_map<std::string, Counters> counters_;
  absl::flat_hash_map<std::string, Seen> seen_;
  bool knows_products_ = false;
  std::map<std::string, ProductChange> changes_;  // the last one of a product, while it holds
  // Customers with an interest in a product lately, at most kInterestedMax of each.
  absl::flat_hash_map<std::string, absl::flat_hash_set<std::string>> interested_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OUTREACH_TRIGGER_ENGINE_H_
