// Where the trained models of a site lie: <site>/models/<id>.model, and CURRENT, which names the
// one that is served. Knows nothing of what is in a model.

#ifndef VITRINE_STORE_MODEL_STORE_H_
#define VITRINE_STORE_MODEL_STORE_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// Thread-safe: has no state but the files.
class ModelStore {
 public:
  // `site_directory` is the site's folder; "models" is made inside it when first needed.
  explicit ModelStore(std::string site_directory);

  // The file for a model of this id (letters, digits, '-' and '.').
  std::string PathOf(absl::string_view id) const;

  // Makes `id`, whose file is complete, the current one: one rename, durable.
  absl::Status Publish(absl::string_view id) const;

  // Removes all but the newest `keep` (at least 1), the current one and those of these ids.
  absl::Status Prune(size_t keep, const std::set<std::string>& wanted = {}) const;

  // The newest of those that are older than the current one; NotFound if there is none.
  absl::StatusOr<std::string> BeforeCurrent() const;

  // The id of the current model; NotFound if none was published.
  absl::StatusOr<std::string> Current() const;

  // Ids of all model files, oldest first.
  absl::StatusOr<std::vector<std::string>> List() const;

 private:
  const std::string directory_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_MODEL_STORE_H_
