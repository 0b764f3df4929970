#include "ingest/clock_repair.h"

#include "ingest/reasons.h"
#include "store/base/limits.h"

namespace vitrine {

int64_t RepairedTimeMs(int64_t original_ms, int64_t sent_ms, int64_t received_ms) {
  int64_t age_ms;
  int64_t repaired_ms;
  if (__builtin_sub_overflow(sent_ms, original_ms, &age_ms) ||
      __builtin_sub_overflow(received_ms, age_ms, &repaired_ms)) {
    return original_ms;
  }
  return repaired_ms;
}

absl::Status CheckEventTime(int64_t time_ms, int64_t now_ms, int64_t max_age_ms) {
  if (time_ms > now_ms + limits::kEventFutureMsMax) {
    return Fault(reasons::kTimeInFuture, time_ms, " ms is ", (time_ms - now_ms) / 1000,
                 " s after now");
  }
  if (max_age_ms > 0 && time_ms < now_ms - max_age_ms) {
    return Fault(reasons::kTimeTooOld, time_ms, " ms is ", (now_ms - time_ms) / 86'400'000,
                 " days ago, at most ", max_age_ms / 86'400'000, " are taken");
  }
  return absl::OkStatus();
}

}  // namespace vitrine
