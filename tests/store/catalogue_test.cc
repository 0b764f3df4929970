#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "store/catalogue_writer.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MakeEvent;
using ::testing::Pair;
using testing::TempDir;
using testing::Value;

Product Row(const std::string& id, const std::string& name = "") {
  Product row;
  row.id = id;
  if (!name.empty()) row.__set_name(name);
  return row;
}

Product Priced(const std::string& id, int64_t price_minor, const std::string& currency = "EUR") {
  Product row = Row(id);
  row.__set_price_minor(price_minor);
  row.__set_currency(currency);
  return row;
}

class CatalogueTest : public ::testing::Test {
 protected:
  void Open() {
    house_.reset();
    house_ = Value(WebHouse::Open({.directory = folder_.File("db")}));
  }

  absl::Status Commit(const std::string& source, std::vector<Product> products,
                      std::vector<CustomerFacts> customers = {}, std::vector<Reject> rejects = {}) {
    const SourceState state = Value(house_->GetSource(source));
    EventBatch batch;
    batch.source = source;
    batch.from_bytes = state.bytes;
    batch.from_lines = state.lines;
    batch.to_lines =
        state.lines + static_cast<int64_t>(products.size() + customers.size() + rejects.size());
    batch.to_bytes = state.bytes + 10 * (batch.to_lines - batch.from_lines);
    batch.products = std::move(products);
    batch.customers = std::move(customers);
    batch.rejects = std::move(rejects);
    return house_->Commit(batch, Ack::kApplied).status();
  }

  Product Get(const std::string& id) {
    const Product read = Value(house_->GetProduct(id));
    // What replies are made of must not lag behind.
    EXPECT_EQ(*Value(house_->GetProducts(std::vector<std::string>{id})).at(0), read);
    return read;
  }

  TempDir folder_;
  std::unique_ptr<WebHouse> house_ = Value(WebHouse::Open({.directory = folder_.File("db")}));
};

TEST_F(CatalogueTest, AnUpdateTakesOnlyWhatIsSet) {
  Product row = Priced("p", 250);
  row.__set_name("Pen");
  row.__set_stock(7);
  row.__set_attributes({{"color", "red"}, {"size", "M"}});
  ASSERT_OK(Commit("file", {row}));
  Product update = Row("p");
  update.__set_stock(0);
  update.__set_attributes({{"size", ""}, {"fit", "slim"}});
  const FactsResult result =
      Value(house_->UpdateProducts(std::vector<Product>{update}, Ack::kDurable));
  EXPECT_EQ(result.changed, 1);
  const Product now = Get("p");
  EXPECT_EQ(now.name, "Pen");
  EXPECT_EQ(now.price_minor, 250);
  EXPECT_EQ(now.stock, 0);
  EXPECT_TRUE(now.in_catalogue);
  EXPECT_THAT(now.attributes, ElementsAre(Pair("color", "red"), Pair("fit", "slim")));
}

TEST_F(CatalogueTest, EveryRowIsCounted) {
  ASSERT_OK(
      Commit("file", {Row("p", "Pen"), Row("q", "Cup"), Row("p", "Pen"), Row("p", "Pencil")}));
  EXPECT_THAT(Value(house_->GetSource("file")).outcomes,
              ElementsAre(Pair("product", 3), Pair("unchanged", 1)));
  EXPECT_EQ(house_->GetTotals().products, 2);
  EXPECT_EQ(Get("p").name, "Pencil");
  // When it was said is no change.
  Product later = Row("p", "Pencil");
  later.facts_time_ms = 99;
  ASSERT_OK(Commit("file", {later}));
  EXPECT_EQ(Value(house_->GetSource("file")).outcomes.at("unchanged"), 2);
  const FactsResult result = Value(house_->UpdateProducts(
      std::vector<Product>{Priced("p", 1), Priced("p", 1), Row("r")}, Ack::kApplied));
  EXPECT_EQ(result.changed, 2);
  EXPECT_EQ(result.unchanged, 1);
  EXPECT_EQ(house_->GetTotals().products, 3);
  Open();  // checks the sums
  EXPECT_EQ(house_->GetTotals().products, 3);
}

