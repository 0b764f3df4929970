// The outcomes of an experiment's units, small enough to keep millions of them in memory: a unit
// that did something is counted again alone, and a report is made of all without reading a store.

#ifndef VITRINE_EXPERIMENTS_ANALYSIS_OUTCOME_TABLE_H_
#define VITRINE_EXPERIMENTS_ANALYSIS_OUTCOME_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

#include "experiments/analysis/row_arena.h"
#include "experiments/analysis/unit_outcome.h"

namespace vitrine::experiments {

// Not thread-safe.
class OutcomeTable {
 public:
  // In place of what it had; kNotIn takes it out. Units are told apart by 64 bits of a hash of
  // their name: of a million, two share theirs with a chance of 3e-8, and the later one then
  // counts. Memory: some 100 bytes, one or two for each metric and each product shown, a few for
  // each value that is not 0. REQUIRES: values are whole numbers below 2^63.
  void Put(absl::string_view unit, const UnitOutcome& outcome);

  // Each once, in no order, without what it was `shown`. What `use` gets is good until it returns.
  void ForEach(absl::FunctionRef<void(const UnitOutcome&)> use) const;
  // The same, no more than arm and values.
  void ForEachValues(absl::FunctionRef<void(const UnitOutcome&)> use) const;

  // How many units were shown a product: by arm, then by KnownProduct number. Shorter lists where
  // nobody was.
  const std::vector<std::vector<uint32_t>>& shown_to() const { return shown_to_; }

  size_t size() const { return units_.size(); }

 private:
  struct Places {
    RowArena::Place outcome = 0;
    RowArena::Place shown = 0;
    bool has_shown = false;
    uint8_t arm = 0;  // limits::kExperimentArmsMax are fewer
  };

  std::string Pack(const UnitOutcome& outcome);
  void Unpack(absl::string_view packed, bool only_values, UnitOutcome* outcome) const;
  void PutShown(const UnitOutcome& outcome, Places* places);
  void CountShown(size_t arm, absl::string_view packed, uint32_t times);

  absl::flat_hash_map<uint64_t, Places> units_;
  RowArena outcomes_;
  RowArena shown_;
  std::vector<std::vector<uint32_t>> shown_to_;
  std::vector<std::string> countries_;
  absl::flat_hash_map<std::string, uint64_t> country_numbers_;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ANALYSIS_OUTCOME_TABLE_H_
