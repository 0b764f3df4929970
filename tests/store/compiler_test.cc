// What a compiler gets wrong that others get right: fails where the flags do not prevent it.

#include <array>
#include <cstddef>

#include "gtest/gtest.h"

namespace vitrine {
namespace {

struct Sums {
  double count = 0;
  double total = 0;
};

// In a function of its own, with its caller's array in memory: what is known when it is compiled is
// computed then, and right.
[[gnu::noinline]] Sums AllBut(const std::array<Sums, 3>& parts, size_t left_out) {
  Sums sums;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i == left_out) continue;
    sums.count += parts[i].count;
    sums.total += parts[i].total;
  }
  return sums;
}

[[gnu::noinline]] double MeanOfAllBut(const std::array<Sums, 3>& parts, size_t left_out) {
  Sums sums;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i == left_out) continue;
    sums.count += parts[i].count;
    sums.total += parts[i].total;
  }
  return sums.total / sums.count;
}

// GCC 12.2, -O3 with AVX-512, without -fno-tree-loop-if-convert: 15, 25 and 5.
TEST(Compiler, AddsUpTwoSumsUnderOneCondition) {
  const std::array<Sums, 3> parts = {{{1, 10}, {2, 20}, {4, 40}}};
  for (size_t left_out = 0; left_out < parts.size(); ++left_out) {
    const Sums sums = AllBut(parts, left_out);
    EXPECT_EQ(sums.total, 10 * sums.count) << left_out;
    EXPECT_EQ(sums.count, 7 - parts[left_out].count);
    EXPECT_EQ(MeanOfAllBut(parts, left_out), 10) << left_out;
  }
}

}  // namespace
}  // namespace vitrine
