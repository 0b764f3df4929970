#include "experiments/simulation/shop.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "store/base/crc32c.h"
#include "store/key_format.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using testing::Value;

TEST(ShopOptions, OutsideTheirRangeAreRefusedByName) {
  const auto message = [](auto change) {
    ShopOptions options;
    change(&options);
    const absl::Status status = Shop::Create(options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_EQ(message([](ShopOptions* o) { o->customers = 0; }),
            "customers is 0; it must be 1 to 10000000");
  EXPECT_THAT(message([](ShopOptions* o) { o->products = -1; }), HasSubstr("products is -1"));
  EXPECT_THAT(message([](ShopOptions* o) { o->categories = 241; }), HasSubstr("categories"));
  EXPECT_THAT(message([](ShopOptions* o) { o->products = 5; }), HasSubstr("must be 1 to 5"));
  EXPECT_THAT(message([](ShopOptions* o) { o->days = 0; }), HasSubstr("days"));
  EXPECT_THAT(message([](ShopOptions* o) { o->first_day = absl::CivilDay(1970, 1, 1); }),
              HasSubstr("first_day"));
  EXPECT_THAT(message([](ShopOptions* o) { o->visits_per_day = 0; }), HasSubstr("visits_per_day"));
  EXPECT_THAT(message([](ShopOptions* o) { o->robot_share = 1.0; }), HasSubstr("robot_share"));
  EXPECT_THAT(
      message([](ShopOptions* o) { o->login_share = std::numeric_limits<double>::quiet_NaN(); }),
      HasSubstr("login_share"));
  EXPECT_THAT(message([](ShopOptions* o) { o->return_share = -0.1; }), HasSubstr("return_share"));
  EXPECT_THAT(message([](ShopOptions* o) { o->treatment_lift = 2; }), HasSubstr("treatment_lift"));
  EXPECT_THAT(message([](ShopOptions* o) { o->currency = "gbp"; }), HasSubstr("currency"));
}

TEST(Shop, HasAsManyOfEachAsAsked) {
  const Shop shop = Value(Shop::Create({.customers = 30, .products = 50, .categories = 7}));
  EXPECT_EQ(shop.customers().size(), 30u);
  EXPECT_EQ(shop.products().size(), 50u);
  ASSERT_EQ(shop.categories().size(), 7u);
  for (const Shop::Category& category : shop.categories()) EXPECT_FALSE(category.products.empty());
}

TEST(Shop, IdsAreValidDistinctAndLeadBack) {
  const Shop shop = Value(Shop::Create({.customers = 100, .products = 100}));
  std::set<std::string> ids;
  for (uint32_t i = 0; i < 100; ++i) {
    EXPECT_OK(ValidId(shop.products()[i].id));
    EXPECT_OK(ValidId(shop.customers()[i].id));
    EXPECT_EQ(Value(shop.FindProduct(shop.products()[i].id)), i);
    EXPECT_EQ(Value(shop.FindCustomer(shop.customers()[i].id)), i);
    for (const std::string& id : shop.VisitorIds(i)) {
      EXPECT_OK(ValidId(id));
      EXPECT_TRUE(ids.insert(id).second) << id;
    }
  }
  for (const Shop::Robot& robot : shop.robots()) EXPECT_TRUE(ids.insert(robot.visitor_id).second);
  for (const char* id : {"", "p", "p000", "p101", "p1", "p1x", "c001"}) {
    EXPECT_TRUE(absl::IsNotFound(shop.FindProduct(id).status())) << id;
  }
}

TEST(Shop, VisitorIdsAreAllThoseOfItsDays) {
  const Shop shop = Value(Shop::Create({.customers = 200, .days = 50}));
  size_t cleared = 0;
  for (uint32_t c = 0; c < 200; ++c) {
    std::set<std::string> seen = {shop.VisitorId(c, Shop::Device::kApp, shop.options().first_day)};
    for (int day = 0; day < 50; ++day) {
      seen.insert(shop.VisitorId(c, Shop::Device::kBrowser, shop.options().first_day + day));
    }
    const std::vector<std::string> ids = shop.VisitorIds(c);
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()), seen);
    if (seen.size() > 2) ++cleared;
  }
  EXPECT_GT(cleared, 20u);  // some browsers forget
  EXPECT_LT(cleared, 100u);
}

