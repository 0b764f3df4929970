#include "experiments/simulation/traffic.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

const ShopOptions kSmall = {.seed = 3, .customers = 150, .products = 120, .days = 30};

// What a run over the default shop adds up to; made once.
struct DefaultShop {
  Shop shop = Value(Shop::Create({}));
  int64_t visits = 0, bounces = 0, steps = 0, purchases = 0, events = 0, robot_events = 0;
  std::map<Channel, int64_t> visits_by_channel;
  std::vector<int64_t> visits_by_hour = std::vector<int64_t>(24);
  std::vector<double> views = std::vector<double>(shop.products().size());
  std::vector<double> early_views = views;        // before kTestDay
  std::map<uint32_t, std::set<uint32_t>> bought;  // by customer, from kTestDay on

  static constexpr int kTestDay = 50;

  DefaultShop() {
    const int64_t test_ms = StartOfDay(shop.options().first_day + kTestDay);
    EXPECT_OK(Simulate(shop, [&](const Visit& visit, const Step& step) {
      Count(visit, step, test_ms);
      return absl::OkStatus();
    }));
  }

  void Count(const Visit& visit, const Step& step, int64_t test_ms) {
    if (step.tracked) ++events;
    if (visit.who == Visit::Who::kRobot && step.tracked) ++robot_events;
    if (visit.who != Visit::Who::kCustomer || !step.tracked) return;
    ++steps;
    if (step.kind == EventKind::PAGE_VIEW) {  // the home page: each visit starts there
      ++visits;
      ++visits_by_channel[visit.channel];
      ++visits_by_hour[step.time_ms / 3'600'000 % 24];
      if (visit.steps.back().kind == EventKind::PAGE_VIEW) ++bounces;
    }
    if (step.kind == EventKind::PURCHASE) ++purchases;
    for (const Line& line : visit.LinesOf(step)) {
      if (step.kind == EventKind::VIEW_ITEM) {
        ++views[line.product];
        if (step.time_ms < test_ms) ++early_views[line.product];
      }
      if (step.kind == EventKind::PURCHASE && step.time_ms >= test_ms) {
        bought[visit.index].insert(line.product);
      }
    }
  }

  static const DefaultShop& Get() {
    static const DefaultShop& shop = *new DefaultShop;
    return shop;
  }
};

TEST(Simulate, ConvertsLikeAShop) {
  const DefaultShop& run = DefaultShop::Get();
  const double conversion = static_cast<double>(run.purchases) / static_cast<double>(run.visits);
  EXPECT_GT(conversion, 0.01);
  EXPECT_LT(conversion, 0.05);
}

TEST(Simulate, VisitsHaveSensibleLengths) {
  const DefaultShop& run = DefaultShop::Get();
  EXPECT_NEAR(static_cast<double>(run.visits), 2000 * 0.4 * 60, 1000);
  EXPECT_NEAR(static_cast<double>(run.bounces) / static_cast<double>(run.visits), 0.3, 0.02);
  const double steps = static_cast<double>(run.steps) / static_cast<double>(run.visits);
  EXPECT_GT(steps, 4);
  EXPECT_LT(steps, 10);
}

TEST(Simulate, ComesOverAllChannels) {
  const DefaultShop& run = DefaultShop::Get();
  for (const Channel channel : {Channel::WEB, Channel::APP, Channel::EMAIL}) {
    EXPECT_GT(run.visits_by_channel.at(channel), run.visits / 30) << channel;
  }
}

TEST(Simulate, SleepsAtNight) {
  const DefaultShop& run = DefaultShop::Get();
  EXPECT_GT(run.visits_by_hour[20], 10 * run.visits_by_hour[3]);
}

TEST(Simulate, PopularityFallsLikeZipf) {
  std::vector<double> views = DefaultShop::Get().views;
  std::sort(views.rbegin(), views.rend());
  const double all = std::accumulate(views.begin(), views.end(), 0.0);
  const double head = std::accumulate(views.begin(), views.begin() + 100, 0.0);
  EXPECT_GT(head / all, 0.25);  // the first tenth; a tenth if all were alike
  EXPECT_LT(head / all, 0.6);
  // The slope of log views over log rank, from rank 10 to 500.
  const double slope = std::log(views[499] / views[9]) / std::log(500.0 / 10.0);
  EXPECT_LT(slope, -0.4);
  EXPECT_GT(slope, -1.2);
  EXPECT_GT(views.back(), 0.0);
}

TEST(Simulate, RobotsLeaveFewEvents) {
  const DefaultShop& run = DefaultShop::Get();
  EXPECT_GT(run.robot_events, 0);
  EXPECT_LT(run.robot_events, run.events / 10);
}

