// Visits from what plain files hold: rows of interactions, sessions, sets of products, questions.
//
// Memory: 24 bytes an action while they are gathered, and 16 more, and 40 a visit, while they are
// put in order; beside them each different id once. At most limits::kEvaluatedActionsMax actions.

#ifndef VITRINE_RECOMMENDER_OFFLINE_VISITS_BUILDER_H_
#define VITRINE_RECOMMENDER_OFFLINE_VISITS_BUILDER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "recommender/offline/visits.h"

namespace vitrine {

struct PlainAction {
  absl::string_view person = {};   // empty: each session is somebody else's
  absl::string_view session = {};  // empty: a pause ends it (VisitsBuilder)
  absl::string_view product = {};
  std::optional<int64_t> time_ms = {};  // none: actions come in their order
  EventKind kind = VIEW_ITEM;
};

// Not thread-safe. Errors leave what was added before; InvalidArgument for an id that is empty or
// longer than limits::kIdBytesMax, ResourceExhausted beyond what is held at most.
class VisitsBuilder {
 public:
  // Where no session is named, a pause longer than the gap ends a visit; without times, every
  // action is a visit of its own.
  explicit VisitsBuilder(int64_t session_gap_ms) : session_gap_ms_(session_gap_ms) {}

  // From here on, what is added is the test part of a given split.
  void BeginTest() { test_ = true; }
  bool in_test() const { return test_; }

  absl::Status Add(const PlainAction& action);
  // Somebody's session, oldest click first.
  absl::Status AddSession(std::span<const absl::string_view> products);
  // "Who clicked these, what did they click next?" Questions about one session that follow each
  // other, a click longer or shorter, are put together again: they are no independent cases.
  absl::Status AddQuestion(std::span<const absl::string_view> prefix, absl::string_view target);
  // What a person had, in no order; may be nothing.
  absl::Status AddSet(absl::string_view person, std::span<const absl::string_view> products);

  size_t actions() const { return records_.size(); }

  // Persons in the order in which they were met. O(n log n).
  absl::StatusOr<Visits> Build() &&;

 private:
  struct Record {
    int64_t time_ms = 0;
    uint32_t person = 0;
    uint32_t session = 0;
    uint32_t product = 0;
    uint8_t kind = 0;
    bool test = false;
  };

  struct Question {
    std::vector<uint32_t> clicks = {};
    uint32_t first_asked = 0;
  };

  using Numbers = absl::flat_hash_map<std::string, uint32_t>;

  uint32_t NewSession(int64_t start_ms);
  uint32_t PersonOf(absl::string_view id);
  absl::Status FindProduct(absl::string_view id, uint32_t* product);
  absl::Status Append(const Record& record);
  // What was asked for last becomes a session.
  absl::Status EndQuestion();
  bool GoesOnWith(const Question& next);
  void SortRecords();

  const int64_t session_gap_ms_;
  bool test_ = false;
  Visits visits_;
  Numbers products_;
  Numbers persons_;
  Numbers sessions_;
  uint32_t person_count_ = 0;
  int64_t untimed_ms_ = 0;       // a clock that ticks with every action that has no time
  std::vector<int64_t> starts_;  // by session
  absl::flat_hash_map<uint32_t, uint32_t> first_asked_;  // of a session, where it is not 1
  Question question_;
  std::vector<Record> records_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_VISITS_BUILDER_H_
