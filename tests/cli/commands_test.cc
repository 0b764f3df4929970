// A shop's day at the command line: simulate, ingest, train, ask, serve, ask the server, stop it.

#include <fstream>
#include <optional>
#include <thread>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

#include "store/owner_lock.h"
#include "tests/testing/process.h"
#include "tests/testing/raw_store.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;
using testing::Process;
using testing::RawStore;
using testing::RunProgram;
using testing::TempDir;
using testing::Vitrine;

class Commands : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = new TempDir();
    ASSERT_EQ(RunProgram(Vitrine({"simulate", "--out", dir_->File("shop"), "--customers", "300",
                                  "--products", "200", "--days", "30", "--seed", "7"}))
                  .exit_code,
              0);
    const Outcome ingest = Do({"ingest", "--site", "shop", "--mapping", "examples/events.toml",
                               dir_->File("shop/events.jsonl")});
    ASSERT_EQ(ingest.exit_code, 0) << ingest.err;
    const Outcome train = Do({"train", "--site", "shop", "--factors", "16"});
    ASSERT_EQ(train.exit_code, 0) << train.err;
  }
  static void TearDownTestSuite() {
    delete dir_;
    dir_ = nullptr;
  }

  static std::vector<std::string> WithData(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--data", dir_->File("data")});
    return Vitrine(arguments);
  }
  static Outcome Do(std::vector<std::string> arguments) { return RunProgram(WithData(arguments)); }
  static nlohmann::json Json(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const Outcome outcome = Do(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  }

  // That nobody backs the site up is a problem, and the exit code says so.
  static nlohmann::json Status() { return nlohmann::json::parse(Do({"status", "--json"}).out); }

  static TempDir* dir_;
};

TempDir* Commands::dir_ = nullptr;

TEST_F(Commands, RecommendAndSimilarAnswerWithoutAServer) {
  const auto reply = Json({"recommend", "--site", "shop", "-k", "5"});
  ASSERT_EQ(reply["tables"]["suggestions"].size(), 5u);
  const std::string product = reply["tables"]["suggestions"][0]["product"];
  const auto similar = Json({"similar", "--site", "shop", "--product", product, "-k", "3"});
  EXPECT_EQ(similar["tables"]["suggestions"].size(), 3u);
}

TEST_F(Commands, PlacementsAreEditedAsAFile) {
  auto document = Json({"placements", "show", "--site", "shop"});
  EXPECT_EQ(document["version"], 0);
  document["free_shipping_minor"] = 5000;
  document["currency"] = "EUR";
  document["reasons"]["de"]["newest"] = "Neu";
  document["rules"] = nlohmann::json::parse(R"([
      {"id": "ban", "kind": "exclude", "channels": ["app"], "countries": ["DE"],
       "devices": ["mobile"], "except_categories": ["Kitchen"], "from": "2026-03-20T00:00:00.000Z",
       "to": "2026-03-21T00:00:00.000Z", "products": [
         {"attribute": "brand", "relation": "one_of", "values": ["Anar", "Sib"]},
         {"attribute": "price", "relation": "at_least", "number": 100.0}]},
      {"id": "up", "kind": "boost", "factor": 2.0},
      {"id": "first", "kind": "pin", "position": 1, "product_id": "p1"},
      {"id": "few", "kind": "cap", "attribute": "brand", "most": 2},
      {"id": "lately", "kind": "hide_bought", "days": 30},
      {"id": "cheap", "kind": "price_window",
       "price": {"base": "current_product", "at_least": 0.5, "at_most": 2.0}}])");
  const std::string file = dir_->File("placements.json");
  std::ofstream(file) << document;
  EXPECT_EQ(Do({"placements", "set", "--site", "shop", file, "--comment", "spring"}).exit_code, 0);

  document["version"] = 1;
  EXPECT_EQ(Json({"placements", "show", "--site", "shop"}), document);
  const auto history = Json({"placements", "history", "--site", "shop"});
  EXPECT_EQ(history["tables"]["versions"][0]["comment"], "spring");

  const Outcome old = Do({"placements", "set", "--site", "shop", file});  // of version 0
  EXPECT_NE(old.exit_code, 0);
  EXPECT_THAT(old.err, HasSubstr("somebody changed them meanwhile"));
  EXPECT_EQ(Do({"placements", "rollback", "--site", "shop", "1"}).exit_code, 0);
  EXPECT_EQ(Json({"placements", "show", "--site", "shop"})["version"], 2);
}

