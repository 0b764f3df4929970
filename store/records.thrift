// The vocabulary of Vitrine, from wire to disk: what a shop tells us, and what the web house keeps.
//
// Values in RocksDB are these structs in TCompactProtocol, so field numbers and enum values are
// embedded in the on-disk data: never change or reuse one; add new optional fields at the end.
//
// Units: times are UTC milliseconds since 1970; money is an integer of minor units (pence, cents)
// beside an ISO 4217 code; ids are UTF-8 strings of 1 to 256 bytes without control characters.

namespace cpp vitrine
namespace py vitrine.records

// GA4's e-commerce names, and four of ours (page_view, contact, consent, rating).
enum EventKind {
  PAGE_VIEW = 1,
  VIEW_ITEM_LIST = 2,
  SELECT_ITEM = 3,
  VIEW_ITEM = 4,
  SEARCH = 5,
  ADD_TO_CART = 6,
  REMOVE_FROM_CART = 7,
  ADD_TO_WISHLIST = 8,
  VIEW_CART = 9,
  BEGIN_CHECKOUT = 10,
  PURCHASE = 11,
  REFUND = 12,
  VIEW_PROMOTION = 13,
  SELECT_PROMOTION = 14,
  LOGIN = 15,
  CONTACT = 16,
  CONSENT = 17,
  RATING = 18,
}

enum Channel {
  WEB = 1,
  APP = 2,
  EMAIL = 3,
  SMS = 4,
  CALL_CENTER = 5,
  // A store, or a branch.
  STORE = 6,
  // Any other: Event.channel_name says which.
  OTHER_CHANNEL = 7,
  CHAT = 8,
  DIRECT_MAIL = 9,
  PARTNER = 10,
  // A cash machine, or any other terminal.
  ATM = 11,
}

// How a visit found the shop.
enum ReferrerClass {
  DIRECT = 1,
  SEARCH_ENGINE = 2,
  SOCIAL = 3,
  MAIL = 4,
  CAMPAIGN = 5,
  REFERRAL = 6,
}

enum Device {
  UNKNOWN_DEVICE = 0,
  DESKTOP = 1,
  MOBILE = 2,
  TABLET = 3,
}

// How far into the shop a visit got.
enum FunnelStage {
  VISIT = 1,
  PRODUCT = 2,
  CART = 3,
  CHECKOUT = 4,
  ORDER = 5,
}

// What a `consent` event says: whether this person may be contacted there, for that.
struct Consent {
  1: Channel channel,
  // "marketing", "service", or the shop's own word; 1 to 256 bytes.
  2: string purpose,
  3: bool granted,
  // Where the wish was expressed: "newsletter form", "call 4711".
  4: optional string source,
}

// How far a contact got; what comes after FAILED_TO_SEND never arrived, or was not welcome.
enum ContactProgress {
  WAS_SENT = 1,
  WAS_DELIVERED = 2,
  WAS_OPENED = 3,
  WAS_CLICKED = 4,
  WAS_ANSWERED = 5,
  // For now: the provider gave up, the mailbox was full.
  FAILED_TO_SEND = 6,
  // For good: there is no such address or number.
  HAS_BOUNCED = 7,
  // They called it spam, or wrote STOP.
  WAS_COMPLAINED_OF = 8,
}

// A touch between the shop and a customer, on the event's channel.
struct ContactNote {
  // The events of one contact (it was sent, opened, clicked) have it in common: what the shop sent
  // it under, or the provider's own id. 1 to 256 bytes.
  1: string contact_id,
  // "marketing", "order", or the shop's own word; 1 to 256 bytes.
  2: string purpose,
  // They came to the shop.
  3: bool inbound = false,
  4: ContactProgress progress = ContactProgress.WAS_SENT,
  // The campaign or trigger that sent it; an id.
  5: optional string campaign,
  // The service case that it belongs to; what it is about ("complaint", "return", "delivery"); how
  // the case stands since ("open", "resolved", "refunded"). Ids.
  6: optional string case_id,
  7: optional string topic,
  8: optional string outcome,
  // What it cost the shop, in minor units of the event's currency: 0 to 10^12.
  9: optional i64 cost_minor,
}