// What a good recommender can hope for: to know tastes must be worth much more than to know what
// sells.
TEST(Simulate, TrueTasteRanksPurchasesFarBetterThanPopularity) {
  const DefaultShop& run = DefaultShop::Get();
  std::vector<uint32_t> popular(run.early_views.size());
  std::iota(popular.begin(), popular.end(), 0);
  std::sort(popular.begin(), popular.end(),
            [&](uint32_t a, uint32_t b) { return run.early_views[a] > run.early_views[b]; });
  popular.resize(20);
  double by_taste = 0, by_popularity = 0;
  for (const auto& [customer, bought] : run.bought) {
    const auto recall = [&bought = bought](const std::vector<uint32_t>& list) {
      const auto hit = [&](uint32_t p) { return bought.contains(p); };
      return static_cast<double>(std::count_if(list.begin(), list.end(), hit)) /
             static_cast<double>(bought.size());
    };
    by_taste += recall(run.shop.TopProducts(customer, 20));
    by_popularity += recall(popular);
  }
  const auto customers = static_cast<double>(run.bought.size());
  EXPECT_GT(customers, 150);
  RecordProperty("recall_by_taste", std::to_string(by_taste / customers));
  RecordProperty("recall_by_popularity", std::to_string(by_popularity / customers));
  EXPECT_GT(by_taste / customers, 0.25);
  EXPECT_GT(by_taste, 2.5 * by_popularity);
}

TEST(Simulate, CategoriesHaveTheirSeasons) {
  const Shop shop = Value(Shop::Create({.customers = 400, .days = 364, .visits_per_day = 0.2}));
  std::vector<std::vector<double>> lists(shop.categories().size(), std::vector<double>(364));
  const absl::CivilDay first = shop.options().first_day;
  ASSERT_OK(Simulate(shop, [&](const Visit& visit, const Step& step) {
    if (step.kind == EventKind::VIEW_ITEM_LIST && step.place.page == Place::Page::kCategory &&
        visit.who == Visit::Who::kCustomer) {
      ++lists[step.place.number][DayOf(step.time_ms) - first];
    }
    return absl::OkStatus();
  }));
  int checked = 0;
  for (uint32_t c = 0; c < lists.size(); ++c) {
    if (shop.categories()[c].amplitude < 0.5) continue;
    double high = 0, low = 0;  // while the season is in its upper and lower third
    for (int day = 0; day < 364; ++day) {
      const double level = (shop.Season(c, first + day) - 1.0) / shop.categories()[c].amplitude;
      if (level > 1.0 / 3) high += lists[c][day];
      if (level < -1.0 / 3) low += lists[c][day];
    }
    EXPECT_GT(high, 1.5 * low) << shop.categories()[c].name;
    ++checked;
  }
  EXPECT_GT(checked, 2);
}

TEST(Simulate, TimesNeverGoBackAndLieWithinTheDays) {
  ShopOptions options = kSmall;
  options.return_share = 1;  // refunds are what would come after the last day
  const Shop shop = Value(Shop::Create(options));
  int64_t now_ms = StartOfDay(kSmall.first_day);
  uint64_t events = 0;
  ASSERT_OK(Simulate(shop, [&](const Visit&, const Step& step) {
    EXPECT_GE(step.time_ms, now_ms);
    now_ms = step.time_ms;
    EXPECT_EQ(step.event_number, step.tracked ? ++events : 0);
    return absl::OkStatus();
  }));
  EXPECT_LT(now_ms, StartOfDay(kSmall.first_day + kSmall.days));
}

TEST(Simulate, StopsAtAnError) {
  const Shop shop = Value(Shop::Create(kSmall));
  int steps = 0;
  const absl::Status status = Simulate(shop, [&](const Visit&, const Step&) {
    return ++steps == 10 ? absl::AbortedError("enough") : absl::OkStatus();
  });
  EXPECT_EQ(status, absl::AbortedError("enough"));
  EXPECT_EQ(steps, 10);
}

TEST(Simulate, GrowsWithItsOptions) {
  const auto count = [](ShopOptions options) { return Value(Events(options)).size(); };
  const double base = static_cast<double>(count(kSmall));
  ShopOptions more = kSmall;
  more.customers *= 2;
  EXPECT_NEAR(static_cast<double>(count(more)) / base, 2.0, 0.2);
  more = kSmall;
  more.visits_per_day *= 2;
  EXPECT_NEAR(static_cast<double>(count(more)) / base, 2.0, 0.2);
  more = kSmall;
  more.days *= 2;
  EXPECT_NEAR(static_cast<double>(count(more)) / base, 2.0, 0.2);
}

