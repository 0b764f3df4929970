// What an interrupted training goes on from: the products as a product sweep left them.
//
// The file: magic, version, epoch, rows, factors, fingerprint and a CRC-32C of all that follows and
// of the fields before it, then rows x factors floats, little-endian.

#ifndef VITRINE_RECOMMENDER_LEARN_ALS_CHECKPOINT_H_
#define VITRINE_RECOMMENDER_LEARN_ALS_CHECKPOINT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "recommender/learn/interactions.h"
#include "recommender/model/factors.h"
#include "recommender/model/settings.h"

namespace vitrine {

struct AlsCheckpoint {
  uint32_t epoch = 0;  // the one whose product sweep is done; the first is 1
  FactorMatrix products;
};

// Of everything that the factors of an epoch depend on; not of how many epochs or threads there
// are.
uint32_t Fingerprint(const SparseRows& by_person, const AlsSettings& settings,
                     const FactorMatrix* start);

absl::Status WriteCheckpoint(const std::string& path, uint32_t fingerprint,
                             const AlsCheckpoint& checkpoint);

// NotFound if there is none; FailedPrecondition if it has another fingerprint; DataLoss if it is
// damaged.
absl::StatusOr<AlsCheckpoint> ReadCheckpoint(const std::string& path, uint32_t fingerprint);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_ALS_CHECKPOINT_H_
