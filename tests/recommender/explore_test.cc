#include "recommender/rank/explore.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vitrine {
namespace {

constexpr uint32_t kFirstNew = 1000;

std::vector<NewProduct> MakeNew(size_t count) {
  std::vector<NewProduct> candidates;
  for (uint32_t i = 0; i < count; ++i) candidates.push_back({.product = kFirstNew + i});
  return candidates;
}

TEST(Explore, HappensAsOftenAsAskedForAndAnywhereButInFront) {
  for (const double share : {0.0, 0.05, 0.5, 1.0}) {
    int given = 0;
    std::map<size_t, int> places;
    for (uint64_t seed = 0; seed < 10'000; ++seed) {
      if (!GivesAPlace(share, seed)) continue;
      ++given;
      ++places[PlaceToGive(10, seed)];
    }
    EXPECT_NEAR(given / 10'000.0, share, share * (1 - share) * 0.1);
    if (share == 0) continue;
    EXPECT_EQ(places.size(), 9u);
    EXPECT_FALSE(places.contains(0));
    for (const auto& [place, times] : places) EXPECT_GT(times, given / 20) << place;
  }
  EXPECT_EQ(PlaceToGive(2, 17), 1u);
}

TEST(Explore, DrawsTheSameForASeedWhateverTheOrderOfCandidates) {
  constexpr uint32_t kSeed = 1;
  std::mt19937 random(kSeed);
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    std::vector<NewProduct> candidates = MakeNew(random() % 12);
    size_t fresh = 0;
    for (NewProduct& c : candidates) {
      c.taste = static_cast<float>(random() % 100) / 50 - 0.5f;
      c.shown = random() % 700;
      c.taken = random() % 900;
      fresh += c.shown < 500;
    }
    const std::vector<Scored> drawn = DrawNew(candidates, {}, seed);
    EXPECT_EQ(drawn.size(), fresh);  // the others are new no more
    EXPECT_TRUE(std::ranges::is_sorted(drawn, std::greater(), &Scored::score));
    for (const Scored& one : drawn) {
      EXPECT_GT(one.score, 0);
      EXPECT_LT(one.score, 1);
    }
    std::shuffle(candidates.begin(), candidates.end(), random);
    EXPECT_EQ(DrawNew(candidates, {}, seed), drawn);
  }
}

int TimesOfFirst(const std::vector<NewProduct>& candidates) {
  int first = 0;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    first += DrawNew(candidates, {}, seed).at(0).product == kFirstNew;
  }
  return first;
}

TEST(Explore, TriesAProductOnThoseWhoseTasteItIs) {
  std::vector<NewProduct> candidates = MakeNew(4);
  for (NewProduct& c : candidates) c.taste = 0.1f;
  const int alike = TimesOfFirst(candidates);
  EXPECT_NEAR(alike, 1000, 150);
  candidates[0].taste = 0.4f;
  EXPECT_GT(TimesOfFirst(candidates), 1800);
  candidates[0].taste = -1;
  EXPECT_LT(TimesOfFirst(candidates), 500);
  candidates[0].taste = NAN;
  EXPECT_LT(TimesOfFirst(candidates), 500);
}

TEST(Explore, CountsOutweighTasteWithTime) {
  std::vector<NewProduct> candidates = MakeNew(4);
  for (NewProduct& c : candidates) c.taste = 0.1f;
  candidates[0] = {.product = kFirstNew, .taste = 0.4f, .shown = 450, .taken = 0};
  EXPECT_LT(TimesOfFirst(candidates), 500);
  candidates[0] = {.product = kFirstNew, .taste = 0, .shown = 450, .taken = 60};
  EXPECT_GT(TimesOfFirst(candidates), 3000);
}

// Ten thousand lists, counts coming back every hundred: what is wanted gets most of the places.
TEST(Explore, FindsWhatIsWanted) {
  constexpr size_t kProducts = 20;
  constexpr uint32_t kSeed = 3;
  std::mt19937 random(kSeed);
  std::vector<NewProduct> candidates = MakeNew(kProducts), seen = candidates;
  uint32_t taken = 0;
  for (uint64_t seed = 0; seed < 10'000; ++seed) {
    if (seed % 100 == 0) seen = candidates;
    const std::vector<Scored> drawn = DrawNew(seen, {.shown_max = UINT32_MAX}, seed);
    NewProduct& shown = candidates[drawn.at(0).product - kFirstNew];
    const double rate = shown.product == kFirstNew ? 0.1 : 0.02;
    ++shown.shown;
    if (std::bernoulli_distribution(rate)(random)) ++shown.taken, ++taken;
  }
  EXPECT_GT(candidates[0].shown, 7000u) << "seed " << kSeed;
  EXPECT_GT(taken, 700u);  // places given away at random: 240
  for (const NewProduct& c : candidates) EXPECT_GT(c.shown, 10u);  // each had its chance
}

}  // namespace
}  // namespace vitrine
