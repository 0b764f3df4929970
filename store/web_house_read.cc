// The reading half of a WebHouse.

#include <rocksdb/utilities/checkpoint.h>

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {

EventCursor WebHouse::History(const Person& person) const {
  return impl_->Scan<Event>(Table::kEvents, keys::PersonPrefix(person));
}
EventCursor WebHouse::Events() const { return impl_->Scan<Event>(Table::kEvents, ""); }
SessionCursor WebHouse::SessionsOf(const Person& person) const {
  return impl_->Scan<Session>(Table::kSessions, keys::PersonPrefix(person));
}
SessionCursor WebHouse::Sessions() const { return impl_->Scan<Session>(Table::kSessions, ""); }
CustomerCursor WebHouse::Customers(absl::string_view from) const {
  return CustomerCursor(impl_->db->Scan(Table::kCustomers), "", std::string(from));
}
EventCursor WebHouse::Conflicts() const { return impl_->Scan<Event>(Table::kConflicts, ""); }
RejectCursor WebHouse::Rejects(absl::string_view source) const {
  return impl_->Scan<Reject>(Table::kRejects, std::string(source) + '\0');
}
RobotCursor WebHouse::Robots(absl::string_view from) const {
  return RobotCursor(impl_->db->Scan(Table::kRobots), "", std::string(from));
}
SourceCursor WebHouse::Sources() const {
  return impl_->Scan<SourceState>(Table::kMeta, keys::SourceKey(""));
}

absl::StatusOr<Customer> WebHouse::GetCustomer(absl::string_view id) const {
  Customer customer;
  RETURN_IF_ERROR(impl_->db->Get(Table::kCustomers, id, &customer));
  return customer;
}

absl::StatusOr<Product> WebHouse::GetProduct(absl::string_view id) const {
  Product product;
  RETURN_IF_ERROR(impl_->db->Get(Table::kProducts, id, &product));
  return product;
}

absl::StatusOr<std::vector<std::shared_ptr<const Product>>> WebHouse::GetProducts(
    std::span<const std::string> ids) const {
  std::vector<std::shared_ptr<const Product>> products(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    ASSIGN_OR_RETURN(products[i], impl_->CachedProduct(ids[i]));
  }
  return products;
}

// A product that is not there is kept too, with nothing but its id.
absl::StatusOr<std::shared_ptr<const Product>> WebHouse::Impl::CachedProduct(
    const std::string& id) const {
  uint64_t ticket;
  if (auto cached = product_cache.Get(id, &ticket)) return cached;
  auto product = std::make_shared<Product>();
  const absl::Status found = db->Get(Table::kProducts, id, product.get());
  if (absl::IsNotFound(found)) {
    product->id = id;
  } else {
    RETURN_IF_ERROR(found);
  }
  product_cache.Put(id, product, ticket);
  return product;
}

absl::StatusOr<SourceState> WebHouse::Impl::Source(absl::string_view name) const {
  SourceState state;
  const absl::Status found = db->Get(Table::kMeta, keys::SourceKey(name), &state);
  if (absl::IsNotFound(found)) {
    state = SourceState();
    state.name = std::string(name);
    return state;
  }
  RETURN_IF_ERROR(found);
  return state;
}

absl::StatusOr<SourceState> WebHouse::GetSource(absl::string_view name) const {
  return impl_->Source(name);
}

Totals WebHouse::GetTotals() const { return impl_->CurrentTotals(); }

SiteSettings WebHouse::GetSettings() const {
  absl::MutexLock lock(&impl_->state_mutex);
  return impl_->settings;
}

AuditAnchor WebHouse::Anchor() const {
  absl::MutexLock lock(&impl_->state_mutex);
  return impl_->anchor;
}

uint64_t WebHouse::Version() const { return impl_->version; }

StoreFigures WebHouse::Figures() const {
  StoreFigures figures;
  figures.broken = impl_->Broken();
  figures.exposures_written = impl_->exposures_written;
  figures.products = impl_->product_cache.Counts();
  if (const auto disk = impl_->options.disk_space(impl_->options.directory); disk.ok()) {
    figures.disk = *disk;
    figures.disk_bytes_reserved = Impl::Reserved(*disk);
  }
  const std::shared_ptr<Db> db = impl_->db.Hold();
  if (db->raw() == nullptr) return figures;
  const auto sum = [&](const std::string& property) {
    uint64_t value = 0;
    db->raw()->GetAggregatedIntProperty(property, &value);
    return static_cast<int64_t>(value);
  };
  const auto is_set = [&](const std::string& property) {
    uint64_t value = 0;
    return db->raw()->GetIntProperty(property, &value) && value != 0;
  };
  using Properties = rocksdb::DB::Properties;
  figures.table_bytes = sum(Properties::kLiveSstFilesSize);
  figures.memtable_bytes = sum(Properties::kCurSizeAllMemTables);
  figures.pending_compaction_bytes = sum(Properties::kEstimatePendingCompactionBytes);
  figures.writes_stopped = is_set(Properties::kIsWriteStopped);
  figures.writes_delayed = is_set(Properties::kActualDelayedWriteRate);
  return figures;
}

absl::Status WebHouse::Checkpoint(const std::string& directory) const {
  const std::shared_ptr<Db> db = impl_->db.Hold();  // open until the copy is made
  if (db->raw() == nullptr) return absl::UnavailableError("the store is closed; try again");
  rocksdb::Checkpoint* raw = nullptr;
  RETURN_IF_ERROR(FromRocks(rocksdb::Checkpoint::Create(db->raw(), &raw), "checkpoint"));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  return FromRocks(checkpoint->CreateCheckpoint(directory),
                   absl::StrCat("making a checkpoint in ", directory));
}

}  // namespace vitrine
