// A shop that does not exist, about which everything is known: what each customer likes, what each
// product is like, when each category has its season. Traffic (traffic.h) is drawn from this truth,
// so a recommender or an experiment that looks at the traffic can be held against it.
//
// Tastes and products are directions in a space of kFactors dimensions; how well one pleases the
// other is the cosine between them. Products cluster around the direction of their category.
// Everything is a pure function of the options: the same on every machine.

#ifndef VITRINE_EXPERIMENTS_SIMULATION_SHOP_H_
#define VITRINE_EXPERIMENTS_SIMULATION_SHOP_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

#include "experiments/simulation/random.h"

namespace vitrine {

struct ShopOptions {
  uint64_t seed = 1;                     // any; another seed is another shop
  int32_t customers = 2000;              // 1 to 10,000,000
  int32_t products = 1000;               // 1 to 1,000,000, not fewer than categories
  int32_t categories = 20;               // 1 to 240
  int32_t days = 60;                     // 1 to 3,660
  absl::CivilDay first_day{2024, 1, 1};  // UTC; 1990 to 2089
  double visits_per_day = 0.4;           // of an average customer; above 0, to 100
  double robot_share = 0.1;              // of all visits that are robots'; 0 to 0.9
  double login_share = 0.8;              // of customers that have an account; 0 to 1
  double return_share = 0.1;             // of orders of which something is sent back; 0 to 1
  double treatment_lift = 0.0;           // see Customer::treated; 0 to 1
  std::string currency = "GBP";          // three capital letters
};

// OK, or InvalidArgument that names the option, its value and its range.
absl::Status ValidateShopOptions(const ShopOptions& options);

// Immutable once created, so thread-safe. Customers, products, categories and robots are known by
// their index here; their ids are what the outside sees.
class Shop {
 public:
  static constexpr size_t kFactors = 8;
  using Direction = std::array<float, kFactors>;  // of length 1

  struct Category {
    std::string name;  // "garden lamp"
    std::string slug;  // "garden-lamp", as in URLs
    Direction direction;
    double appeal;     // how much more often than others it is visited by anyone
    int64_t peak_day;  // 0 to 364, day of the year of its highest season
    double amplitude;  // 0 to 0.8: its season runs from 1 - this to 1 + this
    double median_price_minor;
    std::vector<uint32_t> products;  // never empty
  };

  struct Product {
    std::string id;
    std::string name;          // letters and spaces only: needs no escaping anywhere
    std::string search_terms;  // what people type who want it (and some others like it)
    uint32_t category;
    int64_t price_minor;  // never changes
    int32_t stock;        // pieces at the start; traffic does not use it up
    std::string brand;
    double appeal;  // how prominently the shop shows it; Zipf-like over the products of the shop
    Direction direction;
  };

  struct Customer {
    std::string id;
    Direction taste;
    int64_t budget_minor;  // dearer products are put into the cart less often
    double activity;       // visits in proportion to this
    double app_share;      // of visits through the app, 0 to 1
    double email_share;    // of visits that start from an email, 0 to 1
    bool has_account;      // logs in at times; others are never known by their customer id
    // In the half to which options.treatment_lift applies: it multiplies the probability of
    // putting a viewed product into the cart by 1 + lift. The half is Crc32c(id) % 2 == 1.
    bool treated;
    int32_t cookie_days;  // after so many days the browser forgets its visitor id; 0: never
    std::string country;  // ISO 3166-1, two letters
    std::string address;  // IPv4, private range
    absl::string_view browser, app;  // user agents
  };

  struct Robot {
    std::string visitor_id;
    std::string address;
    absl::string_view user_agent;
    bool runs_scripts;  // only these leave events; the web server's log has all of them
  };

  // Where a visitor id lives.
  enum class Device { kBrowser, kApp };

  // InvalidArgument as ValidateShopOptions. O(customers + products), about 1 us each.
  static absl::StatusOr<Shop> Create(const ShopOptions& options);

  const ShopOptions& options() const { return options_; }
  const std::vector<Category>& categories() const { return categories_; }
  const std::vector<Product>& products() const { return products_; }
  const std::vector<Customer>& customers() const { return customers_; }
  const std::vector<Robot>& robots() const { return robots_; }

  // The truth: how much the customer likes the product, -1 to 1.
  double Affinity(uint32_t customer, uint32_t product) const;

  // The `k` products of highest affinity, best first (all if there are fewer). O(products).
  std::vector<uint32_t> TopProducts(uint32_t customer, size_t k) const;

  // How much more a category is wanted on this day than on average over the year.
  double Season(uint32_t category, absl::CivilDay day) const;

  // Pages of a category show its products in proportion to their appeal.
  uint32_t DrawShown(uint32_t category, simulation::Random& random) const;

  // The visitor id of the customer's device on a day, and all it has had from first to last day.
  std::string VisitorId(uint32_t customer, Device device, absl::CivilDay day) const;
  std::vector<std::string> VisitorIds(uint32_t customer) const;

  // The index behind an id; NotFound.
  absl::StatusOr<uint32_t> FindCustomer(absl::string_view id) const;
  absl::StatusOr<uint32_t> FindProduct(absl::string_view id) const;

 private:
  explicit Shop(const ShopOptions& options) : options_(options) {}
  void MakeCategories();
  void MakeProducts();
  void MakeCustomers();
  void MakeRobots();

  // How often the device's cookies have been cleared until then.
  int64_t CookieGeneration(uint32_t customer, absl::CivilDay day) const;
  std::string VisitorIdOf(uint32_t customer, Device device, int64_t generation) const;

  ShopOptions options_;
  std::vector<Category> categories_;
  std::vector<Product> products_;
  std::vector<Customer> customers_;
  std::vector<Robot> robots_;
  std::vector<simulation::WeightedChoice> shown_;  // by category
};

// The cosine between two directions.
double Cosine(const Shop::Direction& a, const Shop::Direction& b);

// A direction without preference.
Shop::Direction RandomDirection(simulation::Random& random);

}  // namespace vitrine

#endif  // VITRINE_EXPERIMENTS_SIMULATION_SHOP_H_
