// Sessions as plain files have them, products as numbers: what the session methods are measured on
// where there is no store.

#ifndef VITRINE_RECOMMENDER_OFFLINE_SESSION_LOG_H_
#define VITRINE_RECOMMENDER_OFFLINE_SESSION_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "recommender/model/session_index.h"

namespace vitrine {

// Clicks of many sessions, one after the other.
class SessionLog {
 public:
  size_t size() const { return ends_.size(); }
  size_t clicks() const { return clicks_.size(); }
  std::span<const uint32_t> operator[](size_t session) const {
    const size_t begin = session == 0 ? 0 : ends_[session - 1];
    return {clicks_.data() + begin, ends_[session] - begin};
  }

  void Append(std::span<const uint32_t> clicks);
  // Sessions [begin, end).
  SessionLog Slice(size_t begin, size_t end) const;

  bool operator==(const SessionLog&) const = default;

 private:
  std::vector<uint32_t> clicks_;
  std::vector<size_t> ends_;
};

// "After these clicks, what was next?"
struct SessionQuestions {
  SessionLog prefixes;
  std::vector<uint32_t> targets;  // one for each prefix

  size_t size() const { return targets.size(); }
};

// Numbers for ids, in the order in which they are met.
class ProductNumbers {
 public:
  uint32_t Of(absl::string_view id);
  size_t size() const { return numbers_.size(); }

 private:
  absl::flat_hash_map<std::string, uint32_t> numbers_;
};

// Each line a session, ids between spaces, oldest click first; sessions in the order in which they
// ended. InvalidArgument, naming the line, if one is empty.
absl::StatusOr<SessionLog> ParseSessionLines(absl::string_view text, ProductNumbers* products);

// Each line a prefix, a tab, what was next. InvalidArgument, naming the line, if one is not so.
absl::StatusOr<SessionQuestions> ParseQuestionLines(absl::string_view text,
                                                    ProductNumbers* products);

// Where a table of clicks has its columns; the first line names them and is passed over.
struct ClickColumns {
  char separator = '\t';
  size_t session = 0;
  size_t product = 1;
  size_t order = 2;  // a number: clicks of a session are put in its order, equals as they stand
};

// One click a line, in any order. Products that have no number yet get one in the order of their
// last click, the newest first: of equal scores the lower number is ranked first. Sessions are put
// in the order of their last click, equals in the order of their first line. InvalidArgument,
// naming the line, if one lacks a column or its order is no number.
absl::StatusOr<SessionLog> ParseClicks(absl::string_view text, const ClickColumns& columns,
                                       ProductNumbers* products);

// The sessions with at most so many different products.
SessionLog WithoutLong(const SessionLog& sessions, size_t products_max);

// Every click but the first of every session, asked from those before it. Clicks on products that
// `known` has in no session are left out first (an unknown product cannot be found by any method);
// all count with `known` null.
SessionQuestions AskEveryClick(const SessionLog& sessions, const SessionIndex* known);

// `count` of the questions, drawn with `seed`, in their order; all if there are no more.
SessionQuestions Sample(const SessionQuestions& questions, size_t count, uint64_t seed);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_SESSION_LOG_H_
