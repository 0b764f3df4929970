#include "recommender/rank/trends.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;
constexpr int64_t kNowMs = 19'700 * kDayMs + 15 * kHourMs;
constexpr TrendList kAll[] = {TrendList::kRising, TrendList::kDay, TrendList::kWeek,
                              TrendList::kMonth};

using Event = Trends::Event;

// Every list from all events, by the letter of the header.
class Twin {
 public:
  Twin(std::vector<Event> events, std::map<uint32_t, std::string> categories,
       TrendSettings settings)
      : events_(std::move(events)), categories_(std::move(categories)), settings_(settings) {}

  std::map<uint32_t, double> Scores(TrendList list, absl::string_view category,
                                    int64_t now_ms) const {
    std::map<uint32_t, double> scores =
        list == TrendList::kRising ? Rise(now_ms) : Counts(DaysOf(list), now_ms);
    std::erase_if(scores, [&](const auto& entry) {
      return !(entry.second > 0) || !IsIn(entry.first, category);
    });
    return scores;
  }

 private:
  static int64_t DaysOf(TrendList list) {
    return list == TrendList::kDay ? 1 : list == TrendList::kWeek ? 7 : 30;
  }

  bool IsIn(uint32_t product, absl::string_view category) const {
    if (category.empty()) return true;
    const auto found = categories_.find(product);
    if (found == categories_.end()) return false;
    return found->second == category ||
           absl::StrCat(found->second, " > ")
               .starts_with(std::string(absl::StrCat(category, " > ")));
  }

  std::map<uint32_t, double> Counts(int64_t days, int64_t now_ms) const {
    std::map<uint32_t, double> counts;
    const int64_t today = now_ms / kDayMs;
    for (const Event& e : events_) {
      const int64_t day = e.time_ms / kDayMs;
      if (day >= today - days && day <= today) counts[e.product] += e.weight;
    }
    return counts;
  }

  std::map<uint32_t, double> Decayed(double half_life_hours, int64_t now_ms) const {
    std::map<uint32_t, double> weights;
    for (const Event& e : events_) {
      const double age_hours = static_cast<double>(now_ms - e.time_ms) / kHourMs;
      weights[e.product] += e.weight * std::exp2(-age_hours / half_life_hours);
    }
    return weights;
  }

  std::map<uint32_t, double> Rise(int64_t now_ms) const {
    const auto recent = Decayed(settings_.half_life_hours, now_ms);
    const auto usual = Decayed(settings_.usual_half_life_hours, now_ms);
    double all_recent = 0, all_usual = 0;
    for (const auto& [product, weight] : recent) all_recent += weight;
    for (const auto& [product, weight] : usual) all_usual += weight;
    std::map<uint32_t, double> rise;
    for (const auto& [product, weight] : usual) {
      const double expected = weight * all_recent / all_usual;
      rise[product] = (recent.at(product) - expected) / std::sqrt((expected + settings_.doubt) / 2);
    }
    return rise;
  }

  const std::vector<Event> events_;
  const std::map<uint32_t, std::string> categories_;
  const TrendSettings settings_;
};

// The best of `expected` and nothing else, best first; sums in another order may differ a little.
void ExpectBest(std::span<const Scored> list, const std::map<uint32_t, double>& expected,
                size_t length) {
  ASSERT_EQ(list.size(), std::min(length, expected.size()));
  std::set<uint32_t> listed;
  for (const Scored& s : list) {
    ASSERT_TRUE(expected.contains(s.product)) << s.product;
    const double score = expected.at(s.product);
    EXPECT_NEAR(s.score, score, 1e-5 * (1 + score)) << s.product;
    EXPECT_TRUE(listed.insert(s.product).second) << s.product << " is there twice";
  }
  for (size_t i = 1; i < list.size(); ++i) {
    EXPECT_TRUE(list[i - 1].score > list[i].score ||
                (list[i - 1].score == list[i].score && list[i - 1].product < list[i].product));
  }
  if (list.empty()) return;
  for (const auto& [product, score] : expected) {
    if (!listed.contains(product)) {
      EXPECT_LE(score, list.back().score + 1e-5 * (1 + std::abs(score)));
    }
  }
}

struct Made {
  std::vector<Event> events;
  std::map<uint32_t, std::string> categories;
};

// Three months of events, most of them of a few products, some a few minutes ahead of the clock.
Made MakeEvents(uint32_t seed, size_t count, uint32_t products) {
  std::mt19937 random(seed);
  Made made;
  for (size_t i = 0; i < count; ++i) {
    const double u = std::uniform_real_distribution(0.0, 1.0)(random);
    const auto product = static_cast<uint32_t>(products * u * u * u);
    const int64_t age_ms = static_cast<int64_t>(random() % (95 * 24 * 60)) * 60'000 - 10 * 60'000;
    made.events.push_back({product, kNowMs - age_ms, static_cast<uint32_t>(1 + random() % 30)});
  }
  for (uint32_t p = 0; p < products; ++p) {
    if (p % 7 == 0) continue;  // some are in no category
    made.categories[p] = p % 3 == 0   ? "garden"
                         : p % 3 == 1 ? "garden > lamp"
                                      : absl::StrCat("kitchen > mug > ", p % 5);
  }
  return made;
}

