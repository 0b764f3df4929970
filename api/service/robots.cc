#include "api/service/robots.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace vitrine {
namespace {

struct Folders {
  absl::Mutex mutex;
  absl::flat_hash_map<std::string, std::shared_ptr<const RobotLists>> lists ABSL_GUARDED_BY(mutex);
  // Of every folder without lists of its own.
  std::shared_ptr<const RobotLists> common ABSL_GUARDED_BY(mutex);
};

// Never destroyed: background threads may outlive main.
Folders& AllFolders() {
  static Folders* const folders = new Folders();
  return *folders;
}

// In the order of their names, which the order of the lists must not depend on anything but.
std::vector<std::string> JsonFilesIn(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;  // no folder, no lists
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::shared_ptr<const RobotLists> RobotListsOf(const std::string& data_directory) {
  Folders& folders = AllFolders();
  absl::MutexLock lock(&folders.mutex);
  std::shared_ptr<const RobotLists>& lists = folders.lists[data_directory];
  if (lists != nullptr) return lists;
  RobotLists::Options options;
  options.crawler_lists = JsonFilesIn(absl::StrCat(data_directory, "/robots"));
  if (!options.crawler_lists.empty()) return lists = RobotLists::Load(options);
  if (folders.common == nullptr) folders.common = RobotLists::Load(options);
  return lists = folders.common;
}

void ForgetRobotLists(const std::string& data_directory) {
  Folders& folders = AllFolders();
  absl::MutexLock lock(&folders.mutex);
  folders.lists.erase(data_directory);
  folders.common = nullptr;
}

}  // namespace vitrine
