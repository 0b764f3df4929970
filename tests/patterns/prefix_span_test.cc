#include "recommender/patterns/prefix_span.h"

#include <algorithm>
#include <functional>
#include <map>
#include <random>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;
using Items = std::vector<uint32_t>;

Lists Sequences(std::initializer_list<Items> sequences) {
  Lists lists;
  for (const Items& sequence : sequences) lists.Add(sequence);
  return lists;
}

// The definition, word by word: the pattern's items lie in elements that come one after the other.
bool Holds(std::span<const uint32_t> sequence, const Items& pattern) {
  std::vector<Items> elements;
  for (const uint32_t item : sequence) {
    if (elements.empty() || (item & kTogether) == 0) elements.emplace_back();
    elements.back().push_back(item & ~kTogether);
  }
  const std::function<bool(size_t, size_t)> from = [&](size_t element, size_t at) {
    if (at == pattern.size()) return true;
    for (size_t e = element; e < elements.size(); ++e) {
      if (std::count(elements[e].begin(), elements[e].end(), pattern[at]) > 0 &&
          from(e + 1, at + 1)) {
        return true;
      }
    }
    return false;
  };
  return from(0, 0);
}

// The plain twin: every pattern over the alphabet, counted.
std::vector<Pattern> Plain(const Lists& sequences, const PatternOptions& options, uint32_t items) {
  std::vector<Pattern> found;
  Items pattern;
  const std::function<void()> grow = [&] {
    for (uint32_t item = 0; item < items; ++item) {
      pattern.push_back(item);
      int64_t count = 0;
      for (size_t i = 0; i < sequences.size(); ++i) count += Holds(sequences[i], pattern);
      if (count >= options.min_count) {
        found.push_back({pattern, count});
        if (pattern.size() < options.max_length) grow();
      }
      pattern.pop_back();
    }
  };
  grow();
  return found;
}

TEST(PrefixSpan, FindsWhatManyDoInTheSameOrder) {
  const Lists visits = Sequences({{1, 2, 3}, {1, 3}, {3, 1}, {1, 9, 9, 3}});
  EXPECT_EQ(Value(PrefixSpan(visits, {.min_count = 3})),
            (std::vector<Pattern>{{{1}, 4}, {{1, 3}, 3}, {{3}, 4}}));
}

TEST(PrefixSpan, DoesNotCallTogetherOneAfterTheOther) {
  const Lists orders = Sequences({{1, 2 | kTogether, 3}, {2, 1 | kTogether, 3, 2 | kTogether}});
  EXPECT_EQ(Value(PrefixSpan(orders, {.min_count = 2})),
            (std::vector<Pattern>{{{1}, 2}, {{1, 3}, 2}, {{2}, 2}, {{2, 3}, 2}, {{3}, 2}}));
}

TEST(PrefixSpan, AgreesWithThePlainTwin) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    const uint32_t items = 2 + static_cast<uint32_t>(random() % 4);
    Lists sequences;
    for (size_t n = random() % 15; n > 0; --n) {
      Items sequence;
      for (size_t length = random() % 9; length > 0; --length) {
        const bool together = !sequence.empty() && random() % 3 == 0;
        sequence.push_back(static_cast<uint32_t>(random() % items) | (together ? kTogether : 0));
      }
      sequences.Add(sequence);
    }
    const PatternOptions options{.min_count = 1 + static_cast<int64_t>(random() % 4),
                                 .max_length = 1 + random() % 4};
    EXPECT_EQ(Value(PrefixSpan(sequences, options)), Plain(sequences, options, items));
  }
}

TEST(PrefixSpan, StopsAtTheLimitAndSaysWhatHelps) {
  const Lists visits = Sequences({{1, 2, 3}, {1, 2, 3}});
  EXPECT_EQ(Value(PrefixSpan(visits, {.max_patterns = 7})).size(), 7u);
  const absl::Status status = PrefixSpan(visits, {.max_patterns = 6}).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("higher support"));
}

TEST(PrefixSpan, RefusesOptionsOutOfRange) {
  EXPECT_TRUE(absl::IsInvalidArgument(PrefixSpan(Lists(), {.min_count = 0}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(PrefixSpan(Lists(), {.max_length = 0}).status()));
  EXPECT_TRUE(Value(PrefixSpan(Lists(), {})).empty());
}

TEST(SampledLists, KeepsAFairSampleWithinItsCapacity) {
  constexpr uint64_t kSeed = 11;
  std::mt19937_64 random(kSeed);
  SampledLists lists(3000);
  // A tenth of the lists says 1, whatever their hash: so must about a tenth of the sample.
  for (uint32_t i = 0; i < 20'000; ++i) lists.Add(random(), Items{i % 10 == 0 ? 1u : 0u});
  EXPECT_FALSE(lists.complete());
  EXPECT_EQ(lists.offered(), 20'000u);
  EXPECT_LE(lists.lists().total(), 3000u);
  EXPECT_GE(lists.lists().total(), 1200u);
  int64_t ones = 0;
  for (size_t i = 0; i < lists.lists().size(); ++i) ones += lists.lists()[i][0];
  EXPECT_NEAR(static_cast<double>(ones) / static_cast<double>(lists.lists().size()), 0.1, 0.03);
}

TEST(SampledLists, KeepsAllThatFits) {
  SampledLists lists(4);
  lists.Add(~uint64_t{0}, Items{1, 2});
  lists.Add(~uint64_t{0}, Items{3, 4});
  EXPECT_TRUE(lists.complete());
  EXPECT_EQ(lists.lists().size(), 2u);
}

}  // namespace
}  // namespace vitrine
