#include "ingest/formats/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "ingest/formats/log_time.h"
#include "ingest/reasons.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using testing::Value;
using F = LogField;

// 2015-05-17 10:05:03 UTC.
constexpr int64_t kTimeMs = 1'431'857'103'000;

std::unique_ptr<LogParser> Parser(const std::string& format, const std::string& lines = "") {
  return Value(MakeLogParser({.format = format}, lines));
}

std::string FaultOf(LogParser* parser, absl::string_view line) {
  LogRecord record;
  return std::string(parser->Parse(line, &record).status().message());
}

const std::string kCombined =
    R"(83.149.9.216 - jo [17/May/2015:10:05:03 +0000] "GET /p/1?a=b HTTP/1.1" 200 203 )"
    R"x("http://shop.example/" "Mozilla/5.0 (X11; Linux)")x";

void ExpectTheRequest(const LogRecord& record) {
  EXPECT_EQ(record.time_ms, kTimeMs);
  EXPECT_EQ(record.status, 200);
  EXPECT_EQ(record[F::kAddress], "83.149.9.216");
  EXPECT_EQ(record[F::kMethod], "GET");
  EXPECT_EQ(record[F::kTarget], "/p/1");
  EXPECT_EQ(record[F::kQuery], "a=b");
  EXPECT_EQ(record[F::kUserAgent], "Mozilla/5.0 (X11; Linux)");
}

TEST(AccessLog, ReadsTheCombinedFormat) {
  LogRecord record;
  ASSERT_TRUE(Value(Parser("combined")->Parse(kCombined, &record)));
  ExpectTheRequest(record);
  EXPECT_EQ(record[F::kUser], "jo");
  EXPECT_EQ(record[F::kReferrer], "http://shop.example/");
}

TEST(AccessLog, ReadsCommonAndVirtualHosts) {
  LogRecord record;
  const std::string with_host = "shop.example:443 " + kCombined;
  ASSERT_TRUE(Value(Parser("vhost_combined")->Parse(with_host, &record)));
  ExpectTheRequest(record);
  EXPECT_EQ(record[F::kHost], "shop.example:443");
  const std::string common =
      R"(::1 - Jo Doe [17/May/2015:12:05:03 +0200] "POST /x HTTP/1.0" 302 -)";
  ASSERT_TRUE(Value(Parser("common")->Parse(common, &record)));
  EXPECT_EQ(record.time_ms, kTimeMs);
  EXPECT_EQ(record[F::kAddress], "::1");
  EXPECT_EQ(record[F::kUser], "Jo Doe");
  EXPECT_EQ(record[F::kMethod], "POST");
  EXPECT_EQ(record.status, 302);
}

TEST(AccessLog, UndoesEscapesAndSurvivesThoseThatAreMissing) {
  const auto parser = Parser("combined");
  LogRecord record;
  const std::string start = "10.0.0.1 - - [17/May/2015:10:05:03 +0000] \"GET ";
  const std::string end = " HTTP/1.1\" 200 5 \"-\" ";
  std::string line = start + R"(/a\x22b\"c\\)" + end + R"("q \"x\" \x41\\" "more")";
  ASSERT_TRUE(Value(parser->Parse(line, &record)));
  EXPECT_EQ(record[F::kTarget], "/a\"b\"c\\");
  EXPECT_EQ(record[F::kUserAgent], "q \"x\" A\\");
  EXPECT_EQ(record[F::kReferrer], "");
  line = start + R"(/a"b" c)" + end + R"("q "x" y")";
  ASSERT_TRUE(Value(parser->Parse(line, &record)));
  EXPECT_EQ(record[F::kTarget], R"(/a"b" c)");
}

TEST(AccessLog, ARequestThatIsNoHttpLeavesItsPartsEmpty) {
  const auto parser = Parser("combined");
  for (const absl::string_view request : {R"(\x16\x03\x01)", "-", "", "get /x", "GET", "GET "}) {
    LogRecord record;
    const std::string line = absl::StrCat("1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"", request,
                                          "\" 400 0 \"-\" \"-\"");
    ASSERT_TRUE(Value(parser->Parse(line, &record))) << request;
    EXPECT_EQ(record[F::kMethod], "") << request;
    EXPECT_EQ(record.status, 400);
  }
}