TEST_F(Commands, AMistakeInAFileOfPlacementsIsNamed) {
  const std::string file = dir_->File("wrong.json");
  const auto check = [&](const char* text) {
    std::ofstream(file) << text;
    const Outcome outcome = RunProgram(Vitrine({"placements", "check", file}));
    EXPECT_NE(outcome.exit_code, 0) << text;
    return outcome.err;
  };
  EXPECT_THAT(check("{"), HasSubstr("this is no JSON"));
  EXPECT_THAT(check("[]"), HasSubstr("the document: an object is wanted"));
  EXPECT_THAT(check(R"({"placement": []})"), HasSubstr("placement: is not known"));
  EXPECT_THAT(check(R"({"rules": [{"id": "x", "kind": "hide"}]})"),
              HasSubstr("rules[0].kind: 'hide' is none of include, exclude"));
  EXPECT_THAT(check(R"({"rules": [{"id": "x", "kind": "pin", "position": 1.5}]})"),
              HasSubstr("rules[0].position: a whole number is wanted"));
  EXPECT_THAT(check(R"({"rules": [{"id": "x", "kind": "hide_seen", "from": "soon"}]})"),
              HasSubstr("rules[0].from: a time as"));
  EXPECT_THAT(check(R"({"rules": [{"id": "x", "kind": "boost"}]})"),
              HasSubstr("rules[x].factor: is wanted"));
}

TEST_F(Commands, VerifyNamesARowThatSomebodyChanged) {
  const std::string anchors = dir_->File("anchors");
  const auto clean = Json({"verify", "--site", "shop", "--export-anchor", anchors});
  EXPECT_EQ(clean["tables"]["verify"][0]["problems"], 0);
  EXPECT_GT(clean["tables"]["verify"][0]["rows"], 1000);
  const std::string db = dir_->File("data/shop/db");
  const auto [key, value] = RawStore(db).All("events")[77];
  std::string changed = value;
  changed.back() ^= 1;
  RawStore(db).Put("events", key, changed);
  const Outcome found = Do({"verify", "--site", "shop"});
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_THAT(found.out, HasSubstr("row_changed"));
  EXPECT_THAT(found.err, HasSubstr("1 problem"));
  RawStore(db).Put("events", key, value);
  EXPECT_EQ(
      Json({"verify", "--site", "shop", "--anchor", anchors})["tables"]["verify"][0]["problems"],
      0);
  EXPECT_EQ(Do({"verify", "--site", "shop", "--anchor", dir_->File("shop/events.jsonl")}).exit_code,
            1);
}

TEST_F(Commands, MineAddsUpAndIsTheSameWhileAServerHasTheSite) {
  const auto alone = Json({"mine", "--site", "shop", "--top", "5"});
  const auto& tables = alone["tables"];
  const int64_t sessions = tables["overview"][0]["sessions"];
  EXPECT_GT(sessions, 100);
  EXPECT_EQ(tables["funnel"][0]["sessions"], sessions);
  EXPECT_EQ(tables["funnel"].size(), 5u);
  for (const char* table : {"by_day", "by_channel", "by_device", "by_referrer"}) {
    int64_t sum = 0;
    for (const auto& row : tables[table]) sum += row["sessions"].get<int64_t>();
    EXPECT_EQ(sum, sessions) << table;
  }
  EXPECT_EQ(tables["paths"].size(), 5u);
  EXPECT_TRUE(tables.contains("searches"));  // this shop's search always helps
  EXPECT_EQ(tables["paths"][0]["path"][0], "/");

  Process server(WithData({"serve", "--port", "0", "--admin-port", "0"}));
  while (server.OutSoFar().find('\n') == std::string::npos) std::this_thread::yield();
  EXPECT_EQ(Json({"mine", "--site", "shop", "--top", "5"}), alone);
  const Outcome page =
      Do({"mine", "--site", "shop", "--html", dir_->File("page.html"), "--lang", "fa"});
  EXPECT_EQ(page.exit_code, 0) << page.err;
  EXPECT_EQ(page.out, "");
  EXPECT_THAT(testing::FileText(dir_->File("page.html")), HasSubstr("dir=\"rtl\""));
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait().exit_code, 0);
  // The copies that it read are gone.
  EXPECT_TRUE(std::filesystem::is_empty(dir_->File("data/shop/checkpoints")));
}

