// What storefronts and back offices can ask of Vitrine. Transport: framed, TBinaryProtocol
// (strict), two ports: Storefront (default 9090) and Backoffice (default 9091), both on loopback
// unless told otherwise.
//
// Limits: a frame is at most 1 MiB (Backoffice 64 MiB), a string 64 KiB, a list 1000 entries. A
// malformed message is answered with a TApplicationException and the connection is closed.

include "store/offers.thrift"
include "store/outreach.thrift"
include "store/records.thrift"
include "store/segments.thrift"

namespace cpp vitrine
namespace py vitrine.api

// ---------------------------------------------------------------------------------------------
// Errors

// The request itself is wrong; sending it again will not help.
exception InvalidRequest {
  1: string message,
  // The field that is wrong, as in "context.site"; empty if it is not one field.
  2: string field,
}

// There is no such site, product or model.
exception NotFound {
  1: string message,
}

// Nothing was done; try again after the given time.
exception Overloaded {
  1: string message,
  2: i32 retry_after_ms,
}

// The deadline passed before an answer was ready. What track was given may have been stored:
// send it again, an event id counts once.
exception DeadlineExceeded {
  1: string message,
}

// The site cannot do this now (no model yet, the disk is full, the store is read-only).
exception Unavailable {
  1: string message,
}

// No key, one that is not known (any more), or one that does not open this.
exception Unauthorized {
  1: string message,
}

// Our fault. The message names the request id to look for in the log.
exception InternalError {
  1: string message,
}

// ---------------------------------------------------------------------------------------------
// Storefront

// Who asks, and how long they can wait. Part of every request.
struct Context {
  // Required: the virtual store.
  1: string site,
  // Echoed in the reply and in logs; the server makes one if it is empty. At most 256 bytes.
  2: optional string request_id,
  // From arrival at the server, in milliseconds, 1 to 10,000.
  3: i32 deadline_ms = 100,
  // The customer, if logged in; else the visitor (cookie) if known; else neither.
  4: optional string customer_id,
  5: optional string visitor_id,
  // track: when this was sent, by the clock that gave the events their times (milliseconds). The
  // server then moves them by as much as that clock is off (ingest/clock_repair.h), so that the
  // same event of a call that is sent again may count as a conflicting duplicate.
  6: optional i64 sent_ms,
  // Of the site and role (vitrine keys). May be left out where the server listens on loopback alone
  // and the site has no keys.
  7: optional string api_key,
  8: records.Channel channel = records.Channel.WEB,
  // ISO 3166, two letters.
  9: optional string country,
  10: records.Device device = records.Device.UNKNOWN_DEVICE,
  // False: the person does not want to be known. Nothing personal is used, and nothing is stored.
  11: bool personalize = true,
  // Of titles and reasons, BCP 47.
  12: string language = "en",
  // Signed by force_arm, so that somebody can look at an arm. One that is not (any more) good
  // forces nothing.
  13: optional string forced_arms,
  // What else the storefront knows of who asks, for the audiences of experiments; not kept. At most
  // 50, of 256 bytes each.
  40: map<string, string> attributes,
}

// What the page is about, as far as it is about something.
struct PageFacts {
  1: optional string product_id,
  // Ids of what is in the cart, at most 1000; twice: two pieces.
  2: optional list<string> cart,
  // As the catalogue writes it: "Shoes > Boots".
  3: optional string category,
  4: optional string search_terms,
}

struct Suggestion {
  1: string product_id,
  // Higher is better; comparable only among suggestions of one source in one reply.
  2: double score,
  3: records.Source source,
  4: optional string name,
  5: optional i64 price_minor,
  6: optional string currency,
  // Why, in the request's language: "Because you viewed Blue mug". Plain text; names from the
  // catalogue in it are isolated, so that they may run the other way.
  7: optional string reason,
  // Rules that moved it, by id.
  8: list<string> rules,
  9: optional string image_url,
  10: optional string url,
}

// What became of a product that is not shown, or not where its score would put it.
struct TraceStep {
  1: string product_id,
  // "offered", "removed", "boosted", "pinned", "capped", "repeated" (another shelf of the page has
  // it), "refilled", "tried" (too new to have earned its place).
  2: string what,
  // The rule, or the source, that did it.
  3: string by,
}

// The arm of an experiment by which a shelf was made.
struct ShownArm {
  1: string experiment,
  2: string arm,
  // What the arm tells the storefront.
  3: map<string, string> parameters,
  4: bool forced = false,
}