TEST(AccessLog, SaysWhatIsMissingAndWhere) {
  const auto parser = Parser("combined");
  EXPECT_EQ(FaultOf(parser.get(), kCombined.substr(0, kCombined.size() - 1)),
            "bad_log_line: no \"user agent\" at column 103");
  EXPECT_EQ(FaultOf(parser.get(), "x"), "bad_log_line: no client address at column 1");
  EXPECT_THAT(FaultOf(parser.get(), "1.2.3.4 - - 17/May/2015"), HasSubstr("user and [time]"));
  EXPECT_THAT(FaultOf(parser.get(), R"(1.2.3.4 - - [31/Jun/2015:10:05:03 +0000] "GET / X" 200 1 )"
                                    R"("-" "-")"),
              HasSubstr("bad_time: "));
  EXPECT_THAT(FaultOf(parser.get(), R"(1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / X" 2x0 1 )"
                                    R"("-" "-")"),
              HasSubstr("bad_log_line: "));
  EXPECT_THAT(FaultOf(Parser("common").get(), kCombined), HasSubstr("no end of line"));
}

// The hand-written parser's plain twin.
TEST(AccessLog, TheCombinedFormatIsWhatItsTemplateSays) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  const auto hand = Parser("combined");
  const auto twin = Parser(
      "$remote_addr - $remote_user [$time_local] \"$request\" $status $bytes "
      "\"$http_referer\" \"$http_user_agent\"");
  const std::string pieces[] = {"GET /", "a", "?", "=", R"(\")", R"(\\)", R"(\x41)", "\xC3\xA9",
                                "%20",   "[", "]", "'", "-",     "\xFF",  "x y",     " HTTP/1.1"};
  const auto text = [&] {
    std::string made;
    for (uint64_t left = random() % 8; left > 0; --left) made += pieces[random() % 16];
    return made;
  };
  for (int round = 0; round < 2000; ++round) {
    const std::string line = absl::StrCat(
        "10.0.0.", random() % 256, " - u", random() % 5, " [17/May/2015:10:05:03 +0000] \"", text(),
        "\" ", 100 + random() % 500, " 7 \"", text(), "\" \"", text(), "\"");
    LogRecord a, b;
    ASSERT_TRUE(Value(hand->Parse(line, &a))) << line;
    ASSERT_TRUE(Value(twin->Parse(line, &b))) << line;
    ASSERT_TRUE(a.fields == b.fields && a.time_ms == b.time_ms && a.status == b.status) << line;
  }
}

TEST(AccessLog, ReadsAnyLogFormatOfNginx) {
  const auto parser = Value(MakeLogParser(
      {.format = "$msec|$scheme://$host$request_uri|${request_method}|$remote_addr|$status|"
                 "$http_x_forwarded_for|$cookie_uid|$sent_http_x_user|$request_time",
       .visitor = "cookie_uid",
       .customer = "sent_http_x_user"},
      ""));
  LogRecord record;
  ASSERT_TRUE(
      Value(parser->Parse("1431857103.123|https://shop.example/p/1?q=x:y|GET|fe80::1|200|"
                          "8.8.8.8, 10.0.0.1|abc|c7|0.01",
                          &record)));
  EXPECT_EQ(record.time_ms, kTimeMs + 123);
  EXPECT_EQ(record[F::kHost], "shop.example");
  EXPECT_EQ(record[F::kTarget], "/p/1");
  EXPECT_EQ(record[F::kQuery], "q=x:y");
  EXPECT_EQ(record[F::kForwardedFor], "8.8.8.8, 10.0.0.1");
  EXPECT_EQ(record[F::kVisitor], "abc");
  EXPECT_EQ(record[F::kCustomer], "c7");
  EXPECT_EQ(FaultOf(parser.get(), "1431857103.123|https:/shop"),
            "bad_log_line: no \"://\" behind $scheme, which begins at column 16");
}

TEST(AccessLog, RefusesALogFormatThatCannotWork) {
  const auto error = [](const std::string& format) {
    return std::string(CheckLogFormat({.format = format}).message());
  };
  EXPECT_THAT(error("combinde"),
              HasSubstr("no log format is called \"combinde\"; there are: auto"));
  EXPECT_THAT(error("$time_local $status$request"), HasSubstr("between $status and $request"));
  EXPECT_THAT(error("$remote_addr $request"), HasSubstr("has no time"));
  EXPECT_THAT(error("$remote_addr $msec"), HasSubstr("has no request"));
  EXPECT_THAT(error("$ $msec"), HasSubstr("a $ has no variable's name"));
}

