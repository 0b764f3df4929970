// The rejects of a WebHouse: kept with their source's generation, read again, moved.

#include <map>
#include <utility>

#include "absl/container/flat_hash_set.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

RejectPlace PlaceOf(const Reject& reject) {
  RejectPlace place;
  place.generation = reject.generation;
  place.line = reject.line;
  return place;
}

std::string KeyOf(absl::string_view source, const RejectPlace& place) {
  return keys::RejectKey(source, place.generation, place.line);
}

}  // namespace

// The rows of the batch's rejects. Those that it replays go first: what is rejected still comes
// back at the same place.
absl::Status WebHouse::Impl::PutRejects(const EventBatch& batch, SourceState* state,
                                        rocksdb::WriteBatch* rows) {
  rocksdb::ColumnFamilyHandle* const table = db->table(Table::kRejects);
  std::string before;
  absl::flat_hash_set<std::string> replayed;
  for (const RejectPlace& place : batch.replays) {
    std::string key = KeyOf(batch.source, place);
    if (key <= before) return absl::InvalidArgumentError("replays: not in ascending order");
    Reject reject;
    const absl::Status found = db->Get(Table::kRejects, key, &reject);
    if (absl::IsNotFound(found)) {
      return absl::AbortedError(absl::StrCat(batch.source, ": line ", place.line,
                                             " is no reject any more: it was replayed already"));
    }
    RETURN_IF_ERROR(found);
    const auto count = state->outcomes.find("rejected:" + reject.reason);
    if (count == state->outcomes.end()) return absl::DataLossError("a reject that was not counted");
    if (--count->second == 0) state->outcomes.erase(count);
    CHECK(rows->Delete(table, key).ok());
    replayed.insert(key);
    before = std::move(key);
  }
  for (Reject reject : batch.rejects) {
    if (batch.replays.empty()) reject.generation = state->restarts;
    const std::string key = KeyOf(batch.source, PlaceOf(reject));
    if (!batch.replays.empty() && replayed.erase(key) == 0) {
      return absl::InvalidArgumentError("rejects: one that the batch does not replay");
    }
    CHECK(rows->Put(table, key, EncodeRecord(reject)).ok());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RejectSummary>> WebHouse::SummarizeRejects() const {
  std::map<std::pair<std::string, std::string>, RejectSummary> sums;
  RejectCursor cursor = impl_->Scan<Reject>(Table::kRejects, "");
  for (; cursor.Valid(); cursor.Next()) {
    const Reject& reject = cursor.value();
    const std::string source(keys::RejectSource(cursor.key()));
    RejectSummary& sum = sums[{source, reject.reason}];
    if (sum.lines++ == 0) {
      sum.source = source;
      sum.reason = reject.reason;
      sum.first = PlaceOf(reject);
    }
    sum.last = PlaceOf(reject);
  }
  RETURN_IF_ERROR(cursor.Finish());
  std::vector<RejectSummary> summaries;
  for (auto& [key, sum] : sums) summaries.push_back(std::move(sum));
  return summaries;
}

absl::StatusOr<RejectPage> WebHouse::FindRejects(const RejectQuery& query) const {
  if (query.limit < 1 || query.limit > limits::kRejectPageMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("limit: ", query.limit, " is not between 1 and ", limits::kRejectPageMax));
  }
  const std::string prefix = query.source.empty() ? "" : query.source + '\0';
  // The first key behind the last one that was given.
  const std::string start = query.after.empty() ? prefix : query.after + '\0';
  RejectPage page;
  RejectCursor cursor(impl_->db->Scan(Table::kRejects), prefix, start);
  for (; cursor.Valid(); cursor.Next()) {
    if (!query.reason.empty() && cursor.value().reason != query.reason) continue;
    if (page.rejects.size() == static_cast<size_t>(query.limit)) break;
    SourceReject& found = page.rejects.emplace_back();
    found.source = std::string(keys::RejectSource(cursor.key()));
    found.reject = cursor.value();
    page.resume = std::string(cursor.key());
  }
  if (!cursor.Valid()) page.resume.clear();
  RETURN_IF_ERROR(cursor.Finish());
  return page;
}

}  // namespace vitrine
