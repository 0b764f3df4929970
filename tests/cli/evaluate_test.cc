// `vitrine evaluate` on plain files, as somebody with a data set runs it.

#include <fstream>
#include <map>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

#include "tests/testing/packed.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::RunProgram;
using testing::TempDir;
using testing::Vitrine;

class EvaluateFiles : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_.File(name), std::ios::binary) << text;
    return dir_.File(name);
  }
  static Outcome Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "evaluate");
    return RunProgram(Vitrine(arguments));
  }
  static nlohmann::json Tables(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--json", "--factors", "4"});
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.exit_code == 0 ? nlohmann::json::parse(outcome.out)["tables"] : nlohmann::json();
  }
  // Persons of two tastes: the even or the odd of 20 products, eight of them one after the other.
  static std::string Table(char separator) {
    std::string text = absl::StrCat("user_id", std::string(1, separator), "when",
                                    std::string(1, separator), "item\n");
    for (int person = 0; person < 60; ++person) {
      for (int i = 0; i < 8; ++i) {
        absl::StrAppend(&text, "u", person, std::string(1, separator), "2024-01-",
                        absl::Dec(1 + 3 * i, absl::kZeroPad2), std::string(1, separator), "p",
                        (person + 2 * (person / 2 + i)) % 20, "\n");
      }
    }
    return text;
  }

  TempDir dir_;
};

TEST_F(EvaluateFiles, ReadATableByItsHeadPackedOrNot) {
  const std::string text = Table(';');
  const auto plain = Tables({"--file", Write("t.csv", text), "--time", "when"});
  EXPECT_EQ(plain["evaluation"][0]["tested"], 60);
  EXPECT_EQ(plain["evaluation"][0]["products"], 20);
  ASSERT_EQ(plain["methods"].size(), 5u);
  EXPECT_GT(plain["methods"][0]["recall@20"], 0.9) << "with what is known hidden";
  EXPECT_LE(plain["methods"][0]["ndcg@20_low"], plain["methods"][0]["ndcg@20"]);
  auto packed = Tables({"--file", Write("t.csv.zst", testing::Zstd(text)), "--time", "when"});
  EXPECT_EQ(packed["methods"][0]["ndcg@20"], plain["methods"][0]["ndcg@20"]);
}

TEST_F(EvaluateFiles, SplitInTime) {
  const auto tables = Tables({"--file", Write("t.tsv", Table('\t')), "--time", "when", "--protocol",
                              "time-split", "--split-at", "2024-01-19"});
  EXPECT_EQ(tables["evaluation"][0]["protocol"], "time_split");
  EXPECT_EQ(tables["evaluation"][0]["lists"], 60);
  EXPECT_EQ(tables["ndcg_by_activity"][0]["lists"], 60) << "5 to 19 events known of each";
}

TEST_F(EvaluateFiles, TakeAGivenSplitOfSetsByEitherRecall) {
  // The list of two holds one of three targets.
  const std::string train = Write("train.txt", "0 a b\n1 c d e f\n2 c d e\n3 c d\n4 c\n");
  const std::string test = Write("test.txt", "0 c f g\n");
  const std::vector<std::string> asked = {"--train",  train,  "--test", test,
                                          "--format", "sets", "-k",     "2"};
  const auto of = [&](const std::string& recall) {
    std::vector<std::string> arguments = asked;
    arguments.insert(arguments.end(), {"--recall", recall});
    const auto tables = Tables(arguments);
    for (const auto& method : tables["methods"]) {
      if (method["method"] == "popularity") return double{method["recall@2"]};
    }
    return -1.0;
  };
  EXPECT_DOUBLE_EQ(of("reachable"), 0.5);
  EXPECT_DOUBLE_EQ(of("all"), 0.5) << "g is no target: nobody met it";
  Write("test.txt", "0 c e f\n");
  EXPECT_NEAR(of("all"), 1.0 / 3, 1e-6);
  EXPECT_EQ(Tables(asked)["methods"].size(), 4u) << "sets are no sessions";
}

