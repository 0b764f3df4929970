#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "experiments/simulation/traffic.h"
#include "ingest/sessionizer.h"
#include "recommender/mining/mine.h"
#include "recommender/mining/visit.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;
using Row = std::vector<Report::Cell>;
using Message = Report::Message;
using Parts = Report::Parts;

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay0 = 1'710'892'800'000;  // 2024-03-20

// A site with these events, whose sessions are derived.
class Mined : public ::testing::Test {
 protected:
  void SetUp() override { house_ = Value(WebHouse::Open({.directory = folder_.File("site")})); }

  void Add(Event event) {
    event.id = absl::StrCat("e", ++events_);
    waiting_.push_back(std::move(event));
    if (waiting_.size() == limits::kTrackEventsMax) Write();
  }
  void Write() {
    EXPECT_OK(house_->Track(std::exchange(waiting_, {}), {}, Ack::kApplied).status());
  }

  // A look at a page, or what the kind says; `product` may be empty.
  void Do(absl::string_view person, int64_t time_ms, EventKind kind, absl::string_view url,
          absl::string_view product = "") {
    Event event = MakeEvent("", person, time_ms, kind, product);
    if (!url.empty()) event.__set_url(absl::StrCat("https://shop.example", url));
    Add(std::move(event));
  }
  void Search(absl::string_view person, int64_t time_ms, const std::string& terms) {
    Event event = MakeEvent("", person, time_ms, EventKind::SEARCH);
    event.__set_search_terms(terms);
    event.__set_url("https://shop.example/search?q=" + terms);
    Add(std::move(event));
  }
  void Buy(absl::string_view person, int64_t time_ms, const std::string& order,
           std::initializer_list<const char*> products) {
    for (const char* product : products) {  // a line an event, as files of history have it
      Event event = MakeEvent("", person, time_ms, EventKind::PURCHASE, product);
      event.__set_order_id(order);
      event.items[0].__set_name(absl::StrCat("Name of ", product));
      Add(std::move(event));
    }
  }

  Mining MineAll(const MineOptions& options = {}) {
    if (!waiting_.empty()) Write();
    EXPECT_OK(DeriveAll(house_.get(), nullptr));
    return Value(Mine(*house_, options));
  }
  std::vector<Row> Rows(const Mining& mining, const std::string& table) {
    const Report report = Value(MiningReport(*house_, mining));
    for (const Report::Table& t : report.tables) {
      if (t.name == table) return t.rows;
    }
    ADD_FAILURE() << "no table " << table;
    return {};
  }

  TempDir folder_;
  std::unique_ptr<WebHouse> house_;
  std::vector<Event> waiting_;
  int events_ = 0;
};

// Three visits of two people, small enough to count by hand.
class SmallSite : public Mined {
 protected:
  void SetUp() override {
    Mined::SetUp();
    // ann, first day: finds what she searches for, and buys it with something else.
    Do("ann", kDay0, EventKind::PAGE_VIEW, "/");
    Search("ann", kDay0 + 1 * kMinute, " Red Mug ");
    Do("ann", kDay0 + 2 * kMinute, EventKind::PAGE_VIEW, "/p/mug?from=search");
    Do("ann", kDay0 + 2 * kMinute + 1, EventKind::VIEW_ITEM, "/p/mug", "mug");
    Do("ann", kDay0 + 3 * kMinute, EventKind::ADD_TO_CART, "/p/mug", "mug");
    Do("ann", kDay0 + 4 * kMinute, EventKind::VIEW_ITEM, "/p/tea", "tea");
    Do("ann", kDay0 + 5 * kMinute, EventKind::VIEW_CART, "/cart");
    Do("ann", kDay0 + 6 * kMinute, EventKind::BEGIN_CHECKOUT, "/checkout");
    Buy("ann", kDay0 + 7 * kMinute, "o1", {"mug", "tea", "mug"});
    // The next day: buys again.
    Do("ann", kDay0 + 24 * kHour, EventKind::VIEW_ITEM, "/p/mug", "mug");
    Buy("ann", kDay0 + 24 * kHour + kMinute, "o2", {"mug", "tea"});
    // bob, three days later: searches twice in vain and leaves.
    Do("v:bob", kDay0 + 72 * kHour, EventKind::PAGE_VIEW, "/");
    Search("v:bob", kDay0 + 72 * kHour + 1, "green mug");
    Search("v:bob", kDay0 + 72 * kHour + 2, "Green mug");
    Search("v:bob", kDay0 + 72 * kHour + 3, "tea pot");
  }
};