TEST(AccessLog, ReadsW3cColumnsThatMayChange) {
  const auto parser = Parser("w3c");
  LogRecord record;
  EXPECT_THAT(FaultOf(parser.get(), "2015-05-17 10:05:03 GET /"), HasSubstr("no #Fields line"));
  EXPECT_FALSE(Value(parser->Parse("#Software: Microsoft Internet Information Services", &record)));
  EXPECT_FALSE(
      Value(parser->Parse("#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query "
                          "cs-username c-ip cs(User-Agent) cs(Referer) sc-status",
                          &record)));
  ASSERT_TRUE(
      Value(parser->Parse("2015-05-17 10:05:03 10.0.0.1 GET /p/1 a=b - 83.149.9.216 "
                          "Mozilla/5.0+(X11;+Linux) - 200",
                          &record)));
  ExpectTheRequest(record);
  EXPECT_EQ(FaultOf(parser.get(), "2015-05-17 10:05:03 10.0.0.1"),
            "bad_log_line: 3 columns, #Fields names 11");
  // The server was set up anew, and the day is said once only.
  EXPECT_FALSE(Value(parser->Parse("#Date: 2015-05-17 00:00:00", &record)));
  EXPECT_FALSE(Value(
      parser->Parse("#Fields: time c-ip cs-method cs-uri sc-status \"cs(User-Agent)\"", &record)));
  EXPECT_FALSE(Value(
      parser->Parse("#Fields: time c-ip cs-method cs-uri sc-status cs(User-Agent)", &record)));
  ASSERT_TRUE(Value(parser->Parse(
      "10:05:03\t83.149.9.216\tGET\t/p/1?a=b\t200\t\"Mozilla/5.0 (X11; Linux)\"", &record)));
  ExpectTheRequest(record);
  EXPECT_THAT(FaultOf(parser.get(), "#Fields: c-ip sc-status"), HasSubstr("#Fields has no time"));
}

TEST(AccessLog, ReadsCloudFront) {
  const std::string head =
      "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) "
      "cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-host-header "
      "cs-protocol x-forwarded-for\n";
  const auto parser = Parser("auto", head);
  EXPECT_EQ(parser->Description(), "the log format of AWS CloudFront");
  LogRecord record;
  EXPECT_FALSE(Value(parser->Parse(head.substr(14, head.size() - 15), &record)));
  for (const absl::string_view agent :
       {"Mozilla/5.0%20(X11;%20Linux)", "Mozilla/5.0%2520(X11;%2520Linux)"}) {
    const std::string line = absl::StrCat(
        "2015-05-17\t10:05:03\tFRA2\t2390\t83.149.9.216\tGET\td111.cloudfront.net\t/p/1\t200\t-\t",
        agent, "\ta=b\tuid=u1\tshop.example\thttps\t-");
    ASSERT_TRUE(Value(parser->Parse(line, &record)));
    ExpectTheRequest(record);
    EXPECT_EQ(record[F::kHost], "shop.example");
    EXPECT_EQ(record[F::kCookies], "uid=u1");
  }
}

TEST(AccessLog, ReadsLoadBalancers) {
  const std::string line =
      "https 2015-05-17T10:05:03.186641Z app/lb/50dc6c495c0c9188 83.149.9.216:2817 10.0.0.1:80 "
      "0.086 0.048 0.037 200 200 0 57 \"GET https://shop.example:443/p/1?a=b HTTP/1.1\" "
      "\"Mozilla/5.0 (X11; Linux)\" ECDHE-RSA TLSv1.2 arn:aws:x \"Root=1-58\" \"shop.example\"";
  const auto parser = Parser("auto", line);
  EXPECT_EQ(parser->Description(), "the log format of AWS load balancers");
  LogRecord record;
  ASSERT_TRUE(Value(parser->Parse(line, &record)));
  EXPECT_EQ(record.time_ms, kTimeMs + 186);
  record.time_ms = kTimeMs;
  ExpectTheRequest(record);
  EXPECT_EQ(record[F::kHost], "shop.example:443");
  EXPECT_EQ(record[F::kScheme], "https");
}