TEST(Shop, PricesAreLogNormal) {
  const Shop shop = Value(Shop::Create({.products = 5000, .categories = 240}));
  double sum = 0, squares = 0, cubes = 0;
  for (const Shop::Product& product : shop.products()) {
    EXPECT_GE(product.price_minor, 49);
    const double x = std::log(static_cast<double>(product.price_minor));
    sum += x;
    squares += x * x;
  }
  const double mean = sum / 5000, sigma = std::sqrt(squares / 5000 - mean * mean);
  EXPECT_NEAR(std::exp(mean), 2500, 300);
  EXPECT_NEAR(sigma, 0.78, 0.1);  // sqrt(0.6^2 + 0.5^2)
  for (const Shop::Product& product : shop.products()) {
    cubes += std::pow((std::log(static_cast<double>(product.price_minor)) - mean) / sigma, 3);
  }
  EXPECT_NEAR(cubes / 5000, 0.0, 0.3);  // the logarithm is not skewed
}

TEST(Shop, TopProductsAreThoseOfHighestAffinity) {
  const Shop shop = Value(Shop::Create({.customers = 20, .products = 200}));
  for (uint32_t c = 0; c < 20; ++c) {
    std::vector<uint32_t> all(200);
    for (uint32_t p = 0; p < 200; ++p) {
      all[p] = p;
      EXPECT_LE(std::abs(shop.Affinity(c, p)), 1.0 + 1e-6);
    }
    std::stable_sort(all.begin(), all.end(), [&](uint32_t a, uint32_t b) {
      return shop.Affinity(c, a) > shop.Affinity(c, b);
    });
    EXPECT_EQ(shop.TopProducts(c, 1000), all);
    all.resize(20);
    EXPECT_EQ(shop.TopProducts(c, 20), all);
  }
}

TEST(Shop, ProductsClusterByCategory) {
  const Shop shop = Value(Shop::Create({}));
  double own = 0, other = 0;
  for (const Shop::Product& product : shop.products()) {
    own += Cosine(product.direction, shop.categories()[product.category].direction);
    other += Cosine(product.direction,
                    shop.categories()[(product.category + 1) % shop.categories().size()].direction);
  }
  EXPECT_GT(own / 1000, 0.7);
  EXPECT_LT(std::abs(other / 1000), 0.3);
}

TEST(Shop, SeasonsRunFromPeakToTroughAndAverageToOne) {
  const Shop shop = Value(Shop::Create({}));
  for (uint32_t c = 0; c < shop.categories().size(); ++c) {
    const Shop::Category& category = shop.categories()[c];
    const absl::CivilDay new_year(2023, 1, 1);
    double sum = 0, top = 0;
    for (int day = 0; day < 365; ++day) {
      const double season = shop.Season(c, new_year + day);
      EXPECT_GE(season, 1.0 - category.amplitude - 1e-9);
      sum += season;
      top = std::max(top, season);
    }
    EXPECT_NEAR(sum / 365, 1.0, 0.01);
    EXPECT_EQ(shop.Season(c, new_year + category.peak_day), top);
    EXPECT_DOUBLE_EQ(top, 1.0 + category.amplitude);
    EXPECT_GE(shop.Season(c, absl::CivilDay(2024, 12, 31)), 1.0 - category.amplitude - 0.01);
  }
}

TEST(Shop, TreatsTheDocumentedHalf) {
  const Shop shop = Value(Shop::Create({}));
  int treated = 0;
  for (const Shop::Customer& customer : shop.customers()) {
    EXPECT_EQ(customer.treated, Crc32c(customer.id) % 2 == 1);
    treated += customer.treated;
  }
  EXPECT_NEAR(treated, 1000, 100);
}

}  // namespace
}  // namespace vitrine