// The list, a product, by the back button another one: two looks at the list, one request for it.
TEST_F(Mined, PathsGoBackThroughPagesThatCameOutOfTheBrowsersCache) {
  const auto look = [&](int64_t minute, EventKind kind, const std::string& url,
                        const std::string& from) {
    Event event = MakeEvent(absl::StrCat("look", minute), "v:cam", kDay0 + minute * kMinute, kind,
                            kind == EventKind::VIEW_ITEM ? url : "");
    event.__set_url(url);
    event.__set_referrer("https://shop.example" + from);
    Add(std::move(event));
  };
  look(0, EventKind::SEARCH, "/search?q=mug", "/");
  look(1, EventKind::VIEW_ITEM, "/p/red", "/search?q=mug");
  look(2, EventKind::VIEW_ITEM, "/p/blue", "/search?q=mug");
  const Mining mining = MineAll();
  EXPECT_EQ(mining.page_views, 3);
  EXPECT_EQ(mining.inferred_views, 1);
  const Message product{"page.product"}, search{"page.search"};
  EXPECT_THAT(Rows(mining, "transitions"),
              ::testing::IsSupersetOf(
                  {Row{search, product, int64_t{2}, 1.0}, Row{product, search, int64_t{1}, 0.5}}));
}

TEST_F(SmallSite, HasTheFunnelAndTheDaysThatCanBeCountedByHand) {
  const Mining mining = MineAll();
  EXPECT_THAT(Rows(mining, "overview"),
              ElementsAre(Row{int64_t{3}, int64_t{2}, int64_t{11}, int64_t{2}, 2.0 / 3}));
  EXPECT_THAT(Rows(mining, "funnel"),
              ElementsAre(Row{Message{"stage.visit"}, int64_t{3}, 1.0, 1.0},
                          Row{Message{"stage.product"}, int64_t{2}, 2.0 / 3, 2.0 / 3},
                          Row{Message{"stage.cart"}, int64_t{2}, 2.0 / 3, 1.0},
                          Row{Message{"stage.checkout"}, int64_t{2}, 2.0 / 3, 1.0},
                          Row{Message{"stage.order"}, int64_t{2}, 2.0 / 3, 1.0}));
  EXPECT_THAT(Rows(mining, "by_day"), ElementsAre(Row{"2024-03-20", int64_t{1}, int64_t{1}, 1.0},
                                                  Row{"2024-03-21", int64_t{1}, int64_t{1}, 1.0},
                                                  Row{"2024-03-22", int64_t{0}, int64_t{0}, 0.0},
                                                  Row{"2024-03-23", int64_t{1}, int64_t{0}, 0.0}));
  EXPECT_THAT(Rows(mining, "by_channel"),
              ElementsAre(Row{Message{"channel.web"}, int64_t{3}, int64_t{2}, 2.0 / 3}));
  EXPECT_THAT(Rows(mining, "by_device"),
              ElementsAre(Row{Message{"unknown"}, int64_t{3}, int64_t{2}, 2.0 / 3}));
}

TEST_F(SmallSite, HasThePagesAndPathsThatCanBeCountedByHand) {
  const Mining mining = MineAll();
  EXPECT_THAT(Rows(mining, "entry_pages"),
              ElementsAre(Row{"/", int64_t{2}, 2.0 / 3}, Row{"/p/mug", int64_t{1}, 1.0 / 3}));
  EXPECT_THAT(Rows(mining, "exit_pages"),
              ElementsAre(Row{Message{"page.order"}, int64_t{2}, 2.0 / 3},
                          Row{"/search", int64_t{1}, 1.0 / 3}));
  const Message product{"page.product"}, search{"page.search"}, cart{"page.cart"};
  EXPECT_THAT(
      Rows(mining, "paths"),
      ElementsAre(
          Row{Parts{{"/", search}, true}, int64_t{1}, 1.0 / 3},
          Row{Parts{{"/", search, product, cart, Message{"page.checkout"}, Message{"page.order"}},
                    true},
              int64_t{1}, 1.0 / 3},
          Row{Parts{{product, Message{"page.order"}}, true}, int64_t{1}, 1.0 / 3}));
  EXPECT_THAT(Rows(mining, "transitions"),
              ElementsAre(Row{"/", search, int64_t{2}, 1.0},
                          Row{Message{"page.order"}, Message{"page.exit"}, int64_t{2}, 1.0},
                          Row{cart, Message{"page.checkout"}, int64_t{1}, 1.0},
                          Row{Message{"page.checkout"}, Message{"page.order"}, int64_t{1}, 1.0},
                          Row{product, cart, int64_t{1}, 1.0 / 3},
                          Row{product, Message{"page.order"}, int64_t{1}, 1.0 / 3},
                          Row{product, product, int64_t{1}, 1.0 / 3},
                          Row{search, Message{"page.exit"}, int64_t{1}, 0.5},
                          Row{search, product, int64_t{1}, 0.5}));
  // Each product's page by itself, if that is asked for.
  EXPECT_THAT(Rows(MineAll({.group_pages = false}), "transitions"),
              ::testing::Contains(Row{"/p/mug", "/p/tea", int64_t{1}, 0.5}));
}