// What somebody thinks of something, as far as a number says it.
struct Rating {
  // 0 to `best`.
  1: double value,
  // Stars: 5. NPS: 10.
  2: double best = 5,
  // "product" (the event's first item), "nps" (would they recommend the shop), "service", or the
  // shop's own word; 1 to 256 bytes.
  3: string about = "product",
}

// One product inside an event.
struct Item {
  1: string product_id,
  // Pieces, 1 to 1,000,000; positive in a refund too.
  2: i32 quantity = 1,
  // Of one piece, in minor units of the event's currency.
  3: optional i64 price_minor,
  // Facts about the product that rode in on the event. The store moves them to the product table
  // (newest event wins) and keeps the event without them.
  4: optional string name,
  5: optional string category,
}

// Something a person did, on any channel.
struct Event {
  // Unique within the site; the store keeps one event per id, whatever is sent how often.
  1: string id,
  2: i64 time_ms,
  3: EventKind kind,
  4: Channel channel = Channel.WEB,
  // At least one of the two. With a customer id the event is the customer's.
  5: optional string customer_id,
  6: optional string visitor_id,
  7: optional list<Item> items,
  8: optional string order_id,
  9: optional string currency,
  10: optional string search_terms,
  11: optional string url,
  12: optional string referrer,
  13: optional string country,
  14: optional string user_agent,
  // As much of it as the site's privacy setting keeps.
  15: optional string ip,
  // Consent events only.
  16: optional Consent consent,
  // Not in the source: a page that the referrers say was looked at (path completion).
  17: optional bool inferred,
  // Of the reply whose suggestion this is about: a click on it, or what followed from one.
  18: optional string recommendation_id,
  // Of contact events.
  19: optional ContactNote contact,
  // Of rating events, or of contacts in which somebody was asked.
  20: optional Rating rating,
  // Of offers (OfferMade.grant_id): those that this order uses; with a refund, those that it gives
  // back. At most 32.
  21: optional list<string> grants,
  // OTHER_CHANNEL: the shop's own name of it; 1 to 256 bytes.
  22: optional string channel_name,
}

// ---------------------------------------------------------------------------------------------
// What storefronts show, and why

// Where a suggestion comes from.
enum Source {
  // Matrix factorization: the person's taste, folded in from their history.
  TASTE = 1,
  // Products whose factors point the same way as those of the page's product.
  SIMILAR = 2,
  // Bought or viewed by most: ever, or within a window.
  POPULAR = 3,
  // What others clicked next in visits like the one going on.
  THIS_VISIT = 4,
  // What others took an interest in along with what the person took an interest in.
  TOGETHER = 5,
  // What those who viewed the page's product also viewed.
  ALSO_VIEWED = 6,
  // What was bought along with the page's product, or with what is in the cart.
  BOUGHT_TOGETHER = 7,
  // On the rise, compared with what is usual for the product.
  TRENDING = 8,
  // Seen by the person lately, newest first.
  RECENTLY_VIEWED = 9,
  // Bought by the person before.
  BUY_AGAIN = 10,
  // The newest of the catalogue.
  NEWEST = 11,
  // Alike by what the catalogue says: category, brand, price, words.
  ALIKE = 12,
  // Fits the search terms.
  SEARCH_TERMS = 13,
  // A rule put it there.
  PINNED = 14,
  // Too new to have earned a place: given one to find out. Those that came into the shop within
  // `days` (absent: 30), were not tried 500 times yet, and are not among the more popular half
  // anyway.
  EXPLORE = 15,
  // In a recipe only: TASTE, THIS_VISIT, TOGETHER and POPULAR, mixed as was learned. A suggestion
  // names the one of them that gave most.
  FOR_YOU = 16,
}

// One ingredient of a placement.
struct RecipeSource {
  1: Source source,
  // How much it counts beside the others, 0 to 1000. 0: it only fills up what those before it leave
  // open. EXPLORE, where another source counts: the part of shelves, 0 to 1, that give one of their
  // places, not the first, to such a product; which shelf, place and product is drawn with a seed
  // that follows from the recommendation id.
  2: double weight = 1,
  // POPULAR: of the last 1, 7 or 30 days; absent: ever. RECENTLY_VIEWED, NEWEST, EXPLORE: at most so
  // many days ago. 1 to 3650.
  3: optional i32 days,
}

