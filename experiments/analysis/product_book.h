// What an experiment has to know of the products that its units were shown, did something with, and
// bought: read from the catalogue once.

#ifndef VITRINE_EXPERIMENTS_ANALYSIS_PRODUCT_BOOK_H_
#define VITRINE_EXPERIMENTS_ANALYSIS_PRODUCT_BOOK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"

#include "store/web_house.h"

namespace vitrine::experiments {

struct KnownProduct {
  uint32_t number = 0;    // from 0, in the order in which they were asked for
  uint32_t category = 0;  // 0: none; else the same for the same category
  // Of one piece, in the experiment's currency; 0 where it is not known.
  int64_t margin_minor = 0;
  // Bit e: Experiment.events[e] is about it (limits::kExperimentEventMetricsMax are at most 32).
  uint32_t in_metrics = 0;
};

// Not thread-safe. Memory: some 100 bytes a product.
class ProductBook {
 public:
  // As the catalogue has it when it is first asked for. A product that the store does not know, or
  // cannot read, has a number and no more; `status` then says what ails the store.
  const KnownProduct& Of(const WebHouse& house, const Experiment& experiment,
                         const std::string& id);

  size_t size() const { return known_.size(); }
  const absl::Status& status() const { return status_; }

 private:
  KnownProduct Read(const WebHouse& house, const Experiment& experiment, const std::string& id);

  absl::flat_hash_map<std::string, KnownProduct> known_;
  absl::flat_hash_map<std::string, uint32_t> categories_;
  absl::Status status_;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ANALYSIS_PRODUCT_BOOK_H_
