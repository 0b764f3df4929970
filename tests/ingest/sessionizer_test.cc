#include "ingest/sessionizer.h"

#include <algorithm>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "store/codec.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using testing::MakeEvent;
using ::testing::Pair;
using testing::TempDir;
using testing::Value;

SiteSettings WithGap(int64_t gap_ms) {
  SiteSettings settings;
  settings.session_gap_ms = gap_ms;
  return settings;
}

std::vector<std::pair<int64_t, int64_t>> SpansOf(const std::vector<int64_t>& times, int64_t gap) {
  std::vector<Event> events;
  for (const int64_t time : times) {
    events.push_back(MakeEvent(absl::StrCat("e", time), "c", time, EventKind::PAGE_VIEW));
  }
  std::vector<std::pair<int64_t, int64_t>> spans;
  for (const Session& s : Sessionize(events, WithGap(gap)))
    spans.emplace_back(s.start_ms, s.end_ms);
  return spans;
}

Event Sale(absl::string_view id, EventKind kind, absl::string_view order, int64_t price_minor,
           int32_t quantity, int64_t time_ms = 1) {
  Event event = MakeEvent(id, "c", time_ms, kind, "p");
  event.items[0].__set_price_minor(price_minor);
  event.items[0].quantity = quantity;
  event.__set_currency("GBP");
  if (!order.empty()) event.__set_order_id(std::string(order));
  return event;
}

TEST(Sessionize, ALateEventJoinsTwoSessions) {
  // The example in Kafka Streams' SessionWindows: gap 5; 10, 12, 20, and then 16 comes late.
  EXPECT_THAT(SpansOf({10, 12, 20}, 5), ElementsAre(Pair(10, 12), Pair(20, 20)));
  EXPECT_THAT(SpansOf({10, 12, 16, 20}, 5), ElementsAre(Pair(10, 20)));
}

TEST(Sessionize, APauseOfExactlyTheGapIsStillTheSameVisit) {
  EXPECT_THAT(SpansOf({0, 5}, 5), ElementsAre(Pair(0, 5)));
  EXPECT_THAT(SpansOf({0, 6}, 5), ElementsAre(Pair(0, 0), Pair(6, 6)));
  EXPECT_TRUE(SpansOf({}, 5).empty());
}

TEST(Sessionize, CountsWhatHappened) {
  std::vector<Event> events = {MakeEvent("1", "c", 1, EventKind::VIEW_ITEM, "p"),
                               MakeEvent("2", "c", 2, EventKind::ADD_TO_CART, "p"),
                               Sale("3", EventKind::PURCHASE, "o1", 250, 2, 3),
                               Sale("4", EventKind::PURCHASE, "o1", 100, 1, 4),
                               Sale("5", EventKind::PURCHASE, "", 10, 1, 5),
                               Sale("6", EventKind::REFUND, "o1", 250, 1, 6)};
  events[0].channel = Channel::APP;
  events[1].__set_url("/cart");
  const std::vector<Session> sessions = Sessionize(events, WithGap(100));
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_EQ(sessions[0].events, 6);
  EXPECT_EQ(sessions[0].product_views, 1);
  EXPECT_EQ(sessions[0].cart_adds, 1);
  EXPECT_EQ(sessions[0].orders, 2);
  EXPECT_THAT(sessions[0].value_minor, ElementsAre(Pair("GBP", 500 + 100 + 10 - 250)));
  EXPECT_EQ(sessions[0].channel, Channel::APP);
  EXPECT_EQ(sessions[0].landing_url, "/cart");
}

