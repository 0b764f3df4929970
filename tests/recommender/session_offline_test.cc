#include "absl/strings/str_cat.h"

#include "recommender/learn/session_learner.h"
#include "recommender/offline/session_log.h"
#include "recommender/offline/session_quality.h"
#include "recommender/offline/session_tune.h"
#include "recommender/rank/blend.h"
#include "tests/recommender/session_data.h"
#include "tests/recommender/session_sets.h"

namespace vitrine {
namespace {

using testing::Clicks;
using testing::DrawSession;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IndexOf;
using testing::Value;

TEST(SessionLog, ReadsSessionsAndQuestions) {
  ProductNumbers products;
  const SessionLog log = Value(ParseSessionLines("a b a\nc\r\n", &products));
  ASSERT_EQ(log.size(), 2u);
  EXPECT_THAT(log[0], ElementsAre(0, 1, 0));
  EXPECT_THAT(log[1], ElementsAre(2));
  const SessionQuestions questions = Value(ParseQuestionLines("a b\tc\nb\td\n", &products));
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_THAT(questions.prefixes[0], ElementsAre(0, 1));
  EXPECT_THAT(questions.targets, ElementsAre(2, 3));
}

TEST(SessionLog, PutsClicksInOrder) {
  ProductNumbers products;
  const SessionLog log = Value(
      ParseClicks("SessionId\tItemId\tTime\n7\tx\t20.5\n8\ty\t3\n7\tz\t1e1\n8\tx\t2\n9\tz\t20.5\n",
                  {}, &products));
  ASSERT_EQ(log.size(), 3u);
  // Numbers: x and z were last clicked at 20.5, y at 3.
  EXPECT_THAT(log[0], ElementsAre(0, 2));  // 8: ended first
  EXPECT_THAT(log[1], ElementsAre(1, 0));  // 7
  EXPECT_THAT(log[2], ElementsAre(1));     // 9: ended with 7, stands after it
}

// Serenade holds times as 32-bit floats: a second, even two minutes, of 2020 are one.
TEST(SerenadesDefects, ASecondIsASecond) {
  ProductNumbers products;
  const SessionLog log = Value(ParseClicks(
      "s\ti\tt\n1\ta\t1592337766\n1\tb\t1592337765\n1\tc\t1592337764\n", {}, &products));
  EXPECT_THAT(log[0], ElementsAre(2, 1, 0));
}

TEST(SessionLog, NamesTheLineThatIsWrong) {
  ProductNumbers products;
  const auto message = [](const auto& status) { return std::string(status.status().message()); };
  EXPECT_THAT(message(ParseSessionLines("a\n\nb\n", &products)), HasSubstr("line 2"));
  EXPECT_THAT(message(ParseQuestionLines("a\tb\na b\n", &products)), HasSubstr("line 2: no tab"));
  EXPECT_THAT(message(ParseQuestionLines("a\tb c\n", &products)), HasSubstr("line 1: not one"));
  EXPECT_THAT(message(ParseQuestionLines("\tb\n", &products)), HasSubstr("without clicks"));
  EXPECT_THAT(message(ParseClicks("h\n1\t2\n", {}, &products)), HasSubstr("line 2: 2 columns"));
  EXPECT_THAT(message(ParseClicks("h\n1\t2\tnan\n", {}, &products)), HasSubstr("no number: nan"));
}

TEST(SessionLog, LeavesOutLongSessions) {
  SessionLog log;
  log.Append(Clicks{1, 2, 1, 2});
  log.Append(Clicks{1, 2, 3});
  const SessionLog kept = WithoutLong(log, 2);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_THAT(kept[0], ElementsAre(1, 2, 1, 2));
}

TEST(SessionLog, AsksForEveryClickOnAKnownProduct) {
  const auto index = IndexOf({{0, 1}, {2, 3}});
  SessionLog log;
  log.Append(Clicks{0, 9, 1, 2});
  const SessionQuestions all = AskEveryClick(log, nullptr);
  EXPECT_THAT(all.targets, ElementsAre(9, 1, 2));
  const SessionQuestions known = AskEveryClick(log, index.get());
  EXPECT_THAT(known.targets, ElementsAre(1, 2));
  EXPECT_THAT(known.prefixes[1], ElementsAre(0, 1));
  EXPECT_EQ(Sample(all, 2, 7).targets, Sample(all, 2, 7).targets);
  EXPECT_EQ(Sample(all, 2, 7).size(), 2u);
}

TEST(SessionQuality, CountsHitsAndRanks) {
  const std::vector<Scored> list = {{5, 3}, {6, 2}, {7, 1}};
  EXPECT_EQ(RankOf(6, list), 2u);
  EXPECT_EQ(RankOf(9, list), 0u);
  std::vector<Scored> long_list(30);
  for (uint32_t i = 0; i < 30; ++i) long_list[i].product = i;
  EXPECT_EQ(RankOf(19, long_list), 20u);
  EXPECT_EQ(RankOf(20, long_list), 0u);
  const std::vector<size_t> ranks = {1, 0, 4, 0};
  EXPECT_DOUBLE_EQ(Summarize(ranks).hit_rate, 0.5);
  EXPECT_DOUBLE_EQ(Summarize(ranks).mrr, 1.25 / 4);
  SessionQuestions questions;
  for (int q = 0; q < 4; ++q) questions.prefixes.Append(Clicks{1, 2});
  questions.targets = {1, 2, 3, 4};  // the first two are repeats
  EXPECT_EQ(SummarizeNew(questions, ranks).questions, 2u);
  EXPECT_DOUBLE_EQ(SummarizeNew(questions, ranks).mrr, 0.125);
}

TEST(SessionLearner, KeepsTheNewestAndSaysWhatIsWrong) {
  const auto index = Value(LearnSessions(
      [](const auto& add) {
        for (uint32_t s = 0; s < 100; ++s) {
          if (absl::Status status = add(Clicks{s, s + 1}); !status.ok()) return status;
        }
        return absl::OkStatus();
      },
      100, 200, {.sessions = 30}));
  const SessionIndex::Reader reader(*index);
  EXPECT_EQ(reader.sessions(), 30u);
  EXPECT_EQ(reader.SessionCount(100), 1u);
  EXPECT_EQ(reader.SessionCount(60), 0u);
  EXPECT_FALSE(LearnSessions([](const auto& add) { return add({}); }, 1, 1, {}).ok());
}

// People go on to the next number and never back; the defaults think that they come back.
std::vector<Clicks> Walks(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Clicks> sessions(count);
  for (Clicks& clicks : sessions) {
    clicks = {static_cast<uint32_t>(random() % 200)};
    for (size_t i = 0; i < 2 + random() % 5; ++i) {
      clicks.push_back((clicks.back() + 1 + random() % 8) % 200);
    }
  }
  return sessions;
}

SessionQuestions Ask(const std::vector<Clicks>& sessions) {
  SessionLog log;
  for (const Clicks& clicks : sessions) log.Append(clicks);
  return AskEveryClick(log, nullptr);
}

HitRate QualityOf(const SessionIndex& index, const SessionQuestions& questions,
                  const BlendSettings& settings) {
  auto blend = Value(SessionBlend::Make(settings));
  const auto ranks = RankAll(
      questions,
      [&]() -> SessionRanker {
        return [&](std::span<const uint32_t> clicks, std::vector<Scored>* list) {
          blend.Rank(SessionIndex::Reader(index), clicks, {}, list);
        };
      },
      1);
  return Summarize(ranks);
}

double GainOf(const SessionIndex& index, const SessionQuestions& questions,
              const BlendSettings& settings) {
  const HitRate rate = QualityOf(index, questions, settings);
  return rate.hit_rate + rate.mrr;
}

TEST(SessionTuner, LearnsWhatPeopleDoAndGivesTheSameAgain) {
  const auto index = IndexOf(Walks(800, 1));
  const SessionQuestions questions = Ask(Walks(60, 2));
  const BlendSettings start = {.sources = {{"stan", StanSettings{}, 1, 1},
                                           {"next", RuleSettings{.last_clicks = 1}, 1, 1},
                                           {"repeat", RepeatSettings{}, 100, 1, false}}};
  TuneOptions options = {.scorer_questions = 100, .blend_questions = 150, .rounds = 2};
  const Tuning one = Value(TuneBlend(*index, questions, {}, start, options));
  options.threads = 1;
  const Tuning two = Value(TuneBlend(*index, questions, {}, start, options));
  EXPECT_TRUE(one.settings == two.settings);
  EXPECT_FALSE(one.steps.empty());
  EXPECT_TRUE(Validate(one.settings).ok());
  const SessionQuestions later = Ask(Walks(60, 3));
  EXPECT_GT(GainOf(*index, later, one.settings), GainOf(*index, later, start) + 0.05);
}

// bol.com's Serenade says of its example: MRR@20 .3197 for valid.txt, .3401 for test.txt.
TEST(SerenadesExample, IsReproducedAndBeaten) {
  const std::pair<const char*, double> published[] = {{"serenade-valid", 0.3197},
                                                      {"serenade-test", 0.3401}};
  for (const auto& [name, mrr] : published) {
    SCOPED_TRACE(name);
    const absl::StatusOr<SessionSet> set = LoadSessionSet(name);
    if (absl::IsNotFound(set.status())) GTEST_SKIP() << set.status().message();
    const auto index_of = [](const SessionLog& log) {
      return Value(LearnSessions(
          [&](const auto& add) {
            for (size_t s = 0; s < log.size(); ++s) {
              if (absl::Status status = add(log[s]); !status.ok()) return status;
            }
            return absl::OkStatus();
          },
          log.size(), log.clicks(), {.sessions_per_product = 5000}));
    };
    const auto theirs = index_of(WithoutLong(set->training, kSerenadeProductsMax));
    const BlendSettings serenade = {.sources = {{"vmis", VmisSettings::Serenade(), 1, 1}},
                                    .seen_factor = 1};
    EXPECT_NEAR(QualityOf(*theirs, set->test, serenade).mrr, mrr, 0.0005);
    const auto ours = index_of(set->training);
    EXPECT_GT(QualityOf(*ours, set->test, BlendSettings::Default()).mrr, mrr + 0.02);
  }
}

// A start that is as far from the truth as can be: many turns away, but not from every beginning.
TEST(SessionTuner, BeginsWhereItIsBest) {
  const auto index = IndexOf(Walks(800, 1));
  const BlendSettings start = {.sources = {{"poor", StanSettings{.neighbours = 1}, 1000, 1},
                                           {"next", RuleSettings{.last_clicks = 1}, 0, 1},
                                           {"repeat", RepeatSettings{}, 100, 1, false}}};
  const Tuning tuning =
      Value(TuneBlend(*index, Ask(Walks(60, 2)), Ask(Walks(60, 3)), start, {.rounds = 1}));
  EXPECT_THAT(tuning.starts.front().name, HasSubstr("next alone"));
  EXPECT_EQ(tuning.starts.front().questions, Ask(Walks(60, 2)).size());
  EXPECT_TRUE(tuning.better);
  EXPECT_GT(tuning.after.mrr, tuning.before.mrr);
  EXPECT_GT(tuning.settings.sources[1].weight, 0);
}

TEST(SessionTuner, KeepsTheStartWhereLaterQuestionsDoNotSayBetter) {
  const auto index = IndexOf(Walks(800, 1));
  const BlendSettings start = {
      .sources = {{"stan", StanSettings{}, 1, 1}, {"next", RuleSettings{.last_clicks = 1}, 1, 1}}};
  // Later, people do not walk any more.
  std::mt19937 random(5);
  std::vector<Clicks> later(300);
  for (Clicks& clicks : later) clicks = {uint32_t(random() % 200), uint32_t(random() % 200)};
  const Tuning tuning = Value(TuneBlend(*index, Ask(Walks(60, 2)), Ask(later), start, {}));
  EXPECT_FALSE(tuning.better);
  EXPECT_TRUE(tuning.settings == start);
  EXPECT_FALSE(tuning.found == start);
  EXPECT_EQ(tuning.after.questions, 300u);
}

TEST(SessionTuner, StaysWithinItsBudget) {
  const auto index = IndexOf(Walks(800, 1));
  const SessionQuestions questions = Ask(Walks(60, 2));
  const BlendSettings start = {.sources = {{"stan", StanSettings{}, 1, 1}}};
  const Tuning tuning =
      Value(TuneBlend(*index, questions, {}, start, {.limits = {.answers_max = 2000}}));
  EXPECT_LE(tuning.answers, 2000 + 5 * questions.size());  // each beginning is judged whole
}

TEST(SessionTuner, SaysWhatIsMissing) {
  const auto index = IndexOf({{1, 2}});
  EXPECT_EQ(TuneBlend(*index, {}, {}, BlendSettings::Default(), {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(TuneBlend(*index, Ask({{1, 2}}), {}, {}, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine
