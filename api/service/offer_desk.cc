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
// What is left for all is read so often at most; holding it looks again.
constexpr int64_t kSiteLeftNs = 100'000'000;
// Of one offer, to one person at one cost within a stretch.
constexpr int64_t kNamesTried = 16;

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

bool CustomersComeTo(Channel channel) {
  switch (channel) {
    case WEB:
    case APP:
    case CALL_CENTER:
    case STORE:
    case CHAT:
    case ATM:
      return true;
    default:
      return false;
  }
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

absl::StatusOr<std::optional<CustomerContacts>> OfferDesk::ContactsOf(
    const Context& context) const {
  CustomerContacts contacts;
  ASSIGN_OR_RETURN(ContactPolicyVersion policy, OfferBook(house_).Policy());
  const bool has_rule =
      absl::c_any_of(policy.content.purposes, [&context](const PurposeRule& rule) {
        return rule.__isset.channel && rule.channel == context.channel;
      });
  if (CustomersComeTo(context.channel) && !has_rule) return std::nullopt;
  const std::string customer = CustomerOf(context);
  if (!customer.empty()) {
    ASSIGN_OR_RETURN(contacts, ContactBook(house_).FactsFor(customer));
  } else {
    contacts.policy = std::move(policy.content);
  }
  return contacts;
}

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
  if (asked.segments != nullptr) {
    facts.segments.insert(asked.segments->begin(), asked.segments->end());
  }
  for (const ShopOffer& offer : set.offers) facts.odds[offer.id] = tally_.OddsOf(offer.id);
  return facts;
}

// --- What the ledger says ---

absl::StatusOr<std::shared_ptr<const OfferDesk::SiteLeft>> OfferDesk::LeftOfSite(
    const Current& current) {
  const int64_t now_ns = Clock::System().SteadyNs();
  {
    absl::MutexLock lock(&mutex_);
    const bool is_fresh = site_left_ != nullptr &&
                          site_left_->version == current.version->version &&
                          now_ns - site_left_->read_ns < kSiteLeftNs;
    if (is_fresh) return site_left_;
  }
  auto left = std::make_shared<SiteLeft>();
  left->version = current.version->version;
  left->read_ns = now_ns;
  for (const ShopOffer& offer : current.version->content.offers) {
    if (!offer.enabled || !HasEnds(offer)) continue;
    OfferLeft& of_offer = left->by_offer[offer.id];
    if (offer.__isset.budget_minor) {
      ASSIGN_OR_RETURN(const LedgerBalance budget, ledger_.Balance(AccountOf(offer, "budget"), ""));
      of_offer.budget_minor = budget.available;
    }
    if (offer.__isset.uses) {
      ASSIGN_OR_RETURN(const LedgerBalance uses, ledger_.Balance(AccountOf(offer, "uses"), ""));
      of_offer.uses = uses.available;
    }
  }
  absl::MutexLock lock(&mutex_);
  site_left_ = left;
  return left;
}

absl::Status OfferDesk::AddHoldingsOf(const std::string& customer, Holdings* holdings) const {
  ASSIGN_OR_RETURN(CustomerLedger ledger, ledger_.Of(customer));
  for (const LedgerBalance& balance : ledger.balances) {
    holdings->available[balance.account] = balance.available;
  }
  for (Reservation& reservation : ledger.reservations) {
    const bool is_open = reservation.state == RESERVED && reservation.expires_ms > holdings->now_ms;
    const std::string offer = reservation.id.substr(0, reservation.id.find('.'));
    if (is_open) holdings->held[offer] = std::move(reservation);
  }
  return absl::OkStatus();
}

absl::StatusOr<OfferDesk::Holdings> OfferDesk::HoldingsOf(const Current& current,
                                                          const OfferFacts& facts,
                                                          const Context& context) const {
  Holdings holdings;
  holdings.now_ms = facts.now_ms;
  holdings.person = PersonKey(context);
  holdings.customer = CustomerOf(context);
  holdings.hold_ms = current.version->content.hold_minutes * kMinuteMs;
  if (!holdings.customer.empty()) {
    RETURN_IF_ERROR(AddHoldingsOf(holdings.customer, &holdings));
  } else if (!holdings.person.empty()) {
    for (const ShopOffer& offer : current.version->content.offers) {
      if (!offer.enabled || !HasEnds(offer)) continue;
      for (const int64_t stretch : {holdings.stretch(), holdings.stretch() - 1}) {
        const Grant grant = {offer.id, stretch, CostOf(offer, facts)};
        absl::StatusOr<Reservation> found = ledger_.Find(names_.NameOf(grant, holdings.person));
        if (found.ok() && found->state == RESERVED) holdings.held[offer.id] = *std::move(found);
      }
    }
  }
  return holdings;
}

