// A small shop with a service before it, and no socket.

#ifndef VITRINE_TESTS_API_SERVICE_TESTING_H_
#define VITRINE_TESTS_API_SERVICE_TESTING_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "api/service/backoffice.h"
#include "api/service/site.h"
#include "api/service/storefront.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "tests/testing/testing.h"

namespace vitrine::testing {

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kDayMs = 86'400'000;
constexpr int kGroups = 4;
constexpr int kProductsPerGroup = 12;

inline std::string ProductId(int group, int i) { return absl::StrCat("g", group, "-", i); }

// A small shop in which each customer buys from one group of products only.
class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() : clock_(kNow) {
    Open();
    Fill();
  }

  void Open() {
    sites_.reset();
    sites_ = Value(Sites::OpenOne(dir_.path(), "shop", /*create=*/true));
    storefront_ = std::make_unique<Storefront>(sites_.get(), &clock_);
    backoffice_ = std::make_unique<Backoffice>(sites_.get(), &clock_);
  }

  void Fill() {
    std::vector<Event> events;
    for (int c = 0; c < 80; ++c) {
      const int group = c % kGroups;
      for (int i = 0; i < 6; ++i) {
        const std::string product = ProductId(group, (c / kGroups + i * 5) % kProductsPerGroup);
        Event event = MakeEvent(absl::StrCat("e", c, "-", i), absl::StrCat("c", c),
                                kNow - (i + 1) * kDayMs, EventKind::PURCHASE, product);
        event.items[0].__set_name("Name of " + product);
        event.items[0].__set_price_minor(999);
        event.__set_currency("GBP");
        events.push_back(std::move(event));
      }
    }
    ASSERT_OK(Shop()->house().Track(events, {}, Ack::kApplied).status());
  }

  Site* Shop() { return Value(sites_->Find("shop")); }

  ModelInfo Train() {
    TrainRequest request;
    request.site = "shop";
    request.__set_factors(8);
    ModelInfo info;
    backoffice_->train(info, request);
    return info;
  }

  static Context ContextOf(const std::string& customer, const std::string& visitor = "") {
    Context context;
    context.site = "shop";
    context.deadline_ms = limits::kDeadlineMsMax;
    if (!customer.empty()) context.__set_customer_id(customer);
    if (!visitor.empty()) context.__set_visitor_id(visitor);
    return context;
  }

  RecommendReply Recommend(const std::string& customer, int k = 5) {
    RecommendRequest request;
    request.context = ContextOf(customer);
    request.k = k;
    RecommendReply reply;
    storefront_->recommend(reply, request);
    return reply;
  }

  TempDir dir_;
  SimClock clock_;
  std::unique_ptr<Sites> sites_;
  std::unique_ptr<Storefront> storefront_;
  std::unique_ptr<Backoffice> backoffice_;
};

}  // namespace vitrine::testing

#endif  // VITRINE_TESTS_API_SERVICE_TESTING_H_
