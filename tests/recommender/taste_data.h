// Made-up shops whose customers have tastes: products fall into groups, and a person mostly keeps
// to a few of them.

#ifndef VITRINE_TESTS_RECOMMENDER_TASTE_DATA_H_
#define VITRINE_TESTS_RECOMMENDER_TASTE_DATA_H_

#include <random>
#include <string>

#include "absl/strings/str_cat.h"

#include "recommender/learn/interactions.h"
#include "recommender/learn/trainer.h"
#include "tests/testing/testing.h"

namespace vitrine::testing {

constexpr int64_t kNewestMs = 1'700'000'000'000;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kDayMs = 24 * 60 * kMinuteMs;

// Zero-padded, so that the order of names is the order of numbers and columns are numbers too.
inline std::string ProductName(size_t number) {
  return absl::StrCat("p", absl::Dec(number, absl::kZeroPad6));
}

struct TasteShape {
  size_t persons = 200;
  size_t products = 60;
  size_t groups = 6;
  size_t purchases = 12;  // of a person, on average
};

inline size_t GroupOf(size_t product, const TasteShape& shape) { return product % shape.groups; }

// A product of `group` nine times out of ten, else any.
template <typename Random>
size_t DrawProduct(size_t group, const TasteShape& shape, Random* random) {
  const size_t any = (*random)() % shape.products;
  if ((*random)() % 10 == 0) return any;
  return any / shape.groups * shape.groups % shape.products + group;
}

// Every product is bought at least once, by one customer of its own.
inline Interactions MakeInteractions(const TasteShape& shape, uint32_t seed,
                                     const WeightSettings& weights = {}) {
  std::mt19937 random(seed);
  InteractionsBuilder builder(weights, kNewestMs);
  for (size_t p = 0; p < shape.products; ++p) {
    builder.Add(VIEW_ITEM, kNewestMs, ProductName(p));
    builder.EndPerson();
  }
  for (size_t person = 0; person < shape.persons; ++person) {
    const size_t group = random() % shape.groups;
    const size_t count = 1 + random() % (2 * shape.purchases);
    for (size_t i = 0; i < count; ++i) {
      builder.Add(PURCHASE, kNewestMs - static_cast<int64_t>(random() % 300) * kDayMs,
                  ProductName(DrawProduct(group, shape, &random)));
    }
    builder.EndPerson();
  }
  return std::move(builder).Build();
}

inline Model MakeModel(const TasteShape& shape, uint32_t seed, AlsSettings als = {.factors = 16}) {
  return Value(TrainModel(MakeInteractions(shape, seed), {.als = als, .now_ms = kNewestMs}));
}

}  // namespace vitrine::testing

#endif  // VITRINE_TESTS_RECOMMENDER_TASTE_DATA_H_
