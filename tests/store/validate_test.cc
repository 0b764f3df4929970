#include "store/base/limits.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::StartsWith;

Event Good() { return testing::MakeEvent("e", "c", 1'300'000'000'000, EventKind::PURCHASE, "p"); }

std::string ReasonFor(const Event& event) { return std::string(ValidateEvent(event).message()); }

TEST(ValidateEvent, TakesAnOrdinaryEvent) { EXPECT_OK(ValidateEvent(Good())); }

TEST(ValidateEvent, NamesTheReason) {
  Event event = Good();
  event.id.clear();
  EXPECT_THAT(ReasonFor(event), StartsWith("bad_id: id"));

  event = Good();
  event.__isset.customer_id = false;
  EXPECT_THAT(ReasonFor(event), StartsWith("missing_field"));

  event = Good();
  event.kind = static_cast<EventKind>(99);
  EXPECT_THAT(ReasonFor(event), StartsWith("bad_kind"));

  event = Good();
  event.time_ms = 1'300'000'000;  // seconds, not milliseconds
  EXPECT_THAT(ReasonFor(event), StartsWith("bad_time"));

  event = Good();
  event.items[0].quantity = 0;
  EXPECT_THAT(ReasonFor(event), StartsWith("bad_quantity"));

  event = Good();
  event.items[0].__set_price_minor(-1);
  EXPECT_THAT(ReasonFor(event), StartsWith("bad_price"));

  event = Good();
  event.items[0].product_id = "p\n";
  EXPECT_THAT(ReasonFor(event), StartsWith("bad_id: product_id"));

  event = Good();
  event.__set_recommendation_id("");
  EXPECT_THAT(ReasonFor(event), StartsWith("bad_id: recommendation_id"));

  event = Good();
  event.items.resize(limits::kItemsPerEventMax + 1, event.items[0]);
  EXPECT_THAT(ReasonFor(event), StartsWith("too_many_items"));

  event = Good();
  event.__set_url(std::string(limits::kTextBytesMax + 1, 'u'));
  EXPECT_THAT(ReasonFor(event), StartsWith("text_too_long: url"));

  event = Good();
  event.__set_search_terms("\xff");
  EXPECT_THAT(ReasonFor(event), StartsWith("invalid_utf8: search_terms"));
}

}  // namespace
}  // namespace vitrine
