#include "recommender/learn/held_out.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "recommender/learn/people.h"
#include "store/base/crc32c.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

bool SaysTaste(const WeightSettings& weights, const Event& event) {
  return weights.Of(event.kind) > 0 && !event.items.empty();
}

// Reads a store for the first time: when its newest event was, and whose last visit is held out.
class FirstLook {
 public:
  FirstLook(const WeightSettings& weights, int64_t gap_ms, const HoldOutOptions& options)
      : weights_(weights), gap_ms_(gap_ms), options_(options) {}

  // By person, newest first.
  void Add(const Person& person, const Event& event) {
    if (!SaysTaste(weights_, event)) return;
    newest_ms_ = std::max(newest_ms_.value_or(event.time_ms), event.time_ms);
    if (options_.visits_max == 0) return;
    if (person != person_) {
      person_ = person;
      visit_ms_ = event.time_ms;
      is_decided_ = false;
    }
    if (is_decided_) return;
    if (visit_ms_ - event.time_ms > gap_ms_) {
      is_decided_ = true;
      HoldOut();
    } else {
      visit_ms_ = event.time_ms;
    }
  }

  std::optional<int64_t> newest_ms() const { return newest_ms_; }
  // When the held-out visit of a person began, by keys::PersonPrefix.
  absl::flat_hash_map<std::string, int64_t> visits() const {
    absl::flat_hash_map<std::string, int64_t> visits;
    for (const auto& [draw, visit] : drawn_) visits.insert(visit);
    return visits;
  }

 private:
  // Persons are drawn by a digest of their keys: the lowest ones stay.
  void HoldOut() {
    std::string key = keys::PersonPrefix(*person_);
    const uint32_t draw = Crc32c(key, options_.seed);
    if (draw % options_.one_person_in != 0) return;
    drawn_.emplace(draw, std::pair(std::move(key), visit_ms_));
    if (drawn_.size() > options_.visits_max) drawn_.erase(std::prev(drawn_.end()));
  }

  const WeightSettings& weights_;
  const int64_t gap_ms_;
  const HoldOutOptions options_;
  std::optional<int64_t> newest_ms_;
  std::optional<Person> person_;
  int64_t visit_ms_ = 0;     // when the last visit of the person began, as far as it was read
  bool is_decided_ = false;  // something older than that visit was read
  std::multimap<uint32_t, std::pair<std::string, int64_t>> drawn_;
};

// Gathers orders, person by person; purchases of one order stand together in a history.
class Baskets {
 public:
  void Add(const Event& purchase) {
    const bool same = purchase.__isset.order_id ? purchase.order_id == order_id_
                                                : order_id_.empty() && purchase.time_ms == time_ms_;
    if (!same) EndOrder();
    order_id_ = purchase.__isset.order_id ? purchase.order_id : "";
    time_ms_ = purchase.time_ms;
    for (const Item& item : purchase.items) {
      const auto next = static_cast<uint32_t>(numbers_.size());
      order_.push_back({numbers_.try_emplace(item.product_id, next).first->second, 1});
    }
  }

  void EndOrder() {
    std::ranges::sort(order_, {}, &Cell::index);
    const auto is_same = [](const Cell& a, const Cell& b) { return a.index == b.index; };
    order_.erase(std::unique(order_.begin(), order_.end(), is_same), order_.end());
    if (order_.size() > 1) {
      rows_.cells.insert(rows_.cells.end(), order_.begin(), order_.end());
      rows_.offsets.push_back(rows_.cells.size());
    }
    order_.clear();
  }