struct Shelf {
  1: string placement,
  // What stands above it, in the request's language.
  2: string title,
  3: list<Suggestion> suggestions,
  // Of what is shown here: clicks, carts and orders that carry it are credited to this shelf.
  4: string recommendation_id,
  // If asked for; at most 1000.
  5: list<TraceStep> trace,
  6: list<ShownArm> arms,
}

struct RecommendRequest {
  1: Context context,
  // How many products, 1 to 200. The reply is shorter only if the catalogue is.
  2: i32 k = 10,
  // Leave out what the customer bought (default: the site's setting) and what they saw in the
  // current session.
  3: optional bool exclude_bought,
  4: bool exclude_seen = true,
  // Never suggest these (a cart, what the page shows already). At most 1000.
  5: optional list<string> exclude,
  // Which shelf (vitrine placements); its recipe and rules decide. Empty: "home", for you.
  6: string placement,
  7: optional PageFacts page,
  // Also say what became of the products that were thought of.
  8: bool trace = false,
}

struct ShelfWanted {
  1: string placement,
  // 0: as the placement says.
  2: i32 k = 0,
}

struct PageRequest {
  1: Context context,
  // The most important first: a product that two of them want is shown on the first. 1 to 16.
  2: list<ShelfWanted> shelves,
  3: optional PageFacts page,
  4: optional list<string> exclude,
  5: bool trace = false,
  // So many offers with it (OffersRequest.k): 0 to 20.
  6: i32 offers = 0,
}

struct OffersRequest {
  1: Context context,
  // At most so many: 1 to 20.
  2: i32 k = 3,
  // What the page is about and what is in the cart: offers may depend on it.
  3: optional PageFacts page,
  // Also say why the others are not made.
  4: bool trace = false,
}

// An offer that is made to whoever asks.
struct OfferMade {
  1: string offer_id,
  // An order that uses it carries this (Event.grants), and a refund that gives it back.
  2: string grant_id,
  // "discount", "bundle", "gift", "free_shipping", "points", "message".
  3: string kind,
  // In the request's language, or what comes nearest.
  4: string title,
  5: string terms,
  // As the shop set it (offers.thrift, ShopOffer).
  6: optional double percent,
  7: optional i64 amount_minor,
  8: string currency,
  9: list<string> products,
  10: optional i64 points,
  // What it needs is held so long (UTC milliseconds); later it depends on what is left.
  11: i64 held_until_ms,
  // "best_margin" or "tried_out"; and with what probability this one would have stood first.
  12: string reason,
  13: double propensity = 1,
}

// An offer that is not made, and why.
struct OfferNotMade {
  1: string offer_id,
  // "budget_spent", "wrong_segment", ... (recommender/README.md).
  2: string refusal,
  // Refused by the contact policy: its rule.
  3: string rule,
  // EXCLUDED: by which one.
  4: string excluded_by,
}

struct OffersReply {
  1: string request_id,
  // The best first; none: nothing is worth its cost now, or they are of those who are made none.
  2: list<OfferMade> offers,
  // Of these offers: what follows can be credited to them.
  3: string recommendation_id,
  4: list<OfferNotMade> trace,
  5: bool degraded,
}

struct PageReply {
  1: string request_id,
  2: string model_id,
  3: list<Shelf> shelves,
  4: i32 history_events,
  // The server was busy: lists are cheaper ones.
  5: bool degraded,
  // If asked for; and their recommendation id.
  6: list<OfferMade> offers,
  7: string offers_id,
}

struct SimilarRequest {
  1: Context context,
  2: string product_id,
  3: i32 k = 10,
}

struct RecommendReply {
  1: string request_id,
  // The one model that every suggestion comes from.
  2: string model_id,
  3: list<Suggestion> suggestions,
  // Events of this person that the taste was folded in from; 0 for an anonymous newcomer and for
  // a customer never seen, who get what is popular.
  4: i32 history_events,
  5: string recommendation_id,
  6: string title,
  7: list<TraceStep> trace,
  8: bool degraded,
  9: list<ShownArm> arms,
}

// What `track` promises when it returns.
enum Acknowledge {
  // In the log: survives the end of the process, not loss of power.
  APPLIED = 1,
  // On disk (the default).
  DURABLE = 2,
}

