// What the back office says of products and customers.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {

absl::StatusOr<FactsResult> WebHouse::UpdateProducts(std::span<const Product> rows, Ack ack) {
  EventBatch batch;
  batch.source = std::string(kUpdateSource);
  batch.products.assign(rows.begin(), rows.end());
  FactsResult result;
  uint64_t written;
  {
    absl::MutexLock lock(&impl_->commit_mutex);
    ASSIGN_OR_RETURN(const SourceState before, impl_->Source(kUpdateSource));
    batch.from_lines = before.lines;
    batch.to_lines = before.lines + static_cast<int64_t>(rows.size());
    RETURN_IF_ERROR(CheckBatch(batch));
    RETURN_IF_ERROR(impl_->CommitLocked(batch, &result).status());
    written = impl_->version;
  }
  if (ack == Ack::kDurable) RETURN_IF_ERROR(impl_->SyncUpTo(written));
  return result;
}

absl::Status WebHouse::BeginReplacement(absl::string_view source) {
  RETURN_IF_ERROR(RestartSource(source));
  absl::MutexLock lock(&impl_->commit_mutex);
  impl_->replacement = Replacement{std::string(source), {}, 0};
  return absl::OkStatus();
}

absl::StatusOr<int64_t> WebHouse::FinishReplacement(absl::string_view source) {
  int64_t withdrawn;
  {
    absl::MutexLock lock(&impl_->commit_mutex);
    RETURN_IF_ERROR(impl_->Writable());
    const std::optional<Replacement> replacement = std::exchange(impl_->replacement, std::nullopt);
    if (!replacement.has_value() || replacement->source != source) {
      return absl::FailedPreconditionError(absl::StrCat(
          "no replacement of the catalogue by ", source,
          " is under way (the server was started again, or another one has begun); nothing is "
          "withdrawn: run the import again"));
    }
    if (replacement->rejects > 0) {
      return absl::FailedPreconditionError(
          absl::StrCat(replacement->rejects, " lines of ", source,
                       " were rejected, and they may name products; nothing is withdrawn: correct "
                       "them and run the import again"));
    }
    if (replacement->named.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat(source, " names no product; nothing is withdrawn"));
    }
    ASSIGN_OR_RETURN(withdrawn, impl_->WithdrawOthers(replacement->named));
  }
  RETURN_IF_ERROR(Sync());
  return withdrawn;
}

absl::StatusOr<int64_t> WebHouse::Impl::WithdrawOthers(
    const absl::flat_hash_set<std::string>& named) {
  rocksdb::WriteBatch rows = NewBatch();
  std::vector<std::string> withdrawn;
  ProductCursor cursor = Scan<Product>(Table::kProducts, "");
  for (; cursor.Valid(); cursor.Next()) {
    if (!cursor.value().in_catalogue || cursor.value().withdrawn) continue;
    if (named.contains(cursor.value().id)) continue;
    Product product = cursor.value();
    product.__set_withdrawn(true);
    CHECK(rows.Put(db->table(Table::kProducts), ToSlice(cursor.key()), EncodeRecord(product)).ok());
    withdrawn.push_back(product.id);
  }
  RETURN_IF_ERROR(cursor.Finish());
  RETURN_IF_ERROR(Write(&rows, CurrentTotals()));
  for (const std::string& id : withdrawn) product_cache.Erase(id);
  return static_cast<int64_t>(withdrawn.size());
}

// Remembers what a replacement has named, before it is written: a product too many is kept, not
// withdrawn.
absl::Status WebHouse::Impl::NoteReplaced(const EventBatch& batch) {
  if (!Replaces(batch)) return absl::OkStatus();
  replacement->rejects += static_cast<int64_t>(batch.rejects.size());
  for (const Product& product : batch.products) replacement->named.insert(product.id);
  if (replacement->named.size() <= limits::kCatalogueProductsMax) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("a replacement names more than ", limits::kCatalogueProductsMax, " products"));
}

absl::StatusOr<CustomerFacts> WebHouse::GetCustomerFacts(absl::string_view id) const {
  CustomerFacts facts;
  RETURN_IF_ERROR(impl_->db->Get(Table::kCustomerFacts, id, &facts));
  return facts;
}

CustomerFactsCursor WebHouse::AllCustomerFacts() const {
  return impl_->Scan<CustomerFacts>(Table::kCustomerFacts, "");
}

ProductCursor WebHouse::Products(absl::string_view from) const {
  return ProductCursor(impl_->db->Scan(Table::kProducts), "", std::string(from));
}

}  // namespace vitrine