TEST_F(CatalogueTest, FactsOfTheCatalogueWinOverThoseOfEvents) {
  const auto told = [](const std::string& id, const std::string& name, int64_t time_ms) {
    Event event = MakeEvent(id, "c", time_ms, EventKind::VIEW_ITEM, "p");
    event.items[0].__set_name(name);
    return event;
  };
  ASSERT_OK(house_->Track({told("e1", "old", 1'300'000'000'000)}, {}, Ack::kApplied).status());
  EXPECT_EQ(Get("p").name, "old");
  ASSERT_OK(Commit("file", {Priced("p", 5)}));
  EXPECT_EQ(Get("p").name, "old");  // the row has none
  ASSERT_OK(Commit("file", {Row("p", "right")}));
  ASSERT_OK(house_->Track({told("e2", "wrong", 1'900'000'000'000)}, {}, Ack::kApplied).status());
  EXPECT_EQ(Get("p").name, "right");
  EXPECT_EQ(house_->GetTotals().products, 1);
}

TEST_F(CatalogueTest, AnotherCurrencyDropsAnOldPrice) {
  Product row = Priced("p", 250, "EUR");
  row.__set_margin_minor(-20);
  ASSERT_OK(Commit("file", {row}));
  ASSERT_OK(Commit("file", {Priced("p", 300, "USD")}));
  EXPECT_EQ(Get("p").price_minor, 300);
  EXPECT_FALSE(Get("p").__isset.margin_minor);
}

