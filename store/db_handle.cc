#include "store/db_handle.h"

#include <utility>

#include "absl/time/clock.h"

namespace vitrine {

absl::Status DbHandle::Replace(absl::Duration patience,
                               const std::function<absl::StatusOr<std::unique_ptr<Db>>()>& open) {
  constexpr absl::Duration kStep = absl::Milliseconds(1);
  absl::MutexLock lock(&mutex_);
  // New readers wait for us, so the count only falls. Iterators live for one request: asking now
  // and then costs less than counting every reader.
  for (absl::Duration waited; db_.use_count() > 1; waited += kStep) {
    if (waited >= patience) {
      return absl::UnavailableError("the store cannot be opened again while it is read; try again");
    }
    absl::SleepFor(kStep);
  }
  db_ = Db::Closed();
  absl::StatusOr<std::unique_ptr<Db>> opened = open();
  if (!opened.ok()) return opened.status();
  db_ = *std::move(opened);
  return absl::OkStatus();
}

}  // namespace vitrine
