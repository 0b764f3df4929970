#include "recommender/rank/blend.h"

#include <cmath>
#include <limits>

#include "tests/recommender/session_data.h"

namespace vitrine {
namespace {

using testing::Clicks;
using testing::DrawSession;
using ::testing::HasSubstr;
using testing::IndexOf;
using testing::Value;

std::vector<Clicks> ManySessions(uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Clicks> sessions(300);
  for (Clicks& session : sessions) session = DrawSession(&random, 60);
  return sessions;
}

TEST(Blend, IsTheWeightedSumOfItsSourcesAndSaysWhatEachGave) {
  const auto index = IndexOf(ManySessions(1));
  const SessionIndex::Reader reader(*index);
  BlendSettings settings = BlendSettings::Default();
  settings.seen_factor = 0.7f;
  auto blend = Value(SessionBlend::Make(settings));
  std::mt19937 random(2);
  for (int q = 0; q < 50; ++q) {
    const Clicks clicks = DrawSession(&random, 60);
    std::map<uint32_t, float> plain;
    for (const SourceSettings& source : settings.sources) {
      ScoreMap scores;
      MakeScorer(source)->Score(reader, clicks, &scores);
      std::vector<Scored> top;
      scores.Top(settings.depth, {}, &top);
      for (const Scored& one : top) {
        const float best = source.relative ? top[0].score : 1;
        const bool seen = std::count(clicks.begin(), clicks.end(), one.product) > 0;
        plain[one.product] += (seen && source.relative ? 0.7f : 1) * source.weight *
                              std::pow(one.score / best, source.exponent);
      }
    }
    std::vector<Scored> list;
    blend.Rank(reader, clicks, {.k = 10}, &list);
    ASSERT_EQ(list.size(), 10u);
    for (size_t i = 0; i < list.size(); ++i) {
      EXPECT_NEAR(list[i].score, plain[list[i].product], 1e-4);
      float given = 0;
      for (size_t s = 0; s < settings.sources.size(); ++s) {
        given += blend.Given(s, list[i].product);
      }
      EXPECT_NEAR(given, list[i].score, 1e-4);
      EXPECT_GE(list[i > 0 ? i - 1 : 0].score, list[i].score);
      plain[list[i].product] = 0;
    }
    for (const auto& [product, score] : plain) EXPECT_LE(score, list.back().score + 1e-4);
    EXPECT_EQ(blend.Given(0, 5000), 0);
  }
}

TEST(Blend, HidesWhatWasSeenAndRefills) {
  const auto index = IndexOf(ManySessions(3));
  const SessionIndex::Reader reader(*index);
  auto blend = Value(SessionBlend::Make(BlendSettings::Default()));
  std::mt19937 random(4);
  for (int q = 0; q < 30; ++q) {
    const Clicks clicks = DrawSession(&random, 60);
    std::vector<Scored> list;
    blend.Rank(reader, clicks, {.k = 15, .hide_seen = true}, &list);
    EXPECT_EQ(list.size(), 15u);
    for (const Scored& one : list) {
      EXPECT_EQ(std::count(clicks.begin(), clicks.end(), one.product), 0);
    }
  }
}

TEST(Blend, TiesAreBrokenByProduct) {
  // 2 to 9 are alike in everything.
  const auto index = IndexOf({{1, 9}, {1, 5}, {1, 3}, {1, 7}, {1, 2}});
  const SessionIndex::Reader reader(*index);
  auto blend = Value(SessionBlend::Make({.sources = {{"stan", StanSettings{.recency = 0}, 1, 1}}}));
  std::vector<Scored> list;
  blend.Rank(reader, Clicks{1}, {.k = 4, .hide_seen = true}, &list);
  std::vector<uint32_t> products;
  for (const Scored& one : list) products.push_back(one.product);
  EXPECT_THAT(products, ::testing::ElementsAre(2, 3, 5, 7));
}

TEST(Blend, ASourceOfNoWeightIsNotAsked) {
  const auto index = IndexOf(ManySessions(5));
  const SessionIndex::Reader reader(*index);
  BlendSettings settings = BlendSettings::Default();
  for (SourceSettings& source : settings.sources) source.weight = 0;
  settings.sources[3].weight = 1;
  auto blend = Value(SessionBlend::Make(settings));
  std::vector<Scored> list;
  blend.Rank(reader, Clicks{1, 2}, {}, &list);
  EXPECT_FALSE(list.empty());
  EXPECT_TRUE(blend.SourceList(0).empty());
  EXPECT_EQ(blend.Given(0, list[0].product), 0);
}

TEST(Blend, SaysWhichSettingIsWrong) {
  const auto message = [](const BlendSettings& settings) {
    return std::string(SessionBlend::Make(settings).status().message());
  };
  EXPECT_THAT(message({}), HasSubstr("sources is 0"));
  BlendSettings settings = BlendSettings::Default();
  settings.sources[1].weight = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message(settings), HasSubstr("source stan-wide: weight is nan"));
  settings = BlendSettings::Default();
  std::get<RuleSettings>(settings.sources[3].scorer).steps = 0;
  EXPECT_THAT(message(settings), HasSubstr("source rules: steps is 0"));
  settings = BlendSettings::Default();
  std::get<StanSettings>(settings.sources[0].scorer).last_clicks = 33;
  EXPECT_THAT(message(settings), HasSubstr("source stan: last_clicks is 33"));
  settings = BlendSettings::Default();
  std::get<VmisSettings>(settings.sources[2].scorer).neighbours = 0;
  EXPECT_THAT(message(settings), HasSubstr("source vmis: neighbours is 0"));
  settings = BlendSettings::Default();
  settings.seen_factor = 1.5f;
  EXPECT_THAT(message(settings), HasSubstr("seen_factor is 1.5"));
  settings.depth = 0;
  EXPECT_THAT(message(settings), HasSubstr("depth is 0"));
}

}  // namespace
}  // namespace vitrine
