#include "experiments/analysis/outcome_table.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "experiments/analysis/experiment_counts.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using Kind = UnitOutcome::Kind;

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kDay = 86'400'000;

Experiment Trial() {
  Experiment experiment;
  experiment.id = "trial";
  experiment.arms.resize(2);
  experiment.arms[0].id = "old";
  experiment.arms[1].id = "new";
  experiment.primary = ExperimentMetric::REVENUE;
  experiment.secondary = {ExperimentMetric::ORDER_VALUE};
  experiment.currency = "GBP";
  experiment.__set_started_ms(kStart);
  return experiment;
}

// Whole numbers of every size, many of them 0.
class Outcomes {
 public:
  Outcomes(unsigned seed, int bits) : random_(seed), bits_(bits) { std::printf("seed %u\n", seed); }

  UnitOutcome Next() {
    UnitOutcome outcome;
    outcome.kind = static_cast<Kind>(1 + Below(4));
    if (outcome.kind != Kind::kIn) return outcome;
    outcome.arm = static_cast<size_t>(Below(2));
    outcome.first_ms = kStart + Below(30 * kDay);
    for (int m = 0; m < 2; ++m) {
      outcome.values.push_back({Number(), Number(), Number(), Number()});
    }
    auto day = static_cast<int32_t>(outcome.first_ms / kDay);
    for (int64_t days = Below(4); days > 0; --days, day += static_cast<int32_t>(Below(9))) {
      outcome.days.push_back({++day, Number(), Number()});
    }
    outcome.days.push_back({++day, outcome.values[0].value, outcome.values[0].denominator});
    outcome.channel = static_cast<Channel>(1 + Below(7));
    outcome.device = static_cast<Device>(Below(4));
    outcome.country = Below(2) == 0 ? "" : absl::StrCat("C", Below(30));
    outcome.returning = Below(2) == 0;
    for (uint32_t number = 0; Below(5) > 0;) {
      outcome.shown.push_back(number += 1 + static_cast<uint32_t>(Below(300)));
    }
    outcome.pairs = Below(1000);
    outcome.pairs_apart = Below(1000);
    outcome.replies = Below(3);
    outcome.replies_unexposed = Below(2);
    return outcome;
  }

 private:
  int64_t Below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
  double Number() {
    const int64_t size = int64_t{1} << Below(bits_);
    return Below(2) == 0 ? 0 : static_cast<double>(Below(2 * size) - size);
  }

  std::mt19937_64 random_;
  const int bits_;  // of the largest number
};

TEST(OutcomeTable, GivesBackWhatWasPutIn) {
  Outcomes outcomes(20'261'102, 60);
  for (int i = 0; i < 2000; ++i) {
    OutcomeTable table;
    const UnitOutcome outcome = outcomes.Next();
    table.Put("c:somebody", outcome);
    int given = 0;
    table.ForEach([&](const UnitOutcome& unit) {
      ++given;
      ASSERT_EQ(unit.kind, outcome.kind);
      if (unit.kind == Kind::kIn) {
        UnitOutcome but_shown = outcome;
        but_shown.shown.clear();
        EXPECT_EQ(unit, but_shown);
      }
    });
    EXPECT_EQ(given, 1);
  }
}

TEST(OutcomeTable, AUnitCountsOnceAndAsItWasPutLast) {
  OutcomeTable table;
  UnitOutcome outcome;
  outcome.kind = Kind::kIn;
  outcome.values = {{5}};
  table.Put("v:a", outcome);
  table.Put("v:b", outcome);
  outcome.values = {{7}};
  table.Put("v:a", outcome);
  table.Put("v:b", UnitOutcome());
  EXPECT_EQ(table.size(), 1u);
  table.ForEach([](const UnitOutcome& unit) { EXPECT_EQ(unit.values[0].value, 7); });
}

// The plain twin: everybody looked at anew.
TEST(OutcomeTable, KnowsWhoWasShownWhatHoweverOftenThatChanges) {
  Outcomes outcomes(20'261'104, 30);
  OutcomeTable table;
  std::vector<UnitOutcome> units(50);
  for (int i = 0; i < 3000; ++i) {
    const size_t which = static_cast<size_t>(i * 7919 % 50);
    units[which] = i % 11 == 0 ? UnitOutcome() : outcomes.Next();
    table.Put(absl::StrCat("v:", which), units[which]);
    if (i % 100 != 0) continue;
    std::map<std::pair<size_t, uint32_t>, uint32_t> expected, found;
    int64_t first_ms = 0, sum = 0;
    size_t there = 0;
    for (const UnitOutcome& unit : units) {
      there += unit.kind != Kind::kNotIn ? 1 : 0;
      if (unit.kind != Kind::kIn) continue;
      first_ms += unit.first_ms;
      for (const uint32_t number : unit.shown) ++expected[{unit.arm, number}];
    }
    for (size_t arm = 0; arm < table.shown_to().size(); ++arm) {
      for (uint32_t number = 0; number < table.shown_to()[arm].size(); ++number) {
        const uint32_t to = table.shown_to()[arm][number];
        if (to != 0) found[{arm, number}] = to;
      }
    }
    EXPECT_EQ(found, expected);
    EXPECT_EQ(table.size(), there);
    table.ForEach([&](const UnitOutcome& unit) {
      if (unit.kind == Kind::kIn) sum += unit.first_ms;
    });
    EXPECT_EQ(sum, first_ms);
  }
}

