#include "ingest/url_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "absl/strings/match.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using testing::Value;

UrlRule Template(const std::string& match) {
  UrlRule rule;
  rule.match = {match};
  return rule;
}

UrlRule Regex(const std::string& regex) {
  UrlRule rule;
  rule.regex = regex;
  return rule;
}

// What the part captures from a URL by one rule; "<none>" if the rule does not fit.
std::string Captured(const UrlRule& rule, absl::string_view url, UrlPart part = UrlPart::kId) {
  UrlRules rules = Value(UrlRules::Compile({rule}));
  const size_t mark = std::min(url.find('?'), url.size());
  UrlParts parts;
  const int found =
      rules.Find("GET", url.substr(0, mark), url.substr(std::min(mark + 1, url.size())), &parts);
  return found == UrlRules::kNone ? "<none>" : parts[static_cast<size_t>(part)];
}

TEST(UrlRules, ATemplateTakesOnePartOfThePath) {
  const UrlRule rule = Template("/product/{id}");
  EXPECT_EQ(Captured(rule, "/product/17"), "17");
  EXPECT_EQ(Captured(rule, "/product/17/"), "17");
  EXPECT_EQ(Captured(rule, "/product/17?ref=mail"), "17");
  EXPECT_EQ(Captured(rule, "/product/a%20b%2Fc%C3%A9+d"), "a b/c\xC3\xA9+d");
  EXPECT_EQ(Captured(rule, "/pro%64uct/17"), "17");
  for (const absl::string_view other : {"/product/", "/product", "/product/17/reviews",
                                        "/shop/product/17", "/products/17", "/Product/17"}) {
    EXPECT_EQ(Captured(rule, other), "<none>") << other;
  }
}

TEST(UrlRules, ATemplateMayHaveTextAroundItsCaptures) {
  EXPECT_EQ(Captured(Template("/{_slug}-p{id}.html"), "/red-mug-p2-p17.html"), "17");
  EXPECT_EQ(Captured(Template("/{_slug}-p{id}.html"), "/red-mug-p2-p17_html"), "<none>");
  EXPECT_EQ(Captured(Template("/c/{category...}"), "/c/men/shoes", UrlPart::kCategory),
            "men/shoes");
  EXPECT_EQ(Captured(Template("/caf\xC3\xA9/{id}"), "/caf%c3%A9/1"), "1");
  EXPECT_EQ(Captured(Template("/"), "/"), "");
  EXPECT_EQ(Captured(Template("/"), "/x"), "<none>");
}

TEST(UrlRules, ParametersMayComeInAnyOrder) {
  const UrlRule cart = Template("/cart?action=add&sku={id}");
  EXPECT_EQ(Captured(cart, "/cart?sku=a%2Bb+c&x=1&action=add"), "a+b c");
  EXPECT_EQ(Captured(cart, "/cart?sku=1&action=remove"), "<none>");
  EXPECT_EQ(Captured(cart, "/cart?action=add&sku="), "<none>");
  EXPECT_EQ(Captured(cart, "/cart?action=add&xsku=1"), "<none>");
  EXPECT_EQ(Captured(cart, "/cart"), "<none>");
  EXPECT_EQ(Captured(Template("/search?q={query}"), "/search?page=2&q=red+mug", UrlPart::kQuery),
            "red mug");
}

TEST(UrlRules, AnExpressionCapturesByItsNamedGroups) {
  const UrlRule rule = Regex(R"(^/(?:[a-z]{2}/)?p(?P<id>\d+)(?:\?.*\bq=(?P<query>[^&]+))?)");
  EXPECT_EQ(Captured(rule, "/de/p17"), "17");
  EXPECT_EQ(Captured(rule, "/p17?a=1&q=x+y", UrlPart::kQuery), "x y");
  EXPECT_EQ(Captured(rule, "/deu/p17"), "<none>");
}

TEST(UrlRules, TheFirstRuleOfTheMethodWins) {
  UrlRule post = Template("/p/{id}");
  post.methods = {"POST", "PUT"};
  UrlRules rules =
      Value(UrlRules::Compile({post, Template("/p/new"), Template("/p/{id}"), Regex("^/p")}));
  UrlParts parts;
  EXPECT_EQ(rules.Find("PUT", "/p/1", "", &parts), 0);
  EXPECT_EQ(rules.Find("GET", "/p/new", "", &parts), 1);
  EXPECT_EQ(parts[0], "");
  EXPECT_EQ(rules.Find("GET", "/p/1", "", &parts), 2);
  EXPECT_EQ(parts[0], "1");
  EXPECT_EQ(rules.Find("GET", "/p", "", &parts), 3);
  EXPECT_EQ(parts[0], "");
  EXPECT_EQ(rules.Find("HEAD", "/p/1", "", &parts), UrlRules::kNone);
}

TEST(UrlRules, SaysWhatIsWrongWithARule) {
  const auto error = [](const UrlRule& rule) {
    return std::string(UrlRules::Compile({rule}).status().message());
  };
  EXPECT_THAT(error(Template("/p/{sku}")), HasSubstr("no capture is called \"sku\"; there are id"));
  EXPECT_THAT(error(Template("/p/{id")), HasSubstr("a { without its }"));
  EXPECT_THAT(error(Template("p/{id}")), HasSubstr("begins with /"));

  EXPECT_THAT(error(Template("/p?a={id}x")), HasSubstr("all of its value"));
  EXPECT_THAT(error(Regex("(")), HasSubstr("the expression: "));
  EXPECT_THAT(error(Regex("(?P<sku>.)")), HasSubstr("no capture is called \"sku\""));
}

}  // namespace
}  // namespace vitrine