std::unique_ptr<Trends> Fill(const Made& made, const TrendSettings& settings, const Clock* clock,
                             size_t batch) {
  auto trends = Value(Trends::Make(settings, clock));
  for (const auto& [product, category] : made.categories) trends->SetCategory(product, category);
  for (size_t i = 0; i < made.events.size(); i += batch) {
    trends->Add(std::span(made.events).subspan(i, std::min(batch, made.events.size() - i)));
  }
  return trends;
}

TEST(Trends, AreWhatAllEventsInAnyOrderAddUpTo) {
  for (const uint32_t seed : {1u, 2u, 3u}) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Made made = MakeEvents(seed, 20'000, 300);
    std::shuffle(made.events.begin(), made.events.end(), std::mt19937(seed));
    const TrendSettings settings = {.list_length = seed == 3 ? 1000u : 20u};
    SimClock clock(kNowMs);
    const auto trends = Fill(made, settings, &clock, 1 + 100 * seed);
    const Twin twin(made.events, made.categories, settings);
    for (const int64_t later_ms : {int64_t{0}, 9 * kHourMs, 5 * kDayMs, 40 * kDayMs}) {
      SCOPED_TRACE(absl::StrCat(later_ms / kHourMs, " hours later"));
      clock.Advance(kNowMs + later_ms - clock.NowMs());
      ASSERT_TRUE(trends->Refresh());
      const auto lists = trends->lists();
      for (const absl::string_view category :
           {"", "garden", "garden > lamp", "kitchen", "kitchen > mug > 2", "gard", "unknown"}) {
        SCOPED_TRACE(std::string(category));
        for (const TrendList list : kAll) {
          SCOPED_TRACE(static_cast<int>(list));
          ExpectBest(lists->Of(list, category), twin.Scores(list, category, clock.NowMs()),
                     settings.list_length);
        }
      }
    }
  }
}

TEST(Trends, OrderOfArrivalLeavesNoTraceInWindows) {
  Made made = MakeEvents(4, 5000, 50);
  SimClock clock(kNowMs);
  const auto first = Fill(made, {}, &clock, 1);
  std::sort(made.events.begin(), made.events.end(),
            [](const Event& a, const Event& b) { return a.time_ms > b.time_ms; });
  const auto second = Fill(made, {}, &clock, 5000);
  first->Refresh();
  second->Refresh();
  for (const TrendList list : {TrendList::kDay, TrendList::kWeek, TrendList::kMonth}) {
    const auto a = first->lists(), b = second->lists();
    EXPECT_TRUE(std::ranges::equal(a->Of(list), b->Of(list)));
  }
}

TEST(Trends, TellRisingFromMerelyPopular) {
  constexpr uint32_t kPopular = 0, kRising = 1, kNew = 2, kFalling = 3;
  SimClock clock(kNowMs);
  const auto trends = Value(Trends::Make({}, &clock));
  std::vector<Event> events;
  for (int64_t day = 0; day < 60; ++day) {
    const int64_t time_ms = kNowMs - day * kDayMs;
    events.push_back({kPopular, time_ms, 500});
    events.push_back({kRising, time_ms, day < 1 ? 120u : 20u});
    if (day >= 1) events.push_back({kFalling, time_ms, 100});
    for (uint32_t p = 10; p < 60; ++p) events.push_back({p, time_ms, 20});
  }
  events.push_back({kNew, kNowMs, 3});
  trends->Add(events);
  trends->Refresh();
  const auto lists = trends->lists();
  EXPECT_EQ(lists->Of(TrendList::kMonth)[0].product, kPopular);
  const auto rising = lists->Of(TrendList::kRising);
  ASSERT_GE(rising.size(), 2u);
  EXPECT_EQ(rising[0].product, kRising);
  float popular = 0, fresh = 0;
  for (const Scored& s : rising) {
    EXPECT_NE(s.product, kFalling);
    if (s.product == kPopular) popular = s.score;
    if (s.product == kNew) fresh = s.score;
  }
  EXPECT_LT(popular, rising[0].score / 3);
  EXPECT_GT(fresh, 0);
  EXPECT_LT(fresh, rising[0].score / 3);  // three views are not much
}

// A shop that is busier than usual has no trend in that.
TEST(Trends, AnEveningWithTwiceTheVisitorsIsNoTrend) {
  SimClock clock(kNowMs);
  const auto trends = Value(Trends::Make({}, &clock));
  std::vector<Event> events;
  for (int64_t day = 0; day < 90; ++day) {
    for (uint32_t p = 0; p < 20; ++p) {
      events.push_back({p, kNowMs - day * kDayMs, (day < 1 ? 10u : 5u) * (p + 1)});
    }
  }
  trends->Add(events);
  trends->Refresh();
  for (const Scored& s : trends->lists()->Of(TrendList::kRising)) EXPECT_LT(s.score, 0.01);
}

