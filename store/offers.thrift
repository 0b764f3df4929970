// What a shop offers, to whom it may speak when, and what it has promised: offers, the contact
// policy, and the ledger of budgets, caps and points.
//
// On disk as records.thrift is: never change or reuse a field number or an enum value; add new
// optional fields at the end. Units are those of records.thrift. Minutes count from local midnight
// (0 to 1440); weekdays from Monday (1) to Sunday (7).

include "store/records.thrift"

namespace cpp vitrine
namespace py vitrine.offers

// ---------------------------------------------------------------------------------------------
// Contact policy

// Part of a local day: from (inclusive) until (exclusive). Where `from_minute` is later than
// `to_minute` it crosses midnight, and belongs to the day on which it begins.
struct HoursWindow {
  // 0 to 1439.
  1: i32 from_minute,
  // 1 to 1440, and not `from_minute`.
  2: i32 to_minute,
  // Weekdays, 1 to 7, each once; empty: every day.
  3: list<i32> days,
  // Absent: on every channel.
  4: optional records.Channel channel,
  // Holds only for purposes of a lower priority; 0: for all.
  5: i32 below_priority = 0,
}

enum CapPeriod {
  // Any `hours` hours on end.
  CAP_ROLLING = 1,
  // The day, week or month of the customer's own calendar.
  CAP_DAY = 2,
  CAP_WEEK = 3,
  CAP_MONTH = 4,
}

// At most so many contacts in a period. Counted are outbound contacts that were sent or are planned
// and whose purpose is not transactional.
struct FrequencyCap {
  1: CapPeriod period,
  // 1 to 10000. To contact never is no cap but ContactPreference.do_not_contact.
  2: i32 most,
  // CAP_ROLLING only: 1 to 8784.
  3: i32 hours = 0,
  // Absent: on all channels together.
  4: optional records.Channel channel,
  // Of these purposes together; empty: of all.
  5: list<string> purposes,
  // Holds back only purposes of a lower priority (and counts the others too); 0: all.
  6: i32 below_priority = 0,
}

enum ConsentBasis {
  // The newest word on this channel and purpose is a yes.
  OPT_IN = 1,
  // The newest word is not a no.
  OPT_OUT = 2,
}

// What a purpose of contacts is to the shop. A purpose that no rule names needs consent (OPT_IN),
// is not transactional and has priority 0.
struct PurposeRule {
  // "marketing", "order", or the shop's own word; 1 to 256 bytes.
  1: string purpose,
  // Absent: on every channel. A rule that names the channel goes before one that does not.
  2: optional records.Channel channel,
  3: ConsentBasis basis = ConsentBasis.OPT_IN,
  // What has to be said (an order was received, a password was asked for): exempt from consent,
  // choice of channel, pauses, hours and caps, and counted by no cap.
  4: bool transactional = false,
  // 0 to 100.
  5: i32 priority = 0,
}

// How a site speaks to its customers. Changed as a whole.
struct ContactPolicy {
  // At most 100.
  1: list<PurposeRule> purposes,
  // When nobody is contacted, by the customer's clock. At most 32.
  2: list<HoursWindow> quiet_hours,
  // At most 32.
  3: list<FrequencyCap> caps,
  // IANA name: of customers who have none that is known. Empty: UTC.
  4: string time_zone,
  // Of calendar weeks: 1 to 7.
  5: i32 first_weekday = 1,
  // A consent counts for so many days of 24 hours: 1 to 3660; 0: until it is withdrawn.
  6: i32 consent_days = 0,
  // What cannot go within so many days is refused instead of held: 1 to 366.
  7: i32 hold_days = 31,
}

enum DoNotContactReason {
  UNSUBSCRIBED = 1,
  // What is sent there comes back.
  BOUNCED = 2,
  // Somebody of the shop said so.
  BY_STAFF = 3,
  // They asked never to be contacted.
  ASKED_TO_STOP = 4,
  OTHER_REASON = 5,
}

struct DoNotContact {
  1: DoNotContactReason reason,
  2: i64 time_ms,
  // Absent: on every channel.
  3: optional records.Channel channel,
  // "complaint 4711"; at most 2048 bytes.
  4: optional string note,
  // Holds back what is transactional too: the address is wrong.
  5: bool transactional = false,
}

// From (inclusive, absent: since ever) until (exclusive, absent: until they say otherwise).
struct ContactPause {
  1: optional i64 from_ms,
  2: optional i64 to_ms,
  // Absent: on every channel.
  3: optional records.Channel channel,
}

