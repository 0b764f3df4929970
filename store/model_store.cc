#include "store/model_store.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr char kSuffix[] = ".model";
constexpr size_t kCurrentBytesMax = 1024;

}  // namespace

ModelStore::ModelStore(std::string site_directory) : directory_(site_directory + "/models") {}

std::string ModelStore::PathOf(absl::string_view id) const {
  return absl::StrCat(directory_, "/", id, kSuffix);
}

absl::Status ModelStore::Publish(absl::string_view id) const {
  if (!fs::exists(PathOf(id))) {
    return absl::NotFoundError(absl::StrCat("no model file ", PathOf(id)));
  }
  return WriteFileAtomically(directory_ + "/CURRENT", absl::StrCat(id, "\n"));
}

absl::Status ModelStore::Prune(size_t keep, const std::set<std::string>& wanted) const {
  ASSIGN_OR_RETURN(const std::string current, Current());
  ASSIGN_OR_RETURN(std::vector<std::string> ids, List());
  // Counted as the newest, so that it stays: after a roll back it may be the oldest.
  ids.erase(std::remove(ids.begin(), ids.end(), current), ids.end());
  for (size_t i = 0; i + keep < ids.size() + 1; ++i) {
    if (wanted.contains(ids[i])) continue;
    std::error_code ignored;  // an old file that stays costs only space
    fs::remove(PathOf(ids[i]), ignored);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ModelStore::BeforeCurrent() const {
  ASSIGN_OR_RETURN(const std::string current, Current());
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, List());
  const auto at = std::find(ids.begin(), ids.end(), current);
  if (at != ids.end() && at != ids.begin()) return *(at - 1);
  return absl::NotFoundError(absl::StrCat("no model older than ", current, " is kept"));
}

absl::StatusOr<std::string> ModelStore::Current() const {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(directory_ + "/CURRENT", kCurrentBytesMax));
  return std::string(absl::StripSuffix(text, "\n"));
}

absl::StatusOr<std::vector<std::string>> ModelStore::List() const {
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename().string();
    if (!absl::EndsWith(name, kSuffix)) continue;
    found.emplace_back(entry.last_write_time(), absl::StripSuffix(name, kSuffix));
  }
  if (error && error.value() != ENOENT) {
    return ErrnoStatus("cannot list", directory_, error.value());
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> ids;
  for (auto& [time, id] : found) ids.push_back(std::move(id));
  return ids;
}

}  // namespace vitrine