enum Relation {
  ONE_OF = 1,
  NONE_OF = 2,
  AT_LEAST = 3,
  AT_MOST = 4,
  // As the page's product has it; never true where there is none.
  AS_CURRENT = 5,
  NOT_AS_CURRENT = 6,
}

// Something that holds of a product or does not.
struct ProductCondition {
  // "id", "brand", "category" (a product is in the categories above its own too: "Shoes" holds of
  // "Shoes > Boots"), "price", "margin", "stock" (these three in minor units and pieces), or an
  // attribute of the catalogue.
  1: string attribute,
  2: Relation relation,
  // ONE_OF, NONE_OF: 1 to 1000. A product without the attribute is none of them.
  3: list<string> values,
  // AT_LEAST, AT_MOST. A product without the attribute is neither.
  4: optional double number,
}

enum RuleKind {
  // Only products that it is about.
  INCLUDE = 1,
  // Never products that it is about.
  EXCLUDE = 2,
  // Multiplies their scores by `factor`: below 1 buries.
  BOOST = 3,
  // `product_id` stands at `position`, if it may be shown at all.
  PIN = 4,
  // At most `most` products with the same `attribute` (of those that it is about).
  CAP = 5,
  // Not what the person bought within `days` (absent: ever).
  HIDE_BOUGHT = 6,
  // Not what the cart holds.
  HIDE_IN_CART = 7,
  // Not what the person saw in this visit.
  HIDE_SEEN = 8,
  // Not what the person was shown `most` times within `days` and did not click.
  HIDE_SHOWN_OFTEN = 9,
  // Only products whose price lies in `price`.
  PRICE_WINDOW = 10,
}

enum PriceBase {
  // Minor units.
  ABSOLUTE = 1,
  // Multiples of the price of the page's product.
  CURRENT_PRODUCT = 2,
  // Multiples of what the cart lacks until sending is free (PlacementSet.free_shipping_minor).
  CART_GAP = 3,
}

// Products without a price, and all where the base is not known, are in every window.
struct PriceWindow {
  1: PriceBase base,
  2: optional double at_least,
  3: optional double at_most,
}

// A rule of the shop. In one placement, or in all.
struct Rule {
  // 1 to 64 of a-z, 0-9, '-' and '_'; once in a placement. Replies and reports name it.
  1: string id,
  2: RuleKind kind,
  // Which products it is about: all must hold. Empty: every product.
  3: list<ProductCondition> products,
  // BOOST: 0.001 to 1000.
  4: optional double factor,
  // PIN: from 1.
  5: optional i32 position,
  6: optional string product_id,
  // CAP: "brand", "category", or an attribute of the catalogue.
  7: optional string attribute,
  8: optional i32 most,
  9: optional i32 days,
  10: optional PriceWindow price,
  // Holds from (inclusive) until (exclusive).
  11: optional i64 from_ms,
  12: optional i64 to_ms,
  // Holds only on these; empty: everywhere.
  13: list<Channel> channels,
  14: list<string> countries,
  15: list<Device> devices,
  // Holds not where the page's own category is, or is in, one of these: what is sensitive elsewhere
  // is in its place there.
  16: list<string> except_categories,
}

// A place of the storefront that shows products: what it is made of, and the rules it keeps.
struct Placement {
  // 1 to 64 of a-z, 0-9, '-' and '_'.
  1: string id,
  // What stands above it, by language (BCP 47: "en", "fa").
  2: map<string, string> titles,
  // In the order in which they fill up what is open. 1 to 16.
  3: list<RecipeSource> recipe,
  4: list<Rule> rules,
  // Products, where the request does not say: 1 to 200.
  5: i32 k = 10,
  // Shows fewer rather than what its recipe does not name (else the popular fill it up).
  6: bool may_be_short = false,
}