// How one customer wants to be contacted.
struct ContactPreference {
  // 1 to 256 bytes; the store's key.
  1: string customer_id,
  // The first one is liked best; on others they are not contacted. Empty: any.
  2: list<records.Channel> channels,
  // Only then; empty: at any time. Their `below_priority` is not looked at. At most 32.
  3: list<HoursWindow> hours,
  // IANA name. One that nobody knows counts as absent.
  4: optional string time_zone,
  // At most 32.
  5: list<ContactPause> pauses,
  // At most 32.
  6: list<DoNotContact> do_not_contact,
  // Their own, beside the site's. At most 32.
  7: list<FrequencyCap> caps,
}

// A word on consent, as a `consent` event said it.
struct ConsentGiven {
  1: i64 time_ms,
  2: records.Consent consent,
}

enum ContactState {
  SENT = 1,
  // It will go then: it has its place under the caps already.
  PLANNED = 2,
  // It did not arrive, and does not count.
  FAILED = 3,
}

// A touch on some channel.
struct Contact {
  // Unique within the site.
  1: string id,
  2: i64 time_ms,
  3: records.Channel channel,
  4: string purpose,
  // They came to the shop.
  5: bool inbound = false,
  6: ContactState state = ContactState.SENT,
}

// A contact that is asked about.
struct ProposedContact {
  1: records.Channel channel,
  2: string purpose,
  // What it says is true from (inclusive) until (exclusive).
  3: optional i64 from_ms,
  4: optional i64 to_ms,
}

enum ContactOutcome {
  CONTACT_ALLOWED = 1,
  // Until ContactVerdict.until_ms.
  CONTACT_HELD = 2,
  CONTACT_REFUSED = 3,
}

enum ContactRule {
  NO_RULE = 0,
  DO_NOT_CONTACT = 1,
  NO_CONSENT = 2,
  NOT_A_CHOSEN_CHANNEL = 3,
  PAUSED_BY_CUSTOMER = 4,
  OUTSIDE_PREFERRED_HOURS = 5,
  IN_QUIET_HOURS = 6,
  // The site's.
  OVER_CAP = 7,
  // The customer's own.
  OVER_OWN_CAP = 8,
  // Before or after what it says is true.
  OUTSIDE_DATES = 9,
  // No instant within ContactPolicy.hold_days would do.
  HELD_TOO_LONG = 10,
}

struct ContactVerdict {
  1: ContactOutcome outcome,
  // CONTACT_HELD only: the earliest instant at which every rule allows it.
  2: optional i64 until_ms,
  // The one that decided: that refuses, or that gives way last.
  3: ContactRule rule,
  // Which one of its list (caps, windows, pauses, do_not_contact), from 0; -1: it has none.
  4: i32 index = -1,
  // Those that stand in the way now, in the order of ContactRule, each once.
  5: list<ContactRule> now,
  // By whose clock this was judged.
  6: string time_zone,
}

// ---------------------------------------------------------------------------------------------
// Offers

enum OfferKind {
  // `percent` or `amount_minor` off.
  DISCOUNT = 1,
  // The products of `products` together for `amount_minor` less.
  BUNDLE = 2,
  GIFT = 3,
  FREE_SHIPPING = 4,
  POINTS = 5,
  // Words only.
  MESSAGE = 6,
}

// Who gets it, and when: all must hold. What is empty or absent always does.
struct OfferEligibility {
  // In one of these; and in none of those.
  1: list<string> segments,
  2: list<string> not_segments,
  // One of these is in the cart or on the page.
  3: list<string> products,
  // Something of one of these, or of a category within it, is in the cart or on the page.
  4: list<string> categories,
  // Worth of the cart, both inclusive, in minor units of the offer's currency.
  5: optional i64 cart_min_minor,
  6: optional i64 cart_max_minor,
  // From (inclusive) until (exclusive).
  7: optional i64 from_ms,
  8: optional i64 to_ms,
  9: list<records.Channel> channels,
  // What the customer is worth to the shop, both inclusive, in minor units of the offer's currency.
  10: optional i64 value_min_minor,
  11: optional i64 value_max_minor,
}

