// Rows of bytes beside each other: read one after the other they cost a tenth of what as many
// strings do, each of which is a cache miss.

#ifndef VITRINE_EXPERIMENTS_ANALYSIS_ROW_ARENA_H_
#define VITRINE_EXPERIMENTS_ANALYSIS_ROW_ARENA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace vitrine::experiments {

// Not thread-safe. A row that outgrows its place gets another one, a quarter larger than it needs;
// the old one stays empty, so that all places together are at most five times what is in them.
class RowArena {
 public:
  using Place = uint64_t;

  // REQUIRES: the row is not empty (here and below).
  Place Add(absl::string_view row);
  // Where it is now.
  Place Replace(Place place, absl::string_view row);
  void Remove(Place place);
  // Good until the row is replaced.
  absl::string_view Row(Place place) const;

  void ForEach(absl::FunctionRef<void(absl::string_view row)> use) const;

 private:
  // Before each row.
  struct Head {
    uint32_t room;  // bytes
    uint32_t used;  // 0: removed
  };

  Head HeadAt(Place place) const;
  void Write(Place place, Head head, absl::string_view row);

  std::vector<std::string> chunks_;  // a place: the number of its chunk, and where in that
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ANALYSIS_ROW_ARENA_H_
