// Segments: which customers are of one kind, by what is known of them and what they did.
//
// On disk as records.thrift is: never change or reuse a field number or an enum value; add new
// optional fields at the end. Units are those of records.thrift; a day is 24 hours.

include "store/records.thrift"

namespace cpp vitrine
namespace py vitrine.segments

// What a test is about. What somebody did is what they did themselves on any channel: a refund is
// not, nor a contact that was only sent to them.
enum SegmentMeasure {
  // Words, compared by ONE_OF and NONE_OF. Of the customer file; country: else of their newest event.
  COUNTRY_IS = 1,
  // "en" stands for "en-GB" too.
  LANGUAGE_IS = 2,
  // CustomerFacts.attributes[name]; a number in it may be compared by AT_LEAST and AT_MOST.
  ATTRIBUTE_IS = 3,
  // The newest word on `channels` (one) and the purpose `name`: "granted", "refused", or "unknown".
  CONSENT_IS = 4,
  // "prospect", "new", "active", "loyal", "at_risk", "lapsed", "won_back"
  // (recommender/customers/life_cycle.h).
  LIFE_STAGE_IS = 5,
  // Where they are nearest to: the clustering `name`, the numbers of its centroids (from 1).
  CLUSTER_IS = 6,

  // Counts within `days`, compared by AT_LEAST and AT_MOST. Events of `kinds` (empty: all that they
  // did).
  EVENT_COUNT = 20,
  // What they did without a pause longer than the site's session gap is one visit; it counts when it
  // begins, by what it begins with.
  VISIT_COUNT = 21,
  // Purchases of one order id are one order, which counts from the first of them on.
  ORDER_COUNT = 22,
  // Contacts about a "complaint", or that they complained of: of one case, or one contact, once.
  COMPLAINT_COUNT = 23,

  // Money within `days`, in minor units of `currency`.
  BOUGHT_MINOR = 30,
  RETURNED_MINOR = 31,
  // RETURNED_MINOR by BOUGHT_MINOR; nothing where nothing was bought.
  RETURNED_SHARE = 32,

  // Days that have passed since; nothing where it never was.
  DAYS_SINCE_FIRST_SEEN = 40,
  DAYS_SINCE_LAST_SEEN = 41,
  DAYS_SINCE_LAST_ORDER = 42,

  // By the value model that was fitted last; nothing where nothing was bought. The probability that
  // they are a customer still; what is earned by them within a year, discounted, in minor units of
  // the model's currency.
  ALIVE = 50,
  LIFETIME_VALUE_MINOR = 51,

  // Service cases of which no outcome is known, or "open".
  OPEN_CASE_COUNT = 60,
  // The newest rating within `days`, about `name` (empty: anything), as part of its best: 0 to 1.
  LAST_RATING = 61,
}

// Something that holds of a customer or does not. Whoever has no such word is NONE_OF any; whoever
// has no such number is neither AT_LEAST nor AT_MOST.
struct SegmentTest {
  1: SegmentMeasure measure,
  // ONE_OF, NONE_OF, AT_LEAST or AT_MOST.
  2: records.Relation relation,
  // ONE_OF, NONE_OF: 1 to 1000.
  3: list<string> values,
  // AT_LEAST, AT_MOST.
  4: optional double number,
  // ATTRIBUTE_IS, CONSENT_IS, LAST_RATING, CLUSTER_IS.
  5: string name,
  // EVENT_COUNT to LAST_RATING, where it has a meaning: only what was done on one of these channels, with
  // one of these devices, with one of these products or something of one of these categories (or
  // of a category within it). Of money: only what these products cost.
  6: list<records.EventKind> kinds,
  7: list<records.Channel> channels,
  8: list<records.Device> devices,
  9: list<string> products,
  10: list<string> categories,
  // 1 to 3660: the last so many days; 0: ever.
  11: i32 days = 0,
  // ISO 4217.
  12: string currency,
}

// Holds if one of its tests does; negated: if none of them does.
struct SegmentCondition {
  // 1 to 20.
  1: list<SegmentTest> any,
  2: bool negated = false,
}

struct Segment {
  // 1 to 64 of a-z, 0-9, '-' and '_'.
  1: string id,
  // By language (BCP 47); each at most 2048 bytes.
  2: map<string, string> titles,
  // All must hold: 1 to 20.
  3: list<SegmentCondition> conditions,
}

// Groups of customers who behave alike (recommender/segments/kmeans.h). Behaviour is so many
// numbers, each less `means` and by `scales`.
struct Clustering {
  // As of a segment.
  1: string id,
  2: list<double> means,
  3: list<double> scales,
  4: list<list<double>> centroids,
  // Of what is bought.
  5: string currency,
}

// All segments of a site. Changed as a whole, every version kept.
struct SegmentSet {
  // At most 500; their ids differ.
  1: list<Segment> segments,
  // At most 10; their ids differ.
  2: list<Clustering> clusterings,
}

struct SegmentSetVersion {
  // From 1; 0: what a new site has, which is none.
  1: i64 version,
  2: i64 time_ms,
  3: string who,
  4: string comment,
  5: SegmentSet content,
}
