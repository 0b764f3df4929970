#include "recommender/offline/holdout.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <utility>

#include "absl/container/flat_hash_map.h"

#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using Protocol = EvaluateOptions::Protocol;
using Hide = EvaluateOptions::Hide;

// The oldest of the newest `fraction` of all times, at least one.
int64_t NewestFrom(std::vector<int64_t> times, double fraction) {
  if (times.empty()) return std::numeric_limits<int64_t>::max();
  const auto wanted =
      static_cast<size_t>(std::llround(fraction * static_cast<double>(times.size())));
  const size_t held_out = std::clamp<size_t>(wanted, 1, times.size());
  const auto boundary = times.begin() + static_cast<ptrdiff_t>(held_out - 1);
  std::nth_element(times.begin(), boundary, times.end(), std::greater<>());
  return *boundary;
}

std::vector<int64_t> TimesOf(const Visits& visits, bool of_visits) {
  std::vector<int64_t> times;
  for (const std::vector<Visit>& person : visits.persons) {
    for (const Visit& visit : person) {
      if (of_visits) times.push_back(visit.start_ms);
      if (of_visits) continue;
      for (const Action& action : visit.actions) times.push_back(action.time_ms);
    }
  }
  return times;
}

// The first action of a person that `is_held_out`, given that all after it are too.
template <typename IsHeldOut>
Place FirstOf(const std::vector<Visit>& person, const IsHeldOut& is_held_out) {
  for (uint32_t v = 0; v < person.size(); ++v) {
    for (uint32_t a = 0; a < person[v].actions.size(); ++a) {
      if (is_held_out(person[v], person[v].actions[a])) return {v, a};
    }
  }
  return {static_cast<uint32_t>(person.size()), 0};
}

bool HasTest(const Visits& visits) {
  return std::any_of(visits.persons.begin(), visits.persons.end(), [](const auto& person) {
    return !person.empty() && person.back().test;  // test visits come last
  });
}

}  // namespace

absl::StatusOr<Holdout> Holdout::Split(const Visits& visits, const EvaluateOptions& options) {
  Holdout holdout(visits, options);
  RETURN_IF_ERROR(holdout.Prepare());
  for (const std::vector<Visit>& person : visits.persons) {
    holdout.cuts_.push_back(holdout.CutOf(person));
  }
  holdout.Train();
  if (holdout.training_.products.empty()) {
    return absl::FailedPreconditionError("nothing is left to train on");
  }
  holdout.FindCases();
  if (holdout.cases_.empty()) {
    return absl::FailedPreconditionError(holdout.unknown_targets_ > 0
                                             ? "nobody in the training part met what is held out"
                                             : "there are too few sessions to hold any out");
  }
  holdout.DrawCases();
  return holdout;
}

absl::Status Holdout::Prepare() {
  const Protocol protocol = options_.protocol;
  if (protocol == Protocol::kGivenSplit && !HasTest(*visits_)) {
    return absl::FailedPreconditionError("a given split needs a test part");
  }
  if (protocol == Protocol::kTimeSplit && !visits_->timed) {
    return absl::FailedPreconditionError("a split in time needs times");
  }
  if (protocol == Protocol::kSessions) {
    boundary_ms_ = NewestFrom(TimesOf(*visits_, /*of_visits=*/true), options_.holdout_fraction);
  }
  if (protocol == Protocol::kTimeSplit) {
    boundary_ms_ =
        options_.split_ms.has_value()
            ? *options_.split_ms
            : NewestFrom(TimesOf(*visits_, /*of_visits=*/false), options_.holdout_fraction);
  }
  return absl::OkStatus();
}

