// The Gowalla check-ins as LightGCN split them: 29,858 persons, 40,981 places, 810,128 cells to
// train on and 217,242 to find.

#ifndef VITRINE_BENCHMARKS_GOWALLA_H_
#define VITRINE_BENCHMARKS_GOWALLA_H_

#include <string>

#include "absl/status/statusor.h"

#include "recommender/learn/interactions.h"

namespace vitrine::benchmarks {

inline constexpr char kGowallaFolder[] = "../shared/data/gowalla_lightgcn";

struct Gowalla {
  SparseRows train;  // all weights are 1
  SparseRows test;
};

// Reads train.txt.zst and test.txt.zst ("person item item ..." a line) with the zstd command.
// NotFound where they are not there, DataLoss with the line where one is damaged.
absl::StatusOr<Gowalla> ReadGowalla(const std::string& folder);

}  // namespace vitrine::benchmarks

#endif  // VITRINE_BENCHMARKS_GOWALLA_H_
