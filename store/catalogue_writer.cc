#include "store/catalogue_writer.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "store/base/check.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/codec.h"

namespace vitrine {
namespace {

using Attributes = std::map<std::string, std::string>;

void MergeAttributes(const Attributes& row, Attributes* stored) {
  for (const auto& [name, value] : row) {
    if (value.empty()) {
      stored->erase(name);
    } else {
      (*stored)[name] = value;
    }
  }
}

// A row of its own table while a run of rows changes it.
template <typename Record>
struct Pending {
  Record now;
  bool is_new = false;
  bool changed = false;
};

template <typename Record>
using PendingRows = absl::flat_hash_map<std::string, Pending<Record>>;

// What `db` holds of the rows that are to change.
template <typename Record>
absl::Status Load(const Db& db, Table table, std::span<const Record> rows,
                  PendingRows<Record>* pending) {
  std::vector<rocksdb::Slice> ids;
  ids.reserve(rows.size());
  for (const Record& row : rows) {
    if (pending->try_emplace(row.id).second) ids.emplace_back(row.id);
  }
  ASSIGN_OR_RETURN(const std::vector<rocksdb::PinnableSlice> stored, db.MultiGet(table, ids));
  for (size_t i = 0; i < ids.size(); ++i) {
    Pending<Record>& p = pending->at(FromSlice(ids[i]));
    p.is_new = stored[i].empty();
    if (!p.is_new) RETURN_IF_ERROR(DecodeRecord(FromSlice(stored[i]), &p.now));
  }
  return absl::OkStatus();
}

// Puts `after` in the place of what is pending. False: it says nothing new; when it was said is no
// news.
template <typename Record>
absl::StatusOr<bool> Take(Record after, Pending<Record>* pending) {
  if (after.attributes.size() > limits::kAttributesMax) {
    return absl::ResourceExhaustedError(absl::StrCat("a row would have ", after.attributes.size(),
                                                     " attributes, at most ",
                                                     limits::kAttributesMax));
  }
  const int64_t said_ms = after.facts_time_ms;
  after.facts_time_ms = pending->now.facts_time_ms;
  const bool known = !pending->is_new || pending->changed;
  if (known && after == pending->now) return false;
  after.facts_time_ms = said_ms;
  pending->now = std::move(after);
  pending->changed = true;
  return true;
}

}  // namespace

void MergeProduct(const Product& row, Product* stored) {
  const bool other_currency =
      row.__isset.currency && stored->__isset.currency && row.currency != stored->currency;
  if (other_currency) stored->__isset.price_minor = stored->__isset.margin_minor = false;
  stored->id = row.id;
  stored->facts_time_ms = row.facts_time_ms;
  stored->__set_in_catalogue(true);
  if (row.__isset.name) stored->__set_name(row.name);
  if (row.__isset.category) stored->__set_category(row.category);
  if (row.__isset.price_minor) stored->__set_price_minor(row.price_minor);
  if (row.__isset.currency) stored->__set_currency(row.currency);
  if (row.__isset.brand) stored->__set_brand(row.brand);
  if (row.__isset.image_url) stored->__set_image_url(row.image_url);
  if (row.__isset.url) stored->__set_url(row.url);
  if (row.__isset.margin_minor) stored->__set_margin_minor(row.margin_minor);
  if (row.__isset.available_from_ms) stored->__set_available_from_ms(row.available_from_ms);
  if (row.__isset.available_to_ms) stored->__set_available_to_ms(row.available_to_ms);
  if (row.__isset.stock) stored->__set_stock(row.stock);
  if (row.__isset.attributes) MergeAttributes(row.attributes, &stored->attributes);
  stored->__isset.attributes = !stored->attributes.empty();
  if (row.__isset.withdrawn) {
    stored->__set_withdrawn(row.withdrawn);
  } else if (row.__isset.name) {
    stored->__isset.withdrawn = stored->withdrawn = false;
  }
}

void MergeCustomerFacts(const CustomerFacts& row, CustomerFacts* stored) {
  if (row.facts_time_ms < stored->facts_time_ms) {
    CustomerFacts merged = row;
    MergeCustomerFacts(*stored, &merged);
    *stored = std::move(merged);
    return;
  }
  stored->id = row.id;
  stored->facts_time_ms = row.facts_time_ms;
  if (row.__isset.name) stored->__set_name(row.name);
  if (row.__isset.email) stored->__set_email(row.email);
  if (row.__isset.phone) stored->__set_phone(row.phone);
  if (row.__isset.country) stored->__set_country(row.country);
  if (row.__isset.language) stored->__set_language(row.language);
  if (row.__isset.time_zone) stored->__set_time_zone(row.time_zone);
  if (row.__isset.attributes) MergeAttributes(row.attributes, &stored->attributes);
  stored->__isset.attributes = !stored->attributes.empty();
}

absl::Status CatalogueWriter::WriteProducts(std::span<const Product> rows, bool whole) {
  PendingRows<Product> pending;
  RETURN_IF_ERROR(Load(db_, Table::kProducts, rows, &pending));
  for (const Product& row : rows) {
    Pending<Product>& p = pending.at(row.id);
    Product after = whole ? Product() : p.now;
    MergeProduct(row, &after);
    ASSIGN_OR_RETURN(const bool changed, Take(std::move(after), &p));
    ++(changed ? products_ : unchanged_);
  }
  for (const auto& [id, p] : pending) {
    if (!p.changed) continue;
    CHECK(batch_->Put(db_.table(Table::kProducts), id, EncodeRecord(p.now)).ok());
    new_products_ += p.is_new ? 1 : 0;
    changed_products_.push_back(id);
  }
  return absl::OkStatus();
}

absl::Status CatalogueWriter::WriteCustomers(std::span<const CustomerFacts> rows) {
  PendingRows<CustomerFacts> pending;
  RETURN_IF_ERROR(Load(db_, Table::kCustomerFacts, rows, &pending));
  for (const CustomerFacts& row : rows) {
    Pending<CustomerFacts>& p = pending.at(row.id);
    CustomerFacts after = p.now;
    MergeCustomerFacts(row, &after);
    ASSIGN_OR_RETURN(const bool changed, Take(std::move(after), &p));
    ++(changed ? customers_ : unchanged_);
  }
  for (const auto& [id, p] : pending) {
    if (!p.changed) continue;
    CHECK(batch_->Put(db_.table(Table::kCustomerFacts), id, EncodeRecord(p.now)).ok());
  }
  return absl::OkStatus();
}

}  // namespace vitrine
