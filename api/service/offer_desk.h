// The offers of a site at work: chosen for whoever asks, held for them, settled when an order uses
// them. Points are earned here too.
//
//   ASSIGN_OR_RETURN(OffersAnswer answer, desk.Make({.context = context, .k = 3, .now_ms = now}));
//   ...the exposure is kept, the offers are told...
//   RETURN_IF_ERROR(desk.Settle(events, now));  // before purchases and refunds are written
//   desk.Watch(events, now);                    // after
//
// What an offer may cost and how often it may be used are accounts of the ledger:
// "offers/<id>/budget", "offers/<id>/uses", "offers/<id>/customer". An offer with an end to any of
// them is reserved before it is told, so that no two persons are promised the last one. Settling
// comes before the event is written: if the process dies in between, a use may be counted for an
// order that was never written, but none is ever used that is not counted; sent again, it is the
// same use.
//
// Somebody who comes to the shop (web, app, store, call centre, chat, terminal) is not contacted by
// an offer that they see there, unless the contact policy has a rule for that very channel; on
// others the policy is asked.
//
// Thread-safe.

#ifndef VITRINE_API_SERVICE_OFFER_DESK_H_
#define VITRINE_API_SERVICE_OFFER_DESK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "api/service/offer_grants.h"
#include "api/vitrine_types.h"
#include "recommender/offers/choose.h"
#include "recommender/offers/tally.h"
#include "recommender/segments/segment_index.h"
#include "store/contact_book.h"
#include "store/ledger.h"
#include "store/offer_book.h"
#include "store/offers_types.h"
#include "store/web_house.h"

namespace vitrine {

inline constexpr char kPointsAccount[] = "points";
// The placement of exposures that tell of offers.
inline constexpr char kOffersPlacement[] = "offers";

struct OffersAsked {
  const Context& context;
  const PageFacts* page = nullptr;  // null: about nothing, and the cart is empty
  size_t k = 3;
  bool trace = false;
  int64_t now_ms = 0;
  std::string id = {};                   // the recommendation id of what is made
  SegmentIndex::Ids segments = nullptr;  // that the customer is in; null: none are known
};

struct OffersAnswer {
  std::vector<OfferMade> offers;    // best first
  std::vector<OfferNotMade> trace;  // if asked for
  std::vector<Exposure> exposures;  // to be kept: one, or none if the person is not to be known
};

class OfferDesk {
 public:
  // `house` must outlive it.
  static absl::StatusOr<std::unique_ptr<OfferDesk>> Open(WebHouse* house);

  std::shared_ptr<const OfferSetVersion> offers() const;
  // Makes this what is offered, from the next request on. InvalidArgument, naming what is wrong, if
  // it makes no sense; Aborted as OfferBook.
  absl::StatusOr<OfferSetVersion> SetOffers(const OfferSet& content, int64_t based_on,
                                            absl::string_view who, absl::string_view comment);

  absl::StatusOr<OffersAnswer> Make(const OffersAsked& asked);

  // Counts the grants that these orders use, and frees those that refunds give back; adds and takes
  // the points. A grant that is not good, or whose offer has nothing left, is left out: the order
  // stands all the same.
  absl::Status Settle(std::span<const Event> events, int64_t now_ms);
  void Watch(std::span<const Event> events, int64_t now_ms);
  // What was held for too long is free again, and what an order is usually worth is looked at anew
  // once an hour. To be called now and then.
  absl::Status Refresh(int64_t now_ms);

  // How its offers do, in their order.
  absl::StatusOr<OfferReport> Figures() const;
  Ledger& ledger() { return ledger_; }

 private:
  // What an order is worth here, by currency, in minor units: of those who have not ordered yet.
  using UsualOrders = absl::flat_hash_map<std::string, int64_t>;

  // A version, and what follows from it.
  struct Current {
    std::shared_ptr<const OfferSetVersion> version;
    absl::flat_hash_map<absl::string_view, const ShopOffer*> by_id;
  };

  // What is left for everybody, by offer, as of a moment ago.
  struct SiteLeft {
    int64_t version = 0;
    int64_t read_ns = 0;  // steady
    absl::flat_hash_map<std::string, OfferLeft> by_offer;
  };
  // What one request needs to know of the ledger about whoever asks.
  struct Holdings {
    int64_t now_ms = 0;
    int64_t hold_ms = 1;
    std::string person;                                   // keys::PersonPrefix; empty: nobody
    std::string customer;                                 // empty: none
    absl::flat_hash_map<std::string, Reservation> held;   // open ones, by offer
    absl::flat_hash_map<std::string, int64_t> available;  // of the customer, by account

    int64_t stretch() const { return now_ms / hold_ms; }
  };

  OfferDesk(WebHouse* house, absl::string_view key) : house_(house), ledger_(house), names_(key) {}
  absl::Status Take(OfferSetVersion version);
  absl::Status DefineAccounts(const OfferSet& set);
  std::shared_ptr<const Current> current() const;

  absl::Status LookAtOrders();
  int64_t UsualOrderMinor(absl::string_view customer, const std::string& currency) const;
  absl::StatusOr<OfferFacts> FactsOf(const OffersAsked& asked, const OfferSet& set) const;
  // What the contact policy is to be asked with; none where an offer is no contact.
  absl::StatusOr<std::optional<CustomerContacts>> ContactsOf(const Context& context) const;
  absl::Status AddProducts(const PageFacts& page, double margin_share, OfferFacts* facts) const;
  absl::StatusOr<std::shared_ptr<const SiteLeft>> LeftOfSite(const Current& current);
  absl::Status AddHoldingsOf(const std::string& customer, Holdings* holdings) const;
  absl::StatusOr<Holdings> HoldingsOf(const Current& current, const OfferFacts& facts,
                                      const Context& context) const;
  OfferLeft LeftFor(const ShopOffer& offer, const SiteLeft& site, const Holdings& holdings) const;
  // The account that has too little left; empty: it is held.
  absl::StatusOr<std::string> Hold(const ShopOffer& offer, const std::string& name,
                                   absl::string_view customer, int64_t cost_minor,
                                   int64_t until_ms);
  absl::StatusOr<bool> Promise(const ShopOffer& offer, int64_t cost_minor, const Holdings& holdings,
                               OfferMade* told, OfferLeft* left);
  absl::StatusOr<OfferChoice> ChooseAndHold(const Current& current, OfferFacts facts,
                                            const Context& context, std::vector<OfferMade>* made);
  absl::Status UseGrant(const Current& current, const Event& order, const std::string& name,
                        int64_t now_ms);
  absl::Status GiveBackGrant(const Event& refund, const std::string& name);
  // None unless it was made to whoever the event is of.
  std::optional<Grant> GrantOf(const Event& event, absl::string_view name) const;
  absl::Status MovePoints(const PointsPlan& plan, const Event& event, int64_t now_ms);

  WebHouse* const house_;
  Ledger ledger_;
  const GrantNames names_;
  OfferTally tally_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Current> current_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const SiteLeft> site_left_ ABSL_GUARDED_BY(mutex_);
  UsualOrders usual_minor_ ABSL_GUARDED_BY(mutex_);
  int64_t looked_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_OFFER_DESK_H_
