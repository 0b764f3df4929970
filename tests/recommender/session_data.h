// Made-up sessions with products that go together, and the index of them the plain way.

#ifndef VITRINE_TESTS_RECOMMENDER_SESSION_DATA_H_
#define VITRINE_TESTS_RECOMMENDER_SESSION_DATA_H_

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "recommender/model/session_index.h"
#include "tests/testing/testing.h"

namespace vitrine::testing {

using Clicks = std::vector<uint32_t>;

// Few products, so that there are repeats and ties; neighbours in number follow one another.
inline Clicks DrawSession(std::mt19937* random, uint32_t products, size_t length_max = 12) {
  Clicks clicks(1 + (*random)() % length_max);
  clicks[0] = (*random)() % products;
  for (size_t i = 1; i < clicks.size(); ++i) {
    const uint32_t kind = (*random)() % 10;
    clicks[i] = kind == 0  ? (*random)() % products
                : kind < 4 ? clicks[(*random)() % i]
                           : (clicks[i - 1] + 1 + (*random)() % 3) % products;
  }
  return clicks;
}

inline std::unique_ptr<SessionIndex> IndexOf(const std::vector<Clicks>& sessions,
                                             uint32_t sessions_per_product = 1000) {
  auto index = Value(SessionIndex::Make({.sessions = sessions.size() + 1,
                                         .clicks = 1'000'000,
                                         .sessions_per_product = sessions_per_product}));
  for (const Clicks& clicks : sessions) Value(index->Add(clicks));
  return index;
}

// Every session of an index, oldest first, those that were removed as empty.
inline std::vector<Clicks> SessionsIn(const SessionIndex& index) {
  const SessionIndex::Reader reader(index);
  std::vector<Clicks> sessions;
  for (uint32_t s = reader.begin(); s < reader.end(); ++s) {
    const auto clicks = reader.Clicks(s);
    sessions.emplace_back(clicks.begin(), clicks.end());
  }
  return sessions;
}

}  // namespace vitrine::testing

#endif  // VITRINE_TESTS_RECOMMENDER_SESSION_DATA_H_