struct TrackRequest {
  1: Context context,
  // 1 to 500. Each is taken or rejected on its own. An event that names no person is the context's;
  // a time of 0 means now, by the server's clock.
  2: list<records.Event> events,
  3: Acknowledge acknowledge = Acknowledge.DURABLE,
}

struct TrackReject {
  // Position in the request, from 0.
  1: i32 index,
  // Named reason and explanation.
  2: string reason,
  3: string detail,
}

// accepted + robot + duplicate + conflicting_duplicate + ignored + rejects = events sent.
struct TrackReply {
  1: string request_id,
  2: Acknowledge acknowledged,
  3: i64 accepted,
  4: i64 duplicate,
  5: i64 conflicting_duplicate,
  6: list<TrackReject> rejects,
  // Events whose user agent is a robot's; kept as accepted ones are.
  7: i64 robot,
  // Of persons who were erased after that; or older than the site keeps their kind.
  8: i64 ignored,
}

struct Pong {
  1: string version,
  2: list<string> sites,
}

service Storefront {
  // Products for this person, best first. Never empty where the site has a model with products.
  RecommendReply recommend(1: RecommendRequest request) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Overloaded overloaded,
    4: DeadlineExceeded deadline, 5: Unavailable unavailable, 6: InternalError internal, 7: Unauthorized unauthorized),

  // All shelves of a page, no product twice.
  PageReply page(1: PageRequest request) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Overloaded overloaded,
    4: DeadlineExceeded deadline, 5: Unavailable unavailable, 6: InternalError internal, 7: Unauthorized unauthorized),

  // Products like this one, best first.
  RecommendReply similar(1: SimilarRequest request) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Overloaded overloaded,
    4: DeadlineExceeded deadline, 5: Unavailable unavailable, 6: InternalError internal, 7: Unauthorized unauthorized),

  // The offers that are right for this person at this moment; each is held for them.
  OffersReply offers(1: OffersRequest request) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Overloaded overloaded,
    4: DeadlineExceeded deadline, 5: Unavailable unavailable, 6: InternalError internal, 7: Unauthorized unauthorized),

  // Stores live events. They count in the very next recommend of the same person.
  TrackReply track(1: TrackRequest request) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Overloaded overloaded,
    4: DeadlineExceeded deadline, 5: Unavailable unavailable, 6: InternalError internal, 7: Unauthorized unauthorized),

  Pong ping(),
}

// ---------------------------------------------------------------------------------------------
// Backoffice

// Hyperparameters of iALS; what is absent has the shop default (recommender/README.md).
struct TrainRequest {
  1: string site,
  2: optional i32 factors,
  3: optional i32 epochs,
  // By default what suits the size of the catalogue.
  4: optional double unobserved_weight,
  5: optional double regularization,
  6: optional double regularization_exponent,
  7: optional i64 seed,
  // "exact", "cg" or "ials++" (recommender/model/settings.h).
  8: optional string solver,
  // Days after which an event counts half.
  9: optional double half_life_days,
  // What a view of a product weighs, where a purchase weighs 3.
  13: optional double view_weight,
  // Begin from the model that is served, where it has as many factors.
  10: bool warm = false,
  // Stop when two epochs in a row do not rank held-out visits better; the best epoch is kept.
  11: bool early_stop = false,
  // Publish the model even if the gate finds it worse than the one that is served.
  12: bool force = false,
  // Learn how lists are made, too: session settings and the mix at home, used where they are better
  // than the defaults on what they were not learned from (recommender/offline/list_learning.h). A
  // minute or two of a core. The next scheduled trainings do as the served model did.
  14: bool learn_lists = false,
}

// What was learned of lists, beside the defaults, on what it was not learned from.
struct LearnedReport {
  // "session" (a visit going on) or "mix" (home, before a visit).
  1: string what,
  // Clicks, or visits, that were asked about; 0: there was too little to learn from.
  2: i64 cases,
  // Of the defaults, and of what was learned: HR@20 + MRR@20 of a session, Recall@20 + NDCG@20 of a
  // mix.
  3: double before,
  4: double after,
  // It was better by more than chance, and is in the model.
  5: bool used,
}

// How a new model ranked the last visits of some people, which were kept from it, beside the model
// that was served (recommender/offline/gate.h).
struct GateReport {
  // Visits that were asked about: those that the served model does not know either.
  1: i64 visits,
  // NDCG@20 of the new model, and of the served one on the same visits (0 where there was none).
  2: double ndcg,
  3: double served_ndcg,
  // The difference lies between these with 95 % confidence.
  4: double difference_low,
  5: double difference_high,
}