// What the person holds of an offer is theirs: it is not gone for them.
OfferLeft OfferDesk::LeftFor(const ShopOffer& offer, const SiteLeft& site,
                             const Holdings& holdings) const {
  OfferLeft left;
  if (const auto of_site = site.by_offer.find(offer.id); of_site != site.by_offer.end()) {
    left = of_site->second;
  }
  if (offer.__isset.uses_per_customer) {
    const auto available = holdings.available.find(AccountOf(offer, "customer"));
    left.uses_by_customer = holdings.customer.empty()               ? 0  // nobody can count them
                            : available == holdings.available.end() ? offer.uses_per_customer
                                                                    : available->second;
  }
  const auto held = holdings.held.find(offer.id);
  if (held == holdings.held.end()) return left;
  if (left.uses) ++*left.uses;
  if (left.uses_by_customer) ++*left.uses_by_customer;
  for (const LedgerEntry& entry : held->second.entries) {
    if (left.budget_minor && entry.account == AccountOf(offer, "budget")) {
      *left.budget_minor += entry.amount;
    }
  }
  return left;
}

// --- Holding ---

absl::StatusOr<std::string> OfferDesk::Hold(const ShopOffer& offer, const std::string& name,
                                            absl::string_view customer, int64_t cost_minor,
                                            int64_t until_ms) {
  Ledger::Request request;
  request.id = name;
  request.customer_id = std::string(customer);
  request.expires_ms = until_ms;
  request.entries = {MakeLedgerEntry(AccountOf(offer, "uses"), 1)};
  if (cost_minor > 0) {
    request.entries.push_back(MakeLedgerEntry(AccountOf(offer, "budget"), cost_minor));
  }
  if (!customer.empty()) {
    request.entries.push_back(MakeLedgerEntry(AccountOf(offer, "customer"), 1));
  }
  ASSIGN_OR_RETURN(const Ledger::Answer answer, ledger_.Reserve(request));
  return answer.refused_by;
}

// False, and `*left` says so, if nothing is left of it.
absl::StatusOr<bool> OfferDesk::Promise(const ShopOffer& offer, int64_t cost_minor,
                                        const Holdings& holdings, OfferMade* told,
                                        OfferLeft* left) {
  const auto held = holdings.held.find(offer.id);
  if (held != holdings.held.end()) {
    const std::optional<Grant> grant = names_.Parse(held->second.id, holdings.person);
    if (grant && grant->cost_minor == cost_minor) {
      told->grant_id = held->second.id;
      told->held_until_ms = held->second.expires_ms;
      return true;
    }
    // The cart has changed: at another cost it is another promise.
    const absl::Status released = ledger_.Release(held->second.id).status();
    if (!released.ok() && !absl::IsFailedPrecondition(released)) return released;
  }
  told->held_until_ms = (holdings.stretch() + 2) * holdings.hold_ms;
  absl::StatusOr<std::string> refused_by = std::string();
  // A cart that was the same before has had this name, and given it back: the next one will do.
  for (int64_t later = 0; later < kNamesTried; ++later) {
    const Grant grant = {offer.id, holdings.stretch() + later, cost_minor};
    told->grant_id = names_.NameOf(grant, holdings.person);
    if (!HasEnds(offer)) return true;
    refused_by = Hold(offer, told->grant_id, holdings.customer, cost_minor, told->held_until_ms);
    if (!absl::IsAlreadyExists(refused_by.status())) break;
  }
  if (absl::IsAlreadyExists(refused_by.status())) {
    *left = {.budget_minor = 0, .uses = 0, .uses_by_customer = 0};
    return false;
  }
  RETURN_IF_ERROR(refused_by.status());
  if (*refused_by == AccountOf(offer, "budget")) left->budget_minor = 0;
  if (*refused_by == AccountOf(offer, "uses")) left->uses = 0;
  if (*refused_by == AccountOf(offer, "customer")) left->uses_by_customer = 0;
  return refused_by->empty();
}

// Chooses, promises what was chosen, and chooses again without what somebody else took meanwhile.
absl::StatusOr<OfferChoice> OfferDesk::ChooseAndHold(const Current& current, OfferFacts facts,
                                                     const Context& context,
                                                     std::vector<OfferMade>* made) {
  const std::vector<ShopOffer>& offers = current.version->content.offers;
  ASSIGN_OR_RETURN(const auto site, LeftOfSite(current));
  ASSIGN_OR_RETURN(const Holdings holdings, HoldingsOf(current, facts, context));
  for (const ShopOffer& offer : offers) {
    if (HasEnds(offer)) facts.left[offer.id] = LeftFor(offer, *site, holdings);
  }
  for (;;) {
    OfferChoice choice = ChooseOffers(offers, facts);
    made->clear();
    bool is_all_there = true;
    for (const OfferDecision& decision : choice.made) {
      const ShopOffer& offer = *current.by_id.at(decision.offer_id);
      OfferMade& told = made->emplace_back(Described(offer, decision, context.language));
      ASSIGN_OR_RETURN(is_all_there,
                       Promise(offer, decision.cost_minor, holdings, &told, &facts.left[offer.id]));
      if (!is_all_there) break;
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
    ASSIGN_OR_RETURN(const std::optional<CustomerContacts> contacts, ContactsOf(asked.context));
    std::optional<ContactFacts> contact;
    if (contacts) {
      contact.emplace(ContactFacts{contacts->policy, contacts->preference, contacts->consents,
                                   contacts->contacts});
      facts.contact = &*contact;
    }
    ASSIGN_OR_RETURN(choice, ChooseAndHold(*now, std::move(facts), asked.context, &answer.offers));
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