// Everything a site's storefront shows by. Changed as a whole, every version kept.
struct PlacementSet {
  1: list<Placement> placements,
  // Of every placement, before its own.
  2: list<Rule> rules,
  // A cart of this worth is sent free, in minor units of `currency`.
  3: optional i64 free_shipping_minor,
  4: optional string currency,
  // Templates of reasons, by language and reason ("viewed", "bought_with", ...): what is not here
  // has the built-in text (recommender/README.md lists reasons and what {a}, {n}, {c} stand for).
  5: map<string, map<string, string>> reasons,
}

struct PlacementVersion {
  // From 1; 0: what a new site has.
  1: i64 version,
  2: i64 time_ms,
  3: string who,
  4: string comment,
  5: PlacementSet content,
}

// ---------------------------------------------------------------------------------------------
// Experiments

// Whose arm it is: the same one gets the same arm everywhere.
enum ExperimentUnit {
  // Needs a customer id: nobody is in it before they log in.
  CUSTOMER = 1,
  // The device: keeps its arm when somebody logs in on it.
  VISITOR = 2,
}

enum ExperimentStatus {
  DRAFT = 1,
  RUNNING = 2,
  // Changes nothing, and goes on as it was.
  PAUSED = 3,
  // Ended for good.
  STOPPED = 4,
  ARCHIVED = 5,
}

// What is measured of a unit from its first exposure on (experiments/analysis/unit_outcome.h).
enum ExperimentMetric {
  // Shelves of the placement that were clicked, by shelves shown.
  CLICK_RATE = 1,
  // Shelves something of which was put into the cart, by shelves shown.
  CART_RATE = 2,
  // Units that ordered.
  CONVERSION = 3,
  // A unit's purchases less refunds, in the experiment's currency.
  REVENUE = 4,
  // Worth of orders by their number.
  ORDER_VALUE = 5,
  // Pieces by orders.
  ITEMS_PER_ORDER = 6,
  // Pieces that came back, by pieces bought: less is better.
  RETURNS = 7,
  // What the pieces that a unit kept earn, by the margins that the catalogue gives now, in the
  // experiment's currency. A product without one earns nothing here.
  MARGIN = 8,
}

// What is counted of the events that an EventMetric is about.
enum EventMeasure {
  // Units that did it at all.
  UNITS = 1,
  // How often a unit did it.
  EVENTS = 2,
  // How many pieces of the products that it is about.
  PIECES = 3,
}

enum MetricUse {
  // Explains.
  EXPLAINS = 1,
  // Must not be harmed.
  GUARDS = 2,
  // Decides, in place of Experiment.primary; of one at most.
  DECIDES = 3,
}

// A metric of the shop's own: events of one kind, and of them those of which all that is set holds.
struct EventMetric {
  // 1 to 64 of a-z, 0-9, '-' and '_'; no other metric of the experiment has it.
  1: string name,
  2: EventKind kind,
  3: EventMeasure measure = EventMeasure.UNITS,
  4: MetricUse role = MetricUse.EXPLAINS,
  // Empty: any.
  5: list<Channel> channels,
  // One of its products is in this category ("Shoes" holds of "Shoes > Boots" too); and has all of
  // these attributes of the catalogue, "brand" among them, as it is now. Empty: any event.
  6: string category,
  7: map<string, string> attributes,
  8: bool smaller_is_better = false,
  // Of one that guards: a loss of this part is no harm yet.
  9: double margin = 0.02,
}

// Which hash gives the arm (experiments/assignment/bucket.h).
enum AssignmentHash {
  NATIVE = 1,
  // As GrowthBook's SDKs do, for units that they assign too.
  GROWTHBOOK = 2,
}

// What an experiment does with its arms.
enum ExperimentKind {
  // Each unit gets one and keeps it.
  SPLIT = 1,
  // Each gets the more, the more it earns: weights follow the primary metric, batch by batch.
  BANDIT = 2,
  // Both of its two make each shelf together: whose products are chosen? Prunes candidates, says
  // nothing of what they earn.
  INTERLEAVING = 3,
}

// What tells the segments of a bandit apart, each of which has weights of its own.
enum SegmentBy {
  BY_CHANNEL = 1,
  BY_DEVICE = 2,
  // Whether the person did anything before.
  BY_RETURNING = 3,
}

