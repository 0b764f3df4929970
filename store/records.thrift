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
  STORE = 6,
  OTHER_CHANNEL = 7,
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
}

// What became of everything one source (a file, or the live "track" stream) has offered.
struct SourceState {
  1: string name,
  // How far we have read, always at the end of a line.
  2: i64 bytes,
  3: i64 lines,
  // XXH3-64 of those bytes: the same name with other content is noticed.
  4: i64 digest,
  // "accepted", "duplicate", "conflicting_duplicate", "ignored:<why>", "rejected:<reason>" to
  // lines.
  5: map<string, i64> outcomes,
  // Times this name started again from byte 0 because its content had changed, and the lines that
  // had been read until then: the counts add up to `earlier_lines` + `lines`.
  6: i32 restarts,
  7: i64 earlier_lines,
}

// A run of consecutive lines of one source, with what became of each: the unit of writing.
// lines of `to` - lines of `from` = events + rejects + ignored.
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
}

// What became of the events of one batch.
struct CommitResult {
  1: i64 accepted,
  2: i64 duplicate,
  3: i64 conflicting_duplicate,
}

// Rows in the web house.
struct Totals {
  1: i64 events,
  2: i64 sessions,
  3: i64 customers,
  4: i64 products,
  5: i64 rejects,
}

// Settings of one site that change what its data mean; kept in the store.
struct SiteSettings {
  // A pause longer than this starts a new session.
  1: i64 session_gap_ms = 1800000,
  // recommend leaves out what the customer already bought.
  2: bool exclude_bought = true,
}