TEST_F(CatalogueTest, ABatchWithARowThatIsNotValidChangesNothing) {
  const auto fault = [&](const Product& row) {
    const auto result =
        house_->UpdateProducts(std::vector<Product>{Row("good", "Good"), row}, Ack::kApplied);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(result.status().message(), HasSubstr("products[1]: "));
    return std::string(result.status().message());
  };
  EXPECT_THAT(fault(Row("")), HasSubstr("bad_id: "));
  Product no_currency = Row("p");
  no_currency.__set_price_minor(1);
  EXPECT_THAT(fault(no_currency), HasSubstr("missing_field: "));
  EXPECT_THAT(fault(Priced("p", -1)), HasSubstr("bad_price: "));
  EXPECT_THAT(fault(Priced("p", 1, "Euro")), HasSubstr("bad_currency: "));
  Product row = Row("p");
  row.__set_stock(-1);
  EXPECT_THAT(fault(row), HasSubstr("bad_quantity: "));
  row = Row("p");
  row.__set_available_from_ms(1'700'000'000'000);
  row.__set_available_to_ms(1'700'000'000'000);
  EXPECT_THAT(fault(row), HasSubstr("bad_time: "));
  row = Row("p", std::string(3'000, 'x'));
  EXPECT_THAT(fault(row), HasSubstr("text_too_long: "));
  row = Row("p");
  for (int i = 0; i < 101; ++i) row.attributes[absl::StrCat("a", i)] = "x";
  row.__isset.attributes = true;
  EXPECT_THAT(fault(row), HasSubstr("too_many_attributes: "));
  EXPECT_EQ(house_->GetTotals().products, 0);
  EXPECT_TRUE(absl::IsNotFound(house_->GetProduct("good").status()));
}

TEST_F(CatalogueTest, AttributesDoNotGrowBeyondTheLimitByMerging) {
  for (int i = 0; i < 2; ++i) {
    Product row = Row("p");
    for (int k = 0; k < 60; ++k) row.attributes[absl::StrCat(i, "/", k)] = "x";
    row.__isset.attributes = true;
    EXPECT_EQ(Commit("file", {row}).ok(), i == 0);
  }
  EXPECT_EQ(Get("p").attributes.size(), 60u);
}

// --- Replacement ---

TEST_F(CatalogueTest, AReplacementWithdrawsWhatItDoesNotNameAtItsEnd) {
  Product full = Row("a", "A");
  full.__set_brand("old");
  ASSERT_OK(Commit("file", {full, Row("b", "B"), Row("c", "C")}));
  ASSERT_OK(house_
                ->Track({MakeEvent("e", "c", 1'300'000'000'000, EventKind::VIEW_ITEM, "seen")}, {},
                        Ack::kApplied)
                .status());
  ASSERT_OK(house_->BeginReplacement("file"));
  ASSERT_OK(Commit("file", {Row("a", "A")}));
  EXPECT_FALSE(Get("a").__isset.brand);  // rows stand whole
  EXPECT_FALSE(Get("b").withdrawn);      // not before the end
  ASSERT_OK(Commit("file", {Row("d", "D"), Row("a", "A")}));
  EXPECT_EQ(Value(house_->FinishReplacement("file")), 2);
  EXPECT_FALSE(Get("a").withdrawn);
  EXPECT_TRUE(Get("b").withdrawn);
  EXPECT_TRUE(Get("c").withdrawn);
  EXPECT_FALSE(Get("d").withdrawn);
  EXPECT_FALSE(Get("seen").withdrawn);  // no product of the catalogue
  // Stock alone does not bring a product back; a row that names it does.
  Product stock = Row("b");
  stock.__set_stock(3);
  ASSERT_OK(Commit("other", {stock}));
  EXPECT_TRUE(Get("b").withdrawn);
  ASSERT_OK(Commit("other", {Row("b", "B")}));
  EXPECT_FALSE(Get("b").withdrawn);
  Open();
  EXPECT_TRUE(Get("c").withdrawn);
}

TEST_F(CatalogueTest, AReplacementThatFailsHalfWayWithdrawsNothing) {
  ASSERT_OK(Commit("file", {Row("a", "A"), Row("b", "B")}));
  const auto refused = [&](absl::string_view source) {
    const auto finished = house_->FinishReplacement(source);
    EXPECT_EQ(finished.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(finished.status().message(), HasSubstr("nothing is withdrawn"));
    EXPECT_FALSE(Get("b").withdrawn);
  };
  refused("file");  // never begun
  ASSERT_OK(house_->BeginReplacement("file"));
  refused("file");  // names nothing
  ASSERT_OK(house_->BeginReplacement("file"));
  ASSERT_OK(Commit("file", {Row("a", "A")}));
  Open();  // killed, started again
  refused("file");
  ASSERT_OK(house_->BeginReplacement("file"));
  Reject reject;
  reject.line = 1;
  reject.reason = "bad_price";
  ASSERT_OK(Commit("file", {Row("a", "A")}, {}, {reject}));
  refused("file");  // the line may have named b
  ASSERT_OK(house_->BeginReplacement("file"));
  ASSERT_OK(Commit("file", {Row("a", "A")}));
  ASSERT_OK(house_->BeginReplacement("other"));  // ends the first
  refused("file");
  ASSERT_OK(house_->BeginReplacement("file"));
  ASSERT_OK(Commit("file", {Row("a", "A")}));
  EXPECT_EQ(Value(house_->FinishReplacement("file")), 1);
  EXPECT_TRUE(Get("b").withdrawn);
}

// --- Customers ---

TEST_F(CatalogueTest, CustomersFactsAreMergedAndTheLaterOnesWin) {
  CustomerFacts row;
  row.id = "c";
  row.facts_time_ms = 2'000;
  row.__set_email("new@x");
  CustomerFacts older;
  older.id = "c";
  older.facts_time_ms = 1'000;
  older.__set_email("old@x");
  older.__set_name("Ada");
  ASSERT_OK(Commit("file", {}, {row, older, row}));
  const CustomerFacts facts = Value(house_->GetCustomerFacts("c"));
  EXPECT_EQ(facts.email, "new@x");
  EXPECT_EQ(facts.name, "Ada");
  EXPECT_EQ(facts.facts_time_ms, 2'000);
  EXPECT_THAT(Value(house_->GetSource("file")).outcomes,
              ElementsAre(Pair("customer", 2), Pair("unchanged", 1)));
  CustomerFactsCursor all = house_->AllCustomerFacts();
  ASSERT_TRUE(all.Valid());
  EXPECT_EQ(all.value().id, "c");
  ASSERT_OK(all.Finish());
  row.id = "";
  EXPECT_THAT(Commit("file", {}, {row}).message(), HasSubstr("customers[0]: bad_id"));
}

}  // namespace
}  // namespace vitrine
