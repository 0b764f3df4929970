// What a training learns of lists, on shops whose visits differ from those that the defaults were
// chosen on (../shared/data): on sessions that came after all that was learned from.

#include <chrono>
#include <iostream>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"

#include "recommender/learn/session_learner.h"
#include "recommender/offline/list_learning.h"
#include "recommender/offline/session_quality.h"
#include "recommender/rank/blend.h"
#include "tests/recommender/hourly_sessions.h"
#include "tests/recommender/session_sets.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

HitRate RateOf(const SessionIndex& index, const SessionQuestions& questions,
               const BlendSettings& settings) {
  return Summarize(RankAll(
      questions,
      [&]() -> SessionRanker {
        auto blend = std::make_shared<SessionBlend>(Value(SessionBlend::Make(settings)));
        return [=, &index](std::span<const uint32_t> clicks, std::vector<Scored>* list) {
          blend->Rank(SessionIndex::Reader(index), clicks, {.k = kSessionCutoff}, list);
        };
      },
      0));
}

struct Later {
  LearnedLists learned;
  HitRate defaults, used;
};

// Prints it.
void Learn(const char* name, Later* later) {
  const absl::StatusOr<SessionSet> set = LoadSessionSet(name);
  if (!set.ok()) GTEST_SKIP() << set.status();
  const auto start = std::chrono::steady_clock::now();
  later->learned =
      Value(LearnLists(Model(), testing::HourlySessions(set->training), {}, {.threads = 1}));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const SessionSource source = [&](const auto& add) {
    for (size_t s = 0; s < set->training.size(); ++s) RETURN_IF_ERROR(add(set->training[s]));
    return absl::OkStatus();
  };
  const auto index = Value(LearnSessions(source, set->training.size(), set->training.clicks(), {}));
  const SessionQuestions asked = Sample(set->test, 15'000, 1);
  const BlendSettings defaults = BlendSettings::Default();
  later->defaults = RateOf(*index, asked, defaults);
  later->used = RateOf(*index, asked, later->learned.blend.value_or(defaults));
  std::cout << absl::StrFormat(
      "%s: %.1f s; on %d later clicks %.4f, %.4f as learned: %s; on %d of the test part HR@20 "
      "%.4f / MRR@20 %.4f, as learned %.4f / %.4f\n",
      name, seconds.count(), later->learned.session.cases, later->learned.session.before,
      later->learned.session.after, later->learned.session.used ? "used" : "not used",
      later->used.questions, later->defaults.hit_rate, later->defaults.mrr, later->used.hit_rate,
      later->used.mrr);
}

TEST(ListLearningQuality, IsWorthItInAShopOfFewProducts) {
  Later later;
  Learn("eshop", &later);
  if (::testing::Test::IsSkipped()) return;
  EXPECT_TRUE(later.learned.session.used);
  EXPECT_GT(later.used.hit_rate + later.used.mrr, later.defaults.hit_rate + later.defaults.mrr);
}

// What is used is no worse than the defaults on what comes then, but for chance.
TEST(ListLearningQuality, DoesNoHarmWhereTheDefaultsFit) {
  Later later;
  Learn("serenade-test", &later);
  if (::testing::Test::IsSkipped()) return;
  EXPECT_GT(later.used.hit_rate + later.used.mrr,
            later.defaults.hit_rate + later.defaults.mrr - 0.01);
}

}  // namespace
}  // namespace vitrine
