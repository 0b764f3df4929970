#include "ingest/row_mapper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::Value;

const Fields kHeader = {"order", "who",  "session", "when", "step",
                        "what",  "name", "group",   "n",    "price"};

Mapping ShopMapping() {
  Mapping mapping;
  mapping.currency = "GBP";
  mapping.default_kind = EventKind::PURCHASE;
  mapping.kinds = {{{{"order", {"C*"}}}, {}, "", EventKind::REFUND}};
  mapping.ignores = {{{{"what", {"POST", "gift_*"}}}, {}, "not_a_product", {}},
                     {{{"price", {"0"}}}, {{"n", {"-*"}}}, "free", {}}};
  mapping.time = {{"when"}, "%F", "UTC", "", 0};
  mapping.customer = {"who", ".0"};
  mapping.visitor = {"session", "s-", false};
  mapping.order = "order";
  mapping.product = "what";
  mapping.name = "name";
  mapping.category = "group";
  mapping.quantity = "n";
  mapping.price = "price";
  mapping.category_names = {{"1", "trousers"}};
  return mapping;
}

// A good line of the file; tests change single fields of it.
Fields GoodLine() { return {"o1", "7.0", "9", "1970-01-02", "3", "p1", " Mug ", "1", "2", "2.55"}; }

class RowMapperTest : public ::testing::Test {
 protected:
  Event Mapped(const Fields& fields) {
    RowMapper mapper = Value(RowMapper::Create(mapping_, kHeader));
    Event event;
    absl::string_view ignored;
    EXPECT_TRUE(Value(mapper.Map(fields, &event, &ignored)));
    return event;
  }

  // "ignored:<why>", or the fault.
  std::string Refusal(const Fields& fields) {
    RowMapper mapper = Value(RowMapper::Create(mapping_, kHeader));
    Event event;
    absl::string_view ignored;
    const absl::StatusOr<bool> is_event = mapper.Map(fields, &event, &ignored);
    if (!is_event.ok()) return std::string(is_event.status().message());
    return *is_event ? "an event" : "ignored:" + std::string(ignored);
  }

  std::string RefusalWith(size_t column, absl::string_view field) {
    Fields fields = GoodLine();
    fields[column] = field;
    return Refusal(fields);
  }

  Mapping mapping_ = ShopMapping();
};

TEST_F(RowMapperTest, MakesAnEventOfALine) {
  const Event event = Mapped(GoodLine());
  EXPECT_EQ(event.kind, EventKind::PURCHASE);
  EXPECT_EQ(event.time_ms, 86'400'000);
  EXPECT_EQ(event.customer_id, "7");
  EXPECT_EQ(event.visitor_id, "s-9");
  EXPECT_EQ(event.order_id, "o1");
  EXPECT_EQ(event.currency, "GBP");
  EXPECT_EQ(event.id, "");
  ASSERT_EQ(event.items.size(), 1u);
  EXPECT_EQ(event.items[0].product_id, "p1");
  EXPECT_EQ(event.items[0].name, "Mug");
  EXPECT_EQ(event.items[0].category, "trousers");
  EXPECT_EQ(event.items[0].quantity, 2);
  EXPECT_EQ(event.items[0].price_minor, 255);
}

TEST_F(RowMapperTest, AColumnMayNameTheShelfThatLedHere) {
  EXPECT_FALSE(Mapped(GoodLine()).__isset.recommendation_id);
  mapping_.recommendation = "name";
  EXPECT_EQ(Mapped(GoodLine()).recommendation_id, "Mug");
}

TEST_F(RowMapperTest, NothingOfTheLineBeforeIsLeft) {
  RowMapper mapper = Value(RowMapper::Create(mapping_, kHeader));
  Event event;
  absl::string_view ignored;
  ASSERT_TRUE(Value(mapper.Map(GoodLine(), &event, &ignored)));
  Fields bare = GoodLine();
  for (const size_t column : {0, 2, 6, 7, 8, 9}) bare[column] = "";
  ASSERT_TRUE(Value(mapper.Map(bare, &event, &ignored)));
  EXPECT_FALSE(event.__isset.order_id || event.__isset.visitor_id || event.__isset.currency);
  const Item& item = event.items.at(0);
  EXPECT_FALSE(item.__isset.name || item.__isset.category || item.__isset.price_minor);
  EXPECT_EQ(item.quantity, 1);
}