// A page of a visitor, `minute` minutes on.
Event Page(int64_t minute, const std::string& url, const std::string& referrer = "") {
  Event event = MakeEvent(absl::StrCat(minute, url), "v:x", minute * 60'000, EventKind::PAGE_VIEW);
  event.__set_url(url);
  event.__set_referrer(referrer);
  return event;
}

std::vector<int64_t> StartMinutes(const std::vector<Event>& events, const SiteSettings& settings) {
  std::vector<int64_t> minutes;
  for (const Session& s : Sessionize(events, settings)) minutes.push_back(s.start_ms / 60'000);
  return minutes;
}

TEST(Sessionize, AVisitIsCutWhereItWouldBecomeTooLong) {
  SiteSettings settings;
  settings.session_max_ms = 60 * 60'000;
  std::vector<Event> events;
  for (const int64_t minute : {0, 20, 40, 60, 61, 80, 100, 120, 122}) {
    events.push_back(Page(minute, "/"));
  }
  EXPECT_THAT(StartMinutes(events, settings), ElementsAre(0, 61, 122));
}

TEST(Sessionize, AnotherCampaignStartsAVisitOnlyWhereTheShopWantsIt) {
  const std::vector<Event> events = {Page(0, "/"), Page(1, "/?utm_campaign=a"), Page(2, "/p"),
                                     Page(3, "/?utm_campaign=a"), Page(4, "/?utm_campaign=b")};
  SiteSettings settings;
  EXPECT_THAT(StartMinutes(events, settings), ElementsAre(0));
  settings.cut_at_campaign = true;
  EXPECT_THAT(StartMinutes(events, settings), ElementsAre(0, 1, 4));
  EXPECT_THAT(StartMinutes({Page(1, "/?utm_campaign=a"), Page(1, "/?utm_campaign=b")}, settings),
              ElementsAre(1));
}

TEST(Sessionize, TellsWhereAVisitCameFromAndHowFarItGot) {
  std::vector<Event> events = {
      Page(0, "https://www.shop.example/p?utm_source=news&utm_campaign=May+sale",
           "https://www.google.com/search"),
      Page(1, "https://www.shop.example/q", "https://www.shop.example/p"), Page(2, "/r")};
  events[1].kind = EventKind::SEARCH;
  events[1].__set_user_agent("Mozilla/5.0 (iPad; CPU OS 16_2 like Mac OS X) AppleWebKit/605");
  events[2].kind = EventKind::BEGIN_CHECKOUT;
  events.push_back(MakeEvent("last", "v:x", 3 * 60'000, EventKind::ADD_TO_CART, "p"));
  const Session session = Sessionize(events, SiteSettings())[0];
  EXPECT_EQ(session.landing_url, events[0].url);
  EXPECT_EQ(session.exit_url, "/r");
  EXPECT_EQ(session.referrer, "https://www.google.com/search");
  EXPECT_EQ(session.referrer_class, ReferrerClass::CAMPAIGN);
  EXPECT_EQ(session.campaign, "May sale");
  EXPECT_EQ(session.device, Device::TABLET);
  EXPECT_EQ(session.stage, FunnelStage::CHECKOUT);
  EXPECT_EQ(session.searches, 1);
  EXPECT_THAT(session.robot, ::testing::IsEmpty());
}

TEST(Sessionize, TheFunnelHasItsStagesInOrder) {
  const std::pair<EventKind, FunnelStage> stages[] = {
      {EventKind::PAGE_VIEW, FunnelStage::VISIT},
      {EventKind::VIEW_ITEM, FunnelStage::PRODUCT},
      {EventKind::VIEW_CART, FunnelStage::CART},
      {EventKind::BEGIN_CHECKOUT, FunnelStage::CHECKOUT},
      {EventKind::PURCHASE, FunnelStage::ORDER},
      {EventKind::REMOVE_FROM_CART, FunnelStage::CART},
      {EventKind::ADD_TO_CART, FunnelStage::CART}};
  for (const auto& [kind, stage] : stages) {
    const std::vector<Event> events = {MakeEvent("1", "c", 1, EventKind::PAGE_VIEW),
                                       MakeEvent("2", "c", 2, kind, "p"),
                                       MakeEvent("3", "c", 3, EventKind::PAGE_VIEW)};
    EXPECT_EQ(Sessionize(events, SiteSettings())[0].stage, stage);
  }
}

TEST(Summarize, ARobotHasNeitherVisitsNorMoney) {
  const std::vector<Event> events = {Sale("1", EventKind::PURCHASE, "o1", 250, 2, 10)};
  std::vector<Session> sessions = Sessionize(events, SiteSettings());
  sessions[0].robot = {"operator"};
  const Customer customer = Summarize(events, sessions);
  EXPECT_EQ(customer.events, 1);
  EXPECT_EQ(customer.first_seen_ms, 10);
  EXPECT_EQ(customer.sessions + customer.orders, 0);
  EXPECT_TRUE(customer.bought_minor.empty());
}

TEST(Summarize, AddsUpACustomersEvents) {
  std::vector<Event> events = {Sale("1", EventKind::PURCHASE, "o1", 250, 2, 10),
                               Sale("2", EventKind::PURCHASE, "o1", 100, 1, 1'000),
                               Sale("3", EventKind::REFUND, "o1", 100, 1, 2'000)};
  events[0].__set_country("EIRE");
  events[1].__set_country("France");
  const Customer customer = Summarize(events, Sessionize(events, WithGap(100)));
  EXPECT_EQ(customer.id, "c");
  EXPECT_EQ(customer.first_seen_ms, 10);
  EXPECT_EQ(customer.last_seen_ms, 2'000);
  EXPECT_EQ(customer.events, 3);
  EXPECT_EQ(customer.sessions, 3);
  EXPECT_EQ(customer.orders, 1);  // one order, though in two visits
  EXPECT_THAT(customer.bought_minor, ElementsAre(Pair("GBP", 600)));
  EXPECT_THAT(customer.refunded_minor, ElementsAre(Pair("GBP", 100)));
  EXPECT_EQ(customer.country, "France");
}

TEST(Summarize, SumsStopAtTheirEndInsteadOfWrapping) {
  std::vector<Event> events;
  for (int i = 0; i < 20; ++i) {
    events.push_back(
        Sale(absl::StrCat(i), EventKind::PURCHASE, "", 1'000'000'000'000, 1'000'000, i));
  }
  EXPECT_EQ(Summarize(events, {}).bought_minor.at("GBP"), INT64_MAX);
  events.resize(1);  // nor do they within one event
  events[0].items.resize(20, events[0].items[0]);
  EXPECT_EQ(Summarize(events, {}).bought_minor.at("GBP"), INT64_MAX);
}

// --- Through the store ---

void Track(WebHouse* house, std::vector<Event> events) {
  EXPECT_OK(house->Track(std::move(events), {}, Ack::kApplied).status());
}

template <typename T, size_t n>
T OneOf(const T (&choices)[n], std::mt19937_64* random) {
  return choices[(*random)() % n];
}

// Events of many persons, some of them robots: by their user agent, or by what they ask for.
std::vector<Event> RandomEvents(size_t count, std::mt19937_64* random) {
  const EventKind kinds[] = {EventKind::PAGE_VIEW,  EventKind::VIEW_ITEM,      EventKind::SEARCH,
                             EventKind::PURCHASE,   EventKind::BEGIN_CHECKOUT, EventKind::REFUND,
                             EventKind::ADD_TO_CART};
  const char* const urls[] = {"/",
                              "/p/1",
                              "https://shop.example/p/2?utm_campaign=a",
                              "/p?gclid=1",
                              "/p/3?utm_source=b",
                              "/robots.txt"};
  const char* const referrers[] = {"", "https://www.google.com/", "https://shop.example/",
                                   "https://t.co/x"};
  const char* const agents[] = {"Mozilla/5.0 (Windows NT 10.0) Gecko", "Mozilla/5.0 (iPhone) Gecko",
                                "AcmeBot/1.0", ""};
  std::vector<Event> events;
  for (size_t i = 0; i < count; ++i) {
    // Some ids come twice with other content: the lower digest must win whatever came first.
    const std::string id = absl::StrCat("e", (*random)() % (count * 5 / 6));
    const uint64_t who = (*random)() % (count / 30);
    Event event = Sale(id, OneOf(kinds, random),
                       (*random)() % 2 == 0 ? absl::StrCat("o", (*random)() % 9) : "",
                       static_cast<int64_t>((*random)() % 1'000), 1);
    event.__isset.customer_id = who % 2 == 0;
    event.customer_id = who % 2 == 0 ? absl::StrCat("c", who) : "";
    if (who % 2 != 0) event.__set_visitor_id(absl::StrCat("v", who));
    // Now and then a customer logs in on a device, some of which are shared.
    if (who % 2 == 0 && (*random)() % 4 == 0) {
      event.__set_visitor_id(absl::StrCat("v", 2 * ((who + (*random)() % 2) / 4) + 1));
    }
    event.time_ms = 1'300'000'000'000 + static_cast<int64_t>((*random)() % 4'000) * 60'000;
    if ((*random)() % 3 == 0) event.__set_country(absl::StrCat("land", (*random)() % 3));
    if ((*random)() % 3 != 0) event.__set_url(OneOf(urls, random));
    if ((*random)() % 2 == 0) event.__set_referrer(OneOf(referrers, random));
    if (who % 5 != 0) event.__set_user_agent(agents[(who + (*random)() % 2) % 4]);
    events.push_back(event);
  }
  return events;
}

// Commits `events` in batches of random size, deriving now and then, and shows every derived row.
std::map<std::string, std::string> DerivedRows(const std::vector<Event>& events,
                                               int32_t customers_max, std::mt19937_64* random) {
  TempDir folder;
  const auto house = Value(WebHouse::Open({.directory = folder.File("site")}));
  SiteSettings settings;
  settings.customers_per_visitor_max = customers_max;
  settings.session_max_ms = 3 * 3'600'000;
  settings.cut_at_campaign = true;
  settings.hosts = {"shop.example"};
  EXPECT_OK(house->SetSettings(settings));
  for (size_t begin = 0; begin < events.size();) {
    const size_t n = std::min<size_t>(1 + (*random)() % 2'000, events.size() - begin);
    Track(house.get(), {events.begin() + static_cast<ptrdiff_t>(begin),
                        events.begin() + static_cast<ptrdiff_t>(begin + n)});
    begin += n;
    if ((*random)() % 3 == 0) {
      EXPECT_OK(DeriveAll(house.get(), nullptr));
    }
  }
  EXPECT_OK(DeriveAll(house.get(), nullptr));
  EXPECT_TRUE(Value(house->Dirty(10)).empty());
  std::map<std::string, std::string> rows;
  SessionCursor sessions = house->Sessions();
  for (; sessions.Valid(); sessions.Next()) {
    rows["session " + std::string(sessions.key())] = EncodeRecord(sessions.value());
  }
  EXPECT_OK(sessions.Finish());
  CustomerCursor customers = house->Customers();
  for (; customers.Valid(); customers.Next()) {
    rows["customer " + std::string(customers.key())] = EncodeRecord(customers.value());
  }
  EXPECT_OK(customers.Finish());
  RobotCursor robots = house->Robots();
  for (; robots.Valid(); robots.Next()) {
    rows["robot " + std::string(robots.key())] = EncodeRecord(robots.value());
  }
  EXPECT_OK(robots.Finish());
  const Totals totals = house->GetTotals();
  EXPECT_GT(totals.robots, 0);
  EXPECT_GT(totals.sessions, totals.robots);
  EXPECT_EQ(static_cast<size_t>(totals.sessions + totals.customers + totals.robots), rows.size());
  int64_t in_sessions = 0;
  for (const auto& [key, row] : rows) {
    if (key.rfind("session", 0) != 0) continue;
    Session session;
    EXPECT_OK(DecodeRecord(row, &session));
    in_sessions += session.events;
  }
  EXPECT_EQ(in_sessions, totals.events);  // each event is somebody's, and of one person only
  return rows;
}

TEST(DeriveAll, NeitherOrderNorRepetitionNorBatchingLeavesATrace) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2; ++round) {
    std::vector<Event> events = RandomEvents(round == 0 ? 10'000 : 1'000, &random);
    const int32_t customers_max = 1 + round;
    const auto expected = DerivedRows(events, customers_max, &random);
    EXPECT_GT(expected.size(), 100u);
    for (int permutation = 0; permutation < 2; ++permutation) {
      const size_t once = events.size();
      for (size_t i = 0; i < once / 4; ++i) events.push_back(events[random() % once]);
      std::shuffle(events.begin(), events.end(), random);
      // Not ASSERT_EQ: nobody wants to read two maps of bytes.
      ASSERT_TRUE(DerivedRows(events, customers_max, &random) == expected) << permutation;
    }
  }
}

TEST(DeriveAll, ACustomerWhoseOnlyEventWasLostToAnotherIsGone) {
  // One id, two contents: whoever comes first, the same one stays.
  const std::vector<Event> ways = {MakeEvent("e", "ann", 1'300'000'000'000, EventKind::LOGIN),
                                   MakeEvent("e", "bob", 1'300'000'000'000, EventKind::LOGIN)};
  std::vector<std::vector<std::string>> customers(2);
  for (int first = 0; first < 2; ++first) {
    TempDir folder;
    const auto house = Value(WebHouse::Open({.directory = folder.File("site")}));
    for (const int i : {first, 1 - first}) {
      Track(house.get(), {ways[i]});
      ASSERT_OK(DeriveAll(house.get(), nullptr));
    }
    CustomerCursor cursor = house->Customers();
    for (; cursor.Valid(); cursor.Next()) customers[first].push_back(cursor.value().id);
    ASSERT_OK(cursor.Finish());
    EXPECT_EQ(house->GetTotals().customers, 1);
  }
  EXPECT_EQ(customers[0].size(), 1u);
  EXPECT_EQ(customers[0], customers[1]);
}

TEST(DeriveAll, ALoginMovesAVisitorsSessionsAndAnotherOneMakesTheDeviceShared) {
  TempDir folder;
  const auto house = Value(WebHouse::Open({.directory = folder.File("site")}));
  constexpr int64_t kT = 1'300'000'000'000;
  const auto login = [](const std::string& id, const std::string& customer, int64_t time_ms) {
    Event event = MakeEvent(id, customer, time_ms, EventKind::LOGIN);
    event.__set_visitor_id("cookie");
    return event;
  };
  const auto events_of = [&](const std::string& customer) {
    const auto found = house->GetCustomer(customer);
    return found.ok() ? found->events : 0;
  };
  SiteSettings settings = house->GetSettings();
  settings.customers_per_visitor_max = 2;
  ASSERT_OK(house->SetSettings(settings));
  Track(house.get(), {MakeEvent("1", "v:cookie", kT, EventKind::PAGE_VIEW)});
  ASSERT_OK(DeriveAll(house.get(), nullptr));
  EXPECT_EQ(house->GetTotals().customers, 0);
  Track(house.get(), {login("2", "ann", kT + 1)});
  ASSERT_OK(DeriveAll(house.get(), nullptr));
  EXPECT_EQ(events_of("ann"), 2);
  EXPECT_EQ(house->GetTotals().sessions, 1);  // the visitor has none any more
  Track(house.get(), {MakeEvent("3", "v:cookie", kT + 2, EventKind::PAGE_VIEW)});
  ASSERT_OK(DeriveAll(house.get(), nullptr));
  EXPECT_EQ(events_of("ann"), 3);  // though only the visitor was marked
  ASSERT_OK(house->Unlink("ann", "cookie"));
  ASSERT_OK(DeriveAll(house.get(), nullptr));
  EXPECT_EQ(events_of("ann"), 1);
  ASSERT_OK(house->Relink("ann", "cookie"));
  ASSERT_OK(DeriveAll(house.get(), nullptr));
  EXPECT_EQ(events_of("ann"), 3);
  Track(house.get(), {login("4", "bob", kT + 3), login("5", "cid", kT + 4)});
  ASSERT_OK(DeriveAll(house.get(), nullptr));
  EXPECT_EQ(events_of("ann"), 1);
  settings.customers_per_visitor_max = 3;
  ASSERT_OK(house->SetSettings(settings));
  ASSERT_OK(DeriveAll(house.get(), nullptr));
  EXPECT_EQ(events_of("ann"), 3);
  EXPECT_TRUE(Value(house->Dirty(10)).empty());
}

TEST(DeriveAll, ANewSessionGapChangesEverySession) {
  TempDir folder;
  const auto house = Value(WebHouse::Open({.directory = folder.File("site")}));
  const std::vector<Event> events = {
      MakeEvent("1", "ann", 1'300'000'000'000, EventKind::LOGIN),
      MakeEvent("2", "ann", 1'300'000'000'000 + 10 * 60'000, EventKind::LOGIN)};
  Track(house.get(), events);
  int64_t told = 0;
  ASSERT_OK(DeriveAll(house.get(), [&](int64_t done) { told = done; }));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(house->GetTotals().sessions, 1);
  SiteSettings settings = house->GetSettings();
  settings.session_gap_ms = 5 * 60'000;
  ASSERT_OK(house->SetSettings(settings));
  ASSERT_OK(DeriveAll(house.get(), nullptr));
  EXPECT_EQ(house->GetTotals().sessions, 2);
}

// The sources of the verdict on visitor x, as its sessions carry them.
std::vector<std::string> SessionsRobot(const WebHouse& house) {
  SessionCursor cursor = house.SessionsOf(Person::Visitor("x"));
  EXPECT_TRUE(cursor.Valid());
  const std::vector<std::string> robot = cursor.value().robot;
  EXPECT_OK(cursor.Finish());
  return robot;
}

TEST(DeriveAll, AVerdictFollowsOtherListsAndAnOperatorsWordWithoutAnImport) {
  TempDir folder;
  const auto house = Value(WebHouse::Open({.directory = folder.File("site")}));
  Event event = MakeEvent("1", "v:x", 1'300'000'000'000, EventKind::PAGE_VIEW);
  event.__set_user_agent("Mozilla/5.0 (Windows NT 10.0) Gecko Sneaky/1");
  Track(house.get(), {event});
  const std::string file = folder.File("mine.json");
  const auto derive = [&](const std::string& pattern) {
    std::ofstream(file) << "[{\"pattern\": \"" << pattern << "\"}]";
    const auto lists = RobotLists::Load({.uap_core = "", .crawler_lists = {file}});
    EXPECT_OK(DeriveAll(house.get(), nullptr, lists.get()));
    return SessionsRobot(*house);
  };
  EXPECT_THAT(derive("other"), ElementsAre());
  EXPECT_THAT(derive("Sneaky"), ElementsAre("list:mine"));
  EXPECT_EQ(house->GetTotals().robots, 1);
  ASSERT_OK(house->DecideRobot(Person::Visitor("x"), false));
  EXPECT_THAT(derive("Sneaky"), ElementsAre());
  ASSERT_OK(house->DecideRobot(Person::Visitor("x"), true));
  EXPECT_THAT(derive("Sneaky"), ElementsAre("list:mine", "operator"));
  ASSERT_OK(house->DecideRobot(Person::Visitor("x"), std::nullopt));
  EXPECT_THAT(derive("other"), ElementsAre());
  EXPECT_EQ(house->GetTotals().robots, 0);
}

}  // namespace
}  // namespace vitrine