TEST_F(SmallSite, HasTheSearchesAndPatternsThatCanBeCountedByHand) {
  const Mining mining = MineAll();
  EXPECT_THAT(Rows(mining, "searches"), ElementsAre(Row{"green mug", int64_t{1}, int64_t{1}, 1.0},
                                                    Row{"tea pot", int64_t{1}, int64_t{1}, 1.0}));
  // Both orders hold both products: they go together, but no more than by chance (lift 1).
  EXPECT_THAT(Rows(mining, "bought_together"), IsEmpty());
  EXPECT_EQ(mining.baskets.lists, 2u);
  Buy("v:cid", kDay0 + 80 * kHour, "o3", {"pan"});
  const Mining more = MineAll();
  const auto together = Rows(more, "bought_together");
  ASSERT_EQ(together.size(), 1u);
  EXPECT_EQ(together[0][2], Report::Cell(int64_t{2}));
  EXPECT_EQ(together[0][3], Report::Cell(2.0 / 3));
  EXPECT_EQ(together[0][4], Report::Cell(1.0));
  EXPECT_EQ(together[0][5], Report::Cell(1.5));
  EXPECT_EQ(std::get<Parts>(together[0][0]).parts.size(), 1u);
  EXPECT_THAT(std::get<std::string>(together[0][1]), ::testing::HasSubstr("Name of "));
}

TEST_F(SmallSite, FindsWhatIsBoughtInALaterOrder) {
  Buy("eve", kDay0, "o5", {"pan"});
  Buy("eve", kDay0 + 30 * 24 * kHour, "o6", {"lid"});
  Buy("fay", kDay0 + kMinute, "o7", {"pan", "lid"});  // together is not later
  Buy("fay", kDay0 + 24 * kHour, "o8", {"pan"});
  Buy("gil", kDay0, "o9", {"pan"});
  Buy("gil", kDay0 + 7 * 24 * kHour, "o10", {"lid"});
  const Mining mining = MineAll();
  EXPECT_THAT(Rows(mining, "bought_sequences"),
              ElementsAre(Row{Parts{{"Name of pan (pan)", "Name of lid (lid)"}, true}, int64_t{2},
                              2.0 / 4}));
}

TEST_F(SmallSite, KeepsToTheDaysAskedForInTheShopsTimeZone) {
  MineOptions options{.from = absl::CivilDay(2024, 3, 21), .to = absl::CivilDay(2024, 3, 22)};
  EXPECT_EQ(MineAll(options).all.sessions, 1);
  // West of Greenwich, the first visit was the day before, and the second one on the first day.
  options.from = options.to = absl::CivilDay(2024, 3, 20);
  ASSERT_TRUE(absl::LoadTimeZone("America/New_York", &options.time_zone));
  const Mining mining = MineAll(options);
  EXPECT_EQ(mining.all.sessions, 1);
  EXPECT_EQ(mining.orders, 1);
  EXPECT_THAT(Rows(mining, "viewed_sequences"), IsEmpty());
}

TEST_F(SmallSite, LeavesOutRobotsAndEventsWithoutASession) {
  Do("v:robot", kDay0, EventKind::VIEW_ITEM, "/p/mug", "mug");
  EXPECT_EQ(MineAll().all.sessions, 4);
  Session session;
  session.start_ms = session.end_ms = kDay0;
  session.events = 1;
  session.robot = {"list:test"};
  ASSERT_OK(house_->ReplaceDerived({{{Person::Visitor("robot"), 0, {session}, std::nullopt}}}));
  Do("v:ann2", kDay0, EventKind::PAGE_VIEW, "/late");  // of nobody's session yet
  Do("v:zoe", kDay0, EventKind::PAGE_VIEW, "/late");
  Write();
  const Mining mining = Value(Mine(*house_, {}));
  EXPECT_EQ(mining.all.sessions, 3);
  EXPECT_EQ(mining.robot_sessions, 1);
  EXPECT_EQ(mining.pending_events, 2);
  EXPECT_EQ(mining.page_views, 11);
  const Report report = Value(MiningReport(*house_, mining));
  EXPECT_THAT(report.messages, ::testing::Contains(Message{"mine.robots", {int64_t{1}}}));
  EXPECT_THAT(report.messages, ::testing::Contains(Message{"mine.pending", {int64_t{2}}}));
}

