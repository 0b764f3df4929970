// The rows that a catalogue and a customer file turn into. Internal to store.

#ifndef VITRINE_STORE_CATALOGUE_WRITER_H_
#define VITRINE_STORE_CATALOGUE_WRITER_H_

#include <cstdint>
#include <rocksdb/write_batch.h>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"

#include "store/db.h"
#include "store/records_types.h"

namespace vitrine {

// Merges `row` into `*stored`: what the row sets is taken, the rest stays. Attributes are merged
// one by one; an empty one is removed. A stored price of another currency than the row's goes. A
// row that has a name brings a withdrawn product back.
void MergeProduct(const Product& row, Product* stored);
// Of customers' facts the later ones win, whatever came first.
void MergeCustomerFacts(const CustomerFacts& row, CustomerFacts* stored);

// Adds to `batch` what rows change in the tables products and customer_facts, judged against what
// `db` holds. REQUIRES: nobody else writes to `db` until the batch is written.
class CatalogueWriter {
 public:
  CatalogueWriter(const Db& db, rocksdb::WriteBatch* batch) : db_(db), batch_(batch) {}

  // Call each once. Every row was found valid. `whole`: rows stand as they are, whatever was known
  // of their products; else they are merged. ResourceExhausted if a merged row had more than
  // limits::kAttributesMax attributes.
  absl::Status WriteProducts(std::span<const Product> rows, bool whole);
  absl::Status WriteCustomers(std::span<const CustomerFacts> rows);

  // Rows that changed something, and those that did not.
  int64_t products() const { return products_; }
  int64_t customers() const { return customers_; }
  int64_t unchanged() const { return unchanged_; }
  // Products met for the first time, and all that the batch changes.
  int64_t new_products() const { return new_products_; }
  const std::vector<std::string>& changed_products() const { return changed_products_; }

 private:
  const Db& db_;
  rocksdb::WriteBatch* const batch_;
  int64_t products_ = 0;
  int64_t customers_ = 0;
  int64_t unchanged_ = 0;
  int64_t new_products_ = 0;
  std::vector<std::string> changed_products_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_CATALOGUE_WRITER_H_
