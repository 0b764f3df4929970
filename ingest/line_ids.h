// Ids of events whose lines carry none.

#ifndef VITRINE_INGEST_LINE_IDS_H_
#define VITRINE_INGEST_LINE_IDS_H_

#include <cstdint>
#include <string>
#include <xxhash.h>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "ingest/formats/log_time.h"

namespace vitrine {

// An id of 32 hex digits: 8 of the seconds since 1970 (none outside of 1970 to 2106), 24 of the
// hash. Events that come in the order of time have ids in that order, and rows that are written in
// the order of their keys cost a fraction of others (keys::EventIdKey).
std::string TimedId(int64_t seconds, const XXH128_hash_t& hash);

// A web server's line has a time, but two equal lines in one second are two requests. So an id is
// made of the line and of how often it has come before: a file that is read again gives the same
// ids (duplicates), a request that was repeated has one of its own.
//
// Only lines that are at most two blocks of kBlockLines lines back are remembered, which bounds
// memory (some 5 MB) and what must be read again to go on in the middle of a file. An equal line
// further away, of the same second, is the same request written twice. Not thread-safe.
class LineIds {
 public:
  static constexpr int64_t kBlockLines = 65'536;

  // The TimedId of the first time that stands in the line and XXH3-128: of the line's bytes alone,
  // whatever they mean. `number` of the line in its file, from 1, never falls.
  std::string IdOf(absl::string_view line, int64_t number);

  // The first line that the id of line `number` may depend on.
  static int64_t FirstThatMatters(int64_t number);

 private:
  using Counts = absl::flat_hash_map<uint64_t, uint32_t>;

  int64_t SecondsIn(absl::string_view line);

  LogTimeParser time_;
  int64_t block_ = 0;
  Counts now_, before_;  // by hash, of this block's lines and of the last one's
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_LINE_IDS_H_
