#include "ingest/mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "store/base/atomic_file.h"
#include "store/base/limits.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::Value;

constexpr absl::string_view kSmall = R"(format = "csv"
currency = "EUR"
[customer]
column = "who"
[time]
columns = ["when"]
format = "%F"
[columns]
product = "what"
price = "price"
)";

std::string ErrorOf(absl::string_view toml) {
  return std::string(ParseMapping(toml, "shop.toml").status().message());
}

// kSmall with one piece of it replaced.
std::string ErrorWith(absl::string_view from, absl::string_view to) {
  const std::string changed = absl::StrReplaceAll(kSmall, {{from, to}});
  EXPECT_NE(changed, kSmall);
  return ErrorOf(changed);
}

TEST(Mapping, TheExamplesAreRead) {
  for (const char* example : {"gifts.toml", "fashion.toml", "events.toml"}) {
    const std::string path = absl::StrCat("examples/", example);
    EXPECT_OK(ParseMapping(Value(ReadFile(path, limits::kConfigBytesMax)), path).status());
  }
}

TEST(Mapping, ReadsEveryKey) {
  const Mapping mapping = Value(ParseMapping(R"(
format = "csv"
delimiter = ";"
kind = "purchase"
channel = "store"
currency = "JPY"
site = { session_gap_minutes = 20, exclude_bought = false }
customer = { column = "c", strip_suffix = ".0" }
visitor = { column = "v", prefix = "x-", only_without_customer = true }
category_names = { 1 = "one", "two words" = "2" }
[time]
columns = ["d", "t"]
format = "%F %T"
zone = "Asia/Tokyo"
step_column = "n"
step_ms = 20_000
[columns]
event_id = ["i", "n"]
order = "o"
product = "p"
name = "pn"
category = "pc"
quantity = "q"
price = "pp"
country = "k"
[[kinds]]
kind = "refund"
when.o = ["C*", "D"]
[[ignore]]
reason = "no_product"
when.p = "POST"
when."pp" = ["0"]
unless.q = "-*"
)",
                                             "all.toml"));
  EXPECT_EQ(mapping.delimiter, ';');
  EXPECT_EQ(mapping.default_kind, EventKind::PURCHASE);
  EXPECT_EQ(mapping.channel, Channel::STORE);
  EXPECT_EQ(mapping.currency, "JPY");
  EXPECT_EQ(mapping.site.session_gap_ms, 20 * 60 * 1000);
  EXPECT_TRUE(mapping.site.__isset.exclude_bought);
  EXPECT_FALSE(mapping.site.exclude_bought);
  EXPECT_FALSE(mapping.site.__isset.session_max_ms);
  EXPECT_EQ(mapping.customer.column + mapping.customer.strip_suffix, "c.0");
  EXPECT_EQ(mapping.visitor.column + mapping.visitor.prefix, "vx-");
  EXPECT_TRUE(mapping.visitor.only_without_customer);
  EXPECT_EQ(mapping.category_names.at("two words"), "2");
  EXPECT_THAT(mapping.time.columns, ElementsAre("d", "t"));
  EXPECT_EQ(mapping.time.zone, "Asia/Tokyo");
  EXPECT_EQ(mapping.time.step_ms, 20'000);
  EXPECT_THAT(mapping.event_id, ElementsAre("i", "n"));
  EXPECT_EQ(mapping.order + mapping.product + mapping.name + mapping.category + mapping.quantity +
                mapping.price + mapping.country,
            "oppnpcqppk");
  ASSERT_EQ(mapping.kinds.size(), 1u);
  EXPECT_EQ(mapping.kinds[0].kind, EventKind::REFUND);
  EXPECT_THAT(mapping.kinds[0].when.at(0).values, ElementsAre("C*", "D"));
  ASSERT_EQ(mapping.ignores.size(), 1u);
  EXPECT_EQ(mapping.ignores[0].reason, "no_product");
  EXPECT_EQ(mapping.ignores[0].when.size(), 2u);
  EXPECT_EQ(mapping.ignores[0].unless.at(0).column, "q");
}