  // With the columns of `products`, which has all of them, in ascending order.
  SparseRows Build(const std::vector<std::string>& products) && {
    EndOrder();
    std::vector<uint32_t> columns(numbers_.size());
    for (const auto& [product, number] : numbers_) {
      const auto column = std::ranges::lower_bound(products, product);
      columns[number] = static_cast<uint32_t>(column - products.begin());
    }
    for (Cell& cell : rows_.cells) cell.index = columns[cell.index];
    for (size_t r = 0; r < rows_.rows(); ++r) {
      std::ranges::sort(rows_.cells.begin() + static_cast<ptrdiff_t>(rows_.offsets[r]),
                        rows_.cells.begin() + static_cast<ptrdiff_t>(rows_.offsets[r + 1]), {},
                        &Cell::index);
    }
    rows_.columns = products.size();
    return std::move(rows_);
  }

 private:
  std::string order_id_;
  int64_t time_ms_ = 0;
  std::vector<Cell> order_;  // the one that is being added
  absl::flat_hash_map<std::string, uint32_t> numbers_;
  SparseRows rows_;
};

// Reads it again, for everything.
class SecondLook {
 public:
  SecondLook(const WeightSettings& weights, const FirstLook& first)
      : weights_(weights), visits_(first.visits()), builder_(weights, *first.newest_ms()) {}

  void Add(const Person& person, const Event& event) {
    if (!SaysTaste(weights_, event)) return;
    if (person != person_) {
      EndPerson();
      person_ = person;
      const auto visit = visits_.find(keys::PersonPrefix(person));
      if (visit != visits_.end()) held_out_ = HeldOutVisit{.start_ms = visit->second};
    }
    if (held_out_ && event.time_ms >= held_out_->start_ms) {
      for (const Item& item : event.items) held_out_->products.push_back(item.product_id);
      return;
    }
    if (held_out_ && held_out_->history.size() < limits::kHistoryEventsMax) {
      Event& known = held_out_->history.emplace_back();
      known.time_ms = event.time_ms;
      known.kind = event.kind;
      known.items = event.items;
    }
    for (const Item& item : event.items) builder_.Add(event.kind, event.time_ms, item.product_id);
    if (event.kind == PURCHASE) baskets_.Add(event);
  }

  TrainingData Build() && {
    EndPerson();
    Interactions interactions = std::move(builder_).Build();
    SparseRows baskets = std::move(baskets_).Build(interactions.products);
    return {std::move(interactions), std::move(baskets), std::move(all_held_out_)};
  }

 private:
  void EndPerson() {
    builder_.EndPerson();
    baskets_.EndOrder();
    if (!held_out_) return;
    absl::flat_hash_set<std::string> known;
    for (const Event& event : held_out_->history) {
      if (event.kind != PURCHASE) continue;
      for (const Item& item : event.items) known.insert(item.product_id);
    }
    std::erase_if(held_out_->products,
                  [&](const std::string& product) { return !known.insert(product).second; });
    if (!held_out_->products.empty()) all_held_out_.push_back(*std::move(held_out_));
    held_out_.reset();
  }

  const WeightSettings& weights_;
  const absl::flat_hash_map<std::string, int64_t> visits_;
  InteractionsBuilder builder_;
  Baskets baskets_;
  std::optional<Person> person_;
  std::optional<HeldOutVisit> held_out_;  // of person_
  std::vector<HeldOutVisit> all_held_out_;
};

}  // namespace

absl::StatusOr<TrainingData> GatherTraining(const WebHouse& house, const WeightSettings& weights,
                                            const HoldOutOptions& hold_out) {
  RETURN_IF_ERROR(Validate(weights));
  FirstLook first(weights, house.GetSettings().session_gap_ms, hold_out);
  RETURN_IF_ERROR(ForEachEventOfPeople(
      house, [&](const Person& person, const Event& event) { first.Add(person, event); }));
  if (!first.newest_ms()) {
    return absl::FailedPreconditionError("no event says anything about taste");
  }
  SecondLook second(weights, first);
  RETURN_IF_ERROR(ForEachEventOfPeople(
      house, [&](const Person& person, const Event& event) { second.Add(person, event); }));
  return std::move(second).Build();
}

}  // namespace vitrine
