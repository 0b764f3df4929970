// What one recommend costs without a socket: the service itself, from a request to a reply with its
// exposure kept, on one thread. For profiles (perf, callgrind) and for before and after.
//
//   recommend_benchmark DATA SITE [requests [placement]]
//
// DATA is written to (exposures, views): take a copy. Three kinds of request in turn, so that
// whatever else the machine does falls on all: of a customer not seen before, of one seen before,
// and of one who has just viewed a product.

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "api/service/site.h"
#include "api/service/storefront.h"
#include "store/base/check.h"
#include "store/base/clock.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

constexpr size_t kCustomersMax = 2'000'000;
constexpr uint64_t kSeed = 1;

struct People {
  std::vector<std::string> customers;  // in random order
  std::vector<std::string> products;
};

People ReadPeople(const WebHouse& house) {
  People people;
  auto customers = house.Customers();
  for (; customers.Valid() && people.customers.size() < kCustomersMax; customers.Next()) {
    people.customers.push_back(customers.value().id);
  }
  auto products = house.Products();
  for (; products.Valid() && people.products.size() < 10'000; products.Next()) {
    people.products.push_back(products.value().id);
  }
  CHECK(customers.Finish().ok() && products.Finish().ok());
  std::mt19937_64 random(kSeed);
  std::shuffle(people.customers.begin(), people.customers.end(), random);
  return people;
}

class Asking {
 public:
  Asking(Storefront* storefront, std::string site, std::string placement)
      : storefront_(storefront), site_(std::move(site)) {
    if (!placement.empty()) request_.__set_placement(placement);
    request_.context.site = site_;
    request_.context.deadline_ms = 10'000;
    request_.k = 20;
  }

  double Us(const std::string& customer) {
    request_.context.__set_customer_id(customer);
    const int64_t start_ns = Clock::System().SteadyNs();
    storefront_->recommend(reply_, request_);
    const double us = static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-3;
    CHECK(!reply_.suggestions.empty());
    return us;
  }

  void View(const std::string& customer, const std::string& product) {
    TrackRequest track;
    track.context.site = site_;
    track.context.deadline_ms = 10'000;
    track.context.__set_customer_id(customer);
    Event event;
    event.kind = VIEW_ITEM;
    event.time_ms = Clock::System().NowMs();
    event.id = absl::StrCat("view-", ++views_, "-", event.time_ms);
    event.__set_customer_id(customer);
    event.items.emplace_back().product_id = product;
    track.events.push_back(std::move(event));
    TrackReply reply;
    storefront_->track(reply, track);
    CHECK(reply.accepted == 1);
  }

 private:
  Storefront* const storefront_;
  const std::string site_;
  RecommendRequest request_;
  RecommendReply reply_;
  int64_t views_ = 0;
};

void Print(const char* what, std::vector<double> us) {
  std::sort(us.begin(), us.end());
  std::printf("  %-44s p50 %7.1f   p90 %7.1f   p99 %7.1f us\n", what, us[us.size() / 2],
              us[us.size() * 9 / 10], us[us.size() * 99 / 100]);
}

void Run(const std::string& data, const std::string& name, size_t requests,
         const std::string& placement) {
  auto sites = Value(Sites::OpenOne(data, name, /*create=*/false));
  Storefront storefront(sites.get(), &Clock::System());
  const People people = ReadPeople(Value(sites->Find(name))->house());
  std::printf("%s: %zu customers, seed %d\n", name.c_str(), people.customers.size(),
              static_cast<int>(kSeed));
  Asking asking(&storefront, name, placement);
  std::vector<double> first, again, in_visit;
  for (size_t i = 0; i < requests; ++i) {
    const std::string& customer = people.customers[i % people.customers.size()];
    first.push_back(asking.Us(customer));
    again.push_back(asking.Us(customer));
    asking.View(customer, people.products[i * 7919 % people.products.size()]);
    in_visit.push_back(asking.Us(customer));
  }
  Print("the first time", first);
  Print("again", again);
  Print("after a view", in_visit);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  size_t requests = 2'000;
  if (argc < 3 || (argc > 3 && (!absl::SimpleAtoi(argv[3], &requests) || requests < 1))) {
    std::fprintf(stderr, "usage: recommend_benchmark DATA SITE [requests [placement]]\n");
    return 2;
  }
  vitrine::Run(argv[1], argv[2], requests, argc > 4 ? argv[4] : "");
  return 0;
}
