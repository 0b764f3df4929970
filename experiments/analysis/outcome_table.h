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

#include "experiments/analysis/unit_outcome.h"

namespace vitrine::experiments {

// Not thread-safe.
class OutcomeTable {
 public:
  // In place of what it had; kNotIn takes it out. Units are told apart by 64 bits of a hash of
  // their name: of a million, two share theirs with a chance of 3e-8, and the later one then
  // counts. Memory: some 60 bytes, one for each metric and for each product shown, a few for each
  // value that is not 0. REQUIRES: values are whole numbers below 2^63.
  void Put(absl::string_view unit, const UnitOutcome& outcome);

  // Each once, in no order. What `use` gets is good until it returns.
  void ForEach(absl::FunctionRef<void(const UnitOutcome&)> use) const;

  size_t size() const { return units_.size(); }

 private:
  std::string Pack(const UnitOutcome& outcome);
  void Unpack(absl::string_view bytes, UnitOutcome* outcome) const;

  absl::flat_hash_map<uint64_t, std::string> units_;
  std::vector<std::string> countries_;
  absl::flat_hash_map<std::string, uint64_t> country_numbers_;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ANALYSIS_OUTCOME_TABLE_H_