// Something a shop offers. (`Offer` is what a source offers to a shelf.)
struct ShopOffer {
  // 1 to 64 of a-z, 0-9, '-' and '_'.
  1: string id,
  2: OfferKind kind,
  // By language (BCP 47); each at most 2048 bytes.
  3: map<string, string> titles,
  4: map<string, string> terms,
  5: OfferEligibility eligibility,
  // ISO 4217.
  6: string currency,
  // DISCOUNT: above 0, at most 100; of the cart, or of what `products` of it are worth.
  7: optional double percent,
  // DISCOUNT (instead of percent), BUNDLE.
  8: optional i64 amount_minor,
  // DISCOUNT: of these only. BUNDLE: all of these, 2 to 20. GIFT: the one that is given.
  9: list<string> products,
  // What granting it once costs the shop: GIFT, FREE_SHIPPING, POINTS, MESSAGE.
  10: i64 cost_minor = 0,
  // POINTS.
  11: optional i64 points,
  // What all of it may cost, and how often it may be used: by all, by one customer. Absent: no end.
  12: optional i64 budget_minor,
  13: optional i64 uses,
  14: optional i64 uses_per_customer,
  // The order's margin, the offer paid, is at least this part of its worth: -1 to 1. Absent: as low
  // as it comes.
  15: optional double margin_floor,
  // Offers that do not go with it, whichever of the two says so; and of a group at most one goes.
  16: list<string> excludes,
  17: string group,
  // What making it is to the contact policy; 1 to 256 bytes.
  18: string purpose = "marketing",
  19: bool enabled = true,
}

// What customers earn by buying: points, in the ledger's account "points".
struct PointsPlan {
  // For each 100 minor units of `currency` bought, 0 to 10^6; less for the same refunded, as far as
  // they have not been spent.
  1: double per_hundred = 1,
  // ISO 4217; what is bought in another earns none.
  2: string currency,
  // Worth nothing after so many days: 1 to 3660; 0: they stay.
  3: i32 expire_days = 365,
}

// All that a shop offers. Changed as a whole, every version kept.
struct OfferSet {
  // At most 200; their ids differ.
  1: list<ShopOffer> offers,
  // In so many decisions the first place is drawn, to learn how offers do: 0 to 1.
  2: double explore = 0.05,
  // What an offer would cost or use is held for whoever was made it at least so long, and at most
  // twice as long, in minutes: 1 to 20160. An order that comes later takes what is left then.
  3: i32 hold_minutes = 60,
  // So many persons, always the same, are made no offers: what they buy tells what offers bring. 0
  // to 1.
  4: double control = 0.05,
  // Of a product whose margin the catalogue does not know, so much of its price: 0 to 1.
  5: double margin_share = 0.3,
  6: optional PointsPlan points,
}

struct OfferSetVersion {
  // From 1.
  1: i64 version,
  2: i64 time_ms,
  3: string who,
  4: string comment,
  5: OfferSet content,
}

struct ContactPolicyVersion {
  // From 1; 0: what a new site has.
  1: i64 version,
  2: i64 time_ms,
  3: string who,
  4: string comment,
  5: ContactPolicy content,
}

enum OfferRefusal {
  NOT_ENABLED = 1,
  OFFER_NOT_RUNNING = 2,
  OTHER_CURRENCY = 3,
  WRONG_CHANNEL = 4,
  WRONG_SEGMENT = 5,
  WRONG_VALUE = 6,
  NO_SUCH_PRODUCT = 7,
  WRONG_CART = 8,
  // The rest of the budget is less than it would cost.
  BUDGET_SPENT = 9,
  USED_UP = 10,
  USED_UP_BY_CUSTOMER = 11,
  BELOW_MARGIN_FLOOR = 12,
  // Refused or held by the contact policy: OfferDecision.contact.
  BY_CONTACT_POLICY = 13,
  // It would cost more than it brings.
  NO_GAIN = 14,
  // Another one that it does not go with stands higher.
  EXCLUDED = 15,
  // There were as many better ones as were asked for.
  NOT_AMONG_BEST = 16,
}

// Why an offer is made.
enum OfferReason {
  // The highest expected incremental margin of those that remained.
  BEST_MARGIN = 1,
  // Drawn, to learn how it does.
  TRIED_OUT = 2,
}

// What became of one offer in one decision.
struct OfferDecision {
  1: string offer_id,
  // One of the two.
  2: optional OfferReason reason,
  3: optional OfferRefusal refusal,
  // BY_CONTACT_POLICY.
  4: optional ContactVerdict contact,
  // Made offers: minor units, and the two that it is the difference of (recommender/offers/choose.h).
  5: double expected_margin_minor = 0,
  6: i64 cost_minor = 0,
  // Of the first one: with what probability it would have stood first.
  7: double probability = 1,
  // EXCLUDED: by which one.
  8: string excluded_by,
}