Place Holdout::CutOf(const std::vector<Visit>& person) const {
  const auto visits = static_cast<uint32_t>(person.size());
  switch (options_.protocol) {
    case Protocol::kLeaveLastOut:
      return {visits > 1 ? visits - 1 : visits, 0};
    case Protocol::kTimeSplit:
      return FirstOf(person, [this](const Visit&, const Action& action) {
        return action.time_ms >= boundary_ms_;
      });
    case Protocol::kSessions:
      return FirstOf(person, [this](const Visit& visit, const Action&) {
        return visit.start_ms >= boundary_ms_;
      });
    case Protocol::kGivenSplit:
      return FirstOf(person, [](const Visit& visit, const Action&) { return visit.test; });
  }
  return {};
}

template <typename Use>
void Holdout::ForEachBefore(const std::vector<Visit>& person, Place end, const Use& use) const {
  for (uint32_t v = 0; v < person.size() && v <= end.visit; ++v) {
    const std::vector<Action>& actions = person[v].actions;
    const size_t last = v < end.visit ? actions.size() : end.action;
    for (uint32_t a = 0; a < last; ++a) use(Place{v, a}, actions[a]);
  }
}

void Holdout::ForEachTrained(const std::function<void(const Action&)>& use,
                             const std::function<void()>& end_person) const {
  for (size_t p = 0; p < visits_->persons.size(); ++p) {
    ForEachBefore(visits_->persons[p], cuts_[p], [&](Place, const Action& action) { use(action); });
    end_person();
  }
}

void Holdout::Train() {
  int64_t newest_ms = std::numeric_limits<int64_t>::min();
  ForEachTrained([&](const Action& action) { newest_ms = std::max(newest_ms, action.time_ms); },
                 [] {});
  InteractionsBuilder builder(options_.weights, newest_ms);
  ForEachTrained(
      [&](const Action& action) {
        builder.Add(action.kind, action.time_ms, visits_->products[action.product]);
      },
      [&] { builder.EndPerson(); });
  training_ = std::move(builder).Build();

  absl::flat_hash_map<absl::string_view, uint32_t> columns;
  for (uint32_t c = 0; c < training_.products.size(); ++c) columns[training_.products[c]] = c;
  column_of_.resize(visits_->products.size());
  for (size_t p = 0; p < column_of_.size(); ++p) {
    const auto column = columns.find(visits_->products[p]);
    if (column != columns.end()) column_of_[p] = column->second;
  }
}

SessionLog Holdout::TrainingSessions() const {
  struct Trained {
    int64_t end_ms;
    std::span<const Action> actions;
  };
  std::vector<Trained> sessions;
  for (size_t p = 0; p < cuts_.size(); ++p) {
    for (uint32_t v = 0; v < visits_->persons[p].size() && v <= cuts_[p].visit; ++v) {
      std::span<const Action> actions = visits_->persons[p][v].actions;
      if (v == cuts_[p].visit) actions = actions.first(cuts_[p].action);
      if (!actions.empty()) sessions.push_back({actions.back().time_ms, actions});
    }
  }
  std::stable_sort(sessions.begin(), sessions.end(),
                   [](const Trained& a, const Trained& b) { return a.end_ms < b.end_ms; });
  SessionLog log;
  std::vector<uint32_t> clicks;
  for (const Trained& session : sessions) {
    clicks.clear();
    for (const Action& action : session.actions) {
      if (const auto column = column_of_[action.product]) clicks.push_back(*column);
    }
    if (!clicks.empty()) log.Append(clicks);
  }
  return log;
}

bool Holdout::AsksForAll() const {
  return options_.protocol == Protocol::kLeaveLastOut ||
         options_.protocol == Protocol::kTimeSplit ||
         (options_.protocol == Protocol::kGivenSplit && !visits_->asks_clicks);
}

