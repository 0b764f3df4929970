// A file of messages that are to be sent, one JSON object a line, for whatever sends them.
//
//   {"id":"cart-0f3a...","time_ms":1700000000000,"customer_id":"17850","channel":"email",
//    "purpose":"marketing","campaign":"trigger:cart","to":"ann@example.com","language":"en",
//    "text":"...","kind":"cart_abandoned","products":["85123A"]}
//
// `to` is the customer's e-mail address or, where the channel is SMS, their number; absent where
// none is known, or on other channels. Lines are only appended, so that a reader keeps the byte it
// has read up to; what it has sent it reports as contact events with the id as contact_id
// (examples/outreach). The file holds addresses: it belongs to its owner alone, and whoever reads
// it removes it when it is worked off (the next line begins a new one). A line that is "{}" and
// blanks was of somebody who was erased.

#ifndef VITRINE_RECOMMENDER_OUTREACH_OUTBOX_H_
#define VITRINE_RECOMMENDER_OUTREACH_OUTBOX_H_

#include <memory>
#include <span>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "store/offers_types.h"
#include "store/records_types.h"

namespace vitrine {

// The line of a planned contact, with its line end. What is not in the plan comes from the
// customer's facts; a message that is no JSON object is its text.
std::string OutboxLine(const PlannedContact& plan, const CustomerFacts& facts);

// Overwrites the lines of these customers, if there is such a file: "{}" and blanks, so that all
// others stay where a reader knows them. Durable. O(bytes).
absl::Status EraseFromOutbox(const std::string& path, std::span<const std::string> customers);

// Not thread-safe; one writer a file.
class Outbox {
 public:
  // Makes the file if it is not there; a last line that was not finished is taken away. Reads it
  // once: O(bytes), and remembers the ids.
  static absl::StatusOr<Outbox> Open(const std::string& path);

  // Puts the line behind the others, unless one of this id is there. Durable after Sync.
  absl::Status Append(const std::string& id, const std::string& line);
  absl::Status Sync();

 private:
  struct Closer {
    void operator()(const int* fd) const;
  };

  Outbox(std::string path, int fd);
  absl::Status ReadIds();

  std::string path_;
  std::unique_ptr<int, Closer> fd_;
  absl::flat_hash_set<std::string> ids_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OUTREACH_OUTBOX_H_