TEST_F(Commands, ReportSaysWhatCameOfWhatWasShown) {
  const auto reply = Json({"recommend", "--site", "shop", "--customer", "shown-to", "-k", "5"});
  const std::string product = reply["tables"]["suggestions"][0]["product"];
  ASSERT_EQ(Do({"track", "--site", "shop", "--customer", "shown-to", product}).exit_code, 0);
  const std::vector<std::string> report = {"report", "placements", "--site",
                                           "shop",   "--by",       "placement,source"};
  const auto alone = Json(report);
  const auto& home = alone["tables"]["shelves_shown"][0];
  EXPECT_EQ(home["placement"], "home");
  EXPECT_GE(home["shelves"], 1);
  EXPECT_GE(home["shown"], 5);
  EXPECT_GT(home["click_rate"], 0);
  EXPECT_GT(home["click_rate"], home["click_rate_low"]);
  EXPECT_TRUE(alone["tables"]["shelves_shown_in_detail"][0].contains("source"));
  const Outcome exported = Do({"customer", "export", "--site", "shop", "shown-to"});
  const auto shown = nlohmann::json::parse(exported.out)["shown"];
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0]["products"].size(), 5u);

  Process server(WithData({"serve", "--port", "0", "--admin-port", "0"}));
  while (server.OutSoFar().find('\n') == std::string::npos) std::this_thread::yield();
  EXPECT_EQ(Json(report), alone);
  const Outcome page = Do({"report", "placements", "--site", "shop", "--html",
                           dir_->File("report.html"), "--lang", "fa"});
  EXPECT_EQ(page.exit_code, 0) << page.err;
  EXPECT_THAT(testing::FileText(dir_->File("report.html")), HasSubstr("dir=\"rtl\""));
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait().exit_code, 0);
  EXPECT_EQ(Do({"report", "placements", "--site", "shop", "--by", "moon"}).exit_code, 2);
  EXPECT_THAT(Do({"report", "placements", "--site", "shop", "--to", "soon"}).err,
              HasSubstr("--to: soon is no date like 2024-01-31"));
}