TEST(Trends, AnEventFromTheFutureCountsForNothing) {
  SimClock clock(kNowMs);
  const auto trends = Value(Trends::Make({}, &clock));
  const Event events[] = {{1, kNowMs + 20 * 60'000, 1000},
                          {2, limits::kTimeMsMax, 1000},
                          {UINT32_MAX, kNowMs, 1000},
                          {3, kNowMs, 0},
                          {4, kNowMs + 5 * 60'000, 7}};
  trends->Add(events);
  trends->Refresh();
  for (const TrendList list : kAll) {
    const auto ranked = trends->lists()->Of(list);
    ASSERT_LE(ranked.size(), 1u);
    for (const Scored& s : ranked) EXPECT_EQ(s.product, 4u);
  }
  EXPECT_EQ(trends->lists()->Of(TrendList::kDay).size(), 1u);
}

TEST(Trends, AProductMovesToItsNewCategory) {
  SimClock clock(kNowMs);
  const auto trends = Value(Trends::Make({.refresh_ms = 0}, &clock));
  const Event events[] = {{5, kNowMs, 2}};
  trends->Add(events);
  trends->SetCategory(5, "garden > lamp");
  EXPECT_TRUE(trends->Refresh());
  const auto before = trends->lists();
  trends->SetCategory(5, "lighting");
  EXPECT_TRUE(trends->Refresh());
  EXPECT_EQ(before->Of(TrendList::kDay, "garden").size(), 1u);  // what a reader holds stays
  EXPECT_TRUE(trends->lists()->Of(TrendList::kDay, "garden").empty());
  EXPECT_EQ(trends->lists()->Of(TrendList::kDay, "lighting").size(), 1u);
  trends->SetCategory(5, "");
  EXPECT_TRUE(trends->Refresh());
  EXPECT_TRUE(trends->lists()->Of(TrendList::kDay, "lighting").empty());
  EXPECT_EQ(trends->lists()->Of(TrendList::kDay).size(), 1u);
}

TEST(Trends, ListsAreMadeAtMostEverySoOften) {
  SimClock clock(kNowMs);
  const auto trends = Value(Trends::Make({.refresh_ms = 60'000}, &clock));
  EXPECT_TRUE(trends->lists()->Of(TrendList::kDay).empty());
  EXPECT_TRUE(trends->Refresh());
  EXPECT_FALSE(trends->Refresh());
  const Event events[] = {{1, kNowMs, 1}};
  trends->Add(events);
  clock.Advance(59'999);
  EXPECT_FALSE(trends->Refresh());
  EXPECT_TRUE(trends->lists()->Of(TrendList::kDay).empty());
  clock.Advance(1);
  EXPECT_TRUE(trends->Refresh());
  EXPECT_EQ(trends->lists()->Of(TrendList::kDay).size(), 1u);
  clock.Advance(-kDayMs);  // set back: lists from tomorrow are not waited for
  EXPECT_TRUE(trends->Refresh());
}

TEST(Trends, SettingsOutOfRangeAreNamed) {
  SimClock clock(kNowMs);
  const auto error = [&](const TrendSettings& settings) {
    return std::string(Trends::Make(settings, &clock).status().message());
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(error({.half_life_hours = 0}), HasSubstr("half_life_hours"));
  EXPECT_THAT(error({.half_life_hours = NAN}), HasSubstr("half_life_hours"));
  EXPECT_THAT(error({.usual_half_life_hours = 24}), HasSubstr("usual_half_life_hours"));
  EXPECT_THAT(error({.doubt = 0}), HasSubstr("doubt"));
  EXPECT_THAT(error({.list_length = 0}), HasSubstr("list_length"));
  EXPECT_THAT(error({.refresh_ms = -1}), HasSubstr("refresh_ms"));
}

TEST(Trends, ReadersAndAWriterAtOnceLoseNothing) {
  SimClock clock(kNowMs);
  const auto trends = Value(Trends::Make({.list_length = 10'000, .refresh_ms = 0}, &clock));
  constexpr uint32_t kBatches = 300, kPerBatch = 50;
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (uint32_t b = 0; b < kBatches; ++b) {
      std::vector<Event> events;
      for (uint32_t i = 0; i < kPerBatch; ++i) events.push_back({b + i, kNowMs, 1});
      trends->Add(events);
      trends->SetCategory(b, absl::StrCat("c", b % 5));
    }
    done = true;
  });
  const auto sum = [&] {
    uint64_t total = 0;
    for (const Scored& s : trends->lists()->Of(TrendList::kDay)) total += s.score;
    return total;
  };
  std::thread reader([&] {
    for (uint64_t last = 0; !done;) {
      trends->Refresh();
      const uint64_t now = sum();
      EXPECT_GE(now, last);
      last = now;
    }
  });
  writer.join();
  reader.join();
  EXPECT_TRUE(trends->Refresh());
  EXPECT_EQ(sum(), uint64_t{kBatches} * kPerBatch);
}

}  // namespace
}  // namespace vitrine