struct BanditPlan {
  // What each arm always gets: no arm is given up, and what another policy would have earned can be
  // told from the log. Times the number of arms at most 1.
  1: double floor = 0.05,
  // Until each arm had so many units, all weigh the same.
  2: i64 units_per_arm_min = 100,
  // Weights stay for so long; a unit may get another arm in the next batch.
  3: i32 batch_minutes = 60,
  4: list<SegmentBy> segments,
}

// What a bandit weighs by now. Made by the server, each a version of the experiment, so that its log
// can be played again.
struct BanditBatch {
  // From 1.
  1: i64 number,
  2: i64 from_ms,
  // By segment ("" is for those without weights of their own), one an arm, of sum 1.
  3: map<string, list<double>> weights,
}

// What somebody gets. All that is not set is as the placement has it: an arm without any of it
// changes nothing.
struct ExperimentArm {
  // 1 to 64 of a-z, 0-9, '-' and '_'.
  1: string id,
  // Units in proportion; above 0.
  2: double weight = 1,
  3: list<RecipeSource> recipe,
  // In place of the placement's own; the site's hold too.
  4: optional list<Rule> rules,
  // Where the request does not say.
  5: optional i32 k,
  // Told to the storefront with the shelf: colours, words, what it likes.
  6: map<string, string> parameters,
  // A model that the site keeps (vitrine model list) answers in place of its current one. If it
  // cannot be read any more, nobody is in the experiment: its arms would be out of proportion.
  40: optional string model_id,
}

// Something that holds of a request or does not.
struct AudienceCondition {
  // "channel", "device", "country" or "language", by their names, or one that the storefront says
  // (Context.attributes).
  1: string attribute,
  // ONE_OF, NONE_OF (a request without the attribute is none of them), AT_LEAST or AT_MOST (one
  // without a number there is neither).
  2: Relation relation,
  3: list<string> values,
  4: optional double number,
}

// Who is in it, by what a request says; empty: all.
struct Audience {
  1: list<Channel> channels,
  2: list<Device> devices,
  3: list<string> countries,
  // As the request has it, or what it begins with: "en" stands for "en-GB" too.
  4: list<string> languages,
  // All must hold.
  40: list<AudienceCondition> conditions,
  // Customers who are in one of these segments, and in none of those, when they are asked.
  41: list<string> segments,
  42: list<string> not_segments,
}

// The part of a layer from `low` (inclusive) to `high` (exclusive), in [0, 1]: experiments of one
// layer whose parts are disjoint never meet in one unit.
struct LayerSlice {
  1: string layer,
  2: double low,
  3: double high,
}

struct Guardrail {
  1: ExperimentMetric metric,
  // A loss of this part is no harm yet.
  2: double margin = 0.02,
}

struct Experiment {
  // 1 to 64 of a-z, 0-9, '-' and '_'.
  1: string id,
  2: string hypothesis,
  3: string placement,
  4: ExperimentUnit unit = ExperimentUnit.VISITOR,
  // 2 to 16; the first is the control.
  5: list<ExperimentArm> arms,
  // The part of all units that gets an arm; more of it moves nobody to another.
  6: double coverage = 1,
  // Empty: the id.
  7: string seed,
  8: AssignmentHash hash = AssignmentHash.NATIVE,
  9: optional LayerSlice layer,
  10: Audience audience,
  // Runs not before, and not from then on.
  11: optional i64 from_ms,
  12: optional i64 to_ms,
  13: ExperimentMetric primary = ExperimentMetric.CONVERSION,
  14: list<ExperimentMetric> secondary,
  15: list<Guardrail> guardrails,
  // May be looked at whenever; else once, at the end (`to_ms`).
  16: bool sequential = true,
  17: double alpha = 0.05,
  // N*: units of all arms together when it is to be decided (vitrine experiment plan).
  18: i64 planned_units = 0,
  // Of metrics of money.
  19: optional string currency,
  // CUPED: what units did so many days before their first exposure takes noise out; 0: not used.
  20: i32 days_before = 0,
  // Its life, which commands change.
  21: ExperimentStatus status = ExperimentStatus.DRAFT,
  22: optional i64 started_ms,
  23: optional i64 stopped_ms,
  24: list<EventMetric> events,
  // Of REVENUE and MARGIN: the least value that this part of all units does not exceed (0.5 to 1)
  // caps the others. The same cap for all arms, taken when a report is made. 1: no cap.
  25: double cap_quantile = 1,
  40: ExperimentKind kind = ExperimentKind.SPLIT,
  // Of BANDIT.
  41: optional BanditPlan bandit,
  // Its life too.
  42: optional BanditBatch batch,
}