void Holdout::FindCases() {
  const auto add = [this](const Case& asked) {
    if (!Targets(asked, Excluded(asked), &unknown_targets_).empty()) cases_.push_back(asked);
  };
  for (uint32_t p = 0; p < visits_->persons.size(); ++p) {
    const std::vector<Visit>& person = visits_->persons[p];
    if (cuts_[p].visit == person.size()) continue;
    if (AsksForAll()) {
      add({p, cuts_[p]});
      continue;
    }
    for (uint32_t v = cuts_[p].visit; v < person.size(); ++v) {
      for (uint32_t a = person[v].first_asked; a < person[v].actions.size(); ++a) add({p, {v, a}});
    }
  }
  all_cases_ = static_cast<int64_t>(cases_.size());
}

void Holdout::DrawCases() {
  const size_t count = options_.cases_max;
  if (cases_.size() <= count) return;
  std::mt19937_64 random(options_.seed);
  // Not std::shuffle: what it does with a seed differs between libraries.
  for (size_t i = 0; i < count; ++i) {
    std::swap(cases_[i], cases_[i + random() % (cases_.size() - i)]);
  }
  cases_.resize(count);
  std::sort(cases_.begin(), cases_.end(), [](const Case& a, const Case& b) {
    return std::pair(a.person, a.place) < std::pair(b.person, b.place);
  });
}

std::vector<uint32_t> Holdout::Excluded(const Case& asked) const {
  std::vector<uint32_t> excluded;
  if (options_.hide == Hide::kNothing) return excluded;
  ForEachBefore(visits_->persons[asked.person], asked.place, [&](Place at, const Action& action) {
    const bool hidden =
        options_.hide == Hide::kKnown || action.kind == PURCHASE || at.visit == asked.place.visit;
    const auto column = column_of_[action.product];
    if (hidden && column) excluded.push_back(*column);
  });
  std::sort(excluded.begin(), excluded.end());
  excluded.erase(std::unique(excluded.begin(), excluded.end()), excluded.end());
  return excluded;
}

std::vector<uint32_t> Holdout::Targets(const Case& asked, std::span<const uint32_t> excluded,
                                       int64_t* unknown) const {
  const std::vector<Visit>& person = visits_->persons[asked.person];
  std::vector<uint32_t> targets;
  const auto add = [&](const Action& action) {
    const auto column = column_of_[action.product];
    if (!column) {
      if (unknown != nullptr) ++*unknown;
    } else if (!std::binary_search(excluded.begin(), excluded.end(), *column)) {
      targets.push_back(*column);
    }
  };
  if (!AsksForAll()) {
    add(person[asked.place.visit].actions[asked.place.action]);
    return targets;
  }
  for (uint32_t v = asked.place.visit; v < person.size(); ++v) {
    const std::vector<Action>& actions = person[v].actions;
    for (size_t a = v == asked.place.visit ? asked.place.action : 0; a < actions.size(); ++a) {
      add(actions[a]);
    }
  }
  std::sort(targets.begin(), targets.end());
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  return targets;
}

Question Holdout::Ask(const Case& asked) const {
  const std::vector<uint32_t> excluded = Excluded(asked);
  Question question{.exclude = ProductSet(training_.products.size()), .targets = {}};
  for (const uint32_t column : excluded) question.exclude.Insert(column);
  question.targets = Targets(asked, excluded, nullptr);
  uint32_t last_visit = 0;
  ForEachBefore(visits_->persons[asked.person], asked.place, [&](Place at, const Action& action) {
    ++question.known;
    const auto column = column_of_[action.product];
    if (!column) return;
    if (at.visit != std::exchange(last_visit, at.visit)) {
      question.session_begin = question.path.size();
    }
    question.path.push_back(*column);
    const float weight =
        EventWeight(options_.weights, action.kind, training_.newest_ms - action.time_ms);
    if (weight <= 0) return;
    question.history.push_back({*column, weight});
    if (at.visit == asked.place.visit) question.session.push_back({*column, weight});
  });
  MergeCells(options_.weights.cell_weight_max, &question.session);
  MergeCells(options_.weights.cell_weight_max, &question.history);
  return question;
}

}  // namespace vitrine
