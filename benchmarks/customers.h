// What benchmarks of requests have in common: whom to ask for, and what came of the times.

#ifndef VITRINE_BENCHMARKS_CUSTOMERS_H_
#define VITRINE_BENCHMARKS_CUSTOMERS_H_

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "store/base/check.h"
#include "store/web_house.h"

namespace vitrine {

// All of them, in an order that follows from the seed.
inline std::vector<std::string> ShuffledCustomers(const WebHouse& house, uint64_t seed) {
  std::vector<std::string> ids;
  auto customers = house.Customers();
  for (; customers.Valid(); customers.Next()) ids.push_back(customers.value().id);
  CHECK(customers.Finish().ok() && !ids.empty());
  std::mt19937_64 random(seed);
  std::shuffle(ids.begin(), ids.end(), random);
  return ids;
}

// The value that this part of them does not exceed. REQUIRES: there are some.
inline double QuantileOf(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1))];
}

}  // namespace vitrine

#endif  // VITRINE_BENCHMARKS_CUSTOMERS_H_
