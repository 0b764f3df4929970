#include "api/service/offer_desk.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "xxhash.h"

#include "api/service/request.h"
#include "recommender/offers/validate.h"
#include "recommender/placements/reasons.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;
// Some milliseconds' worth.
constexpr size_t kCustomersLookedAt = 2'000;

std::string AccountOf(const ShopOffer& offer, absl::string_view what) {
  return absl::StrCat("offers/", offer.id, "/", what);
}

// In [0, 1): the same for the same text in every process.
double PartOf(absl::string_view text) {
  constexpr double kTwoTo53 = 9007199254740992.0;
  return static_cast<double>(XXH3_64bits(text.data(), text.size()) >> 11) / kTwoTo53;
}

// Empty: nobody, or somebody who does not want to be known.
std::string PersonKey(const Context& context) {
  return IsSomebody(context) ? keys::PersonPrefix(PersonOf(context)) : "";
}

std::string CustomerOf(const Context& context) {
  return IsSomebody(context) ? context.customer_id : "";
}

bool HasEnds(const ShopOffer& offer) {
  const auto& set = offer.__isset;
  return set.budget_minor || set.uses || set.uses_per_customer;
}

absl::string_view KindName(OfferKind kind) {
  switch (kind) {
    case DISCOUNT:
      return "discount";
    case BUNDLE:
      return "bundle";
    case GIFT:
      return "gift";
    case FREE_SHIPPING:
      return "free_shipping";
    case POINTS:
      return "points";
    case MESSAGE:
      return "message";
  }
  return "unknown";
}

// What is told of it, but for the grant.
OfferMade Described(const ShopOffer& offer, const OfferDecision& decision,
                    absl::string_view language) {
  OfferMade made;
  made.offer_id = offer.id;
  made.kind = std::string(KindName(offer.kind));
  made.title = std::string(InLanguage(offer.titles, language));
  if (made.title.empty()) made.title = offer.id;
  made.terms = std::string(InLanguage(offer.terms, language));
  if (offer.__isset.percent) made.__set_percent(offer.percent);
  if (offer.__isset.amount_minor) made.__set_amount_minor(offer.amount_minor);
  made.currency = offer.currency;
  made.products = offer.products;
  if (offer.__isset.points) made.__set_points(offer.points);
  made.reason = std::string(NameOf(decision.reason));
  made.propensity = decision.probability;
  return made;
}

OfferNotMade ToldOf(const OfferDecision& decision) {
  OfferNotMade told;
  told.offer_id = decision.offer_id;
  told.refusal = std::string(NameOf(decision.refusal));
  if (decision.__isset.contact) told.rule = std::string(NameOf(decision.contact.rule));
  told.excluded_by = decision.excluded_by;
  return told;
}

