// API keys, as rows: whom they open a site to is for api/auth to say.

#include <string>

#include "absl/strings/str_cat.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {

absl::StatusOr<std::vector<ApiKey>> WebHouse::ApiKeys() const {
  std::vector<ApiKey> found;
  auto cursor = impl_->Scan<ApiKey>(Table::kMeta, std::string(kApiKeysKey));
  for (; cursor.Valid(); cursor.Next()) found.push_back(cursor.value());
  RETURN_IF_ERROR(cursor.Finish());
  return found;
}

absl::Status WebHouse::PutApiKey(const ApiKey& key) {
  {
    absl::MutexLock lock(&impl_->commit_mutex);
    RETURN_IF_ERROR(impl_->Writable());
    ASSIGN_OR_RETURN(const std::vector<ApiKey> there, ApiKeys());
    if (there.size() >= limits::kApiKeysMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat("a site has at most ", limits::kApiKeysMax, " API keys: revoke some"));
    }
    rocksdb::WriteBatch rows = NewBatch();
    impl_->PutMeta(absl::StrCat(kApiKeysKey, key.id), EncodeRecord(key), &rows);
    RETURN_IF_ERROR(impl_->Write(&rows, impl_->CurrentTotals()));
  }
  return Sync();
}

absl::Status WebHouse::RemoveApiKey(absl::string_view id) {
  const std::string key = absl::StrCat(kApiKeysKey, id);
  {
    absl::MutexLock lock(&impl_->commit_mutex);
    RETURN_IF_ERROR(impl_->Writable());
    ApiKey row;
    const absl::Status status = impl_->db->Get(Table::kMeta, key, &row);
    if (absl::IsNotFound(status)) {
      return absl::NotFoundError(absl::StrCat("there is no API key ", id));
    }
    RETURN_IF_ERROR(status);
    rocksdb::WriteBatch rows = NewBatch();
    CHECK(rows.Delete(impl_->db->table(Table::kMeta), key).ok());
    RETURN_IF_ERROR(impl_->Write(&rows, impl_->CurrentTotals()));
  }
  return Sync();
}

}  // namespace vitrine
