// The two public data sets of the examples, whole, with the counts that are known of them.

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"

#include "experiments/simulation/write_shop.h"
#include "ingest/batch_sink.h"
#include "ingest/client_address.h"
#include "ingest/importer.h"
#include "ingest/mapping.h"
#include "store/base/atomic_file.h"
#include "store/base/limits.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using testing::Value;

class DataSets : public ::testing::Test {
 protected:
  // Imports ../shared/data/<packed> as it is, with examples/<example>; `house_` then holds it.
  void Import(const std::string& packed, const std::string& example) {
    ImportMapped(packed, Value(ReadFile("examples/" + example, limits::kConfigBytesMax)));
  }

  void ImportMapped(const std::string& packed, const std::string& toml) {
    const std::string file = "../shared/data/" + packed;
    if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not here";
    const Mapping mapping = Value(ParseMapping(toml, "mapping.toml"));
    house_ = Value(WebHouse::Open({.directory = folder_.File("site")}));
    StoreSink sink(house_.get());
    summary_ = Value(ImportFile(file, mapping, &sink, {}));
  }

  int64_t Outcome(const std::string& name) {
    const auto found = summary_.after.outcomes.find(name);
    return found == summary_.after.outcomes.end() ? 0 : found->second;
  }

  std::vector<Event> EventsOf(const Person& person) {
    std::vector<Event> events;
    EventCursor cursor = house_->History(person);
    for (; cursor.Valid(); cursor.Next()) events.push_back(cursor.value());
    EXPECT_OK(cursor.Finish());
    std::reverse(events.begin(), events.end());
    return events;
  }

  TempDir folder_;
  std::unique_ptr<WebHouse> house_;
  ImportSummary summary_;
};