TEST_F(Commands, ExperimentGoesFromAFileToAReport) {
  const std::string file = dir_->File("experiment.json");
  std::ofstream(file) << R"({"id": "few", "placement": "home", "hypothesis": "less is more",
      "arms": [{"id": "as-it-is"}, {"id": "few", "k": 3, "rules": [],
                                    "parameters": {"colour": "blue"}}],
      "unit": "customer", "planned_units": 1000})";
  const auto run = [](std::vector<std::string> args) {
    std::vector<std::string> all = {"experiment"};
    all.insert(all.end(), args.begin(), args.end());
    all.insert(all.end(), {"--site", "shop"});
    return Do(all);
  };
  EXPECT_THAT(run({"set", file, "--comment", "try"}).out, HasSubstr("version 1 now, draft"));
  EXPECT_THAT(run({"set", file}).err, HasSubstr("somebody changed it meanwhile"));
  const std::string shown = run({"show", "few"}).out;
  EXPECT_EQ(nlohmann::json::parse(shown)["arms"][1]["rules"], nlohmann::json::array());
  std::ofstream(file) << shown;
  EXPECT_THAT(run({"set", file}).out, HasSubstr("version 2 now, draft"));
  EXPECT_THAT(run({"report", "few"}).err, HasSubstr("has not begun"));
  EXPECT_THAT(run({"start", "few"}).out, HasSubstr("version 3 now, running"));
  EXPECT_THAT(run({"start", "few"}).err, HasSubstr("cannot become running"));
  EXPECT_THAT(run({"list"}).out, HasSubstr("less is more"));
  EXPECT_THAT(run({"preview", "few", "few"}).out, HasSubstr("few:1"));
  ASSERT_EQ(Do({"recommend", "--site", "shop", "--customer", "in-it"}).exit_code, 0);
  const auto report = nlohmann::json::parse(run({"report", "few", "--json"}).out)["tables"];
  EXPECT_EQ(report["experiment_arms"][0]["units"].get<int>() +
                report["experiment_arms"][1]["units"].get<int>(),
            1);
  EXPECT_FALSE(report.contains("experiment_metrics"));
  const Outcome page = run({"report", "few", "--html", dir_->File("few.html"), "--lang", "fa"});
  EXPECT_EQ(page.exit_code, 0) << page.err;
  EXPECT_THAT(testing::FileText(dir_->File("few.html")), HasSubstr("dir=\"rtl\""));
  EXPECT_THAT(run({"plan", "few", "--lift", "0.2"}).err,
              HasSubstr("the last 28 days say nothing of conversion"));
  EXPECT_THAT(run({"stop", "few"}).out, HasSubstr("stopped"));
  EXPECT_THAT(run({"history", "few"}).out, HasSubstr("try"));
}

TEST_F(Commands, MineSaysWhatIsWrongWithAnOption) {
  const Outcome day = Do({"mine", "--site", "shop", "--from", "yesterday"});
  EXPECT_EQ(day.exit_code, 1);
  EXPECT_THAT(day.err, HasSubstr("--from: yesterday is no date like 2024-01-31"));
  EXPECT_THAT(Do({"mine", "--site", "shop", "--time-zone", "Moon/Sea"}).err, HasSubstr("Moon/Sea"));
  EXPECT_EQ(Do({"mine", "--site", "shop", "--lang", "xx"}).exit_code, 2);
}

TEST_F(Commands, GoThroughTheServerThatOwnsTheSite) {
  const auto before = Status();
  EXPECT_EQ(before["tables"]["sites"][0]["server"], "not running");

  Process server(WithData({"serve", "--port", "0", "--admin-port", "0"}));
  while (server.OutSoFar().find('\n') == std::string::npos) std::this_thread::yield();
  EXPECT_THAT(server.OutSoFar(), HasSubstr("storefront 127.0.0.1:"));

  const auto during = Status();
  EXPECT_THAT(std::string(during["tables"]["sites"][0]["server"]), HasSubstr("127.0.0.1:"));
  EXPECT_EQ(during["tables"]["sites"][0]["events"], before["tables"]["sites"][0]["events"]);
  const auto popular = Json({"recommend", "--site", "shop", "-k", "1"});
  const std::string product = popular["tables"]["suggestions"][0]["product"];
  const auto track = Json({"track", "--site", "shop", "--visitor", "cookie", product});
  EXPECT_EQ(track["tables"]["track"][0]["accepted"], 1);
  const auto trained = Json({"train", "--site", "shop", "--factors", "8"});
  EXPECT_EQ(trained["tables"]["models"][0]["factors"], 8);
  EXPECT_EQ(Json({"verify", "--site", "shop"})["tables"]["verify"][0]["problems"], 0);
  const auto evaluation = Json({"evaluate", "--site", "shop", "--factors", "8"});
  EXPECT_FALSE(evaluation["tables"].empty());

  // An import through the server: the file is known already, so nothing is new.
  const Outcome again = Do({"ingest", "--site", "shop", "--mapping", "examples/events.toml",
                            dir_->File("shop/events.jsonl")});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  const auto after = Status();
  EXPECT_EQ(int64_t{after["tables"]["sites"][0]["events"]},
            int64_t{before["tables"]["sites"][0]["events"]} + 1);

  // A file that it does not know: its events arrive in batches over the socket.
  std::ofstream(dir_->File("more.jsonl"))
      << R"({"id":"m1","time_ms":1704100000000,"kind":"view_item","visitor_id":"x",)"
      << R"("items":[{"product_id":")" << product << "\"}]}\n";
  const auto more = Json(
      {"ingest", "--site", "shop", "--mapping", "examples/events.toml", dir_->File("more.jsonl")});
  EXPECT_FALSE(more["tables"].empty());
  EXPECT_EQ(int64_t{Status()["tables"]["sites"][0]["events"]},
            int64_t{after["tables"]["sites"][0]["events"]} + 1);

  server.Signal(SIGTERM);
  const Outcome stopped = server.Wait();
  EXPECT_EQ(stopped.exit_code, 0) << stopped.err;
  EXPECT_EQ(Status()["tables"]["sites"][0]["server"], "not running");
}