TEST(Simulate, TheTreatedHalfBuysMoreByTheLift) {
  const auto adds_per_view = [](double lift, bool treated) {
    const Shop shop = Value(Shop::Create({.customers = 500, .treatment_lift = lift}));
    double adds = 0, views = 0;
    EXPECT_OK(Simulate(shop, [&](const Visit& visit, const Step& step) {
      if (visit.who != Visit::Who::kCustomer) return absl::OkStatus();
      if (shop.customers()[visit.index].treated != treated) return absl::OkStatus();
      if (step.kind == EventKind::VIEW_ITEM) ++views;
      if (step.kind == EventKind::ADD_TO_CART) ++adds;
      return absl::OkStatus();
    }));
    return adds / views;
  };
  EXPECT_NEAR(adds_per_view(0.8, true) / adds_per_view(0.0, true), 1.8, 0.25);
  EXPECT_NEAR(adds_per_view(0.8, false) / adds_per_view(0.0, false), 1.0, 0.15);
}

TEST(Events, AreAllTakenByTheStore) {
  std::set<std::string> ids;
  for (const Event& event : Value(Events(kSmall))) {
    EXPECT_OK(ValidateEvent(event));
    EXPECT_TRUE(ids.insert(event.id).second);
  }
  EXPECT_GT(ids.size(), 5000u);
}

TEST(Events, CarryThePricesOfTheCatalogue) {
  const Shop shop = Value(Shop::Create(kSmall));
  int orders = 0;
  for (const Event& event : Value(Events(kSmall))) {
    for (const Item& item : event.items) {
      if (event.kind == EventKind::VIEW_ITEM_LIST) continue;
      const Shop::Product& product = shop.products()[Value(shop.FindProduct(item.product_id))];
      ASSERT_TRUE(item.__isset.price_minor);
      EXPECT_EQ(item.price_minor, product.price_minor);
      EXPECT_EQ(item.name, product.name);
      EXPECT_EQ(event.currency, "GBP");
    }
    orders += event.kind == EventKind::PURCHASE;
  }
  EXPECT_GT(orders, 20);
}

TEST(Events, RefundWhatWasBoughtBefore) {
  ShopOptions options = kSmall;
  options.return_share = 0.5;
  std::map<std::string, Event> orders;
  int refunds = 0;
  for (const Event& event : Value(Events(options))) {
    if (event.kind == EventKind::PURCHASE) {
      EXPECT_TRUE(orders.emplace(event.order_id, event).second);
    } else if (event.kind == EventKind::REFUND) {
      ++refunds;
      ASSERT_TRUE(orders.contains(event.order_id));
      const Event& order = orders.at(event.order_id);
      EXPECT_GE(event.time_ms, order.time_ms + 3 * kDayMs);
      EXPECT_EQ(event.customer_id, order.customer_id);
      EXPECT_EQ(event.visitor_id, order.visitor_id);
      ASSERT_EQ(event.items.size(), 1u);
      EXPECT_THAT(order.items, ::testing::Contains(event.items[0]));
      EXPECT_FALSE(event.__isset.url);
    }
  }
  EXPECT_GT(refunds, 5);
}

TEST(Events, NameTheCustomerFromTheLoginOn) {
  const Shop shop = Value(Shop::Create(kSmall));
  std::map<uint64_t, bool> signed_in;  // by visit
  int in_the_middle = 0;
  ASSERT_OK(Simulate(shop, [&](const Visit& visit, const Step& step) {
    if (!step.tracked) return absl::OkStatus();
    const Event event = ToEvent(shop, visit, step);
    EXPECT_TRUE(event.__isset.visitor_id);
    if (visit.who == Visit::Who::kRobot) {
      EXPECT_FALSE(event.__isset.customer_id);
      EXPECT_EQ(event.visitor_id, shop.robots()[visit.index].visitor_id);
      return absl::OkStatus();
    }
    const Shop::Customer& customer = shop.customers()[visit.index];
    if (event.__isset.customer_id) {
      EXPECT_EQ(event.customer_id, customer.id);
      EXPECT_TRUE(customer.has_account);
    }
    const auto [before, first] = signed_in.try_emplace(visit.number, event.__isset.customer_id);
    if (event.kind == EventKind::LOGIN) {
      EXPECT_FALSE(before->second);
      EXPECT_TRUE(event.__isset.customer_id);
      ++in_the_middle;
    } else if (!first) {
      EXPECT_EQ(before->second, event.__isset.customer_id);
    }
    before->second = event.__isset.customer_id;
    return absl::OkStatus();
  }));
  EXPECT_GT(in_the_middle, 20);
}

TEST(Events, WithoutRobotsArePeoples) {
  ShopOptions options = kSmall;
  options.robot_share = 0;
  for (const Event& event : Value(Events(options))) EXPECT_TRUE(event.__isset.country);
}

TEST(AppendUrl, KnowsThePageAndTheApp) {
  const Shop shop = Value(Shop::Create(kSmall));
  std::string url;
  AppendUrl(shop, Channel::WEB, {Place::Page::kProduct, 4}, &url);
  EXPECT_EQ(url, "https://shop.example/p/p005");
  std::string path;
  AppendPath(shop, Channel::APP, {Place::Page::kCategory, 1}, &path);
  EXPECT_EQ(path, "/app/c/mug");
}

}  // namespace
}  // namespace vitrine