// The plain twin: sums over the units as they were, one after the other.
TEST(CountUp, IsTheSumOfItsUnits) {
  Experiment experiment = Trial();
  Outcomes outcomes(20'261'103, 18);  // sums of squares are exact
  OutcomeTable table;
  std::vector<MetricSums> revenue(2), so_far(2), tablets(2);
  int64_t mixed = 0, pairs = 0;
  const int32_t until = static_cast<int32_t>(kStart / kDay) + 15;
  int32_t last = 0;
  for (int i = 0; i < 3000; ++i) {
    const UnitOutcome unit = outcomes.Next();
    table.Put(absl::StrCat("v:", i), unit);
    mixed += unit.kind == Kind::kMixed ? 1 : 0;
    if (unit.kind != Kind::kIn) continue;
    revenue[unit.arm].Add(unit.values[0]);
    pairs += unit.pairs;
    if (unit.device == Device::TABLET) tablets[unit.arm].Add(unit.values[0]);
    UnitValues then = unit.values[0];
    bool there = false;
    for (const UnitOutcome::OfDay& of_day : unit.days) {
      if (of_day.day > until) break;
      last = std::max(last, of_day.day);
      then.value = of_day.value;
      then.denominator = of_day.denominator;
      there = true;
    }
    if (there) so_far[unit.arm].Add(then);
  }
  const ExperimentCounts counts = CountUp(experiment, table);
  EXPECT_EQ(counts.mixed, mixed);
  EXPECT_EQ(counts.shown[0].pairs + counts.shown[1].pairs, pairs);
  for (size_t arm = 0; arm < 2; ++arm) {
    EXPECT_EQ(counts.arms[arm].metrics[0], revenue[arm]);
    EXPECT_EQ(counts.so_far.at(last)[arm], so_far[arm]);
    EXPECT_EQ(counts.so_far.rbegin()->second[arm], revenue[arm]);
    for (const Dimension& dimension : counts.dimensions) {
      int64_t units = 0;
      for (const Cut& cut : dimension.cuts) {
        units += cut.arms[arm].units;
        if (cut.value != "tablet") continue;
        EXPECT_EQ(cut.arms[arm], tablets[arm]);
      }
      EXPECT_EQ(units, revenue[arm].units) << dimension.name;
    }
  }
  ASSERT_EQ(counts.dimensions.size(), 4u);
  EXPECT_EQ(counts.dimensions[2].cuts.size(), limits::kExperimentCutsMax);
  EXPECT_EQ(counts.dimensions[2].cuts.back().value, "other");
}

TEST(CountUp, OneCapIsTakenOfAllArmsTogether) {
  Experiment experiment = Trial();
  experiment.cap_quantile = 0.99;
  OutcomeTable table;
  for (int i = 0; i < 200; ++i) {
    UnitOutcome unit;
    unit.kind = Kind::kIn;
    unit.arm = static_cast<size_t>(i % 2);
    unit.first_ms = kStart;
    const double value = i < 4 ? 100'000 : i;  // two in each arm are beyond what the rest spends
    unit.values = {{value}, {value, 1}};
    unit.days = {{static_cast<int32_t>(kStart / kDay), value, 0}};
    table.Put(absl::StrCat("v:", i), unit);
  }
  const ExperimentCounts counts = CountUp(experiment, table);
  EXPECT_EQ(counts.caps[0].high, 100'000) << "198 of 200 are 99 %, and 196 are not beyond";
  experiment.cap_quantile = 0.98;
  const ExperimentCounts capped = CountUp(experiment, table);
  EXPECT_EQ(capped.caps[0].high, 199);
  EXPECT_TRUE(std::isinf(capped.caps[1].high)) << "an order's worth is a ratio";
  double sum = 0;
  for (int i = 4; i < 200; i += 2) sum += i;
  EXPECT_EQ(capped.arms[0].metrics[0].sums[kValue], sum + 2 * 199);
  EXPECT_EQ(capped.so_far.begin()->second[0].sums[kValue], sum + 2 * 199);
  EXPECT_EQ(capped.arms[0].metrics[1].sums[kValue], sum + 2 * 100'000);
}

TEST(CountUp, NoveltyIsHigherWhereFewerSeeTheSame) {
  OutcomeTable table;
  for (uint32_t i = 0; i < 8; ++i) {
    UnitOutcome unit;
    unit.kind = Kind::kIn;
    unit.arm = i % 2;
    unit.first_ms = kStart;
    unit.values.resize(2);
    unit.days = {{static_cast<int32_t>(kStart / kDay), 0, 0}};
    // All of the old arm see product 0; each of the new one sees that, and one of its own.
    unit.shown = i % 2 == 0 ? std::vector<uint32_t>{0} : std::vector<uint32_t>{0, i};
    table.Put(absl::StrCat("v:", i), unit);
  }
  const ExperimentCounts counts = CountUp(Trial(), table);
  EXPECT_EQ(counts.shown[0], (ShownByArm{4, 1, 4, 0, 0, 0}));
  EXPECT_EQ(counts.shown[1], (ShownByArm{4, 5, 8, 4 * 3.0, 0, 0})) << "one of eight: three bits";
}

}  // namespace
}  // namespace vitrine::experiments