TEST_F(Commands, ExplainWhatAMappingMakesOfARequest) {
  const auto explained = Json(
      {"ingest", "--mapping", "examples/access_log.toml", "--explain", "POST /cart/add/p7 303"});
  EXPECT_EQ(explained["tables"]["explanation"][1]["value"], "add_to_cart");
  EXPECT_EQ(Do({"ingest", "--mapping", "examples/access_log.toml", "x"}).exit_code, 2);
}

TEST_F(Commands, FollowALogThroughItsRotationUntilTheyAreToldToStop) {
  Process server(WithData({"serve", "--port", "0", "--admin-port", "0"}));
  while (server.OutSoFar().find('\n') == std::string::npos) std::this_thread::yield();
  const std::string log = dir_->File("access.log");
  const auto write = [&](int page, std::ios::openmode mode) {
    std::ofstream(log, mode) << "10.1.1.1 - - [17/May/2015:10:05:03 +0000] \"GET /page/" << page
                             << " HTTP/1.1\" 200 7 \"-\" \"Mozilla\"\n";
  };
  const auto events = [] { return int64_t{Status()["tables"]["sites"][0]["events"]}; };
  const int64_t before = events();
  write(1, std::ios::trunc);
  Process follower(WithData({"ingest", "--site", "shop", "--mapping", "examples/access_log.toml",
                             "--follow", "--json", log}));
  while (events() < before + 1) std::this_thread::yield();
  write(2, std::ios::app);
  while (events() < before + 2) std::this_thread::yield();
  std::filesystem::rename(log, log + ".1");
  write(3, std::ios::trunc);
  while (events() < before + 3) std::this_thread::yield();
  follower.Signal(SIGTERM);
  const Outcome outcome = follower.Wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["tables"]["accounting"][0]["in all"], 3)
      << outcome.out;
}

