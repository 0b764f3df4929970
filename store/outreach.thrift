// What a shop says by itself when something happens: triggers.
//
// On disk as records.thrift is: never change or reuse a field number or an enum value; add new
// optional fields at the end. Units are those of records.thrift.

include "store/records.thrift"

namespace cpp vitrine
namespace py vitrine.outreach

enum TriggerKind {
  // Something lies in the cart and was not ordered.
  CART_ABANDONED = 1,
  // Something they took an interest in can be had again.
  BACK_IN_STOCK = 2,
  // Something they took an interest in costs less now.
  PRICE_DROP = 3,
  // They have not ordered for longer than is usual for them.
  LAPSE_RISK = 4,
  // What they buy again and again will be used up.
  BUY_AGAIN_DUE = 5,
  // CustomerFacts.attributes["birthday"]: "MM-DD" or "YYYY-MM-DD".
  BIRTHDAY = 6,
  FIRST_ORDER = 7,
}

struct Trigger {
  // 1 to 64 of a-z, 0-9, '-' and '_'.
  1: string id,
  2: TriggerKind kind,
  3: bool enabled = true,
  // The first one on which it may go now is taken, else the one on which it may go first. 1 to 11,
  // each once.
  4: list<records.Channel> channels,
  // What it is to the contact policy; 1 to 256 bytes.
  5: string purpose = "marketing",
  // CART_ABANDONED: since something was put into it last. FIRST_ORDER: since it. 0 to 44640.
  6: i32 delay_minutes = 60,
  // BACK_IN_STOCK, PRICE_DROP: interest that was shown within so many days. 1 to 366.
  7: i32 interest_days = 30,
  // PRICE_DROP: at least this part of the price: 0 to 1.
  8: double least_drop = 0.05,
  // LAPSE_RISK: so many times their usual gap between orders (of whoever ordered fewer than three
  // times, `usual_gap_days`): above 0, at most 100.
  9: double gap_factor = 2,
  // 1 to 3660.
  10: i32 usual_gap_days = 60,
  // What did not go within so many hours of its time is not said any more: 1 to 8784.
  11: i32 valid_hours = 72,
  // BIRTHDAY: by their clock: 0 to 1439.
  12: i32 at_minute = 540,
  // What whoever sends it is told to say, by language (BCP 47); each at most 2048 bytes.
  13: map<string, string> texts,
}

// All that a shop says by itself. Changed as a whole, every version kept.
struct TriggerSet {
  // At most 100; their ids differ.
  1: list<Trigger> triggers,
}

struct TriggerSetVersion {
  // From 1; 0: what a new site has, none.
  1: i64 version,
  2: i64 time_ms,
  3: string who,
  4: string comment,
  5: TriggerSet content,
}