struct ModelInfo {
  1: string model_id,
  2: i64 trained_at_ms,
  3: i64 products,
  4: i64 persons,
  5: i64 interactions,
  6: i32 factors,
  7: i32 epochs,
  8: double train_seconds,
  9: i64 file_bytes,
  // Of a training only.
  10: optional GateReport gate,
  // False: a training made this model, but it was worse than the one that is served, which stays.
  11: bool published = true,
  // It is the one that answers now.
  12: bool served = false,
  // Of a training that was asked to learn lists only.
  13: optional list<LearnedReport> learned,
}

// A key that was made now: the only time that its secret is told.
struct NewKey {
  1: records.ApiKey key,
  // What Context.api_key and authenticate take.
  2: string secret,
}

struct SiteCounts {
  1: records.Totals totals,
  2: list<records.SourceState> sources,
}

// A device that a customer logged in on.
struct LinkedVisitor {
  1: string visitor_id,
  // An operator separated the two.
  2: bool unlinked,
  // Too many log in there: nobody owns what is done without a name.
  3: bool shared,
}

// What a customer is worth by the value model that was fitted last
// (recommender/customer_base/customer_values.h).
struct CustomerWorth {
  // "new", "at_risk", ...
  1: string stage,
  // That they are a customer still.
  2: double alive,
  // Within so many days: days with a purchase, what is earned by them, discounted. Minor units.
  3: i32 horizon_days,
  4: double expected_purchases,
  5: double lifetime_value_minor,
  // So far.
  6: double earned_minor,
  7: string currency,
}

// Everything about one customer.
struct CustomerRecord {
  1: string customer_id,
  2: optional records.Customer customer,
  3: optional records.CustomerFacts facts,
  // The newest for each channel and purpose.
  4: list<records.Event> consents,
  5: list<LinkedVisitor> visitors,
  // Newest first, with what they did before they logged in.
  6: list<records.Event> events,
  7: list<records.Session> sessions,
  // Contents that lost against others of their ids.
  8: list<records.Event> conflicts,
  // Lines that hold their id.
  9: list<records.Reject> rejects,
  // What they were shown, newest first, with what they were shown before they logged in.
  10: list<records.Exposure> exposures,
  // Sorted; absent: segments are not counted yet.
  11: optional list<string> segments,
  // Absent: they bought nothing, or no value model was fitted.
  12: optional CustomerWorth worth,
  // Absent: the ledger holds nothing of them.
  13: optional offers.CustomerLedger ledger,
}

struct VerifyRequest {
  1: string site,
  // Lines of the file that --export-anchor wrote: where the chain once stood. At most 1000.
  2: list<string> anchors,
}

// Something that was done behind the store's back. No personal data.
struct VerifyProblem {
  // "row_changed", "row_dropped", "row_added", "row_twice", "link_changed", "link_dropped",
  // "chain_cut".
  1: string kind,
  2: string row,
  // The link of the audit chain that wrote the row, or that is wrong itself; 0: nobody wrote it.
  3: i64 link,
  4: i64 version,
  5: i64 time_ms,
}

// What the chain says beside rows, such as the receipt of an erasure.
struct VerifyNote {
  1: i64 time_ms,
  2: string kind,
  3: string text,
}

struct VerifyReply {
  // Rows of evidence there, links of the chain, rows removed lawfully.
  1: i64 rows,
  2: i64 links,
  3: i64 removed,
  // All of them; `problems` holds the first 10,000.
  4: i64 problems_found,
  5: list<VerifyProblem> problems,
  6: list<VerifyNote> notes,
  // Where the chain stands now; empty before its first link.
  7: string anchor,
}

struct BackupRequest {
  1: string site,
  // An absolute path on the server's machine, under its --backup-root.
  2: string directory,
  // Backups that stay, the newest; 0: all.
  3: i32 keep,
  // Copied at most; 0: no bound.
  4: i64 bytes_per_second,
}

struct BackupReply {
  1: i32 id,
  2: i64 taken_at_ms,
  3: i64 bytes,
  // That no earlier backup in the folder had.
  4: i64 new_bytes,
  5: double seconds,
}

// What became of rows of products.
struct UpdateReply {
  1: i64 changed,
  // They said what was known already.
  2: i64 unchanged,
}

// A person found to be a robot, or whom an operator decided on; one of the two ids is there.
struct Robot {
  1: optional string customer_id,
  2: optional string visitor_id,
  3: records.RobotVerdict verdict,
}