Exposure ExposureOf(const OffersAsked& asked, const std::vector<OfferMade>& made) {
  const Context& context = asked.context;
  Exposure exposure;
  exposure.id = asked.id;
  exposure.time_ms = asked.now_ms;
  exposure.placement = kOffersPlacement;
  exposure.degraded = DegradedAnswer::Now();
  if (context.__isset.customer_id) exposure.__set_customer_id(context.customer_id);
  if (context.__isset.visitor_id) exposure.__set_visitor_id(context.visitor_id);
  exposure.channel = context.channel;
  if (context.device != Device::UNKNOWN_DEVICE) exposure.__set_device(context.device);
  if (!context.country.empty()) exposure.__set_country(context.country);
  for (const OfferMade& offer : made) {
    ExposedOffer& shown = exposure.offers.emplace_back();
    shown.offer_id = offer.offer_id;
    shown.grant_id = offer.grant_id;
    shown.tried = offer.reason == NameOf(TRIED_OUT);
    shown.propensity = offer.propensity;
  }
  return exposure;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OfferDesk>> OfferDesk::Open(WebHouse* house) {
  // A store without a key has no chain either: then a name proves nothing, and protects nothing.
  const absl::StatusOr<std::string> key = house->DerivedKey("offer grants");
  std::unique_ptr<OfferDesk> desk(new OfferDesk(house, key.ok() ? *key : "no key"));
  ASSIGN_OR_RETURN(OfferSetVersion version, OfferBook(house).Offers());
  RETURN_IF_ERROR(desk->Take(std::move(version)));
  RETURN_IF_ERROR(desk->LookAtOrders());
  return desk;
}

absl::Status OfferDesk::Take(OfferSetVersion version) {
  RETURN_IF_ERROR(DefineAccounts(version.content));
  auto next = std::make_shared<Current>();
  next->version = std::make_shared<const OfferSetVersion>(std::move(version));
  for (const ShopOffer& offer : next->version->content.offers) next->by_id[offer.id] = &offer;
  absl::MutexLock lock(&mutex_);
  // Of two that were made at once, the later one stays.
  if (current_ == nullptr || next->version->version > current_->version->version) {
    current_ = std::move(next);
  }
  return absl::OkStatus();
}

absl::Status OfferDesk::DefineAccounts(const OfferSet& set) {
  constexpr int64_t kNoEnd = limits::kLedgerAmountMax;
  for (const ShopOffer& offer : set.offers) {
    const auto& has = offer.__isset;
    const LedgerAccount accounts[] = {
        MakeLedgerAccount(AccountOf(offer, "budget"), OF_SITE,
                          has.budget_minor ? offer.budget_minor : kNoEnd),
        MakeLedgerAccount(AccountOf(offer, "uses"), OF_SITE, has.uses ? offer.uses : kNoEnd),
        MakeLedgerAccount(AccountOf(offer, "customer"), OF_CUSTOMER,
                          has.uses_per_customer ? offer.uses_per_customer : kNoEnd)};
    for (const LedgerAccount& account : accounts) RETURN_IF_ERROR(ledger_.Define(account));
  }
  const bool has_points =
      set.__isset.points ||
      absl::c_any_of(set.offers, [](const ShopOffer& offer) { return offer.kind == POINTS; });
  return has_points ? ledger_.Define(MakeLedgerAccount(kPointsAccount, OF_EARNER, 0))
                    : absl::OkStatus();
}

std::shared_ptr<const OfferDesk::Current> OfferDesk::current() const {
  absl::MutexLock lock(&mutex_);
  return current_;
}

std::shared_ptr<const OfferSetVersion> OfferDesk::offers() const { return current()->version; }

absl::StatusOr<OfferSetVersion> OfferDesk::SetOffers(const OfferSet& content, int64_t based_on,
                                                     absl::string_view who,
                                                     absl::string_view comment) {
  RETURN_IF_ERROR(ValidateOfferSet(content));
  ASSIGN_OR_RETURN(OfferSetVersion made,
                   OfferBook(house_).SetOffers(content, based_on, who, comment));
  RETURN_IF_ERROR(Take(made));
  return made;
}

absl::StatusOr<OfferReport> OfferDesk::Figures() const {
  OfferReport report;
  const OfferCounts control = tally_.Control();
  report.control = control.decisions;
  report.control_ordered = control.orders;
  const std::shared_ptr<const Current> now = current();
  for (const ShopOffer& offer : now->version->content.offers) {
    OfferFigures& figures = report.offers.emplace_back();
    figures.offer_id = offer.id;
    figures.currency = offer.currency;
    const OfferCounts counts = tally_.Of(offer.id);
    figures.made = counts.decisions;
    figures.ordered = counts.orders;
    const OfferOdds odds = tally_.OddsOf(offer.id);
    figures.buys_with = odds.buys_with;
    figures.buys_without = odds.buys_without;
    ASSIGN_OR_RETURN(const LedgerBalance uses, ledger_.Balance(AccountOf(offer, "uses"), ""));
    figures.used = uses.used;
    figures.held = uses.reserved;
    ASSIGN_OR_RETURN(const LedgerBalance budget, ledger_.Balance(AccountOf(offer, "budget"), ""));
    figures.spent_minor = budget.used;
    figures.held_minor = budget.reserved;
    if (offer.__isset.budget_minor) figures.__set_left_minor(budget.available);
  }
  return report;
}

// --- Facts ---

absl::Status OfferDesk::AddProducts(const PageFacts& page, double margin_share,
                                    OfferFacts* facts) const {
  std::vector<std::string> ids = page.cart;
  if (page.__isset.product_id) ids.push_back(page.product_id);
  ASSIGN_OR_RETURN(const auto products, house_->GetProducts(ids));
  absl::flat_hash_map<absl::string_view, size_t> places;
  for (size_t i = 0; i < products.size(); ++i) {
    const Product& product = *products[i];
    const bool in_cart = i < page.cart.size();
    const auto [place, is_new] = places.try_emplace(product.id, facts->products.size());
    if (!is_new) {
      facts->products[place->second].quantity += in_cart ? 1 : 0;
      continue;
    }
    OfferProduct& known = facts->products.emplace_back();
    known.id = product.id;
    known.category = product.category;
    known.quantity = in_cart ? 1 : 0;
    if (!product.__isset.price_minor) continue;
    if (facts->currency.empty()) facts->currency = product.currency;
    if (product.currency != facts->currency) continue;  // worth nothing that can be added up
    known.price_minor = product.price_minor;
    known.margin_minor =
        product.__isset.margin_minor
            ? product.margin_minor
            : static_cast<int64_t>(margin_share * static_cast<double>(product.price_minor));
  }
  return absl::OkStatus();
}

absl::Status OfferDesk::LookAtOrders() {
  struct Bought {
    int64_t orders = 0;
    int64_t minor = 0;
  };
  absl::flat_hash_map<std::string, Bought> bought;
  auto customers = house_->Customers();
  for (size_t i = 0; i < kCustomersLookedAt && customers.Valid(); ++i, customers.Next()) {
    const Customer& customer = customers.value();
    // Of somebody who buys in several currencies it is not known how often in which.
    if (customer.orders == 0 || customer.bought_minor.size() != 1) continue;
    const auto& [currency, minor] = *customer.bought_minor.begin();
    bought[currency].orders += customer.orders;
    bought[currency].minor += minor;
  }
  RETURN_IF_ERROR(customers.Finish());
  absl::MutexLock lock(&mutex_);
  usual_minor_.clear();
  for (const auto& [currency, sum] : bought) usual_minor_[currency] = sum.minor / sum.orders;
  return absl::OkStatus();
}

absl::Status OfferDesk::Refresh(int64_t now_ms) {
  bool looks = false;
  {
    absl::MutexLock lock(&mutex_);
    // Until there are orders it costs nothing to look for them.
    looks = usual_minor_.empty() || now_ms - looked_ms_ >= kHourMs;
    if (looks) looked_ms_ = now_ms;
  }
  if (looks) RETURN_IF_ERROR(LookAtOrders());
  return ledger_.LapseDue().status();
}

int64_t OfferDesk::UsualOrderMinor(absl::string_view customer, const std::string& currency) const {
  if (!customer.empty()) {
    const absl::StatusOr<Customer> known = house_->GetCustomer(customer);
    if (known.ok() && known->orders > 0) {
      const auto bought = known->bought_minor.find(currency);
      if (bought != known->bought_minor.end()) return bought->second / known->orders;
    }
  }
  absl::MutexLock lock(&mutex_);
  const auto usual = usual_minor_.find(currency);
  return usual == usual_minor_.end() ? 0 : usual->second;
}

absl::StatusOr<OfferFacts> OfferDesk::FactsOf(const OffersAsked& asked, const OfferSet& set) const {
  OfferFacts facts;
  facts.now_ms = asked.now_ms;
  facts.channel = asked.context.channel;
  facts.k = asked.k;
  facts.explore = set.explore;
  facts.draw_whether = PartOf(absl::StrCat("offers/whether/", asked.id));
  facts.draw_which = PartOf(absl::StrCat("offers/which/", asked.id));
  if (asked.page != nullptr) RETURN_IF_ERROR(AddProducts(*asked.page, set.margin_share, &facts));
  if (facts.currency.empty() && !set.offers.empty()) facts.currency = set.offers.front().currency;
  facts.usual_order_minor = UsualOrderMinor(CustomerOf(asked.context), facts.currency);
  facts.usual_margin_minor =
      static_cast<int64_t>(set.margin_share * static_cast<double>(facts.usual_order_minor));
  for (const ShopOffer& offer : set.offers) facts.odds[offer.id] = tally_.OddsOf(offer.id);
  return facts;
}

absl::StatusOr<OfferLeft> OfferDesk::LeftOf(const ShopOffer& offer,
                                            absl::string_view customer) const {
  OfferLeft left;
  if (offer.__isset.budget_minor) {
    ASSIGN_OR_RETURN(const LedgerBalance balance, ledger_.Balance(AccountOf(offer, "budget"), ""));
    left.budget_minor = balance.available;
  }
  if (offer.__isset.uses) {
    ASSIGN_OR_RETURN(const LedgerBalance balance, ledger_.Balance(AccountOf(offer, "uses"), ""));
    left.uses = balance.available;
  }
  if (offer.__isset.uses_per_customer) {
    left.uses_by_customer = 0;  // nobody can count the uses of somebody unknown
    if (!customer.empty()) {
      ASSIGN_OR_RETURN(const LedgerBalance balance,
                       ledger_.Balance(AccountOf(offer, "customer"), customer));
      left.uses_by_customer = balance.available;
    }
  }
  return left;
}

// --- Holding ---

std::optional<Reservation> OfferDesk::Held(const ShopOffer& offer, const Grant& now,
                                           absl::string_view person) const {
  if (person.empty() || !HasEnds(offer)) return std::nullopt;
  for (const int64_t stretch : {now.stretch, now.stretch - 1}) {
    const std::string name = names_.NameOf({offer.id, stretch, now.cost_minor}, person);
    absl::StatusOr<Reservation> found = ledger_.Find(name);
    if (found.ok() && found->state == RESERVED) return *std::move(found);
  }
  return std::nullopt;
}

absl::StatusOr<bool> OfferDesk::Hold(const ShopOffer& offer, const std::string& name,
                                     absl::string_view customer, int64_t cost_minor,
                                     int64_t until_ms) {
  Ledger::Request request;
  request.id = name;
  request.customer_id = std::string(customer);
  request.expires_ms = until_ms;
  request.entries = {MakeLedgerEntry(AccountOf(offer, "uses"), 1)};
  if (cost_minor > 0)
    request.entries.push_back(MakeLedgerEntry(AccountOf(offer, "budget"), cost_minor));
  if (!customer.empty())
    request.entries.push_back(MakeLedgerEntry(AccountOf(offer, "customer"), 1));
  ASSIGN_OR_RETURN(const Ledger::Answer answer, ledger_.Reserve(request));
  return answer.refused_by.empty();
}

// Chooses, holds what was chosen, and chooses again without what somebody else took meanwhile.
absl::StatusOr<OfferChoice> OfferDesk::ChooseAndHold(const Current& current, OfferFacts facts,
                                                     const Context& context, int64_t now_ms,
                                                     std::vector<OfferMade>* made) {
  const OfferSet& set = current.version->content;
  const std::string person = PersonKey(context);
  const std::string customer = CustomerOf(context);
  const int64_t hold_ms = set.hold_minutes * kMinuteMs;
  const int64_t stretch = now_ms / hold_ms;
  absl::flat_hash_map<std::string, Reservation> held;
  for (const ShopOffer& offer : set.offers) {
    if (!offer.enabled || !HasEnds(offer)) continue;
    const Grant grant = {offer.id, stretch, CostOf(offer, facts)};
    if (std::optional<Reservation> reservation = Held(offer, grant, person)) {
      held.emplace(offer.id, *std::move(reservation));
    } else {
      ASSIGN_OR_RETURN(facts.left[offer.id], LeftOf(offer, customer));
    }
  }
  for (;;) {
    OfferChoice choice = ChooseOffers(set.offers, facts);
    made->clear();
    bool is_all_there = true;
    for (const OfferDecision& decision : choice.made) {
      const ShopOffer& offer = *current.by_id.at(decision.offer_id);
      OfferMade& told = made->emplace_back(Described(offer, decision, context.language));
      const auto there = held.find(offer.id);
      if (there != held.end()) {
        told.grant_id = there->second.id;
        told.held_until_ms = there->second.expires_ms;
        continue;
      }
      // Somebody without a name gets a name of the grant that fits whoever shows it.
      told.grant_id = names_.NameOf({offer.id, stretch, decision.cost_minor}, person);
      told.held_until_ms = (stretch + 2) * hold_ms;
      if (!HasEnds(offer)) continue;
      ASSIGN_OR_RETURN(const bool is_held, Hold(offer, told.grant_id, customer, decision.cost_minor,
                                                told.held_until_ms));
      if (is_held) continue;
      facts.left[offer.id] = {.budget_minor = 0, .uses = 0, .uses_by_customer = 0};
      is_all_there = false;
      break;
    }
    if (is_all_there) return choice;
  }
}

absl::StatusOr<OffersAnswer> OfferDesk::Make(const OffersAsked& asked) {
  const std::shared_ptr<const Current> now = current();
  const OfferSet& set = now->version->content;
  OffersAnswer answer;
  if (set.offers.empty()) return answer;
  const std::string person = PersonKey(asked.context);
  const bool is_control =
      !person.empty() && PartOf(absl::StrCat("offers/control/", person)) < set.control;
  OfferChoice choice;
  if (!is_control) {
    ASSIGN_OR_RETURN(OfferFacts facts, FactsOf(asked, set));
    ASSIGN_OR_RETURN(
        choice, ChooseAndHold(*now, std::move(facts), asked.context, asked.now_ms, &answer.offers));
  }
  if (asked.trace) {
    for (const OfferDecision& refused : choice.refused) answer.trace.push_back(ToldOf(refused));
  }
  if (person.empty() || (answer.offers.empty() && !is_control)) return answer;
  std::vector<std::string> ids;
  for (const OfferMade& made : answer.offers) ids.push_back(made.offer_id);
  tally_.AddDecision(person, ids, asked.now_ms);
  answer.exposures.push_back(ExposureOf(asked, answer.offers));
  return answer;
}

}  // namespace vitrine
