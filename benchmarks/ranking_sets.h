// Public sets of who had what, split in a part to train on and a part to find.

#ifndef VITRINE_BENCHMARKS_RANKING_SETS_H_
#define VITRINE_BENCHMARKS_RANKING_SETS_H_

#include <string>

#include "absl/status/statusor.h"

#include "recommender/learn/interactions.h"

namespace vitrine::benchmarks {

inline constexpr char kGowallaFolder[] = "../shared/data/gowalla_lightgcn";
inline constexpr char kMovielensFolder[] = "../shared/data/movielens_1m";
inline constexpr int kMovielensFolds = 5;

// Persons x products, all weights 1.
struct RankingSet {
  SparseRows train;
  SparseRows test;
};

// The Gowalla check-ins as LightGCN split them: 29,858 persons, 40,981 places, 810,128 cells to
// train on and 217,242 to find. Reads train.txt.zst and test.txt.zst ("person item item ..." a
// line) with the zstd command. NotFound where they are not there, DataLoss with the line where one
// is damaged.
absl::StatusOr<RankingSet> ReadGowalla(const std::string& folder);

// MovieLens-1M, ratings of 4 and 5: the fifth of them that is in fold `fold` (1 to 5) to find, the
// others to train on. Reads fold1.csv.zst to fold5.csv.zst ("person,film,rating" a line). Errors as
// above.
absl::StatusOr<RankingSet> ReadMovielens(const std::string& folder, int fold);

}  // namespace vitrine::benchmarks

#endif  // VITRINE_BENCHMARKS_RANKING_SETS_H_
