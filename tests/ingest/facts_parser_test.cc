#include "ingest/facts_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "store/base/atomic_file.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::Value;

constexpr int64_t kNow = 1'700'000'000'000;

constexpr absl::string_view kCatalogue = R"(format = "csv"
currency = "EUR"
[catalogue]
id = "sku"
name = "title"
category = ["dept", "shelf"]
price = "price"
currency = "cur"
margin = "margin"
stock = "stock"
available_from = "from"
available_to = "to"
attributes = ["color"]
)";
constexpr absl::string_view kHeader = "sku,title,dept,shelf,price,cur,margin,stock,from,to,color";

std::vector<Element> Rows(absl::string_view mapping_text, absl::string_view header,
                          absl::string_view line) {
  const Mapping mapping = Value(ParseMapping(mapping_text, "m.toml"));
  FactsParser parser = Value(FactsParser::Create(mapping, header));
  std::vector<Element> elements;
  parser.Parse(line, kNow, &elements);
  return elements;
}

std::string ReasonOf(absl::string_view line) {
  const Element element = Rows(kCatalogue, kHeader, line).at(0);
  EXPECT_EQ(element.kind, Element::Kind::kRejected) << line;
  EXPECT_EQ(element.raw, line);
  EXPECT_NE(element.detail, "");
  return element.reason;
}

TEST(FactsParser, ARowOfACatalogueIsReadWhole) {
  const Element element =
      Rows(kCatalogue, kHeader,
           "p1,\"Pen, red\",Office,Pens,0.07,USD,-1.5,12,2024-05-01,2024-06-01T12:00:00+02:00,red")
          .at(0);
  ASSERT_EQ(element.kind, Element::Kind::kProduct) << element.detail;
  const Product& p = element.product;
  EXPECT_EQ(p.id, "p1");
  EXPECT_EQ(p.name, "Pen, red");
  EXPECT_EQ(p.category, "Office > Pens");
  EXPECT_EQ(p.price_minor, 7);
  EXPECT_EQ(p.currency, "USD");
  EXPECT_EQ(p.margin_minor, -150);
  EXPECT_EQ(p.stock, 12);
  EXPECT_EQ(p.available_from_ms, 1'714'521'600'000);
  EXPECT_EQ(p.available_to_ms, 1'717'236'000'000);
  EXPECT_THAT(p.attributes, ElementsAre(Pair("color", "red")));
  EXPECT_EQ(p.facts_time_ms, kNow);
}

TEST(FactsParser, WhatIsEmptyIsNotSet) {
  const Product p = Rows(kCatalogue, kHeader, "p1,,,,1,,,,,,").at(0).product;
  EXPECT_EQ(p.currency, "EUR");
  EXPECT_FALSE(p.__isset.name || p.__isset.category || p.__isset.margin_minor || p.__isset.stock ||
               p.__isset.available_from_ms || p.__isset.attributes);
  // A currency without a price says nothing.
  EXPECT_FALSE(Rows(kCatalogue, kHeader, "p1,,,,,USD,,5,,,").at(0).product.__isset.currency);
}

