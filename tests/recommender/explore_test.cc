#include "recommender/rank/explore.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

constexpr auto kAnything = [](uint32_t) { return true; };
constexpr uint32_t kFirstNew = 1000;

std::vector<Ranked> MakeList(size_t size) {
  std::vector<Ranked> list;
  for (uint32_t i = 0; i < size; ++i) {
    list.push_back({i, static_cast<float>(size - i), ListSource::kTaste});
  }
  return list;
}

std::vector<NewProduct> MakeNew(size_t count) {
  std::vector<NewProduct> candidates;
  for (uint32_t i = 0; i < count; ++i) candidates.push_back({.product = kFirstNew + i});
  return candidates;
}

std::vector<uint32_t> Products(const std::vector<Ranked>& list) {
  std::vector<uint32_t> products;
  for (const Ranked& ranked : list) products.push_back(ranked.product);
  return products;
}

// Whatever comes in: the rules hold.
TEST(Explore, KeepsItsPromisesForAnyList) {
  constexpr uint32_t kSeed = 1;
  SCOPED_TRACE(absl::StrCat("seed ", kSeed));
  std::mt19937 random(kSeed);
  size_t explored_lists = 0;
  for (int round = 0; round < 5000; ++round) {
    const size_t k = random() % 12;
    const std::vector<Ranked> list = MakeList(random() % 14);
    std::vector<NewProduct> candidates = MakeNew(random() % 6);
    for (NewProduct& c : candidates) {
      if (random() % 4 == 0) c.product -= kFirstNew;  // may be in the list already
      c.taste = static_cast<float>(random() % 100) / 50 - 0.5f;
      c.shown = random() % 700;
      c.taken = random() % 900;
    }
    std::set<size_t> pinned_set;
    for (size_t i = random() % 4; i > 0; --i) pinned_set.insert(random() % 12);
    const std::vector<size_t> pinned(pinned_set.begin(), pinned_set.end());
    const auto allowed = [](uint32_t product) { return product % 3 != 0; };
    const ExploreSettings settings = {.share = 1, .place = random() % 2 * (2 + random() % 8)};
    ASSERT_OK(Validate(settings));
    const uint64_t seed = random();

    const ExploredList explored = Explore(list, k, pinned, candidates, allowed, settings, seed);
    std::vector<uint32_t> before = Products(list);
    before.resize(std::min(before.size(), k));
    std::vector<uint32_t> after = Products(explored.products);
    EXPECT_EQ(std::set(after.begin(), after.end()).size(), after.size()) << "something is twice";
    EXPECT_LE(after.size(), k);
    if (!explored.place) {
      EXPECT_EQ(after, before);
      continue;
    }
    ++explored_lists;
    EXPECT_GT(*explored.place, 0u);
    EXPECT_FALSE(pinned_set.contains(*explored.place));
    const uint32_t product = after.at(*explored.place);
    EXPECT_TRUE(allowed(product));
    EXPECT_EQ(std::count(before.begin(), before.end(), product), 0);
    const auto candidate = std::find_if(candidates.begin(), candidates.end(),
                                        [&](const NewProduct& c) { return c.product == product; });
    ASSERT_NE(candidate, candidates.end());
    EXPECT_LT(candidate->shown, settings.shown_max);
    EXPECT_EQ(after[0], before[0]);
    for (const size_t place : pinned) {
      if (place < before.size()) {
        EXPECT_EQ(after[place], before[place]);
      }
    }
    // All others are there in the order they had, but for one that fell out of a full list.
    EXPECT_EQ(after.size(), std::min(before.size() + 1, k) -
                                (after.size() == before.size() && before.size() < k));
    std::vector<uint32_t> rest = after;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(*explored.place));
    std::erase_if(rest, [&](uint32_t p) { return pinned_set.contains(p); });
    std::erase_if(before, [&](uint32_t p) { return pinned_set.contains(p); });
    EXPECT_TRUE(std::equal(rest.begin(), rest.end(), before.begin()));

    std::shuffle(candidates.begin(), candidates.end(), random);
    const ExploredList again = Explore(list, k, pinned, candidates, allowed, settings, seed);
    EXPECT_EQ(Products(again.products), after);
    EXPECT_EQ(again.place, explored.place);
  }
  EXPECT_GT(explored_lists, 1000u);
}