struct ExperimentVersion {
  // From 1; each experiment counts its own.
  1: i64 version,
  2: i64 time_ms,
  3: string who,
  4: string comment,
  5: Experiment content,
}

// The arm of an experiment by which a shelf was made.
struct ExposedArm {
  1: string experiment,
  // Empty: INTERLEAVING, all of them.
  2: string arm,
  3: ExperimentUnit unit,
  // Where the unit fell, in [0, 1): tells units apart without naming them.
  4: double point,
  // The part of the units in the experiment that gets this arm.
  5: double propensity,
  // Somebody looked at it by a signed link: not to be analysed.
  6: bool forced = false,
  // BANDIT: whose weights gave the propensity.
  40: optional i64 batch,
  41: optional string segment,
}

// One product of a shelf that was shown.
struct ExposedProduct {
  1: string product_id,
  2: Source source,
  // The rule that pinned, boosted or buried it; empty: none.
  3: string rule,
  // INTERLEAVING: the arm, from 0, that earns what it does; absent: none, for both have it there, or
  // one had nothing left to put there.
  40: optional i32 team,
}

// An offer that went out with it.
struct ExposedOffer {
  1: string offer_id,
  // What an order that uses it carries (Event.grants).
  2: string grant_id,
  // Drawn, to learn how it does; and with what probability this one would have stood first.
  3: bool tried = false,
  4: double propensity = 1,
}

// A shelf that was shown to somebody; positions are places in `products`. Evidence: kept as events
// are, erased with its person.
struct Exposure {
  // RecommendReply.recommendation_id.
  1: string id,
  2: i64 time_ms,
  3: string placement,
  4: optional string customer_id,
  5: optional string visitor_id,
  6: string model_id,
  7: list<ExposedProduct> products,
  // 8 was never written.
  9: Channel channel = Channel.WEB,
  // A cheaper list, because of load.
  10: bool degraded = false,
  // Of the experiments that it was in, by their ids.
  11: list<ExposedArm> arms,
  // As the request said.
  12: optional Device device,
  13: optional string country,
  14: list<ExposedOffer> offers,
}

// What a key opens.
enum Role {
  // Storefront: everything. May stand in a browser's page: it tracks and asks, no more.
  STOREFRONT = 1,
  // Backoffice: everything; and Storefront.
  BACKOFFICE = 2,
  // Backoffice: what changes nothing.
  READ_ONLY = 3,
}

// An API key as it is kept: who has this row cannot make the key of it.
struct ApiKey {
  // Public: names the key in logs and commands.
  1: string id,
  2: Role role,
  // SHA-256 of the secret, which is 256 random bits.
  3: binary digest,
  4: i64 created_ms,
  5: optional i64 expires_ms,
  // Requests a second; 0: no quota.
  6: i32 per_second = 0,
  7: string comment,
}

// A visit: events of one person with no pause longer than the session gap. A pure function of the
// person's events.
struct Session {
  1: i64 start_ms,
  2: i64 end_ms,
  3: i32 events,
  4: i32 product_views,
  5: i32 cart_adds,
  6: i32 orders,
  // Purchases less refunds, by currency, in minor units.
  7: map<string, i64> value_minor,
  8: Channel channel = Channel.WEB,
  9: optional string landing_url,
  10: optional string exit_url,
  // The first page's referrer, if it is not the shop itself.
  11: optional string referrer,
  12: ReferrerClass referrer_class = ReferrerClass.DIRECT,
  // utm_campaign, or utm_source, of the first page.
  13: optional string campaign,
  14: Device device = Device.UNKNOWN_DEVICE,
  15: FunnelStage stage = FunnelStage.VISIT,
  16: i32 searches,
  // Why this is no human's visit: the sources of its person's RobotVerdict. Empty: a human's.
  17: list<string> robot,
}