// Through the server or without one: what was rejected is listed, shown, and read again.
TEST_F(Commands, RejectsAreReadAgainWithAMappingThatWasPutRight) {
  const std::string mapping = R"(format = "csv"
customer = { column = "who" }
columns = { product = "what" }
time = { columns = "when", format = )";
  std::ofstream(dir_->File("wrong.toml")) << mapping << "\"unix_s\" }\n";
  std::ofstream(dir_->File("right.toml")) << mapping << "\"%Y-%m-%d\" }\n";
  for (const bool with_server : {false, true}) {
    const std::string site = with_server ? "remote" : "local";
    std::ofstream(dir_->File("dates.csv"))
        << "who,when,what\nc1,2024-01-02,p1\nc1,2024-01-03,p\x1b[2J\n";
    ASSERT_EQ(Do({"ingest", "--site", site, "--mapping", dir_->File("wrong.toml"),
                  dir_->File("dates.csv")})
                  .exit_code,
              0);
    std::optional<Process> server;
    if (with_server) {
      server.emplace(WithData({"serve", "--port", "0", "--admin-port", "0"}));
      while (server->OutSoFar().find('\n') == std::string::npos) std::this_thread::yield();
    }
    const auto list = Json({"rejects", "list", "--site", site});
    ASSERT_EQ(list["tables"]["rejects"].size(), 1u);
    EXPECT_EQ(list["tables"]["rejects"][0]["reason"], "bad_time");
    EXPECT_EQ(list["tables"]["rejects"][0]["first"], "line 2");
    EXPECT_EQ(list["tables"]["rejects"][0]["last"], "line 3");

    const auto page = Json({"rejects", "show", "--site", site, "--limit", "1"});
    EXPECT_EQ(page["tables"]["rejects"][0]["line"], "c1,2024-01-02,p1");
    const std::string note = page["notes"][0];
    const std::string after = note.substr(note.rfind(' ') + 1);
    const Outcome rest = Do({"rejects", "show", "--site", site, "--after", after});
    EXPECT_THAT(rest.out, HasSubstr("p\\x1b[2J"));
    EXPECT_EQ(rest.out.find('\x1b'), std::string::npos);

    const std::vector<std::string> replay = {"rejects", "replay",    "--site",
                                             site,      "--mapping", dir_->File("right.toml")};
    std::vector<std::string> dry = replay;
    dry.push_back("--dry-run");
    EXPECT_EQ(Json(dry)["tables"]["replay"].size(), 3u);  // event, bad_id, bad_time
    EXPECT_EQ(Json({"rejects", "list", "--site", site})["tables"]["rejects"][0]["lines"], 2);
    const auto done = Json(replay);
    EXPECT_EQ(done["tables"]["replay"].size(), 3u);  // accepted, rejected:bad_id, rejected:bad_time
    EXPECT_EQ(done["tables"]["replay"][0]["change"], 1);
    EXPECT_TRUE(Json(replay)["tables"]["replay"].empty());
    EXPECT_EQ(Json({"rejects", "list", "--site", site})["tables"]["rejects"][0]["reason"],
              "bad_id");
  }
}

