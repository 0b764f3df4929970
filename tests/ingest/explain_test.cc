#include "ingest/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <string>

#include "store/base/atomic_file.h"
#include "store/base/limits.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using testing::Value;

class Explain : public ::testing::Test {
 protected:
  std::map<std::string, std::string> Of(absl::string_view request) {
    std::map<std::string, std::string> rows;
    const Report report = Value(ExplainRequest(mapping_, request));
    for (const auto& row : report.tables.at(0).rows) {
      rows[std::get<std::string>(row[0])] = std::get<std::string>(row[1]);
    }
    return rows;
  }

  Mapping mapping_ = Value(ParseMapping(
      Value(ReadFile("examples/access_log.toml", limits::kConfigBytesMax)), "access_log.toml"));
};

TEST_F(Explain, SaysWhichRuleFiredAndWhatComesOfIt) {
  EXPECT_THAT(Of("https://shop.example/p/p0042?utm=x"),
              UnorderedElementsAre(Pair("rule", "[[url]] number 1: GET /p/{id}"),
                                   Pair("outcome", "view_item"), Pair("channel", "web"),
                                   Pair("product", "p0042"),
                                   Pair("url", "https://shop.example/p/p0042?utm=x")));
  EXPECT_EQ(Of("/app/p/p1").at("channel"), "app");
  EXPECT_EQ(Of("/search?q=red+mug").at("search terms"), "red mug");
  EXPECT_EQ(Of("POST /cart/add/p1 303").at("outcome"), "add_to_cart");
  EXPECT_EQ(Of("/order/o0000001").at("order"), "o0000001");
}

TEST_F(Explain, SaysWhyNothingComesOfIt) {
  EXPECT_THAT(Of("/a.css"),
              UnorderedElementsAre(Pair("rule", "none"), Pair("outcome", "ignored:asset")));
  EXPECT_THAT(Of("/p/p1 302"), UnorderedElementsAre(Pair("rule", "[[url]] number 1: GET /p/{id}"),
                                                    Pair("outcome", "ignored:redirect")));
  EXPECT_EQ(Of("HEAD /").at("outcome"), "ignored:method");
}

TEST_F(Explain, SaysWhatItCannotRead) {
  const auto error = [&](absl::string_view request) {
    return std::string(ExplainRequest(mapping_, request).status().message());
  };
  EXPECT_THAT(error("a b c"), HasSubstr("is not \"URL\""));
  EXPECT_THAT(error(""), HasSubstr("is not \"URL\""));
  EXPECT_THAT(error("/p/" + std::string(300, 'x')), HasSubstr("bad_id"));
  mapping_.format = Mapping::Format::kJsonLines;
  EXPECT_THAT(error("/"), HasSubstr("not for format"));
}

}  // namespace
}  // namespace vitrine