TEST(Explore, HappensAsOftenAsAskedFor) {
  const std::vector<Ranked> list = MakeList(10);
  const std::vector<NewProduct> candidates = MakeNew(5);
  for (const double share : {0.0, 0.05, 0.5, 1.0}) {
    int explored = 0;
    std::map<size_t, int> places;
    for (uint64_t seed = 0; seed < 10'000; ++seed) {
      const auto place = Explore(list, 10, {}, candidates, kAnything, {.share = share}, seed).place;
      if (!place) continue;
      ++explored;
      ++places[*place];
    }
    EXPECT_NEAR(explored / 10'000.0, share, share * (1 - share) * 0.1);
    if (share == 0) continue;
    EXPECT_EQ(places.size(), 9u);
    for (const auto& [place, times] : places) EXPECT_GT(times, explored / 20) << place;
  }
}

TEST(Explore, TakesThePlaceThatWasFixed) {
  const ExploreSettings settings = {.share = 1, .place = 4};
  const auto explored = Explore(MakeList(10), 10, {}, MakeNew(1), kAnything, settings, 1);
  EXPECT_EQ(explored.place, 3u);
  EXPECT_EQ(Products(explored.products),
            (std::vector<uint32_t>{0, 1, 2, kFirstNew, 3, 4, 5, 6, 7, 8}));
  const size_t pinned[] = {3, 5};
  const auto moved = Explore(MakeList(8), 8, pinned, MakeNew(1), kAnything, settings, 1);
  EXPECT_EQ(Products(moved.products), (std::vector<uint32_t>{0, 1, 2, 3, kFirstNew, 5, 4, 6}));
  const auto behind = Explore(MakeList(2), 8, {}, MakeNew(1), kAnything, settings, 1);
  EXPECT_EQ(Products(behind.products), (std::vector<uint32_t>{0, 1, kFirstNew}));
}

int TimesOfFirst(const std::vector<NewProduct>& candidates) {
  int first = 0;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    const auto explored = Explore(MakeList(5), 5, {}, candidates, kAnything, {.share = 1}, seed);
    first += explored.products.at(explored.place.value()).product == kFirstNew;
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
    const auto explored =
        Explore(MakeList(5), 5, {}, seen, kAnything, {.share = 1, .shown_max = UINT32_MAX}, seed);
    NewProduct& shown =
        candidates[explored.products.at(explored.place.value()).product - kFirstNew];
    const double rate = shown.product == kFirstNew ? 0.1 : 0.02;
    ++shown.shown;
    if (std::bernoulli_distribution(rate)(random)) ++shown.taken, ++taken;
  }
  EXPECT_GT(candidates[0].shown, 7000u) << "seed " << kSeed;
  EXPECT_GT(taken, 700u);  // places given away at random: 240
  for (const NewProduct& c : candidates) EXPECT_GT(c.shown, 10u);  // each had its chance
}

TEST(Explore, SettingsOutOfRangeAreNamed) {
  using ::testing::HasSubstr;
  const auto error = [](const ExploreSettings& settings) {
    return std::string(Validate(settings).message());
  };
  EXPECT_THAT(error({.share = -0.1}), HasSubstr("share"));
  EXPECT_THAT(error({.share = NAN}), HasSubstr("share"));
  EXPECT_THAT(error({.place = 1}), HasSubstr("place"));
  EXPECT_THAT(error({.usual_rate = 0}), HasSubstr("usual_rate"));
  EXPECT_THAT(error({.doubt = 0}), HasSubstr("doubt"));
  EXPECT_OK(Validate(ExploreSettings()));
}

}  // namespace
}  // namespace vitrine