TEST_F(Commands, WrongUsageIsTwoAndAFailureIsOne) {
  EXPECT_EQ(RunProgram(Vitrine({"recommend"})).exit_code, 2);
  EXPECT_EQ(RunProgram(Vitrine({"fly"})).exit_code, 2);
  EXPECT_EQ(RunProgram(Vitrine({"--help"})).exit_code, 0);
  const Outcome unknown = Do({"recommend", "--site", "nowhere"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("nowhere"));
  const Outcome no_product = Do({"similar", "--site", "shop", "--product", "no-such"});
  EXPECT_EQ(no_product.exit_code, 1);
}

TEST_F(Commands, SegmentsAreEditedAsAFile) {
  const std::string file = dir_->File("segments.json");
  std::ofstream(file) << R"({"segments": [{"id": "buyers", "conditions": [)"
                      << R"({"any": [{"measure": "order_count", "relation": "at_least", )"
                      << R"("number": 1}]}]}]})";
  const auto preview = Json({"segment", "preview", "--site", "shop", file});
  const int64_t buyers = preview["tables"]["preview"][0]["customers"];
  EXPECT_GT(buyers, 0);
  EXPECT_EQ(Do({"segment", "set", "--site", "shop", file, "--comment", "first"}).exit_code, 0);
  const auto list = Json({"segment", "list", "--site", "shop"});
  EXPECT_EQ(list["tables"]["segments"][0]["customers"], buyers);
  const auto members =
      Json({"segment", "members", "--site", "shop", "buyers", "--limit", "0"})["tables"]["members"];
  ASSERT_EQ(static_cast<int64_t>(members.size()), buyers);
  const auto of =
      Json({"segment", "of", "--site", "shop", members[0]["customer"].get<std::string>()});
  EXPECT_EQ(of["tables"]["segments"][0]["segment"], "buyers");
  const auto history = Json({"segment", "history", "--site", "shop"});
  EXPECT_EQ(history["tables"]["versions"][0]["comment"], "first");
  std::ofstream(file) << Do({"segment", "show", "--site", "shop"}).out;
  EXPECT_EQ(Do({"segment", "set", "--site", "shop", file}).exit_code, 0);
  const Outcome late = Do({"segment", "set", "--site", "shop", file});
  EXPECT_NE(late.exit_code, 0);
  EXPECT_THAT(late.err, HasSubstr("somebody changed them meanwhile"));
}

TEST_F(Commands, ACustomerIsShownExportedSeparatedAndErased) {
  std::ofstream(dir_->File("small.jsonl"))
      << R"({"id":"1","time_ms":1704100000000,"kind":"page_view","visitor_id":"cookie"})"
      << "\n"
      << R"({"id":"2","time_ms":1704100001000,"kind":"login","visitor_id":"cookie",)"
      << R"("customer_id":"ann"})"
      << "\n"
      << R"({"id":"3","time_ms":1704100002000,"kind":"login","customer_id":"bob"})"
      << "\n";
  ASSERT_EQ(Do({"ingest", "--site", "small", "--mapping", "examples/events.toml",
                dir_->File("small.jsonl")})
                .exit_code,
            0);
  const auto customer = [](const std::string& what, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"customer", what, "--data", dir_->File("data"), "--site", "small"});
    return RunProgram(Vitrine(arguments));
  };
  Outcome outcome = customer("show", {"ann"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("cookie"));
  EXPECT_EQ(nlohmann::json::parse(customer("export", {"ann"}).out)["events"].size(), 2u);
  EXPECT_EQ(customer("unlink", {"ann", "cookie"}).exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(customer("export", {"ann"}).out)["events"].size(), 1u);
  EXPECT_EQ(customer("relink", {"ann", "cookie"}).exit_code, 0);
  EXPECT_NE(customer("unlink", {"bob", "cookie"}).exit_code, 0);

  outcome = customer("erase", {"ann"});
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("--yes"));
  outcome = customer("erase", {"ann", "--yes"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("event_ids"));
  EXPECT_NE(customer("show", {"ann"}).exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(customer("export", {"bob"}).out)["events"].size(), 1u);
  const auto retention = [](const std::string& what, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"retention", what, "--data", dir_->File("data"), "--site", "small"});
    return RunProgram(Vitrine(arguments));
  };
  EXPECT_NE(retention("set", {"login"}).exit_code, 0);
  EXPECT_EQ(retention("apply", {}).exit_code, 0);
  EXPECT_EQ(customer("show", {"bob"}).exit_code, 0);
  EXPECT_EQ(retention("set", {"login=30"}).exit_code, 0);  // the login was in 2024
  EXPECT_NE(customer("show", {"bob"}).exit_code, 0);
}

TEST_F(Commands, TheCatalogueIsImportedReplacedAndShown) {
  const std::string file = dir_->File("products.csv");
  const auto write = [&](const std::string& rows) {
    std::ofstream(file, std::ios::trunc)
        << "sku,title,department,shelf,brand,url,image,price,margin,stock,from,to,color,size\n"
        << rows;
  };
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin() + 2, {"--data", dir_->File("data"), "--site", "catalogued"});
    return RunProgram(Vitrine(arguments));
  };
  const std::vector<std::string> import = {"catalogue", "import", "--mapping",
                                           "examples/catalogue.toml", file};
  std::vector<std::string> replace = import;
  replace.insert(replace.begin() + 2, "--replace");
  write("p1,Pen,Office,Pens,,,,2.50,,7,,,red,\np2,Cup,,,,,,0.99,,,,,,\n");
  ASSERT_EQ(run(import).exit_code, 0);
  write("p1,Pen,,,,,,soon,,,,,,\n");
  Outcome outcome = run(replace);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("nothing is withdrawn"));
  write("p1,Pen,,,,,,3,,,,,,\n");
  outcome = run(replace);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("1 products that"));
  outcome = run({"catalogue", "show"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("3.00 EUR"));
  EXPECT_THAT(outcome.out, HasSubstr("withdrawn"));
}

}  // namespace
}  // namespace vitrine