TEST_F(DataSets, EveryLineOfTheGiftShopHasItsOutcome) {
  Import("uci_online_retail/online_retail.csv.zst", "gifts.toml");
  if (IsSkipped()) return;
  EXPECT_EQ(summary_.after.lines, 541'909);
  EXPECT_EQ(Outcome("ignored:not_a_product"), 2'950);
  EXPECT_EQ(Outcome("ignored:no_sale_price_0"), 1'161);
  EXPECT_EQ(Outcome("rejected:bad_quantity"), 1'336);
  EXPECT_EQ(Outcome("duplicate"), 5'257);
  EXPECT_EQ(Outcome("accepted"), 531'205);
  const Totals totals = house_->GetTotals();
  EXPECT_EQ(totals.events, 531'205);
  EXPECT_EQ(totals.rejects, 1'336);
}

TEST_F(DataSets, AnInvoiceOfTheGiftShopAddsUp) {
  Import("uci_online_retail/online_retail.csv.zst", "gifts.toml");
  if (IsSkipped()) return;
  const Customer customer = Value(house_->GetCustomer("17850"));
  EXPECT_EQ(customer.country, "United Kingdom");
  // 2010-12-01 08:26 in London, where it is winter.
  EXPECT_EQ(customer.first_seen_ms, 1'291'191'960'000);
  EXPECT_EQ(customer.orders, 34);
  // Sold as a white one too; the newest name stands.
  EXPECT_EQ(Value(house_->GetProduct("85123A")).name, "CREAM HANGING HEART T-LIGHT HOLDER");
}

TEST_F(DataSets, TheFashionShopHasExactlyItsSessions) {
  Import("uci_eshop_clothing_2008/eshop_clothing_2008.csv.zst", "fashion.toml");
  if (IsSkipped()) return;
  EXPECT_EQ(Outcome("accepted"), 165'474);
  EXPECT_EQ(summary_.after.lines, 165'474);
  const Totals totals = house_->GetTotals();
  EXPECT_EQ(totals.sessions, 24'026);
  EXPECT_EQ(totals.products, 217);
  const Product product = Value(house_->GetProduct("A13"));
  EXPECT_EQ(product.category, "trousers");
  EXPECT_EQ(product.price_minor, 2'800);
}

// --- Access logs: the counts are those of a script of 40 lines that shares no code with us ---

TEST_F(DataSets, EveryLineOfARealCombinedLogHasItsOutcome) {
  ImportMapped("apache_logs_elastic/apache_logs.zst", "format = \"access_log\"");
  if (IsSkipped()) return;
  EXPECT_EQ(summary_.format, "the combined log format");
  EXPECT_EQ(summary_.after.lines, 10'000);
  EXPECT_EQ(Outcome("accepted"), 4'191);
  EXPECT_EQ(Outcome("ignored:asset"), 5'398);
  EXPECT_EQ(Outcome("ignored:client_error"), 217);
  EXPECT_EQ(Outcome("ignored:server_error"), 3);
  EXPECT_EQ(Outcome("ignored:redirect"), 162);
  EXPECT_EQ(Outcome("ignored:method"), 28);
  // Its user agent is cut off in the middle.
  ASSERT_EQ(summary_.first_rejects.size(), 1u);
  EXPECT_EQ(summary_.first_rejects[0].line, 8'899);
  EXPECT_EQ(summary_.first_rejects[0].reason, "bad_log_line");
  EXPECT_EQ(summary_.first_rejects[0].detail, "no \"user agent\" at column 111");
  // A visitor is an address with a user agent; half an hour's pause ends a visit.
  EXPECT_EQ(house_->GetTotals().sessions, 2'445);
}

TEST_F(DataSets, AVisitorOfTheCombinedLogTookThisWay) {
  ImportMapped("apache_logs_elastic/apache_logs.zst", "format = \"access_log\"");
  if (IsSkipped()) return;
  const Person who = Person::Visitor(VisitorIdOf(
      "222.77.201.107",
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.7; rv:22.0) Gecko/20100101 Firefox/22.0"));
  const std::vector<Event> events = EventsOf(who);
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].time_ms, 1'431'878'718'000);
  EXPECT_EQ(events[1].url, "/articles/ssh-security/");
  EXPECT_EQ(events[1].referrer, "http://semicomplete.com/");
  EXPECT_EQ(events[2].url, "/blog/geekery/installing-windows-8-consumer-preview.html");
  EXPECT_EQ(events[3].ip, "222.77.201.0");
  SessionCursor sessions = house_->SessionsOf(who);  // newest first
  ASSERT_TRUE(sessions.Valid());
  EXPECT_EQ(sessions.value().start_ms, 1'431'954'313'000);
  EXPECT_EQ(sessions.value().events, 2);
  sessions.Next();
  ASSERT_TRUE(sessions.Valid());
  EXPECT_EQ(sessions.value().end_ms, 1'431'878'730'000);
  sessions.Next();
  EXPECT_FALSE(sessions.Valid());
  EXPECT_OK(sessions.Finish());
}

TEST_F(DataSets, EveryLineOfASpaceAgencysDayHasItsOutcome) {
  ImportMapped("nasa_http_1995_08_01/nasa_19950801.tsv.zst", R"(format = "access_log"
[access_log]
log_format = """$remote_addr\t$logname\t$msec\t$request_method\t$request_uri\t$status\t$bytes\t\
$http_referer\t$http_user_agent"""
)");
  if (IsSkipped()) return;
  EXPECT_EQ(summary_.after.lines, 30'970);
  EXPECT_EQ(Outcome("accepted"), 10'153);
  EXPECT_EQ(Outcome("ignored:asset"), 20'210);
  EXPECT_EQ(Outcome("ignored:redirect"), 355);
  EXPECT_EQ(Outcome("ignored:client_error"), 219);
  EXPECT_EQ(Outcome("ignored:method"), 32);
  EXPECT_EQ(Outcome("rejected:bad_log_line"), 1);  // the names of the columns
  EXPECT_EQ(house_->GetTotals().sessions, 2'838);
}

// --- The simulated shop, whose web server and tracking saw the same visits ---

class SimulatedLog : public DataSets {
 protected:
  using Kinds = std::map<EventKind, int64_t>;

  Kinds CountKinds(const std::string& file, const std::string& example,
                   bool (*counts)(const Event&)) {
    const std::string text = Value(ReadFile("examples/" + example, limits::kConfigBytesMax));
    const Mapping mapping = Value(ParseMapping(text, example));
    house_ = Value(WebHouse::Open({.directory = folder_.File("site." + example)}));
    StoreSink sink(house_.get());
    summary_ = Value(ImportFile(folder_.File("shop/" + file), mapping, &sink, {}));
    Kinds kinds;
    EventCursor cursor = house_->Events();
    for (; cursor.Valid(); cursor.Next()) {
      if (counts(cursor.value())) ++kinds[cursor.value().kind];
    }
    EXPECT_OK(cursor.Finish());
    return kinds;
  }
};

TEST_F(SimulatedLog, TheLogsEventsAreThoseOfTheTracking) {
  ShopOptions shop;
  shop.seed = 11;
  shop.customers = 400;
  shop.products = 300;
  shop.days = 20;
  shop.robot_share = 0;
  ASSERT_OK(WriteShop(shop, folder_.File("shop")).status());
  // A refund has no browser; a list of search results is logged as the search once more.
  const Kinds truth = CountKinds("events.jsonl", "events.toml", [](const Event& event) {
    return event.__isset.url &&
           !(event.kind == EventKind::VIEW_ITEM_LIST && absl::StrContains(event.url, "/search?"));
  });
  Kinds log = CountKinds("access.log", "access_log.toml", [](const Event&) { return true; });
  EXPECT_EQ(log[EventKind::SEARCH], 2 * truth.at(EventKind::SEARCH));
  log[EventKind::SEARCH] /= 2;
  EXPECT_EQ(log, truth);
  EXPECT_GT(truth.at(EventKind::PURCHASE), 20);
  EXPECT_EQ(Outcome("duplicate"), 0);
  EXPECT_GT(Outcome("ignored:asset"), 1000);
  EXPECT_GT(Outcome("ignored:health_check"), 0);
  EXPECT_GT(Outcome("ignored:client_error"), 0);
}

}  // namespace
}  // namespace vitrine