// ---------------------------------------------------------------------------------------------
// The ledger (store/ledger.h)

// Whose balances an account has.
enum LedgerOwner {
  // One, the shop's: a budget.
  OF_SITE = 1,
  // One for each customer: a cap.
  OF_CUSTOMER = 2,
  // One for each customer, filled by what they earn: points.
  OF_EARNER = 3,
}

struct LedgerAccount {
  // 1 to 256 bytes without control characters: "offers/spring/budget".
  1: string name,
  2: LedgerOwner owner,
  // OF_SITE, OF_CUSTOMER: what may be reserved and used of it, by each owner; from 0.
  3: i64 limit = 0,
}

// OF_SITE, OF_CUSTOMER: reserved + used <= limit, unless the limit was lowered later.
// OF_EARNER: earned = available + reserved + used + expired, whatever the time.
struct LedgerBalance {
  1: string account,
  2: i64 reserved = 0,
  3: i64 used = 0,
  4: i64 earned = 0,
  5: i64 expired = 0,
  // What can be reserved now.
  6: i64 available = 0,
}

// Part of what was earned at once.
struct PointsLot {
  1: string account,
  // The earning's.
  2: string id,
  3: i64 earned_ms,
  // From then on it is worth nothing. Absent: it stays.
  4: optional i64 expires_ms,
  // Of it, what is neither reserved nor used; in a reservation, what is taken of it.
  5: i64 amount,
}

struct LedgerEntry {
  1: string account,
  // 1 to 10^15.
  2: i64 amount,
}

enum ReservationState {
  RESERVED = 1,
  COMMITTED = 2,
  RELEASED = 3,
  // Nobody committed it in time.
  LAPSED = 4,
  // Committed, and taken back: the order was returned.
  REVERTED = 5,
}

struct Reservation {
  // Whoever reserves chooses it; the same one again is the same reservation.
  1: string id,
  2: ReservationState state,
  // Absent: only accounts OF_SITE are in it.
  3: optional string customer_id,
  // In the order of their accounts, each once.
  4: list<LedgerEntry> entries,
  5: i64 created_ms,
  6: i64 expires_ms,
  7: optional i64 closed_ms,
  // The lots that the points came from.
  8: list<PointsLot> lots,
}

// ---------------------------------------------------------------------------------------------
// Contacts that the shop means to make (store/contact_book.h)

enum PlanState {
  // Is judged at `time_ms`; has no place under the caps yet.
  PLAN_WAITS = 1,
  // Was judged: goes at `time_ms`, and has its place under the caps; is judged again then.
  PLAN_HELD = 2,
  // May go now: is to be handed to whatever sends.
  PLAN_READY = 3,
  // Was handed over.
  PLAN_SENT = 4,
  // Did not arrive: its place is free again.
  PLAN_FAILED = 5,
  // By the contact policy.
  PLAN_REFUSED = 6,
  // Its cause is gone: they ordered meanwhile.
  PLAN_DROPPED = 7,
}

struct PlannedContact {
  // What caused it, and for whom: two contacts of one cause have one id. 1 to 256 bytes. Events that
  // tell what became of it carry it (ContactNote.contact_id).
  1: string id,
  2: string customer_id,
  3: PlanState state = PlanState.PLAN_WAITS,
  4: i64 created_ms,
  // When it is looked at next, or when it came into its state.
  5: i64 time_ms,
  6: records.Channel channel,
  7: string purpose,
  // Of the trigger or campaign; an id.
  8: optional string campaign,
  // What whoever sends it is told; at most 65536 bytes.
  9: optional string message,
  // What it says is true from (inclusive) until (exclusive).
  10: optional i64 from_ms,
  11: optional i64 to_ms,
  // PLAN_REFUSED.
  12: optional ContactRule refused_by,
}

// Everything that the ledger holds of one customer.
struct CustomerLedger {
  1: list<LedgerBalance> balances,
  2: list<PointsLot> lots,
  3: list<Reservation> reservations,
  // As they were earned.
  4: list<PointsLot> earnings,
  // How they want to be contacted, as they said it; and what was to be said to them.
  5: optional ContactPreference preference,
  6: optional list<PlannedContact> contacts,
}