TEST_F(Mined, RefusesOptionsOutOfRange) {
  EXPECT_TRUE(absl::IsInvalidArgument(Mine(*house_, {.top = 0}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Mine(*house_, {.min_support = 0}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      Mine(*house_, {.from = absl::CivilDay(2024, 2, 2), .to = absl::CivilDay(2024, 2, 1)})
          .status()));
  EXPECT_EQ(MineAll().all.sessions, 0);  // an empty site is no error
}

// The simulation knows what each visit did; nobody logs in, so that a visitor is a person.
TEST_F(Mined, FindsTheTruthOfASimulatedShop) {
  const Shop shop = Value(Shop::Create({.seed = 5,
                                        .customers = 200,
                                        .products = 100,
                                        .categories = 5,
                                        .days = 20,
                                        .robot_share = 0,
                                        .login_share = 0,
                                        .return_share = 0}));
  struct Truth {
    int64_t last_ms = 0;
    size_t stage = 0;
    std::string open_search;
  };
  std::map<std::string, Truth> open;  // by visitor
  std::array<int64_t, 5> furthest = {};
  std::map<std::string, int64_t> unclicked;
  const auto close_search = [&](Truth* truth) {
    if (!truth->open_search.empty()) ++unclicked[std::exchange(truth->open_search, "")];
  };
  const std::map<EventKind, size_t> stage_of = {
      {EventKind::VIEW_ITEM, 1}, {EventKind::ADD_TO_WISHLIST, 1}, {EventKind::ADD_TO_CART, 2},
      {EventKind::VIEW_CART, 2}, {EventKind::BEGIN_CHECKOUT, 3},  {EventKind::PURCHASE, 4}};
  ASSERT_OK(Simulate(shop, [&](const Visit& visit, const Step& step) {
    // Every fifth visitor finds nothing and leaves: the simulation's own search always helps.
    if (!step.tracked || (visit.number % 5 == 0 && stage_of.contains(step.kind))) {
      return absl::OkStatus();
    }
    const Event event = ToEvent(shop, visit, step);
    const auto [entry, is_new] = open.try_emplace(event.visitor_id);
    Truth& truth = entry->second;
    if (!is_new && event.time_ms - truth.last_ms > 30 * kMinute) {
      ++furthest[truth.stage];
      close_search(&truth);
      truth.stage = 0;
    }
    truth.last_ms = event.time_ms;
    if (const auto found = stage_of.find(event.kind); found != stage_of.end()) {
      truth.stage = std::max(truth.stage, found->second);
    }
    if (event.kind == EventKind::VIEW_ITEM) truth.open_search.clear();
    if (event.kind == EventKind::SEARCH && truth.open_search != event.search_terms) {
      close_search(&truth);
      truth.open_search = event.search_terms;
    }
    Add(event);
    return absl::OkStatus();
  }));
  for (auto& [visitor, truth] : open) {
    ++furthest[truth.stage];
    close_search(&truth);
  }
  const Mining mining = MineAll();
  EXPECT_GT(furthest[4], 20);
  EXPECT_EQ(mining.furthest, furthest);
  EXPECT_GT(unclicked.size(), 20u);
  std::map<std::string, int64_t> found;
  for (const auto& [terms, count] : mining.unclicked.Top(10'000)) found[terms] = count;
  EXPECT_EQ(found, unclicked);
}

TEST(PathOfUrl, KeepsThePathOnly) {
  EXPECT_EQ(PathOfUrl("https://shop.example/p/1?ref=a#top"), "/p/1");
  EXPECT_EQ(PathOfUrl("https://shop.example"), "/");
  EXPECT_EQ(PathOfUrl("/cart?x=http://y/z"), "/cart");
  EXPECT_EQ(PathOfUrl("cart"), "/cart");
  EXPECT_EQ(PathOfUrl("?q=1"), "/");
  EXPECT_EQ(PathOfUrl("/a\nb"), "/a?b");
  const std::string persian = "/" + std::string(127, 'a') + std::string(100, 'x');
  EXPECT_LE(PathOfUrl(persian + "گلدان گلدان گلدان گلدان").size(), limits::kIdBytesMax);
}

TEST(ReadVisit, TakesTwoEventsOfOneLookForOnePage) {
  Event look = MakeEvent("1", "ann", 1, EventKind::PAGE_VIEW);
  look.__set_url("https://shop.example/p/1");
  Event view = MakeEvent("2", "ann", 2, EventKind::VIEW_ITEM, "1");
  view.__set_url("https://shop.example/p/1?utm_source=x");
  EXPECT_THAT(ReadVisit(std::vector<Event>{look, view, look}).pages,
              ElementsAre(Page{"/p/1", "page.product"}));
  EXPECT_THAT(ReadVisit(std::vector<Event>{view, look}).pages,
              ElementsAre(Page{"/p/1", "page.product"}));
}

}  // namespace
}  // namespace vitrine
