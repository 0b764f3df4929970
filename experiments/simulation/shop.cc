#include "experiments/simulation/shop.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "experiments/simulation/names.h"
#include "store/base/check.h"
#include "store/base/crc32c.h"
#include "store/base/status_macros.h"

namespace vitrine {

using simulation::Exp;
using simulation::Log;
using simulation::Random;
using simulation::Stream;
using simulation::WeightedChoice;

namespace {

// How far products scatter around their category: cosine to it about 1 / sqrt(1 + this^2).
constexpr double kProductSpread = 0.8;

// Weight of the product of rank r (from 0) is 1 / (r + kZipfShift)^kZipfExponent.
constexpr double kZipfShift = 2.0;
constexpr double kZipfExponent = 0.8;

constexpr double kMedianPriceMinor = 2500;
constexpr double kCategoryPriceSigma = 0.6;
constexpr double kProductPriceSigma = 0.5;
constexpr double kMedianBudgetMinor = 4500;
constexpr double kBudgetSigma = 0.6;
constexpr double kActivitySigma = 0.8;
constexpr double kCategoryAppealSigma = 0.5;
constexpr double kSeasonAmplitudeMax = 0.8;
constexpr double kMedianStock = 60;
constexpr uint64_t kProductsPerBrand = 25;
constexpr int64_t kYearDays = 365;

constexpr double kCookiesClearedShare = 0.3;
constexpr int64_t kCookieDaysMin = 10;
constexpr int64_t kCookieDaysMax = 45;

constexpr std::array<absl::string_view, 6> kBrowsers = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.2 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.2 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0"};

constexpr std::array<absl::string_view, 2> kApps = {"ShopApp/3.2 (Android 14)",
                                                    "ShopApp/3.2 (iOS 17.2)"};

struct RobotKind {
  absl::string_view user_agent;
  bool runs_scripts;
};

constexpr std::array<RobotKind, 8> kRobots = {{
    {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", false},
    {"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", false},
    {"Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", false},
    {"Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", false},
    {"python-requests/2.31.0", false},
    {"curl/7.88.1", false},
    {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "HeadlessChrome/120.0.0.0 Safari/537.36",
     true},
    {"Mozilla/5.0 (compatible; PriceSpider/1.4; +https://prices.example/spider)", true},
}};

struct Country {
  absl::string_view code;
  double weight;
};

constexpr std::array<Country, 6> kCountries = {
    {{"GB", 60}, {"IE", 10}, {"DE", 12}, {"FR", 9}, {"NL", 6}, {"SE", 3}}};

template <typename Table>
absl::string_view AnyOf(const Table& table, Random& random) {
  return table[random.Below(table.size())];
}

// "p0042" for the 42nd of 1,000.
std::string PaddedId(char prefix, uint32_t index, size_t count) {
  const std::string digits = absl::StrCat(index + 1);
  return prefix + std::string(absl::StrCat(count).size() - digits.size(), '0') + digits;
}

// The index behind a PaddedId.
template <typename Row>
absl::StatusOr<uint32_t> FindById(const std::vector<Row>& rows, absl::string_view id) {
  uint64_t number = 0;
  if (!id.empty() && absl::SimpleAtoi(id.substr(1), &number) && number >= 1 &&
      number <= rows.size() && rows[number - 1].id == id) {
    return static_cast<uint32_t>(number - 1);
  }
  return absl::NotFoundError("no such id in this shop");
}

// Prices end in 49 or 99, as in shops.
int64_t ShopPrice(double minor) { return static_cast<int64_t>(minor / 50.0) * 50 + 49; }

Shop::Direction Normalized(const std::array<double, Shop::kFactors>& v) {
  double length2 = 0.0;
  for (const double x : v) length2 += x * x;
  Shop::Direction direction;
  for (size_t f = 0; f < v.size(); ++f) {
    direction[f] = static_cast<float>(v[f] / std::sqrt(length2));
  }
  return direction;
}

// A direction about `spread` off from `center`.
Shop::Direction Around(const Shop::Direction& center, double spread, Random& random) {
  const Shop::Direction off = RandomDirection(random);
  std::array<double, Shop::kFactors> sum;
  for (size_t f = 0; f < sum.size(); ++f) sum[f] = center[f] + spread * off[f];
  return Normalized(sum);
}

// 0 to n - 1 in random order (Fisher, Yates).
std::vector<uint32_t> Shuffled(size_t n, Random random) {
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
  return order;
}

std::string VisitorIdFrom(uint64_t x) {
  return absl::StrCat(absl::Hex(simulation::Mix(x) >> 16, absl::kZeroPad12));  // 48 bits
}

template <typename T>
absl::Status InRange(absl::string_view name, T value, T low, T high) {
  if (value >= low && value <= high) return absl::OkStatus();  // false for NaN
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is ", value, "; it must be ", low, " to ", high));
}

}  // namespace

absl::Status ValidateShopOptions(const ShopOptions& o) {
  RETURN_IF_ERROR(InRange("customers", o.customers, 1, 10'000'000));
  RETURN_IF_ERROR(InRange("products", o.products, 1, 1'000'000));
  RETURN_IF_ERROR(InRange("categories", o.categories, 1,
                          std::min(o.products, static_cast<int32_t>(simulation::kCategoryNames))));
  RETURN_IF_ERROR(InRange("days", o.days, 1, 3660));
  RETURN_IF_ERROR(InRange<int64_t>("year of first_day", o.first_day.year(), 1990, 2089));
  RETURN_IF_ERROR(InRange("visits_per_day", o.visits_per_day, 1e-6, 100.0));
  RETURN_IF_ERROR(InRange("robot_share", o.robot_share, 0.0, 0.9));
  RETURN_IF_ERROR(InRange("login_share", o.login_share, 0.0, 1.0));
  RETURN_IF_ERROR(InRange("return_share", o.return_share, 0.0, 1.0));
  RETURN_IF_ERROR(InRange("treatment_lift", o.treatment_lift, 0.0, 1.0));
  if (o.currency.size() != 3 || !std::all_of(o.currency.begin(), o.currency.end(),
                                             [](char c) { return absl::ascii_isupper(c); })) {
    return absl::InvalidArgumentError("currency must be three capital letters, as in ISO 4217");
  }
  return absl::OkStatus();
}

double Cosine(const Shop::Direction& a, const Shop::Direction& b) {
  float sum = 0.0f;
  for (size_t f = 0; f < Shop::kFactors; ++f) sum += a[f] * b[f];
  return sum;
}

Shop::Direction RandomDirection(Random& random) {
  std::array<double, Shop::kFactors> v;
  for (double& x : v) x = random.Normal();
  return Normalized(v);
}

absl::StatusOr<Shop> Shop::Create(const ShopOptions& options) {
  RETURN_IF_ERROR(ValidateShopOptions(options));
  Shop shop(options);
  shop.MakeCategories();
  shop.MakeProducts();
  shop.MakeCustomers();
  shop.MakeRobots();
  return shop;
}

void Shop::MakeCategories() {
  for (int32_t i = 0; i < options_.categories; ++i) {
    Random random(options_.seed, Stream::kCategory, i);
    Category& category = categories_.emplace_back();
    category.name = simulation::CategoryName(i);
    category.slug = absl::StrReplaceAll(category.name, {{" ", "-"}});
    category.direction = RandomDirection(random);
    category.appeal = random.LogNormal(1.0, kCategoryAppealSigma);
    category.peak_day = random.Between(0, kYearDays - 1);
    category.amplitude = kSeasonAmplitudeMax * random.Uniform();
    category.median_price_minor = random.LogNormal(kMedianPriceMinor, kCategoryPriceSigma);
  }
}

void Shop::MakeProducts() {
  const uint32_t count = options_.products;
  const std::vector<uint32_t> ranks = Shuffled(count, Random(options_.seed, Stream::kRank, 0));
  products_.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    Random random(options_.seed, Stream::kProduct, i);
    Product& product = products_[i];
    // The first products go round once, so that no category stays empty.
    product.category =
        i < categories_.size() ? i : static_cast<uint32_t>(random.Below(categories_.size()));
    Category& category = categories_[product.category];
    category.products.push_back(i);
    product.id = PaddedId('p', i, count);
    const absl::string_view adjective = simulation::RandomAdjective(random);
    product.name =
        absl::StrCat(simulation::TitleCase(adjective), " ", simulation::RandomNoun(random), " ",
                     simulation::TitleCase(category.name));
    product.search_terms = absl::StrCat(adjective, " ", category.name);
    product.price_minor =
        ShopPrice(random.LogNormal(category.median_price_minor, kProductPriceSigma));
    product.stock = static_cast<int32_t>(random.LogNormal(kMedianStock, 1.0));
    Random brand(options_.seed, Stream::kBrand, random.Below(1 + count / kProductsPerBrand));
    product.brand = simulation::RandomNoun(brand);
    product.appeal = Exp(-kZipfExponent * Log(ranks[i] + kZipfShift));
    product.direction = Around(category.direction, kProductSpread, random);
  }
  for (const Category& category : categories_) {
    std::vector<double> weights;
    for (const uint32_t p : category.products) weights.push_back(products_[p].appeal);
    shown_.emplace_back(weights);
  }
}

void Shop::MakeCustomers() {
  std::vector<double> weights;
  for (const Country& country : kCountries) weights.push_back(country.weight);
  const WeightedChoice country(weights);
  customers_.resize(options_.customers);
  for (uint32_t i = 0; i < customers_.size(); ++i) {
    Random random(options_.seed, Stream::kCustomer, i);
    Customer& customer = customers_[i];
    customer.id = PaddedId('c', i, customers_.size());
    customer.taste = RandomDirection(random);
    customer.budget_minor =
        static_cast<int64_t>(random.LogNormal(kMedianBudgetMinor, kBudgetSigma));
    customer.activity = random.LogNormal(1.0, kActivitySigma);
    customer.app_share = random.Chance(0.3) ? 0.8 : 0.05;
    customer.email_share = 0.2 * random.Uniform();
    customer.has_account = random.Chance(options_.login_share);
    customer.treated = Crc32c(customer.id) % 2 == 1;
    customer.cookie_days = static_cast<int32_t>(
        random.Chance(kCookiesClearedShare) ? random.Between(kCookieDaysMin, kCookieDaysMax) : 0);
    customer.country = std::string(kCountries[country.Draw(random)].code);
    customer.address = absl::StrCat("10.", i >> 16, ".", (i >> 8) & 255, ".", i & 255);
    customer.browser = AnyOf(kBrowsers, random);
    customer.app = AnyOf(kApps, random);
  }
}

void Shop::MakeRobots() {
  for (size_t i = 0; i < kRobots.size(); ++i) {
    robots_.push_back({.visitor_id = VisitorIdFrom(simulation::Mix(options_.seed) + i),
                       .address = absl::StrCat("198.18.0.", i + 1),
                       .user_agent = kRobots[i].user_agent,
                       .runs_scripts = kRobots[i].runs_scripts});
  }
}

double Shop::Affinity(uint32_t customer, uint32_t product) const {
  return Cosine(customers_[customer].taste, products_[product].direction);
}

std::vector<uint32_t> Shop::TopProducts(uint32_t customer, size_t k) const {
  std::vector<std::pair<double, uint32_t>> ranked(products_.size());  // -affinity, product
  for (uint32_t p = 0; p < ranked.size(); ++p) ranked[p] = {-Affinity(customer, p), p};
  k = std::min(k, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + k, ranked.end());
  std::vector<uint32_t> top(k);
  for (size_t i = 0; i < k; ++i) top[i] = ranked[i].second;
  return top;
}

double Shop::Season(uint32_t category, absl::CivilDay day) const {
  const Category& c = categories_[category];
  const int64_t day_of_year = absl::GetYearDay(day) - 1;
  const auto apart = std::abs(day_of_year - c.peak_day);
  // A triangle wave: 1 at the peak, -1 half a year away.
  const auto distance = std::min(apart, std::max<int64_t>(0, kYearDays - apart));
  return 1.0 + c.amplitude * (1.0 - 4.0 * static_cast<double>(distance) / kYearDays);
}

uint32_t Shop::DrawShown(uint32_t category, Random& random) const {
  return categories_[category].products[shown_[category].Draw(random)];
}

int64_t Shop::CookieGeneration(uint32_t customer, absl::CivilDay day) const {
  const int32_t cookie_days = customers_[customer].cookie_days;
  return cookie_days == 0 ? 0 : (day - options_.first_day) / cookie_days;
}

std::string Shop::VisitorIdOf(uint32_t customer, Device device, int64_t generation) const {
  const uint64_t where = static_cast<uint64_t>(generation) * 2 + (device == Device::kApp ? 1 : 0);
  return VisitorIdFrom(simulation::Mix(options_.seed ^ simulation::Mix(customer + 1)) + where);
}

std::string Shop::VisitorId(uint32_t customer, Device device, absl::CivilDay day) const {
  return VisitorIdOf(customer, device,
                     device == Device::kApp ? 0 : CookieGeneration(customer, day));
}

std::vector<std::string> Shop::VisitorIds(uint32_t customer) const {
  std::vector<std::string> ids = {VisitorIdOf(customer, Device::kApp, 0)};
  const int64_t last = CookieGeneration(customer, options_.first_day + options_.days - 1);
  for (int64_t g = 0; g <= last; ++g) ids.push_back(VisitorIdOf(customer, Device::kBrowser, g));
  return ids;
}

absl::StatusOr<uint32_t> Shop::FindCustomer(absl::string_view id) const {
  return FindById(customers_, id);
}

absl::StatusOr<uint32_t> Shop::FindProduct(absl::string_view id) const {
  return FindById(products_, id);
}

}  // namespace vitrine