TEST(FactsParser, WhatIsWrongIsNamed) {
  EXPECT_EQ(ReasonOf(",x,,,,,,,,,"), "missing_field");
  EXPECT_EQ(ReasonOf("p,x"), "wrong_column_count");
  EXPECT_EQ(ReasonOf("p,x,,,1.005,,,,,,"), "bad_price");
  EXPECT_EQ(ReasonOf("p,x,,,-1,,,,,,"), "bad_price");
  EXPECT_EQ(ReasonOf("p,x,,,1,Euro,,,,,"), "bad_currency");
  EXPECT_EQ(ReasonOf("p,x,,,,,,1.5,,,"), "bad_quantity");
  EXPECT_EQ(ReasonOf("p,x,,,,,,-1,,,"), "bad_quantity");
  EXPECT_EQ(ReasonOf("p,x,,,,,,99999999999,,,"), "bad_quantity");
  EXPECT_EQ(ReasonOf("p,x,,,,,,,tomorrow,,"), "bad_time");
  EXPECT_EQ(ReasonOf("p,x,,,,,,,2024-05-02,2024-05-01,"), "bad_time");
  EXPECT_EQ(ReasonOf(absl::StrCat(std::string(300, 'p'), ",x,,,,,,,,,")), "bad_id");
  EXPECT_EQ(ReasonOf(absl::StrCat("p,", std::string(3'000, 'x'), ",,,,,,,,,")), "text_too_long");
}

TEST(FactsParser, ObjectsHaveOurNamesUnlessTheMappingSaysOtherwise) {
  constexpr absl::string_view kMapping =
      "format = \"json_lines\"\ncurrency = \"EUR\"\n[catalogue]\nname = \"title\"\n";
  const std::vector<Element> elements = Rows(
      kMapping, "",
      R"([{"id":7,"title":"Pen","price":9007199254.99,"stock":"3","attributes":{"new":true,)"
      R"("size":4,"old":null},"brand":null},{"id":"q","price":[]},{"id":"r","attributes":1},{]})");
  ASSERT_EQ(elements.size(), 4u);
  const Product& p = elements[0].product;
  EXPECT_EQ(p.id, "7");
  EXPECT_EQ(p.name, "Pen");
  EXPECT_EQ(p.price_minor, 900'719'925'499);
  EXPECT_EQ(p.stock, 3);
  EXPECT_FALSE(p.__isset.brand);
  EXPECT_THAT(p.attributes, ElementsAre(Pair("new", "true"), Pair("old", ""), Pair("size", "4")));
  EXPECT_EQ(elements[1].reason, "bad_event");
  EXPECT_EQ(elements[2].reason, "bad_event");
  EXPECT_EQ(elements[3].reason, "bad_json");
}

TEST(FactsParser, CustomersAreReadTheSameWay) {
  const Element element = Rows("format = \"csv\"\n[customers]\nid = \"no\"\nemail = \"mail\"\n",
                               "no,mail,ignored", "c1,a@x,z")
                              .at(0);
  ASSERT_EQ(element.kind, Element::Kind::kCustomer);
  EXPECT_EQ(element.customer.id, "c1");
  EXPECT_EQ(element.customer.email, "a@x");
  EXPECT_FALSE(element.customer.__isset.name);
}

TEST(FactsParser, AFileThatLacksAColumnIsRefused) {
  const Mapping mapping = Value(ParseMapping(kCatalogue, "m.toml"));
  EXPECT_THAT(FactsParser::Create(mapping, "sku,title").status().message(),
              HasSubstr("there is no column \""));
  EXPECT_THAT(FactsParser::Create(mapping, absl::StrCat(kHeader, ",sku")).status().message(),
              HasSubstr("two columns"));
}

TEST(FactsParser, AMappingThatMakesNoSenseIsRefused) {
  const auto error = [](absl::string_view toml) {
    return std::string(ParseMapping(toml, "m.toml").status().message());
  };
  EXPECT_THAT(error("format = \"csv\"\n[catalogue]\nname = \"n\""), HasSubstr("id is needed"));
  EXPECT_THAT(error("format = \"csv\"\n[catalogue]\nid = \"n\"\ncolour = \"c\""),
              HasSubstr("colour"));
  EXPECT_THAT(error("format = \"ga4\"\n[catalogue]"), HasSubstr("format"));
  EXPECT_THAT(error("format = \"json_lines\"\n[catalogue]\n[customers]"), HasSubstr("customers"));
  EXPECT_THAT(error("format = \"csv\"\n[catalogue]\nid = [\"a\", \"b\"]"), HasSubstr("one column"));
  for (const char* const example : {"examples/catalogue.toml", "examples/customers.toml"}) {
    EXPECT_OK(ParseMapping(Value(ReadFile(example, 1 << 20)), example).status());
  }
}

}  // namespace
}  // namespace vitrine
