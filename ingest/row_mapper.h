// The fields of one CSV record into an Event, as a Mapping says.

#ifndef VITRINE_INGEST_ROW_MAPPER_H_
#define VITRINE_INGEST_ROW_MAPPER_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "ingest/mapping.h"
#include "ingest/time_parser.h"
#include "store/records_types.h"

namespace vitrine {

using Fields = std::vector<absl::string_view>;

// Not thread-safe. `mapping` must outlive the mapper.
class RowMapper {
 public:
  // Finds the mapping's columns in the file's first record. InvalidArgument that names a column
  // which is not there (and those that are) or is there twice.
  static absl::StatusOr<RowMapper> Create(const Mapping& mapping, const Fields& header);

  // Replaces `*event`; its id stays empty if the mapping gives none. True: `*event` is an event
  // (still to be validated); false: `*ignored` is why the line is none. A fault otherwise. Ignore
  // rules are asked first: what a shop does not want need not be well-formed.
  absl::StatusOr<bool> Map(const Fields& fields, Event* event, absl::string_view* ignored);

 private:
  static constexpr int kNone = -1;

  struct Condition {
    int column = kNone;
    absl::flat_hash_set<std::string> values;
    std::vector<std::string> starts;
    bool Holds(const Fields& fields) const;
  };

  struct Rule {
    std::vector<Condition> when, unless;
    const Mapping::Rule* rule = nullptr;
    bool Holds(const Fields& fields) const;
  };

  RowMapper(const Mapping& mapping, TimeParser time) : mapping_(mapping), time_(std::move(time)) {}

  absl::Status MapTime(const Fields& fields, Event* event);
  void MapPerson(const Fields& fields, Event* event) const;
  absl::Status MapItem(const Fields& fields, Event* event) const;
  absl::Status MapQuantity(absl::string_view text, EventKind kind, Item* item) const;

  // What stands in a column, without blanks around it; empty if the mapping has no such column.
  static absl::string_view At(const Fields& fields, int column);

  const Mapping& mapping_;
  TimeParser time_;
  size_t width_ = 0;  // fields of a well-formed record
  int minor_digits_ = 2;
  std::vector<Rule> kinds_, ignores_;
  std::vector<int> time_columns_, id_columns_;
  int step_ = kNone, customer_ = kNone, visitor_ = kNone, order_ = kNone, product_ = kNone,
      name_ = kNone, category_ = kNone, quantity_ = kNone, price_ = kNone, country_ = kNone,
      recommendation_ = kNone;
  std::string time_text_;  // joined time columns
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_ROW_MAPPER_H_
