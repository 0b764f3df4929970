#include "api/cli/customer_view.h"

#include <string>
#include <vector>

#include "tests/testing/testing.h"

namespace vitrine::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vitrine::testing::MakeEvent;

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kNow = 1'700'000'000'000;

// Someone who was shown a mug, clicked it, bought it, complained on the phone and got money back;
// a book is left in the cart.
CustomerRecord Anna() {
  CustomerRecord record;
  record.customer_id = "anna";
  const auto did = [&record](int hours_ago, EventKind kind, const std::string& product) -> Event& {
    record.events.push_back(
        MakeEvent(std::to_string(hours_ago), "anna", kNow - hours_ago * kHourMs, kind, product));
    if (!product.empty()) record.events.back().items[0].__set_price_minor(500);
    record.events.back().__set_currency("EUR");
    return record.events.back();
  };
  Event& refund = did(1, EventKind::REFUND, "mug");
  refund.__set_order_id("o1");
  Event& call = did(2, EventKind::CONTACT, "");
  call.channel = Channel::CALL_CENTER;
  ContactNote note;
  note.contact_id = "call-1";
  note.purpose = "service";
  note.inbound = true;
  note.__set_topic("complaint");
  note.__set_case_id("k1");
  call.__set_contact(note);
  did(3, EventKind::ADD_TO_CART, "book");
  Event& bought = did(5, EventKind::PURCHASE, "mug");
  bought.__set_order_id("o1");
  bought.__set_recommendation_id("r1");
  did(6, EventKind::ADD_TO_CART, "mug");
  did(7, EventKind::SELECT_ITEM, "mug").__set_recommendation_id("r1");
  Exposure& shelf = record.exposures.emplace_back();
  shelf.id = "r1";
  shelf.time_ms = kNow - 8 * kHourMs;
  shelf.placement = "home";
  shelf.products.emplace_back().product_id = "mug";
  Session& visit = record.sessions.emplace_back();
  visit.start_ms = kNow - 9 * kHourMs;
  visit.end_ms = visit.start_ms + 20 * 60'000;
  visit.events = 3;
  return record;
}

std::vector<std::string> KindsOf(const std::vector<TimelineRow>& rows) {
  std::vector<std::string> kinds;
  for (const TimelineRow& row : rows) kinds.push_back(row.kind);
  return kinds;
}

const Report::Table* Find(const Report& report, absl::string_view name) {
  for (const Report::Table& table : report.tables) {
    if (table.name == name) return &table;
  }
  return nullptr;
}

TEST(CustomerTimeline, IsOneOfEverythingTheNewestFirst) {
  const std::vector<TimelineRow> rows = TimelineOf(Anna(), {});
  EXPECT_THAT(KindsOf(rows), ElementsAre("refund", "contact", "add_to_cart", "purchase",
                                         "add_to_cart", "select_item", "shown", "visit"));
  EXPECT_EQ(rows[6].what, "home: mug -> select_item mug, purchase mug")
      << "what was suggested says what came of it";
  EXPECT_EQ(rows[1].channel, "call_center");
  EXPECT_THAT(rows[1].what, HasSubstr("from them, service, about complaint, case k1"));
}

TEST(CustomerTimeline, IsCutAsAsked) {
  EXPECT_THAT(KindsOf(TimelineOf(Anna(), {.most = 2})), ElementsAre("refund", "contact"));
  EXPECT_THAT(KindsOf(TimelineOf(Anna(), {.most = 2, .kinds = {"visit", "purchase"}})),
              ElementsAre("purchase", "visit"));
  EXPECT_THAT(TimelineOf(Anna(), {.channels = {"call_center"}}), SizeIs(1));
  EXPECT_THAT(TimelineOf(Anna(), {.channels = {"email"}}), IsEmpty());
}

TEST(CustomerReport, SaysWhatIsOpen) {
  const Report report = CustomerReport(Anna(), {});
  const Report::Table* const cart = Find(report, "cart");
  ASSERT_NE(cart, nullptr);
  ASSERT_THAT(cart->rows, SizeIs(1)) << "what was bought is not in the cart any more";
  EXPECT_EQ(std::get<std::string>(cart->rows[0][0]), "book");
  const Report::Table* const cases = Find(report, "cases");
  ASSERT_NE(cases, nullptr);
  EXPECT_EQ(std::get<std::string>(cases->rows.at(0)[2]), "open");
  const Report::Table* const orders = Find(report, "orders");
  ASSERT_NE(orders, nullptr);
  ASSERT_THAT(orders->rows, SizeIs(1));
  EXPECT_EQ(std::get<std::string>(orders->rows[0][3]), "5.00 EUR");
  EXPECT_EQ(std::get<std::string>(orders->rows[0][4]), "5.00 EUR");
  EXPECT_EQ(Find(report, "ledger"), nullptr) << "what there is nothing of takes no room";
}

}  // namespace
}  // namespace vitrine::cli
