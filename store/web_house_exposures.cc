// The part of a WebHouse that keeps what was shown to whom.

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

absl::Status CheckShelf(const Exposure& shelf) {
  RETURN_IF_ERROR(Annotate(ValidId(shelf.id), "id"));
  RETURN_IF_ERROR(Annotate(ValidId(shelf.placement), "placement"));
  if (shelf.__isset.customer_id) RETURN_IF_ERROR(Annotate(ValidId(shelf.customer_id), "customer"));
  if (shelf.__isset.visitor_id) RETURN_IF_ERROR(Annotate(ValidId(shelf.visitor_id), "visitor"));
  for (const ExposedProduct& product : shelf.products) {
    RETURN_IF_ERROR(Annotate(ValidId(product.product_id), "product"));
  }
  return absl::OkStatus();
}

// A customer's row does not name the device: the erasure of whoever it is would not find it.
void Put(const Db& db, const Exposure& shelf, rocksdb::WriteBatch* rows) {
  const std::string key = keys::ExposureKey(shelf);
  std::string value;
  if (shelf.__isset.customer_id && shelf.__isset.visitor_id) {
    Exposure anonymous = shelf;
    anonymous.visitor_id.clear();
    anonymous.__isset.visitor_id = false;
    value = EncodeRecord(anonymous);
  } else {
    value = EncodeRecord(shelf);
  }
  rocksdb::ColumnFamilyHandle* const table = db.table(Table::kExposures);
  CHECK(rows->Put(table, key, value).ok());
  CHECK(rows->Put(table, keys::ExposureIdKey(shelf.id), key).ok());
}

}  // namespace

bool WebHouse::Impl::IsErased(const Person& person, int64_t time_ms) const {
  std::shared_ptr<const AuditKey> key;
  {
    absl::MutexLock lock(&state_mutex);
    if (erased_up_to.empty()) return false;
    key = audit_key;
  }
  const std::string digest = ErasedDigest(*key, person);
  absl::MutexLock lock(&state_mutex);
  const auto it = erased_up_to.find(digest);
  return it != erased_up_to.end() && time_ms <= it->second;
}

bool WebHouse::Impl::IsErased(const Exposure& shelf) const {
  return (shelf.__isset.customer_id &&
          IsErased(Person::Customer(shelf.customer_id), shelf.time_ms)) ||
         (shelf.__isset.visitor_id && IsErased(Person::Visitor(shelf.visitor_id), shelf.time_ms));
}

absl::Status WebHouse::AddExposures(std::span<const Exposure> shelves) {
  for (const Exposure& shelf : shelves) RETURN_IF_ERROR(CheckShelf(shelf));
  if (impl_->read_only || !impl_->Broken().ok()) {
    absl::MutexLock lock(&impl_->commit_mutex);
    RETURN_IF_ERROR(impl_->Writable());
  }
  RETURN_IF_ERROR(impl_->CheckSpace());
  const std::shared_ptr<const Db> db = impl_->db.Hold();
  if (db->raw() == nullptr) return absl::UnavailableError("the store is closed; try again");
  rocksdb::WriteBatch rows = NewBatch();
  absl::ReaderMutexLock lock(&impl_->exposures_mutex);
  for (const Exposure& shelf : shelves) {
    if (!impl_->IsErased(shelf)) Put(*db, shelf, &rows);
  }
  if (rows.Count() == 0) return absl::OkStatus();
  const absl::Status status =
      FromRocks(db->raw()->Write(rocksdb::WriteOptions(), &rows), "writing what was shown");
  if (status.ok()) {
    impl_->exposures_written += rows.Count() / 2;  // each is two rows
    return status;
  }
  impl_->Break(status);
  return absl::IsResourceExhausted(status) ? status : impl_->Broken();
}

absl::StatusOr<Exposure> WebHouse::GetExposure(absl::string_view id) const {
  const std::shared_ptr<const Db> db = impl_->db.Hold();
  rocksdb::PinnableSlice key;
  RETURN_IF_ERROR(db->GetRow(Table::kExposures, keys::ExposureIdKey(id), &key));
  Exposure shelf;
  RETURN_IF_ERROR(db->Get(Table::kExposures, FromSlice(key), &shelf));
  return shelf;
}

absl::Status WebHouse::ForEachPerson(absl::FunctionRef<absl::Status(const Person&)> use) const {
  absl::Status status;
  for (const Person::Kind kind : {Person::Kind::kCustomer, Person::Kind::kVisitor}) {
    const std::string first(1, static_cast<char>(kind));
    Cursor rows[] = {{impl_->db->Scan(Table::kEvents), first, first},
                     {impl_->db->Scan(Table::kExposures), first, first},
                     {impl_->db->Scan(Table::kLinks), first, first}};
    while (status.ok()) {
      const Cursor* next = nullptr;
      for (const Cursor& row : rows) {
        if (row.Valid() && (next == nullptr || row.key() < next->key())) next = &row;
      }
      if (next == nullptr) break;
      const Person person = keys::ParsePerson(next->key());
      std::string behind = keys::PersonPrefix(person);
      behind.back() = '\x01';  // ids hold none
      for (Cursor& row : rows) {
        if (row.Valid() && row.key() < absl::string_view(behind)) row.SkipTo(behind);
      }
      status = use(person);
    }
    for (Cursor& row : rows) {
      const absl::Status read = row.Finish();
      if (status.ok()) status = read;
    }
  }
  return status;
}

ExposureCursor WebHouse::ExposuresOfNobody() const {
  return impl_->Scan<Exposure>(Table::kExposures, std::string(keys::kNobodyPrefix));
}

}  // namespace vitrine
