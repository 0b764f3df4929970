// A write that takes rows away: whole, with the totals, the marks of whose history changes, and the
// counts of what went. Internal to store.

#ifndef VITRINE_STORE_REMOVAL_H_
#define VITRINE_STORE_REMOVAL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/web_house_impl.h"

namespace vitrine {

// Of a reject that came by Track, under this key: the event, which is kept as it would have been
// stored.
std::optional<Event> TrackedEvent(absl::string_view key, const Reject& reject);

// REQUIRES: the commit mutex is held from construction until Write has returned. A row is named at
// most once.
class Removal {
 public:
  // `rows` is counted up by table. Both must outlive this object.
  Removal(WebHouse::Impl* impl, std::map<std::string, int64_t>* rows);

  rocksdb::WriteBatch* batch() { return &batch_; }

  // The row, if it is there.
  absl::Status Delete(Table table, absl::string_view key);
  absl::Status DeleteAll(Table table, const std::string& prefix);

  // The event with this key and the row of its id, and marks its person, if `still` wants it gone.
  // Returns what went.
  absl::StatusOr<std::optional<Event>> DeleteEvent(absl::string_view key,
                                                   absl::FunctionRef<bool(const Event&)> still);

  // The exposure with this key, and the row of its id. Returns what went.
  absl::StatusOr<std::optional<Exposure>> DeleteExposure(absl::string_view key);

  // Every login of the customer as this visitor that is not newer than `up_to_ms`, and the link
  // itself with an operator's word on it if no login is left.
  absl::Status DeleteLinks(absl::string_view customer, const std::string& visitor,
                           int64_t up_to_ms);
  // Those of the visitor's logins whose events are gone, if there is nothing left that they are
  // about: nothing that was done or shown without a name.
  absl::Status DeleteDeadLinks(const std::string& visitor);

  void MarkDirty(const Person& person);

  // From now on events of the person with this digest (Impl::DigestOf) that are not newer are
  // ignored.
  void Remember(const std::string& digest, int64_t up_to_ms);

  // For the audit chain.
  void Note(absl::string_view kind, absl::string_view text);

  absl::Status Write();

 private:
  WebHouse::Impl& impl_;
  std::map<std::string, int64_t>& rows_;
  rocksdb::WriteBatch batch_ = NewBatch();
  Totals after_;
  Totals removed_;
  absl::flat_hash_map<std::string, int64_t> erased_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_REMOVAL_H_