TEST(AccessLog, ReadsJsonObjects) {
  const std::string line =
      R"({"@timestamp":"2015-05-17T12:05:03+02:00","remote_addr":"83.149.9.216","status":200,)"
      R"x("request":"GET /p/1?a=b HTTP/1.1","ua":"Mozilla/5.0 (X11; Linux)","upstream":null,)x"
      R"("referer":"http://x/\x22\u00e9","nested":{"status":500},"http_host":"shop.example"})";
  const auto parser = Value(
      MakeLogParser({.format = "auto", .names = {{"ua", "http_user_agent"}}}, line + "\n" + line));
  EXPECT_EQ(parser->Description(), "a log of JSON objects");
  LogRecord record;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Value(parser->Parse(line, &record)));
    ExpectTheRequest(record);
    EXPECT_EQ(record[F::kReferrer], "http://x/%22\xC3\xA9");
    EXPECT_EQ(record[F::kHost], "shop.example");
  }
  ASSERT_TRUE(
      Value(parser->Parse("{\"time\":1431857103,\"method\":\"GET\",\"uri\":\"/\xFF\"}", &record)));
  EXPECT_EQ(record[F::kTarget], "/%ff");
  EXPECT_THAT(FaultOf(parser.get(), "{\"time\":1431857103"), HasSubstr("bad_log_line: "));
  EXPECT_THAT(FaultOf(parser.get(), "{\"time\":1431857103}"), HasSubstr("hold a request"));
  EXPECT_THAT(FaultOf(parser.get(), "{\"uri\":\"/\"}"), HasSubstr("bad_time: "));
  EXPECT_THAT(FaultOf(parser.get(), line + "x"), HasSubstr("bad_log_line: "));
}

// --- Recognising ---

TEST(AccessLog, RecognisesTheFormatThatReadsTheMostLines) {
  const std::string common = R"(1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.0" 200 7)";
  EXPECT_EQ(Parser("auto", common)->Description(), "the common log format");
  EXPECT_EQ(Parser("auto", "h:80 " + common)->Description(),
            "the common log format with virtual host");
  EXPECT_EQ(Parser("auto", "damaged\n" + kCombined + "\r\n\n" + kCombined)->Description(),
            "the combined log format");
  EXPECT_EQ(Parser("auto", "h:80 " + kCombined)->Description(),
            "the combined log format with virtual host");
  EXPECT_EQ(Parser("auto", "#Version: 1.0\n#Fields: time c-ip cs-uri\n")->Description(),
            "the W3C extended log format");
}

TEST(AccessLog, SaysWhyNoFormatFits) {
  const std::string error(
      MakeLogParser({.format = "auto"}, "id,when,what\n" + kCombined + "\n1,2,3\n")
          .status()
          .message());
  EXPECT_THAT(error, HasSubstr("from its first 3 lines: say which it is with log_format"));
  EXPECT_THAT(error, HasSubstr("combined: no client address at column 1"));
}

// --- Times ---

TEST(LogTime, ReadsWhatServersWrite) {
  LogTimeParser parser;
  const std::pair<absl::string_view, int64_t> times[] = {
      {"17/May/2015:10:05:03 +0000", kTimeMs},
      {"17/May/2015:10:05:60 +0000", kTimeMs + 56'000},
      {"18/May/2015:00:35:03 +1430", kTimeMs},
      {"17/May/2015:06:05:03 -0400", kTimeMs},
      {"2015-05-17T10:05:03Z", kTimeMs},
      {"2015-05-17 10:05:03", kTimeMs},
      {"2015-05-17T10:05:03.1239+00:00", kTimeMs + 123},
      {"2015-05-17T12:05:03+0200", kTimeMs},
      {"1431857103", kTimeMs},
      {"1431857103.5", kTimeMs + 500},
      {"1431857103007", kTimeMs + 7}};
  for (const auto& [text, expected] : times) {
    int64_t time_ms = 0;
    ASSERT_OK(parser.Parse(text, &time_ms)) << text;
    EXPECT_EQ(time_ms, expected) << text;
  }
}

TEST(LogTime, RefusesWhatIsNone) {
  LogTimeParser parser;
  for (const absl::string_view text :
       {"", "17/May/2015:10:05:03 *0000", "31/Jun/2015:10:05:03 +0000",
        "17/May/2015:24:05:03 +0000", "17/May/2015 10:05:03 +0000", "17/Mai/2015:10:05:03 +0000",
        "17/ayJ/2015:10:05:03 +0000", "2015-02-30T10:05:03Z", "2015-05-17T10:05", "2015-05-17",
        "2015-05-17T10:05:03.Z", "2015-05-17T10:05:03+2", "-5", "1431857103.",
        "99999999999999999999"}) {
    int64_t time_ms;
    EXPECT_THAT(std::string(parser.Parse(text, &time_ms).message()), HasSubstr("bad_time")) << text;
  }
}

}  // namespace
}  // namespace vitrine
