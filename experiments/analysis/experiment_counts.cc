#include "experiments/analysis/experiment_counts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"

#include "experiments/definition/metrics.h"
#include "store/base/limits.h"
#include "store/event_names.h"

namespace vitrine::experiments {
namespace {

constexpr int64_t kDayMs = 86'400'000;

std::vector<Caps> CapsOf(const Experiment& experiment, const OutcomeTable& units) {
  const std::vector<MeasuredMetric> metrics = MetricsOf(experiment);
  std::vector<Caps> caps(metrics.size());
  if (!(experiment.cap_quantile < 1)) return caps;
  std::vector<std::vector<double>> values(metrics.size());
  units.ForEachValues([&](const UnitOutcome& unit) {
    if (unit.kind != UnitOutcome::Kind::kIn) return;
    for (size_t m = 0; m < metrics.size(); ++m) {
      if (metrics[m].IsCapped()) values[m].push_back(unit.values[m].value);
    }
  });
  for (size_t m = 0; m < metrics.size(); ++m) {
    if (metrics[m].IsCapped()) {
      caps[m] = PooledCaps(std::move(values[m]), 0, experiment.cap_quantile);
    }
  }
  return caps;
}

// What was before is capped alike: one customer who bought for a thousand takes as much out of
// CUPED as out of the metric.
UnitValues Capped(UnitValues values, const Caps& caps) {
  values.value = caps.Capped(values.value);
  values.value_before = caps.Capped(values.value_before);
  return values;
}

class Counter {
 public:
  Counter(const Experiment& experiment, std::vector<Caps> caps) : arms_(experiment.arms.size()) {
    counts_.caps = std::move(caps);
    for (const ExperimentArm& arm : experiment.arms) {
      counts_.arms.push_back({arm.id, std::vector<MetricSums>(counts_.caps.size())});
    }
    counts_.shown.resize(arms_);
  }

  void Add(const UnitOutcome& unit) {
    switch (unit.kind) {
      case UnitOutcome::Kind::kNotIn:
        return;
      case UnitOutcome::Kind::kMixed:
        ++counts_.mixed;
        return;
      case UnitOutcome::Kind::kForced:
        ++counts_.forced;
        return;
      case UnitOutcome::Kind::kRobot:
        ++counts_.robots;
        return;
      case UnitOutcome::Kind::kIn:
        break;
    }
    std::vector<MetricSums>& sums = counts_.arms[unit.arm].metrics;
    for (size_t m = 0; m < sums.size(); ++m) {
      sums[m].Add(Capped(unit.values[m], counts_.caps[m]));
    }
    std::vector<int64_t>& day = counts_.days[unit.first_ms / kDayMs];
    day.resize(arms_);
    ++day[unit.arm];
    counts_.replies += unit.replies;
    counts_.replies_unexposed += unit.replies_unexposed;
    AddDays(unit);
    AddCuts(unit);
    AddShown(unit);
  }

  ExperimentCounts Take(const OutcomeTable& units) && {
    SumDays();
    TakeCuts("channel", channels_,
             [](int channel) { return std::string(ChannelName(static_cast<Channel>(channel))); });
    TakeCuts("device", devices_, [](int device) {
      const auto known = static_cast<Device>(device);
      return known == Device::UNKNOWN_DEVICE ? "" : std::string(DeviceName(known));
    });
    TakeCuts("country", countries_, [](const std::string& country) { return country; });
    TakeCuts("visitor", visitors_,
             [](bool returning) { return std::string(returning ? "returning" : "new"); });
    SumShown(units.shown_to());
    return std::move(counts_);
  }

 private:
  template <typename Value>
  using Cuts = absl::flat_hash_map<Value, std::vector<MetricSums>>;

  // What changed on each day: a unit's values of before are taken back.
  void AddDays(const UnitOutcome& unit) {
    UnitValues values = unit.values.front();
    for (size_t d = 0; d < unit.days.size(); ++d) {
      std::vector<MetricSums>& sums = counts_.so_far[unit.days[d].day];
      sums.resize(arms_);
      if (d > 0) sums[unit.arm].Remove(Capped(values, counts_.caps.front()));
      values.value = unit.days[d].value;
      values.denominator = unit.days[d].denominator;
      sums[unit.arm].Add(Capped(values, counts_.caps.front()));
    }
  }