// A person who is a program, and who says so: "list:<file>", "behaviour:<rule>", "operator". A pure
// function of the person's events, the lists, and what an operator decided.
struct RobotVerdict {
  // Sorted. Empty: no robot, whatever rules and lists say (an operator decided so).
  1: list<string> sources,
  // An operator's word: a robot (true) or none (false). Absent: lists and rules decide.
  2: optional bool decided,
}

// What the events of one customer add up to. A pure function of them.
struct Customer {
  1: string id,
  2: i64 first_seen_ms,
  3: i64 last_seen_ms,
  4: i32 events,
  5: i32 sessions,
  6: i32 orders,
  7: map<string, i64> bought_minor,
  8: map<string, i64> refunded_minor,
  9: optional string country,
}

struct Product {
  1: string id,
  2: optional string name,
  3: optional string category,
  4: optional i64 price_minor,
  5: optional string currency,
  // Time of the event (or catalogue row) that the facts above come from.
  6: i64 facts_time_ms,
  // The rest comes from the catalogue only. A product of the catalogue takes no facts from events.
  7: optional bool in_catalogue,
  8: optional string brand,
  9: optional map<string, string> attributes,
  10: optional string image_url,
  11: optional string url,
  // Of one piece, in minor units of `currency`.
  12: optional i64 margin_minor,
  // On sale from (inclusive) until (exclusive).
  13: optional i64 available_from_ms,
  14: optional i64 available_to_ms,
  // Pieces in stock.
  15: optional i32 stock,
  // No longer in the catalogue: a full replacement did not name it.
  16: optional bool withdrawn,
}

// What the back office knows of a customer, beside what their events add up to.
struct CustomerFacts {
  1: string id,
  2: optional string name,
  3: optional string email,
  4: optional string phone,
  5: optional string country,
  // BCP 47: "en", "fa".
  6: optional string language,
  // IANA name, for quiet hours.
  7: optional string time_zone,
  8: optional map<string, string> attributes,
  9: i64 facts_time_ms,
}

// A line or event that could not be taken, and why.
struct Reject {
  // Where it stood: the line (from 1) and the first byte of it in its source.
  1: i64 line,
  2: i64 byte_offset,
  // A named reason: lower_case_with_underscores, one of the list in ingest/README.md.
  3: string reason,
  // For a person: what was wrong with which field.
  4: string detail,
  // The line as it came, cut to 4096 bytes.
  5: binary raw,
  // Bytes of the line before it was cut.
  6: i64 raw_bytes,
  // Restarts of its source before it was read; set by the store. With `line`, its place.
  7: i32 generation,
  // What must be known to read the line alone (LineParser::Context): the column names of its CSV
  // file. Absent: nothing must be, or it is longer than 4096 bytes.
  8: optional binary context,
}

// Where a reject lies within its source.
struct RejectPlace {
  1: i32 generation,
  2: i64 line,
}

struct SourceReject {
  1: string source,
  2: Reject reject,
}

// Rejects of one source and reason.
struct RejectSummary {
  1: string source,
  2: string reason,
  3: i64 lines,
  4: RejectPlace first,
  5: RejectPlace last,
}

// Which rejects, by source, generation and line. Empty fields leave nothing out.
struct RejectQuery {
  1: string source,
  2: string reason,
  // RejectPage.resume of the page before.
  3: binary after,
  // 1 to 1000.
  4: i32 limit,
}

struct RejectPage {
  1: list<SourceReject> rejects,
  // Empty: these were the last.
  2: binary resume,
}