TEST_F(EvaluateFiles, TakeSessionsAndQuestions) {
  std::string train;
  for (int s = 0; s < 30; ++s) train += "a b c d\nx y z\n";
  const std::string trained = Write("train.txt", train);
  const std::string questions = Write("test.txt", "a b\tc\na\tb\nx\ty\nx y\tz\n");
  const auto tables =
      Tables({"--train", trained, "--test", questions, "--format", "sessions", "-k", "1"});
  EXPECT_EQ(tables["evaluation"][0]["lists"], 4);
  EXPECT_EQ(tables["evaluation"][0]["tested"], 2) << "sessions, not questions, are independent";
  EXPECT_EQ(tables["methods"][2]["method"], "session-blend");
  EXPECT_EQ(tables["methods"][2]["hr@1"], 1);
  const auto held_out =
      Tables({"--file", trained, "--format", "sessions", "--protocol", "sessions"});
  EXPECT_EQ(held_out["evaluation"][0]["tested"], 6);
}

TEST_F(EvaluateFiles, NameTheFileTheLineAndWhy) {
  const auto error = [&](const std::string& text, std::vector<std::string> more) {
    more.insert(more.end(), {"--file", Write("bad.csv", text)});
    const Outcome outcome = Run(more);
    EXPECT_EQ(outcome.exit_code, 1) << text;
    EXPECT_THAT(outcome.err, HasSubstr("bad.csv"));
    return outcome.err;
  };
  EXPECT_THAT(error("user,item,time\na,b,2024-01-01\na,b,soon\n", {}),
              AllOf(HasSubstr("line 3"), HasSubstr("no time: \"soon\"")));
  EXPECT_THAT(error("user,item\na,b\nc\n", {}), AllOf(HasSubstr("line 3"), HasSubstr("columns")));
  EXPECT_THAT(error("user,item\n,b\n", {}), AllOf(HasSubstr("line 2"), HasSubstr("no person")));
  EXPECT_THAT(error("user,item,event\na,b,wink\n", {}),
              AllOf(HasSubstr("line 2"), HasSubstr("wink"), HasSubstr("purchase")));
  EXPECT_THAT(error("who,what\na,b\n", {}), AllOf(HasSubstr("--item"), HasSubstr("who, what")));
  EXPECT_THAT(error("user,item\na,b\n", {"--item", "product"}), HasSubstr("no column \"product\""));
  EXPECT_THAT(error("a b\n\n", {"--format", "sessions"}), HasSubstr("line 2"));
  EXPECT_THAT(error("a b\tc\n", {"--format", "sessions"}), HasSubstr("line 1"));
  EXPECT_THAT(error("", {}), HasSubstr("empty"));
  EXPECT_THAT(error("user,item\na,\"b\n", {}), HasSubstr("unclosed_quote"));
}

TEST_F(EvaluateFiles, AskForOneSourceAndAProtocolThatGoesWithIt) {
  const std::string file = Write("t.csv", Table(','));
  EXPECT_THAT(Run({}).err, HasSubstr("--site"));
  EXPECT_THAT(Run({"--site", "shop", "--file", file}).err, HasSubstr("--site"));
  EXPECT_THAT(Run({"--train", file}).err, HasSubstr("--test"));
  EXPECT_THAT(Run({"--file", file, "--protocol", "given-split"}).err, HasSubstr("--train"));
  EXPECT_THAT(Run({"--file", file, "--split-at", "2024-01-01"}).err, HasSubstr("time-split"));
  EXPECT_EQ(Run({"--file", dir_.File("nowhere.csv")}).exit_code, 1);
}

TEST_F(EvaluateFiles, WriteAPageInEachLanguage) {
  const std::string file = Write("t.csv", Table(','));
  for (const std::string language : {"en", "fa"}) {
    const std::string page = dir_.File("page.html");
    const Outcome outcome = Run(
        {"--file", file, "--time", "when", "--factors", "4", "--html", page, "--lang", language});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    std::ifstream in(page);
    const std::string html((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    for (const char* there :
         {"class=\"whisker\"", "class=\"curve\"", "id=\"t-ndcg_by_activity\""}) {
      EXPECT_THAT(html, HasSubstr(there));
    }
    // Whatever we say is in the catalogue.
    for (const char* key : {"evaluate.", "verdict.", "protocol.", "known."}) {
      EXPECT_EQ(html.find(key), std::string::npos) << key;
    }
  }
}

}  // namespace
}  // namespace vitrine
