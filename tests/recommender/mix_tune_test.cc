#include "recommender/offline/mix_tune.h"

#include <random>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

// What is right is near the head of two sources' lists, and popularity is of no use.
MixCases DrawCases(uint32_t seed, size_t count) {
  std::mt19937 random(seed);
  MixCases cases;
  for (uint32_t p = 0; p < 300; ++p) cases.refill.push_back(p);
  for (size_t c = 0; c < count; ++c) {
    MixCase one;
    const uint32_t target = random() % 300;
    for (size_t s = 0; s < kMixSources; ++s) {
      for (size_t i = 0; i < 50; ++i) {
        one.lists[s].push_back({uint32_t(random() % 300), 1 / static_cast<float>(i + 1)});
      }
    }
    for (const MixSource s : {MixSource::kTaste, MixSource::kLinks}) {
      one.lists[static_cast<size_t>(s)][random() % 40].product = target;
    }
    for (std::vector<Scored>& list : one.lists) {
      std::vector<bool> met(300);
      std::erase_if(list, [&](const Scored& scored) {
        const bool again = met[scored.product];
        met[scored.product] = true;
        return again;
      });
    }
    one.targets = {target};
    cases.cases.push_back(std::move(one));
  }
  return cases;
}

double GainOf(const MixQuality& quality) { return quality.recall + quality.ndcg; }

TEST(MixTuner, IsNotWorseThanAnySourceAloneAndBetterThanAllWhereTheyAgree) {
  const MixCases cases = DrawCases(1, 400);
  const MixCases later = DrawCases(2, 400);
  MixSettings start;
  start[Situation::kHome][MixSource::kPopular] = {1, 1};
  MixTuneOptions options;
  const MixTuning tuning = Value(TuneMix(cases, start, options));
  for (size_t s = 0; s < kMixSources; ++s) {
    const MixSettings alone = OnlySource(start, Situation::kHome, static_cast<MixSource>(s));
    EXPECT_GE(GainOf(tuning.after), GainOf(QualityOf(cases, alone, 0)));
    EXPECT_GT(GainOf(QualityOf(later, tuning.settings, 0)),
              GainOf(QualityOf(later, alone, 0)) + 0.02);
  }
  EXPECT_GT(GainOf(tuning.after), GainOf(tuning.before));
  EXPECT_EQ(tuning.settings[Situation::kVisit], start[Situation::kVisit]);
  options.threads = 1;
  EXPECT_EQ(Value(TuneMix(cases, start, options)).settings, tuning.settings);
}

TEST(MixTuner, SaysWhatIsMissing) {
  EXPECT_EQ(TuneMix({}, MixSettings::Default(), {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  MixSettings wrong;
  wrong.depth = 0;
  EXPECT_EQ(TuneMix(DrawCases(1, 1), wrong, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine
