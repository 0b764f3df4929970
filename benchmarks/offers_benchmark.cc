// What offers cost a page: one shelf without and with three of twenty offers, of customers seen
// before, without a socket, on one thread.
//
//   offers_benchmark DATA SITE [rounds [requests a round]]
//
// DATA is written to (offers, reservations, exposures): take a copy. Of the twenty offers ten have
// no end, ten have a budget and a use for each customer, so that the first page of a customer
// reserves and later ones find what is held. The pages (without, without again, with) take turns;
// printed are p50 and p99 of each, of all requests, and what offers add to them: the median of
// rounds and the middle 80 %.

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "api/service/site.h"
#include "api/service/storefront.h"
#include "benchmarks/customers.h"
#include "store/base/check.h"
#include "store/base/clock.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

constexpr uint64_t kSeed = 1;
constexpr int kOffers[] = {0, 0, 3};  // of each page
constexpr size_t kPages = std::size(kOffers);

void SetUp(Site* site) {
  OfferSet set;
  for (int i = 0; i < 20; ++i) {
    ShopOffer& offer = set.offers.emplace_back();
    offer.id = absl::StrCat("offer-", i);
    offer.kind = FREE_SHIPPING;
    offer.titles = {{"en", absl::StrCat("Offer ", i)}};
    offer.currency = "GBP";
    offer.cost_minor = 10 + i;
    if (i % 2 == 0) continue;
    offer.__set_budget_minor(1'000'000'000);
    offer.__set_uses_per_customer(1);
  }
  Value(site->offers().SetOffers(set, site->offers().offers()->version, "benchmark", ""));
}

double Us(Storefront* storefront, PageRequest* request, size_t page, size_t* made) {
  request->offers = kOffers[page];
  PageReply reply;
  const int64_t start_ns = Clock::System().SteadyNs();
  storefront->page(reply, *request);
  const double us = static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-3;
  *made += reply.offers.size();
  return us;
}

void Run(const std::string& data, const std::string& name, size_t rounds, size_t requests) {
  auto sites = Value(Sites::OpenOne(data, name, /*create=*/false));
  Site* const site = Value(sites->Find(name));
  SetUp(site);
  Storefront storefront(sites.get(), &Clock::System());
  const std::vector<std::string> customers = ShuffledCustomers(site->house(), kSeed);
  PageRequest request;
  request.context.site = name;
  request.context.deadline_ms = 10'000;
  request.shelves.resize(1);
  request.shelves[0].placement = "home";
  request.shelves[0].k = 20;
  std::vector<double> all[kPages], p50[kPages], p99[kPages];
  size_t asked = 0, made = 0;
  std::mt19937_64 random(kSeed);
  size_t turns[kPages] = {0, 1, 2};
  for (size_t round = 0; round < rounds; ++round) {
    std::vector<double> us[kPages];
    for (size_t i = 0; i < requests; ++i, ++asked) {
      request.context.__set_customer_id(customers[asked % customers.size()]);
      Us(&storefront, &request, 0, &made);  // who is not known yet is read
      std::shuffle(std::begin(turns), std::end(turns), random);
      for (const size_t page : turns) us[page].push_back(Us(&storefront, &request, page, &made));
    }
    for (size_t page = 0; page < kPages; ++page) {
      all[page].insert(all[page].end(), us[page].begin(), us[page].end());
      p50[page].push_back(QuantileOf(us[page], 0.5) - QuantileOf(us[0], 0.5));
      p99[page].push_back(QuantileOf(us[page], 0.99) - QuantileOf(us[0], 0.99));
    }
  }
  std::printf("%s: %zu customers, seed %d, %zu rounds of %zu requests, %.2f offers a page\n",
              name.c_str(), customers.size(), static_cast<int>(kSeed), rounds, requests,
              static_cast<double>(made) / static_cast<double>(asked));
  for (size_t page = 0; page < kPages; ++page) {
    std::printf(
        "  up to %d offers: p50 %6.1f, p99 %6.1f us; added to p50 %5.1f (%.1f to %.1f), to "
        "p99 %5.1f (%.1f to %.1f) us\n",
        kOffers[page], QuantileOf(all[page], 0.5), QuantileOf(all[page], 0.99),
        QuantileOf(p50[page], 0.5), QuantileOf(p50[page], 0.1), QuantileOf(p50[page], 0.9),
        QuantileOf(p99[page], 0.5), QuantileOf(p99[page], 0.1), QuantileOf(p99[page], 0.9));
  }
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  size_t rounds = 20, requests = 1000;
  if (argc < 3 || (argc > 3 && (!absl::SimpleAtoi(argv[3], &rounds) || rounds < 1)) ||
      (argc > 4 && (!absl::SimpleAtoi(argv[4], &requests) || requests < 1))) {
    std::fprintf(stderr, "usage: offers_benchmark DATA SITE [rounds [requests]]\n");
    return 2;
  }
  vitrine::Run(argv[1], argv[2], rounds, requests);
}