  void SumDays() {
    std::vector<MetricSums> sums(arms_);
    for (auto& [day, changed] : counts_.so_far) {
      for (size_t arm = 0; arm < arms_; ++arm) sums[arm].Merge(changed[arm]);
      changed = sums;
    }
  }

  void AddCuts(const UnitOutcome& unit) {
    const UnitValues values = Capped(unit.values.front(), counts_.caps.front());
    const auto add = [&](auto* cuts, const auto& value) {
      std::vector<MetricSums>& sums = (*cuts)[value];
      sums.resize(arms_);
      sums[unit.arm].Add(values);
    };
    add(&channels_, static_cast<int>(unit.channel));
    add(&devices_, static_cast<int>(unit.device));
    add(&countries_, unit.country);
    add(&visitors_, unit.returning);
  }

  template <typename Value, typename Name>
  void TakeCuts(const char* name, const Cuts<Value>& cuts, Name name_of) {
    if (cuts.size() < 2) return;
    Dimension& dimension = counts_.dimensions.emplace_back();
    dimension.name = name;
    for (const auto& [value, arms] : cuts) dimension.cuts.push_back({name_of(value), arms});
    const auto units = [](const Cut& cut) {
      int64_t sum = 0;
      for (const MetricSums& arm : cut.arms) sum += arm.units;
      return sum;
    };
    absl::c_sort(dimension.cuts, [&](const Cut& a, const Cut& b) {
      return std::pair(-units(a), a.value) < std::pair(-units(b), b.value);
    });
    if (dimension.cuts.size() <= limits::kExperimentCutsMax) return;
    Cut& other = dimension.cuts[limits::kExperimentCutsMax - 1];
    other.value = "other";
    for (size_t c = limits::kExperimentCutsMax; c < dimension.cuts.size(); ++c) {
      for (size_t arm = 0; arm < arms_; ++arm) other.arms[arm].Merge(dimension.cuts[c].arms[arm]);
    }
    dimension.cuts.resize(limits::kExperimentCutsMax);
  }

  void AddShown(const UnitOutcome& unit) {
    ShownByArm& shown = counts_.shown[unit.arm];
    ++shown.units;
    shown.pairs += unit.pairs;
    shown.pairs_apart += unit.pairs_apart;
  }

  void SumShown(const std::vector<std::vector<uint32_t>>& shown_to) {
    double units = 0;
    for (const ShownByArm& arm : counts_.shown) units += static_cast<double>(arm.units);
    size_t products = 0;
    for (const std::vector<uint32_t>& to : shown_to) products = std::max(products, to.size());
    const auto to = [&](size_t arm, size_t product) {
      const bool known = arm < shown_to.size() && product < shown_to[arm].size();
      return known ? shown_to[arm][product] : 0;
    };
    for (size_t product = 0; product < products; ++product) {
      double to_all = 0;
      for (size_t arm = 0; arm < arms_; ++arm) to_all += to(arm, product);
      const double bits = to_all > 0 ? -std::log2(to_all / units) : 0;
      for (size_t arm = 0; arm < arms_; ++arm) {
        const uint32_t showings = to(arm, product);
        counts_.shown[arm].products += showings > 0 ? 1 : 0;
        counts_.shown[arm].showings += showings;
        counts_.shown[arm].bits += showings * bits;
      }
    }
  }

  const size_t arms_;
  ExperimentCounts counts_;
  Cuts<int> channels_, devices_;
  Cuts<std::string> countries_;
  Cuts<bool> visitors_;
};

}  // namespace

ExperimentCounts CountUp(const Experiment& experiment, const OutcomeTable& units) {
  Counter counter(experiment, CapsOf(experiment, units));
  units.ForEach([&](const UnitOutcome& unit) { counter.Add(unit); });
  return std::move(counter).Take(units);
}

}  // namespace vitrine::experiments