// What became of everything one source (a file, or the live "track" stream) has offered.
struct SourceState {
  1: string name,
  // How far we have read, always at the end of a line.
  2: i64 bytes,
  3: i64 lines,
  // XXH3-64 of those bytes: the same name with other content is noticed.
  4: i64 digest,
  // "accepted", "robot", "duplicate", "conflicting_duplicate", "product", "customer",
  // "ignored:<why>", "rejected:<reason>" to lines. A robot's event is kept as an accepted one is.
  5: map<string, i64> outcomes,
  // Times this name started again from byte 0 because its content had changed, and the lines that
  // had been read until then: the counts add up to `earlier_lines` + `lines`.
  6: i32 restarts,
  7: i64 earlier_lines,
}

// A run of consecutive lines of one source, with what became of each: the unit of writing.
// lines of `to` - lines of `from` = events + rejects + ignored + products + customers.
struct EventBatch {
  1: string source,
  // The source's position before and after. A batch that does not start where the store stands is
  // refused, so sending one twice counts nothing twice.
  2: i64 from_bytes,
  3: i64 to_bytes,
  4: i64 from_lines,
  5: i64 to_lines,
  6: i64 to_digest,
  7: list<Event> events,
  8: list<Reject> rejects,
  9: map<string, i64> ignored,
  // Positions in `events` whose user agent is on a list of robots: counted as "robot".
  10: list<i32> robots,
  // Rows of the catalogue and of the customer file: whole rows, or only the fields that are set.
  11: list<Product> products,
  12: list<CustomerFacts> customers,
  // Not new lines but rejects of this source, read again: the outcomes above are theirs, and there
  // are as many. Ascending. The source's position does not count and does not move.
  13: list<RejectPlace> replays,
}

// What became of the events of one batch.
struct CommitResult {
  1: i64 accepted,
  2: i64 duplicate,
  3: i64 conflicting_duplicate,
  4: i64 robot,
  // Of persons who were erased, or older than the site keeps them.
  5: i64 ignored,
}

// A customer who was erased: the receipt, and until it is complete, what is still due.
struct Erasure {
  // Digest of the customer's id under the key of the audit chain, in hex.
  1: string person,
  // Everything of theirs that is not newer is gone.
  2: i64 up_to_ms,
  // Rows deleted, by table.
  3: map<string, i64> rows,
  // Who it is; only while rows are being deleted.
  4: optional string customer_id,
  5: optional string visitor_id,
}

// Rows in the web house.
struct Totals {
  1: i64 events,
  2: i64 sessions,
  3: i64 customers,
  4: i64 products,
  5: i64 rejects,
  // Persons found to be robots, or whom an operator decided on.
  6: i64 robots,
  // Events that lost against another of their id.
  7: i64 conflicts,
}

// Settings of one site that change what its data mean; kept in the store.
struct SiteSettings {
  // A pause longer than this starts a new session.
  1: i64 session_gap_ms = 1800000,
  // recommend leaves out what the customer already bought.
  2: bool exclude_bought = true,
  // A visit longer than this is cut: only programs stay on for days.
  3: i64 session_max_ms = 86400000,
  // A new campaign starts a new session.
  4: bool cut_at_campaign = false,
  // Events of a kind older than this many days are dropped; a kind that is not here is kept.
  5: map<EventKind, i32> retention_days,
  // A visitor (device) that more customers than this logged in on is shared: what happens there
  // before and between logins is nobody's.
  6: i32 customers_per_visitor_max = 3,
  // The shop's own hosts, without port ("shop.example" stands for "www.shop.example" too): a
  // referrer there is no way into the shop. The host of the page itself always is one.
  7: list<string> hosts,
  // A model is trained so often while a server runs; 0: only when asked.
  8: i32 train_every_hours = 0,
  // Models that stay on disk, with the one that is served: 1 to 100.
  9: i32 models_kept = 5,
  // The part of all units that no experiment gets, so that all of them together can be measured.
  10: double experiment_holdout = 0,
}

// Settings to change; what is absent stays as it is.
struct SiteSettingsPatch {
  1: optional i64 session_gap_ms,
  2: optional bool exclude_bought,
  3: optional i64 session_max_ms,
  4: optional bool cut_at_campaign,
  5: optional map<EventKind, i32> retention_days,
  6: optional i32 customers_per_visitor_max,
  7: optional list<string> hosts,
  8: optional i32 train_every_hours,
  9: optional i32 models_kept,
  10: optional double experiment_holdout,
}
