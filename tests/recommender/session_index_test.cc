#include "recommender/model/session_index.h"

#include <atomic>
#include <thread>

#include "absl/status/status.h"

#include "store/base/limits.h"
#include "tests/recommender/session_data.h"

namespace vitrine {
namespace {

using testing::Clicks;
using testing::DrawSession;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IndexOf;
using testing::SessionsIn;
using testing::Value;

std::vector<uint32_t> Newest(const SessionIndex::Reader& reader, uint32_t product) {
  const auto sessions = reader.SessionsOf(product);
  std::vector<uint32_t> numbers;
  for (size_t i = 0; i < sessions.size(); ++i) numbers.push_back(sessions[i]);
  return numbers;
}

// What the index says, against what follows from its sessions by looking at all of them.
void ExpectConsistent(const SessionIndex& index, uint32_t products, size_t per_product) {
  const std::vector<Clicks> sessions = SessionsIn(index);
  const SessionIndex::Reader reader(index);
  RepeatTable repeats;
  uint64_t pairs = 0;
  for (const Clicks& clicks : sessions) {
    repeats.Count(clicks, 1);
    pairs += std::set<uint32_t>(clicks.begin(), clicks.end()).size();
  }
  EXPECT_TRUE(reader.repeats() == repeats);
  EXPECT_EQ(reader.pairs(), pairs);
  for (uint32_t product = 0; product < products; ++product) {
    std::vector<uint32_t> containing;
    for (size_t s = sessions.size(); s-- > 0;) {
      if (std::count(sessions[s].begin(), sessions[s].end(), product) > 0) {
        containing.push_back(reader.begin() + static_cast<uint32_t>(s));
      }
    }
    ASSERT_EQ(reader.SessionCount(product), containing.size()) << "product " << product;
    if (containing.size() > per_product) containing.resize(per_product);
    ASSERT_EQ(Newest(reader, product), containing) << "product " << product;
  }
}

TEST(SessionIndex, GivesEachProductItsNewestSessions) {
  const auto index = IndexOf({{1, 2}, {2, 3, 2}, {3}});
  const SessionIndex::Reader reader(*index);
  EXPECT_THAT(Newest(reader, 2), ElementsAre(1, 0));
  EXPECT_THAT(Newest(reader, 3), ElementsAre(2, 1));
  EXPECT_EQ(reader.SessionCount(2), 2u);
  EXPECT_THAT(reader.Clicks(1), ElementsAre(2, 3, 2));
}

TEST(SessionIndex, AnUnknownProductIsInNoSession) {
  const auto index = IndexOf({{1, 2}});
  const SessionIndex::Reader reader(*index);
  for (const uint32_t product : {0u, 3u, 5000u, 0xFFFFFFFFu}) {
    EXPECT_EQ(reader.SessionsOf(product).size(), 0u);
    EXPECT_EQ(reader.SessionCount(product), 0u);
  }
}

// However sessions come and go, the index is that of the sessions that are left.
TEST(SessionIndex, ComingAndGoingLeavesTheIndexOfTheNewestSessions) {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto products = uint32_t(1 + random() % 30);
    const SessionIndexSettings settings = {.sessions = 1 + random() % 60,
                                           .clicks = limits::kSessionClicksMax + random() % 300,
                                           .sessions_per_product = 1 + uint32_t(random() % 80)};
    const auto index = Value(SessionIndex::Make(settings));
    std::vector<Clicks> all;
    for (int i = 0; i < 400; ++i) {
      all.push_back(DrawSession(&random, products, seed % 3 == 0 ? 40 : 8));
      ASSERT_EQ(Value(index->Add(all.back())), all.size() - 1);
    }
    ExpectConsistent(*index, products, settings.sessions_per_product);
    // They are the newest of all that came in, and room was used.
    const std::vector<Clicks> kept = SessionsIn(*index);
    ASSERT_LE(kept.size(), all.size());
    EXPECT_TRUE(std::equal(kept.begin(), kept.end(), all.end() - kept.size()));
    size_t clicks = 0;
    for (const Clicks& session : kept) clicks += session.size();
    EXPECT_LE(clicks, settings.clicks);
    EXPECT_TRUE(kept.size() == settings.sessions || clicks + 2 * 40 > settings.clicks)
        << kept.size() << " sessions, " << clicks << " clicks of " << settings.clicks;
  }
}

TEST(SessionIndex, ARemovedSessionLeavesNoTrace) {
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto index = Value(SessionIndex::Make({.sessions = 50, .clicks = 2000}));
    for (int i = 0; i < 200; ++i) {
      const uint32_t number = Value(index->Add(DrawSession(&random, 20)));
      if (random() % 3 == 0) index->Remove(number - std::min(number, uint32_t(random() % 60)));
    }
    index->Remove(0);       // left long ago
    index->Remove(10'000);  // never came
    ExpectConsistent(*index, 20, 1000);
    const std::vector<Clicks> left = SessionsIn(*index);
    EXPECT_EQ(left.size(), 50u);
    EXPECT_GT(std::count(left.begin(), left.end(), Clicks()), 0);
  }
}

TEST(SessionIndex, MemoryStaysWhatItWas) {
  std::mt19937 random(7);
  const auto index =
      Value(SessionIndex::Make({.sessions = 2000, .clicks = 8000, .sessions_per_product = 100}));
  size_t most_when_full = 0;
  for (int i = 0; i < 60'000; ++i) {
    // What people look at wanders through the catalogue: old lists have to give memory back.
    Clicks clicks = DrawSession(&random, 50, 6);
    for (uint32_t& product : clicks) product = (product + i / 20) % 4000;
    Value(index->Add(clicks));
    if (i == 20'000) most_when_full = index->MemoryBytes();
  }
  const size_t bytes = index->MemoryBytes();
  EXPECT_LE(bytes, most_when_full * 11 / 10);
  // Beside the rings: a row for each product, and lists at most four times as long as needed.
  const SessionIndex::Reader reader(*index);
  EXPECT_LE(bytes, 2000 * 5 + 8000 * 4 + 4096 * 32 + 4 * 4 * reader.pairs());
}

TEST(SessionIndex, AVeryLongSessionCountsWithItsNewestClicks) {
  Clicks clicks(limits::kSessionClicksMax + 100);
  for (size_t i = 0; i < clicks.size(); ++i) clicks[i] = static_cast<uint32_t>(i);
  const auto index = IndexOf({clicks});
  const SessionIndex::Reader reader(*index);
  EXPECT_EQ(reader.Clicks(0).size(), limits::kSessionClicksMax);
  EXPECT_EQ(reader.SessionCount(99), 0u);
  EXPECT_EQ(reader.SessionCount(100), 1u);
}

TEST(SessionIndex, SaysWhatIsWrong) {
  EXPECT_THAT(SessionIndex::Make({.sessions = 0}).status().message(), HasSubstr("sessions is 0"));
  EXPECT_THAT(SessionIndex::Make({.clicks = limits::kIndexedClicksMax + 1}).status().message(),
              HasSubstr("clicks is 2000000001"));
  EXPECT_FALSE(SessionIndex::Make({.sessions_per_product = 0}).ok());
  const auto index = IndexOf({});
  EXPECT_EQ(index->Add({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(index->Add(Clicks{1, 10'000'000}).status().message(), HasSubstr("10000000"));
  EXPECT_TRUE(SessionsIn(*index).empty());
}

// What a reader sees does not change under it, and every session is seen whole.
TEST(SessionIndex, ReadsWhileSessionsComeAndGo) {
  const auto index =
      Value(SessionIndex::Make({.sessions = 40, .clicks = 400, .sessions_per_product = 20}));
  std::atomic<bool> done = false;
  std::atomic<size_t> reads = 0;
  const auto read = [&] {
    while (!done || reads == 0) {
      const SessionIndex::Reader reader(*index);
      for (uint32_t product = 0; product < 10; ++product) {
        const auto sessions = reader.SessionsOf(product);
        for (size_t i = 0; i < sessions.size(); ++i) {
          const auto clicks = reader.Clicks(sessions[i]);
          ASSERT_EQ(std::count(clicks.begin(), clicks.end(), product), 2);
          ASSERT_EQ(clicks.size(), 4u);
        }
      }
      ++reads;
    }
  };
  std::thread one(read);
  std::thread two(read);
  for (uint32_t i = 0; i < 5000; ++i) {
    const uint32_t a = i % 10;
    const uint32_t b = (i / 10 + 1 + a) % 10 == a ? (a + 1) % 10 : (i / 10 + 1 + a) % 10;
    const uint32_t number = Value(index->Add(Clicks{a, b, a, b}));
    if (i % 7 == 0) index->Remove(number);
  }
  done = true;
  one.join();
  two.join();
  EXPECT_GT(reads, 0u);
}

TEST(RepeatTable, CountsHowOftenPeopleComeBack) {
  RepeatTable table;
  // After "1 2" the next is 1 three times of four.
  for (const Clicks& clicks : {Clicks{1, 2, 1}, {3, 4, 3}, {5, 6, 5}, {7, 8, 9}}) {
    table.Count(clicks, 1);
  }
  EXPECT_FLOAT_EQ(table.Probability({.product = 1, .distance = 1, .count = 1}, 2), 3.1f / 14);
  EXPECT_FLOAT_EQ(table.Probability({.product = 2, .distance = 0, .count = 1}, 2), 0.1f / 14);
  EXPECT_FLOAT_EQ(table.Probability({.product = 2, .distance = 30, .count = 9}, 200), 0.01f);
}

}  // namespace
}  // namespace vitrine