TEST_F(RowMapperTest, ARefundsPiecesAreCountedPositive) {
  Fields fields = GoodLine();
  fields[0] = "C17";
  fields[8] = "-12";
  const Event event = Mapped(fields);
  EXPECT_EQ(event.kind, EventKind::REFUND);
  EXPECT_EQ(event.items.at(0).quantity, 12);
  fields[8] = "-2147483648";
  EXPECT_EQ(Mapped(fields).items.at(0).quantity, 2'147'483'647);
}

TEST_F(RowMapperTest, AVisitorMayBeOnlyForLinesWithoutCustomer) {
  mapping_.visitor.only_without_customer = true;
  EXPECT_FALSE(Mapped(GoodLine()).__isset.visitor_id);
  Fields fields = GoodLine();
  fields[1] = "";
  EXPECT_EQ(Mapped(fields).visitor_id, "s-9");
}

TEST_F(RowMapperTest, StepsAreAddedToTheTime) {
  mapping_.time.step_column = "step";
  mapping_.time.step_ms = 20'000;
  EXPECT_EQ(Mapped(GoodLine()).time_ms, 86'400'000 + 2 * 20'000);
  EXPECT_THAT(RefusalWith(4, "x"), StartsWith("bad_time: step"));
  EXPECT_THAT(RefusalWith(4, "9223372036854775807"), StartsWith("bad_time: step"));
}

TEST_F(RowMapperTest, SeveralColumnsMakeATimeOrAnId) {
  mapping_.time.columns = {"when", "step"};
  mapping_.time.format = "%Y-%m-%d %H";
  mapping_.event_id = {"order", "step"};
  const Event event = Mapped(GoodLine());
  EXPECT_EQ(event.time_ms, (24 + 3) * 3'600'000);
  EXPECT_EQ(event.id, "o1/3");
}

TEST_F(RowMapperTest, AProductWithoutNamesInTheFileIsNamedByItsId) {
  mapping_.name = "";
  EXPECT_EQ(Mapped(GoodLine()).items.at(0).name, "p1");
}

TEST_F(RowMapperTest, IgnoreRulesComeBeforeFaults) {
  EXPECT_EQ(RefusalWith(5, "POST"), "ignored:not_a_product");
  EXPECT_EQ(RefusalWith(5, "gift_1"), "ignored:not_a_product");
  EXPECT_EQ(RefusalWith(5, "POSTER"), "an event");
  EXPECT_EQ(RefusalWith(9, "0"), "ignored:free");
  Fields fields = GoodLine();
  fields[9] = "0";
  fields[8] = "-5";  // unless
  EXPECT_EQ(Refusal(fields), "an event");
  fields[5] = "POST";
  fields[3] = "no day";
  EXPECT_EQ(Refusal(fields), "ignored:not_a_product");
}

TEST_F(RowMapperTest, FaultsNameReasonAndField) {
  EXPECT_THAT(RefusalWith(3, "1970-02-30"), StartsWith("bad_time: "));
  EXPECT_THAT(RefusalWith(3, ""), StartsWith("missing_field: when"));
  EXPECT_THAT(RefusalWith(5, "  "), StartsWith("missing_field: what"));
  EXPECT_THAT(RefusalWith(8, "two"), StartsWith("bad_quantity: "));
  EXPECT_THAT(RefusalWith(9, "-1"), StartsWith("bad_price: "));
  EXPECT_THAT(Refusal({"a", "b"}), StartsWith("wrong_column_count: 2 columns"));
}

TEST_F(RowMapperTest, AMissingColumnIsNamedWithThoseThatAreThere) {
  const absl::Status status = RowMapper::Create(mapping_, {"order", "who", "session"}).status();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no column \"what\"; the file has: order, who, session"));
  Fields twice = kHeader;
  twice.push_back("who");
  EXPECT_THAT(std::string(RowMapper::Create(mapping_, twice).status().message()),
              HasSubstr("two columns \"who\""));
}

}  // namespace
}  // namespace vitrine
