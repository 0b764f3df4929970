// The interaction matrix: persons x products, sparse, in both orientations.

#ifndef VITRINE_RECOMMENDER_LEARN_INTERACTIONS_H_
#define VITRINE_RECOMMENDER_LEARN_INTERACTIONS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "recommender/model/cell.h"
#include "recommender/model/settings.h"
#include "store/records_types.h"

namespace vitrine {

// Compressed sparse rows: the cells of row r are cells[offsets[r]] to cells[offsets[r + 1]],
// ordered by index.
struct SparseRows {
  std::vector<uint64_t> offsets = {0};
  std::vector<Cell> cells;
  size_t columns = 0;

  size_t rows() const { return offsets.size() - 1; }
  std::span<const Cell> row(size_t r) const {
    return {cells.data() + offsets[r], cells.data() + offsets[r + 1]};
  }
  SparseRows Transposed() const;          // O(cells)
  std::vector<float> ColumnSums() const;  // of weights, O(cells)
};

struct Interactions {
  std::vector<std::string> products;  // ids by column
  SparseRows by_person;               // persons x products
  int64_t newest_ms = 0;              // ages were counted back from here
};

// Gathers events person by person.
//
//   InteractionsBuilder builder(weights, newest_ms);
//   for each person: for each event: builder.Add(kind, time, product);  builder.EndPerson();
//   Interactions all = std::move(builder).Build();
class InteractionsBuilder {
 public:
  // Ages are counted back from `newest_ms`.
  InteractionsBuilder(const WeightSettings& weights, int64_t newest_ms);

  void Add(EventKind kind, int64_t time_ms, absl::string_view product);
  // Closes the row; a person whose events say nothing about taste leaves none. True if one was
  // added.
  bool EndPerson();
  // Products are ordered by id, so that the columns do not depend on the order of persons.
  Interactions Build() &&;

 private:
  const WeightSettings weights_;
  const int64_t newest_ms_;
  absl::flat_hash_map<std::string, uint32_t> index_;
  std::vector<std::string> products_;
  std::vector<Cell> row_;  // of the person that is being added
  SparseRows by_person_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_INTERACTIONS_H_