// An operator's word on a person.
enum RobotDecision {
  ROBOT = 1,
  NO_ROBOT = 2,
  // Lists and rules decide.
  AUTOMATIC = 3,
}

// A list of robots' user agents that the server uses, or would if it could.
struct RobotListInfo {
  1: string path,
  // As it stands in RobotVerdict: "list:<name>".
  2: string source,
  3: i32 patterns,
  // Patterns that RE2 cannot take.
  4: i32 patterns_not_taken,
  // Why the list is not used; empty if it is.
  5: string problem,
}

// Something that an operator should see to.
struct HealthProblem {
  // A name of api/service/health.h, such as "no_model".
  1: string kind,
  // What is wrong, and what to do about it: a line each, in English, without personal data.
  2: string what,
  3: string advice,
}

// How a site is doing, and the process that has it.
struct SiteHealth {
  // The worst first; none: all is well.
  1: list<HealthProblem> problems,
  // By the clock of whoever answers.
  2: i64 now_ms,
  // Since the process opened the site.
  3: i64 up_seconds,
  // Live events of the last hour (or since the start, if that is less), and what became of them.
  4: i64 accepted,
  5: i64 robot,
  6: i64 rejected,
  // Of the model that answers; absent: there is none.
  7: optional i64 model_age_seconds,
  // "published", "worse", "failed"; empty: there was none.
  8: string last_training,
  9: i32 train_every_hours,
  // Of the store's tables; and free on its disk.
  10: i64 table_bytes,
  11: i64 disk_free_bytes,
  // Keys that open something now.
  12: i32 keys,
  // Of the process; 0 where no server runs. Refused: for want of time or room.
  13: i64 memory_bytes,
  14: i64 requests,
  15: i64 refused,
}

// An experiment that was changed, and what is to be borne in mind.
struct ExperimentChange {
  1: records.ExperimentVersion version,
  2: list<string> warnings,
}

enum ReportFormat {
  // {"tables": {"<name>": [{"<column>": value, ...}, ...]}, "notes": [...]}; the same in every
  // language. Shares are 0 to 1, days 2024-01-31, money in units (pounds, not pence).
  JSON = 1,
  // Aligned, for a terminal.
  TEXT = 2,
  // One page that is complete in itself.
  HTML = 3,
}

// How large an experiment has to be, from the site's own history.
struct ExperimentSize {
  // Of the history: units that would have been in the experiment, in all and a day; the primary
  // metric's mean and variance over them (money in minor units).
  1: i64 history_units,
  2: double units_a_day,
  3: double mean,
  4: double variance,
  // Who was shown the placement so far says nothing yet: all who did anything are counted.
  5: bool of_visitors,
  // What it takes: units of each arm; of all arms together (Experiment.planned_units); days.
  6: double units_per_arm,
  7: i64 planned_units,
  8: double days,
}

// What became of one offer.
struct OfferFigures {
  1: string offer_id,
  // Since the server was started: persons it was made to (once a day), and of them who ordered.
  2: i64 made,
  3: i64 ordered,
  // Ever: orders that used it; and now: held for somebody.
  4: i64 used,
  5: i64 held,
  // Of its budget, in minor units of `currency`: spent, held, what is left (absent: no end).
  6: i64 spent_minor,
  7: i64 held_minor,
  8: optional i64 left_minor,
  9: string currency,
  // How likely an order is with it, as it is thought (recommender/offers/tally.h), and without any.
  10: double buys_with,
  11: double buys_without,
}

struct OfferReport {
  // In the order of the offers.
  1: list<OfferFigures> offers,
  // Those who are made no offer, since the server was started; and of them who ordered.
  2: i64 control,
  3: i64 control_ordered,
}

struct SegmentSize {
  1: string id,
  2: i64 customers,
}

// The segments of a site, and how many are in them.
struct Segments {
  1: segments.SegmentSetVersion version,
  // Those of the version `counted`, which is an earlier one until everybody was looked at; -1: nobody
  // was looked at yet.
  2: list<SegmentSize> sizes,
  3: i64 counted = -1,
  // Everybody who was looked at.
  4: i64 customers,
}

// Who would be in a segment.
struct SegmentPreview {
  1: i64 members,
  2: i64 customers,
  // The first of them by their ids, at most 20.
  3: list<string> sample,
}

