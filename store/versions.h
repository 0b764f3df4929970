// Rows of the meta table that are never overwritten: each change of a content (placements, an
// experiment) is a version of its own under one prefix, the newest first. Internal to store.

#ifndef VITRINE_STORE_VERSIONS_H_
#define VITRINE_STORE_VERSIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {

inline std::string VersionKey(std::string prefix, int64_t version) {
  AppendBigEndian(&prefix, ~static_cast<uint64_t>(version));
  return prefix;
}

// The newest `limit` of them. `Impl` is WebHouse's own, here and below.
template <typename Version, typename Impl>
absl::StatusOr<std::vector<Version>> NewestVersions(const Impl& impl, const std::string& prefix,
                                                    size_t limit) {
  std::vector<Version> versions;
  auto cursor = impl.template Scan<Version>(Table::kMeta, prefix);
  for (; versions.size() < limit && cursor.Valid(); cursor.Next()) {
    versions.push_back(cursor.value());
  }
  RETURN_IF_ERROR(cursor.Finish());
  return versions;
}

// The newest of them; before the first, one of number 0 with nothing in it.
template <typename Version, typename Impl>
absl::StatusOr<Version> NewestVersion(const Impl& impl, const std::string& prefix) {
  ASSIGN_OR_RETURN(std::vector<Version> newest, NewestVersions<Version>(impl, prefix, 1));
  return newest.empty() ? Version() : std::move(newest.front());
}

struct VersionChange {
  int64_t based_on = 0;  // the version that was read before; 0: none was there
  absl::string_view who;
  absl::string_view comment;
  // For the message: "the placements are", "them".
  std::string what_is;
  absl::string_view it;
};

// Writes and seals the version after the newest. Aborted if that is not the one it is based on.
// `may_begin` is asked before a first one, under the lock of whoever writes.
template <typename Version, typename Content, typename Impl>
absl::StatusOr<Version> PutNextVersion(Impl* impl, const std::string& prefix,
                                       const Content& content, const VersionChange& change,
                                       absl::FunctionRef<absl::Status()> may_begin) {
  absl::MutexLock lock(&impl->commit_mutex);
  RETURN_IF_ERROR(impl->Writable());
  ASSIGN_OR_RETURN(const std::vector<Version> newest, NewestVersions<Version>(*impl, prefix, 1));
  const int64_t version = newest.empty() ? 0 : newest.front().version;
  if (change.based_on != version) {
    return absl::AbortedError(absl::StrCat(
        "based_on: this is a change of version ", change.based_on, ", but ", change.what_is,
        " at version ", version, " now: somebody changed ", change.it, " meanwhile"));
  }
  if (version == 0) RETURN_IF_ERROR(may_begin());
  Version next;
  next.version = version + 1;
  next.time_ms = impl->options.clock->NowMs();
  next.who = std::string(change.who);
  next.comment = std::string(change.comment);
  next.content = content;
  rocksdb::WriteBatch rows = NewBatch();
  impl->PutMeta(VersionKey(prefix, next.version), EncodeRecord(next), &rows);
  RETURN_IF_ERROR(impl->Write(&rows, impl->CurrentTotals()));
  return next;
}

inline absl::Status MayAlwaysBegin() { return absl::OkStatus(); }

// The same, durable when it returns.
template <typename Version, typename Content, typename Impl>
absl::StatusOr<Version> PutDurableVersion(
    WebHouse* house, Impl* impl, const std::string& prefix, const Content& content,
    const VersionChange& change, absl::FunctionRef<absl::Status()> may_begin = MayAlwaysBegin) {
  ASSIGN_OR_RETURN(Version next, PutNextVersion<Version>(impl, prefix, content, change, may_begin));
  RETURN_IF_ERROR(house->Sync());
  return next;
}

}  // namespace vitrine

#endif  // VITRINE_STORE_VERSIONS_H_
