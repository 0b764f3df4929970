#include "ingest/line_parser.h"

#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using testing::Value;

constexpr absl::string_view kMapping = R"(format = "csv"
customer = { column = "who" }
time = { columns = "when", format = "unix_s" }
columns = { product = "what", order = "order" }
)";

struct Parsed {
  Outcome outcome;
  Event event;
};

std::vector<Parsed> ParseAll(absl::string_view mapping_text, const std::string& bytes) {
  const Mapping mapping = Value(ParseMapping(mapping_text, "m.toml"));
  TempDir folder;
  std::ofstream(folder.File("f"), std::ios::binary) << bytes;
  LineReader reader = Value(LineReader::Open(folder.File("f"), LineParser::Delimiter(mapping)));
  LineParser parser = Value(LineParser::Create(mapping, &reader));
  std::vector<Parsed> all;
  for (Line line; reader.Next(&line);) {
    Parsed& parsed = all.emplace_back();
    parsed.outcome = parser.Parse(line, &parsed.event);
  }
  return all;
}

Parsed ParseOne(const std::string& line) {
  return ParseAll(kMapping, "who,when,what,order\n" + line + "\n").at(0);
}

TEST(LineParser, EqualLinesHaveEqualFingerprintsAndOthersHaveNot) {
  const Parsed one = ParseOne("7,1300000000,p,o");
  EXPECT_EQ(one.outcome.kind, Outcome::Kind::kEvent);
  EXPECT_EQ(one.event.id.size(), 32u);
  EXPECT_OK(ValidateEvent(one.event));
  EXPECT_EQ(ParseOne("7,1300000000,p,o").event.id, one.event.id);
  EXPECT_NE(ParseOne("7,1300000001,p,o").event.id, one.event.id);
  EXPECT_NE(ParseOne("7,1300000000,p,").event.id, one.event.id);
}

TEST(LineParser, ALineThatTheStoreWouldRefuseIsRejectedWithItsReason) {
  const auto reason = [](const std::string& line) {
    const Parsed parsed = ParseOne(line);
    EXPECT_EQ(parsed.outcome.kind, Outcome::Kind::kRejected) << line;
    EXPECT_NE(parsed.outcome.detail, "") << line;
    return parsed.outcome.reason;
  };
  EXPECT_EQ(reason(",1300000000,p,o"), "missing_field");
  EXPECT_EQ(reason("Undefined,1300000000,p,o"), "nobodys_id");
  EXPECT_EQ(reason("7,13000000000000,p,o"), "bad_time");
  EXPECT_EQ(reason("7,1300000000," + std::string(300, 'p') + ",o"), "bad_id");
  EXPECT_EQ(reason("7,1300000000,p\x01q,o"), "bad_id");
  EXPECT_EQ(reason("7,1300000000,p\xFF,o"), "invalid_utf8");
  EXPECT_EQ(reason("7,1300000000,p"), "wrong_column_count");
  EXPECT_EQ(reason("7,1300000000,\"p"), "unclosed_quote");
}

TEST(LineParser, ACustomerWhoIsNobodyLeavesTheEventToTheVisitor) {
  const std::vector<Parsed> all =
      ParseAll("format = \"json_lines\"",
               R"({"kind":"login","time_ms":1300000000000,"visitor_id":"v","customer_id":"null"})");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].outcome.kind, Outcome::Kind::kEvent);
  EXPECT_EQ(Person::Of(all[0].event), Person::Visitor("v"));
}

TEST(LineParser, ABlankLineIsIgnored) {
  const Parsed blank = ParseOne("  \t");
  EXPECT_EQ(blank.outcome.kind, Outcome::Kind::kIgnored);
  EXPECT_EQ(blank.outcome.reason, "blank_line");
}

TEST(LineParser, JsonLinesHaveNoHeader) {
  const std::vector<Parsed> all = ParseAll(
      "format = \"json_lines\"", R"({"kind":"login","time_ms":1300000000000,"visitor_id":"v"})"
                                 "\n\n{\n");
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].outcome.kind, Outcome::Kind::kEvent);
  EXPECT_EQ(all[0].event.id.size(), 32u);
  EXPECT_EQ(all[1].outcome.reason, "blank_line");
  EXPECT_EQ(all[2].outcome.reason, "bad_json");
}

}  // namespace
}  // namespace vitrine
