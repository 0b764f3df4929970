#include "recommender/offline/holdout.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace vitrine {
namespace {

using Protocol = EvaluateOptions::Protocol;

// The start of the oldest of the newest `fraction` of all visits, at least one.
int64_t NewestVisitsFrom(const Visits& visits, double fraction) {
  std::vector<int64_t> starts;
  for (const std::vector<Visit>& person : visits.persons) {
    for (const Visit& visit : person) starts.push_back(visit.start_ms);
  }
  if (starts.empty()) return std::numeric_limits<int64_t>::max();
  const auto wanted =
      static_cast<size_t>(std::llround(fraction * static_cast<double>(starts.size())));
  const size_t held_out = std::clamp<size_t>(wanted, 1, starts.size());
  const auto boundary = starts.begin() + static_cast<ptrdiff_t>(held_out - 1);
  std::nth_element(starts.begin(), boundary, starts.end(), std::greater<>());
  return *boundary;
}

}  // namespace

absl::StatusOr<Holdout> Holdout::Split(const Visits& visits, const EvaluateOptions& options) {
  Holdout holdout(visits, options);
  if (options.protocol == Protocol::kSessions) {
    holdout.boundary_ms_ = NewestVisitsFrom(visits, options.holdout_fraction);
  }
  holdout.Train();
  holdout.FindCases();
  if (holdout.cases_.empty()) {
    return absl::FailedPreconditionError("there are too few sessions to hold any out");
  }
  return holdout;
}

bool Holdout::IsHeldOut(const std::vector<Visit>& person, size_t visit) const {
  switch (options_.protocol) {
    case Protocol::kLeaveLastOut:
      return person.size() > 1 && visit + 1 == person.size();
    case Protocol::kSessions:
      return person[visit].start_ms >= boundary_ms_;
  }
  return false;
}

void Holdout::ForEachTrained(const std::function<void(const Action&)>& use,
                             const std::function<void()>& end_person) const {
  for (const std::vector<Visit>& person : visits_->persons) {
    for (size_t v = 0; v < person.size(); ++v) {
      if (IsHeldOut(person, v)) continue;
      for (const Action& action : person[v].actions) use(action);
    }
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

void Holdout::FindCases() {
  for (uint32_t p = 0; p < visits_->persons.size(); ++p) {
    const std::vector<Visit>& person = visits_->persons[p];
    for (uint32_t v = 0; v < person.size(); ++v) {
      if (!IsHeldOut(person, v)) continue;
      const bool whole_visit = options_.protocol == Protocol::kLeaveLastOut;
      const size_t lists = whole_visit ? 1 : person[v].actions.size();
      for (uint32_t action = whole_visit ? 0 : 1; action < lists; ++action) {
        const Case asked{p, v, action};
        if (!Targets(asked, Excluded(asked)).empty()) cases_.push_back(asked);
      }
    }
  }
}

ProductSet Holdout::Excluded(const Case& asked) const {
  const std::vector<Visit>& person = visits_->persons[asked.person];
  ProductSet excluded(training_.products.size());
  const auto insert = [&](const Action& action) {
    if (const auto column = column_of_[action.product]) excluded.Insert(*column);
  };
  if (options_.protocol == Protocol::kSessions) {
    const std::vector<Action>& actions = person[asked.visit].actions;
    std::for_each(actions.begin(), actions.begin() + asked.action, insert);
    return excluded;
  }
  for (uint32_t v = 0; v < asked.visit; ++v) {
    for (const Action& action : person[v].actions) {
      if (action.kind == PURCHASE) insert(action);
    }
  }
  return excluded;
}

std::vector<uint32_t> Holdout::Targets(const Case& asked, ProductSet excluded) const {
  const std::vector<Action>& actions = visits_->persons[asked.person][asked.visit].actions;
  const bool whole_visit = options_.protocol == Protocol::kLeaveLastOut;
  const size_t end = whole_visit ? actions.size() : asked.action + 1;
  std::vector<uint32_t> targets;
  for (size_t a = asked.action; a < end; ++a) {
    const auto column = column_of_[actions[a].product];
    if (!column || excluded.Contains(*column)) continue;
    targets.push_back(*column);
    excluded.Insert(*column);  // once is enough
  }
  return targets;
}

Question Holdout::Ask(const Case& asked) const {
  const std::vector<Visit>& person = visits_->persons[asked.person];
  const std::vector<Action>& actions = person[asked.visit].actions;
  Question question{.exclude = Excluded(asked), .targets = {}};
  question.targets = Targets(asked, question.exclude);
  for (uint32_t a = 0; a < asked.action; ++a) AppendCell(actions[a], &question.session);
  question.history = question.session;
  for (uint32_t v = 0; v < asked.visit; ++v) {
    for (const Action& action : person[v].actions) AppendCell(action, &question.history);
  }
  MergeCells(options_.weights.cell_weight_max, &question.session);
  MergeCells(options_.weights.cell_weight_max, &question.history);
  return question;
}

void Holdout::AppendCell(const Action& action, std::vector<Cell>* cells) const {
  const auto column = column_of_[action.product];
  if (!column) return;
  const float weight =
      EventWeight(options_.weights, action.kind, training_.newest_ms - action.time_ms);
  if (weight > 0) cells->push_back({*column, weight});
}

}  // namespace vitrine