service Backoffice {
  // Trains on what the site holds now, publishes the model and swaps it in. Returns when done.
  ModelInfo train(1: TrainRequest request) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  ModelInfo model_info(1: string site) throws (
    1: NotFound not_found, 2: Unavailable unavailable, 3: InternalError internal),

  SiteCounts counts(1: string site) throws (1: NotFound not_found, 2: InternalError internal),

  // A file import through the server: read where the source stands, then send its batches in
  // order. A batch that was already taken is refused with InvalidRequest and counts nothing.
  records.SourceState source(1: string site, 2: string name) throws (
    1: NotFound not_found, 2: InternalError internal),
  void restart_source(1: string site, 2: string name) throws (
    1: NotFound not_found, 2: Unavailable unavailable, 3: InternalError internal),
  records.CommitResult import_batch(1: string site, 2: records.EventBatch batch) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  // Builds the sessions and customers that imported events have changed, and makes all durable.
  void import_done(1: string site, 2: records.SiteSettingsPatch settings) throws (
    1: NotFound not_found, 2: Unavailable unavailable, 3: InternalError internal,
    4: InvalidRequest invalid),

  // Rejects of every source and reason: how many, and where the first and the last lie.
  list<records.RejectSummary> reject_summaries(1: string site) throws (
    1: NotFound not_found, 2: InternalError internal),
  // The rejects themselves, a page at a time. What they are now is sent by import_batch, with
  // `replays`.
  records.RejectPage rejects(1: string site, 2: records.RejectQuery query) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),

  // What a person did, newest first; exactly one of customer_id and visitor_id is given. limit is
  // 1 to 1000.
  list<records.Event> history(1: string site, 2: string customer_id, 3: string visitor_id,
                              4: i32 limit) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),

  // Customers in the order of their ids, after the given one (empty: from the first). limit is 1
  // to 1000.
  list<records.Customer> customers(1: string site, 2: string after_id, 3: i32 limit) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),

  // All that is known of one customer.
  CustomerRecord customer_record(1: string site, 2: string customer_id) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),

  // Erases these customers for good and returns the receipts. Waits for a training to end. An
  // erasure that was interrupted is finished when the site is opened again.
  list<records.Erasure> erase_customers(1: string site, 2: list<string> customer_ids) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  // What the visitor does anonymously is never the customer's; and back.
  void unlink(1: string site, 2: string customer_id, 3: string visitor_id) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  void relink(1: string site, 2: string customer_id, 3: string visitor_id) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  // Drops the events that are older than the site's settings keep them; how many.
  i64 apply_retention(1: string site) throws (
    1: NotFound not_found, 2: Unavailable unavailable, 3: InternalError internal),

  // Products by id, in the order asked; one that is not known has only its id. At most 1000.
  list<records.Product> products(1: string site, 2: list<string> ids) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),

  // Stock, prices and other facts of products, as they change: of each row only the fields that are
  // set are taken. All of them in one durable write, or, if one is wrong (the message says which),
  // none. 1 to 16,384 rows.
  UpdateReply update_products(1: string site, 2: list<records.Product> products) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  // Replaces the whole catalogue by a source: begin, import it from its first line on, finish. Only
  // then is withdrawn what it did not name; the reply is the number of those. Unavailable, and
  // nothing is withdrawn, if the source named no product, had a line rejected, or the server was
  // started again in between.
  void begin_replacement(1: string site, 2: string source) throws (
    1: NotFound not_found, 2: Unavailable unavailable, 3: InternalError internal),
  i64 finish_replacement(1: string site, 2: string source) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  // Products in the order of their ids, after the given one (empty: from the first). limit is 1 to
  // 1000.
  list<records.Product> catalogue(1: string site, 2: string after_id, 3: i32 limit) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),

  // Robots, customers before visitors and by id, after the given one (both empty: from the first).
  // limit is 1 to 1000.
  list<Robot> robots(1: string site, 2: string after_customer_id, 3: string after_visitor_id,
                     4: i32 limit) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),
  // Exactly one of customer_id and visitor_id is given. Sessions and counters have followed when it
  // returns.
  void decide_robot(1: string site, 2: string customer_id, 3: string visitor_id,
                    4: RobotDecision decision) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  list<RobotListInfo> robot_lists(1: string site) throws (
    1: NotFound not_found, 2: InternalError internal),
  // Reads the lists again; if they have changed, verdicts and sessions have followed when it
  // returns.
  void relist_robots(1: string site) throws (
    1: NotFound not_found, 2: Unavailable unavailable, 3: InternalError internal),

  // Makes a consistent copy of the site's data beside it, on the server's machine, and returns its
  // folder: what analysis reads while the server goes on writing. Remove it after use.
  string checkpoint(1: string site) throws (
    1: NotFound not_found, 2: Unavailable unavailable, 3: InternalError internal),

  // Looks for rows that were changed behind the store's back, on a copy; returns when done.
  VerifyReply verify(1: VerifyRequest request) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  // Copies the site to another folder while it serves (store/backup.h). Returns when it is done.
  BackupReply backup(1: BackupRequest request) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  // What the storefront shows by, now.
  records.PlacementVersion placements(1: string site) throws (
    1: NotFound not_found, 2: InternalError internal),
  // Its versions, the newest first. limit is 1 to 1000.
  list<records.PlacementVersion> placement_history(1: string site, 2: i32 limit) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),
  // Makes it what the storefront shows by, within a second. InvalidRequest, naming what is wrong, if
  // it makes no sense, or if `based_on` is not the version that it is now: somebody else changed it
  // meanwhile.
  records.PlacementVersion set_placements(1: string site, 2: records.PlacementSet content,
                                          3: i64 based_on, 4: string who, 5: string comment) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  // A new version with the content of an old one.
  records.PlacementVersion roll_back_placements(1: string site, 2: i64 version, 3: string who) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  // The newest version of each experiment, by id.
  list<records.ExperimentVersion> experiments(1: string site) throws (
    1: NotFound not_found, 2: InternalError internal),
  // The versions of one, the newest first. limit is 1 to 1000.
  list<records.ExperimentVersion> experiment_history(1: string site, 2: string id, 3: i32 limit) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),
  // Makes a draft, or changes an experiment; what of its life `content` says is not looked at.
  // InvalidRequest, naming what is wrong, if it makes no sense, if `based_on` is not the version that
  // it is now (0: there is none), or if it has begun and this may not change any more.
  ExperimentChange set_experiment(1: string site, 2: records.Experiment content, 3: i64 based_on,
                                  4: string who, 5: string comment) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  // Starts, pauses, goes on with, stops or archives it, from the next request on.
  ExperimentChange move_experiment(1: string site, 2: string id, 3: records.ExperimentStatus status,
                                   4: string who, 5: string comment) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  // Begins the next batch of a bandit that runs, with weights from what came of those before; by
  // itself it does so every BanditPlan.batch_minutes.
  ExperimentChange update_weights(1: string site, 2: string id, 3: string who) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  // What Context.forced_arms takes, for so many hours (1 to 720).
  string force_arm(1: string site, 2: string experiment, 3: string arm, 4: i32 hours) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  // What was tested, whether it is valid, what happened, how sure that is, what to do; in the words
  // of `language`, "en" or "fa". The first one of an experiment reads the whole store, from a copy,
  // for minutes if that is large; the next ones count only units that did something since, as long
  // as the server runs, and settings, lists of robots, the experiment and whose a history is stay as
  // they are. InvalidRequest: a language that there is not, an experiment that has not begun. Nothing
  // is changed by it.
  string experiment_report(1: string site, 2: string id, 3: ReportFormat format,
                           4: string language) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  // How many units and days it takes to find a difference of `lift` (0.05: 5 %; not 0, above -1) of
  // the primary metric with the chance `power` (0.01 to 0.999), by the last `days` (1 to 3650) of
  // history. `content` need not be set yet. Reads the whole store, from a copy. InvalidRequest also
  // where the history says nothing of the metric.
  ExperimentSize experiment_plan(1: string site, 2: records.Experiment content, 3: double lift,
                                 4: double power, 5: i32 days) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  // What the shop offers, now; and its versions, the newest first. limit is 1 to 1000.
  offers.OfferSetVersion offers(1: string site) throws (
    1: NotFound not_found, 2: InternalError internal),
  list<offers.OfferSetVersion> offer_history(1: string site, 2: i32 limit) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),
  // Makes it what is offered from the next request on. InvalidRequest, naming what is wrong, if it
  // makes no sense, or if `based_on` is not the version that it is now.
  offers.OfferSetVersion set_offers(1: string site, 2: offers.OfferSet content, 3: i64 based_on,
                                    4: string who, 5: string comment) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  OfferReport offer_report(1: string site) throws (
    1: NotFound not_found, 2: InternalError internal),

  // Points, and what is held for the customer.
  offers.CustomerLedger customer_ledger(1: string site, 2: string customer_id) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),
  // Takes points that the customer pays with: all of them or, with InvalidRequest, none. The same
  // `id` again is the same payment.
  offers.CustomerLedger spend_points(1: string site, 2: string customer_id, 3: i64 points,
                                     4: string id) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  // Models that are on disk, the newest first.
  list<ModelInfo> models(1: string site) throws (
    1: NotFound not_found, 2: Unavailable unavailable, 3: InternalError internal),
  // Serves this one again; empty: the one before.
  ModelInfo roll_back_model(1: string site, 2: string model_id) throws (
    1: NotFound not_found, 2: Unavailable unavailable, 3: InternalError internal),

  // The rest of this connection is the bearer's of this key. Nothing else is done for a connection
  // from elsewhere than this machine before.
  void authenticate(1: string api_key) throws (1: Unauthorized unauthorized),
  list<records.ApiKey> keys(1: string site) throws (
    1: NotFound not_found, 2: InternalError internal),
  // They open, and revoked ones do not, from the next call on.
  NewKey create_key(1: string site, 2: records.Role role, 3: string comment, 4: i32 per_second,
                    5: i64 expires_ms) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  void revoke_key(1: string site, 2: string key_id) throws (
    1: NotFound not_found, 2: Unavailable unavailable, 3: InternalError internal),

  // What is wrong with the site, and what to do about it.
  SiteHealth health(1: string site) throws (
    1: NotFound not_found, 2: InternalError internal),

  // Every site that this server owns.
  list<string> sites(),

  // The segments now, and their sizes.
  Segments segments(1: string site) throws (1: NotFound not_found, 2: InternalError internal),
  // Their versions, the newest first. limit is 1 to 1000.
  list<segments.SegmentSetVersion> segment_history(1: string site, 2: i32 limit) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),
  // Makes these the segments; everybody is looked at anew in the background, and until that is done
  // memberships are those of the version before. InvalidRequest, naming what is wrong, if they make no
  // sense, or if `based_on` is not the version that they are at now.
  segments.SegmentSetVersion set_segments(1: string site, 2: segments.SegmentSet content,
                                          3: i64 based_on, 4: string who, 5: string comment) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  // Who would be in this one now; nothing is changed. Reads every customer, from a copy.
  SegmentPreview segment_preview(1: string site, 2: segments.Segment segment) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  // The customers in a segment by their ids, after the given one (empty: from the first). limit is 1
  // to 1000. Unavailable until everybody was looked at.
  list<string> segment_members(1: string site, 2: string id, 3: string after_id, 4: i32 limit) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  // The segments that a customer is in, sorted; of one who is not known, none.
  list<string> segments_of(1: string site, 2: string customer_id) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  // How the site speaks to its customers; its versions, the newest first (limit is 1 to 1000).
  // InvalidRequest, naming what is wrong, if the content makes no sense, or if `based_on` is not the
  // version that it is now.
  offers.ContactPolicyVersion contact_policy(1: string site) throws (
    1: NotFound not_found, 2: InternalError internal),
  list<offers.ContactPolicyVersion> contact_policy_history(1: string site, 2: i32 limit) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),
  offers.ContactPolicyVersion set_contact_policy(
    1: string site, 2: offers.ContactPolicy content, 3: i64 based_on, 4: string who,
    5: string comment) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),

  // How one customer wants to be contacted, as they said it; of whoever said nothing, the defaults.
  offers.ContactPreference contact_preference(1: string site, 2: string customer_id) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),
  // Replaces it.
  void set_contact_preference(1: string site, 2: offers.ContactPreference preference) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
  // Whether this may go now, or when, or why not. Plans and changes nothing.
  offers.ContactVerdict judge_contact(1: string site, 2: string customer_id,
                                      3: offers.ProposedContact proposed) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),

  // What the site says by itself when something happens; as with the contact policy.
  outreach.TriggerSetVersion triggers(1: string site) throws (
    1: NotFound not_found, 2: InternalError internal),
  list<outreach.TriggerSetVersion> trigger_history(1: string site, 2: i32 limit) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: InternalError internal),
  outreach.TriggerSetVersion set_triggers(
    1: string site, 2: outreach.TriggerSet content, 3: i64 based_on, 4: string who,
    5: string comment) throws (
    1: InvalidRequest invalid, 2: NotFound not_found, 3: Unavailable unavailable,
    4: InternalError internal),
}
