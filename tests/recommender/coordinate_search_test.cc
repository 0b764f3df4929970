#include "recommender/offline/coordinate_search.h"

#include <cmath>
#include <random>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Point {
  float x = 0;
  float y = 0;

  bool operator==(const Point&) const = default;
};

using Search = CoordinateSearch<Point>;

// Every question has its own level, which is large, and the height of a hill with its top at 3, 5.
void Hill(const Point& point, size_t end, std::vector<float>* gains) {
  const float height = -std::pow(point.x - 3, 2.0f) - std::pow(point.y - 5, 2.0f);
  while (gains->size() < end) {
    gains->push_back(static_cast<float>(gains->size() % 7) + height / 100);
  }
}

// Settings that mean nothing: what a question gives is chance.
void Noise(const Point& point, size_t end, std::vector<float>* gains) {
  while (gains->size() < end) {
    const float number = static_cast<float>(gains->size()) * 1000 + point.x * 10 + point.y;
    std::mt19937 random(static_cast<uint32_t>(static_cast<int64_t>(number)));
    random.discard(10);
    gains->push_back(random() % 2 == 0 ? 0.0f : 1.0f);
  }
}

const std::vector<Knob<Point>>& Knobs() {
  const auto others = [](float value) { return std::vector<float>{value + 1, value - 1}; };
  static const std::vector<Knob<Point>> knobs = {
      {"x", [](const Point& p) { return p.x; }, [](Point* p, float v) { p->x = v; }, others},
      {"y", [](const Point& p) { return p.y; }, [](Point* p, float v) { p->y = v; }, others}};
  return knobs;
}

TEST(CoordinateSearch, ClimbsAHillOneSettingAfterTheOther) {
  SearchBudget budget({});
  Search search(100, Hill, {}, 1, &budget);
  std::vector<SearchStep> steps;
  for (const auto& knob : Knobs()) EXPECT_TRUE(search.Turn(knob, &steps));
  EXPECT_EQ(search.settings(), (Point{3, 5}));
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[1].what, "y");
  EXPECT_EQ(steps[1].to, 5);
  EXPECT_NEAR(steps[1].gain, 0.25, 1e-5);
  for (const auto& knob : Knobs()) EXPECT_FALSE(search.Turn(knob, &steps));
}

TEST(CoordinateSearch, TakesNoStepThatChanceWouldTake) {
  SearchBudget budget({});
  Search search(400, Noise, {}, 3, &budget);
  std::vector<SearchStep> steps;
  for (const auto& knob : Knobs()) search.Turn(knob, &steps);
  EXPECT_THAT(steps, IsEmpty());
}

TEST(CoordinateSearch, HalvesItsStartsAndJudgesTheBestOnAllQuestions) {
  SearchBudget budget({});
  Search search(80, Hill, {}, 1, &budget);
  std::vector<Search::Start> starts;
  for (const float x : {9.0f, 2.0f, 0.0f, 3.0f, -5.0f, 7.0f, 4.5f, -1.0f}) {
    starts.push_back({"", {x, 5}, {}});
  }
  search.Halve(&starts, 2);
  EXPECT_EQ(starts[0].settings.x, 3);
  EXPECT_EQ(starts[1].settings.x, 2);
  std::vector<size_t> judged;
  for (const Search::Start& start : starts) judged.push_back(start.gains.size());
  EXPECT_THAT(judged, ElementsAre(80, 80, 40, 40, 20, 20, 20, 20));
  EXPECT_TRUE(search.Adopt(starts[0]));
  EXPECT_FALSE(search.Adopt(starts[1])) << "worse than what is set";
  EXPECT_FALSE(search.Adopt(starts[7])) << "not judged on all questions";
}

TEST(CoordinateSearch, EndsWithWhatItHasWhenTheBudgetIsSpent) {
  SearchBudget answers({.answers_max = 300});
  Search few(100, Hill, {}, 1, &answers);
  std::vector<SearchStep> steps;
  few.Turn(Knobs()[0], &steps);
  EXPECT_EQ(few.settings(), (Point{2, 0})) << "one step more would have been too much";
  EXPECT_LT(answers.answers(), 300u + 100);

  SearchBudget stopped({.stop = [] { return true; }});
  Search none(100, Hill, {}, 1, &stopped);
  EXPECT_FALSE(none.Turn(Knobs()[0], &steps));
}

TEST(StandardErrors, SaysHowSureADifferenceIs) {
  EXPECT_EQ(StandardErrors(std::vector<float>{1, 2}, std::vector<float>{1, 2}), 0);
  EXPECT_GT(StandardErrors(std::vector<float>{1, 2}, std::vector<float>{2, 3}), 100);
  EXPECT_LT(StandardErrors(std::vector<float>{2, 3}, std::vector<float>{1, 2}), -100);
  // Mean 1/4, variance 3/16, over 4 questions.
  EXPECT_NEAR(StandardErrors(std::vector<float>{0, 0, 0, 0}, std::vector<float>{1, 0, 0, 0}),
              0.25 / std::sqrt(3.0 / 16 / 4), 1e-9);
}

}  // namespace
}  // namespace vitrine