TEST(Mapping, ATypoIsNamedWithItsLine) {
  EXPECT_EQ(ErrorWith("currency", "curency"), "shop.toml:2: nothing is called \"curency\" here");
  EXPECT_THAT(ErrorWith("price =", "prize ="), StartsWith("shop.toml:10: nothing is called"));
  EXPECT_THAT(ErrorWith("[customer]", "[custommer]"), StartsWith("shop.toml:3: nothing"));
}

TEST(Mapping, WrongTextIsNamedWithItsLine) {
  EXPECT_THAT(ErrorOf("format = \"csv"), StartsWith("shop.toml:1: "));
  EXPECT_THAT(ErrorOf("a = 1\na = 2"), StartsWith("shop.toml:2: "));
}

TEST(Mapping, WrongValuesAreNamedWithTheirLine) {
  EXPECT_THAT(ErrorWith("\"csv\"", "\"xls\""), HasSubstr("shop.toml:1: format must be"));
  EXPECT_THAT(ErrorWith("\"EUR\"", "\"euro\""), HasSubstr("shop.toml:2: currency must be"));
  EXPECT_THAT(ErrorWith("currency = \"EUR\"", ""), HasSubstr("price needs a currency"));
  EXPECT_THAT(ErrorWith("\"%F\"", "7"), HasSubstr("shop.toml:7: format must be a string"));
  EXPECT_THAT(ErrorWith("\"%F\"", "\"%F\"\nzone = \"Mars\""), HasSubstr("shop.toml:8: zone"));
  EXPECT_THAT(ErrorWith("\"%F\"", "\"%F\"\nstep_ms = 5"), HasSubstr("need each other"));
  EXPECT_THAT(ErrorWith("columns = [\"when\"]", "columns = [1]"), HasSubstr("strings only"));
  EXPECT_THAT(ErrorWith("product = \"what\"", ""), HasSubstr("name its column too"));
  EXPECT_THAT(ErrorWith("column = \"who\"", ""), HasSubstr("belongs to someone"));
}

TEST(Mapping, RulesMustBeWhole) {
  const auto with = [](absl::string_view rule) { return ErrorOf(absl::StrCat(kSmall, rule)); };
  EXPECT_THAT(with("[[ignore]]\nreason = \"x\""), HasSubstr("when is needed"));
  EXPECT_THAT(with("[[ignore]]\nwhen.a = \"b\""), HasSubstr("reason is needed"));
  EXPECT_THAT(with("[[ignore]]\nreason = \"Not This\"\nwhen.a = \"b\""), HasSubstr("reason"));
  EXPECT_THAT(with("[[kinds]]\nwhen.a = \"b\""), HasSubstr("kind is needed"));
  EXPECT_THAT(with("[[kinds]]\nkind = \"buy\"\nwhen.a = \"b\""), HasSubstr("must be one of"));
  EXPECT_THAT(with("[[kinds]]\nkind = \"refund\"\nwhen.a = []"), HasSubstr("values to look for"));
  EXPECT_THAT(with("[ignore]\nreason = \"x\""), HasSubstr("write [[ignore]]"));
}

TEST(Mapping, JsonLinesTakeNoColumns) {
  EXPECT_OK(ParseMapping("format = \"json_lines\"", "e.toml").status());
  EXPECT_THAT(ErrorOf("format = \"json_lines\"\n[columns]\nproduct = \"p\""),
              HasSubstr("shop.toml:2: nothing is called \"columns\""));
}

TEST(Mapping, TheSessionGapHasLimits) {
  const auto with = [](int minutes) {
    return ErrorOf(absl::StrCat(kSmall, "[site]\nsession_gap_minutes = ", minutes));
  };
  EXPECT_EQ(with(1), "");
  EXPECT_EQ(with(1440), "");
  EXPECT_THAT(with(0), HasSubstr("1 to 1440"));
  EXPECT_THAT(with(1441), HasSubstr("1 to 1440"));
}

}  // namespace
}  // namespace vitrine
