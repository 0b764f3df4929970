// Looks for a text in every byte that a folder holds, packed or not.

#ifndef VITRINE_TESTS_TESTING_BYTE_SCAN_H_
#define VITRINE_TESTS_TESTING_BYTE_SCAN_H_

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <set>
#include <sstream>
#include <string>

namespace vitrine::testing {

inline std::string BytesOf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}

inline bool TableHolds(const std::filesystem::path& path, const std::string& text) {
  rocksdb::SstFileReader reader((rocksdb::Options()));
  const rocksdb::Status opened = reader.Open(path.string());
  if (!std::filesystem::exists(path)) return false;  // what is obsolete goes while we look
  EXPECT_TRUE(opened.ok()) << opened.ToString();
  if (!opened.ok()) return true;
  const std::unique_ptr<rocksdb::Iterator> rows(reader.NewIterator(rocksdb::ReadOptions()));
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    if (rows->key().ToString().find(text) != std::string::npos ||
        rows->value().ToString().find(text) != std::string::npos) {
      return true;
    }
  }
  EXPECT_TRUE(rows->status().ok());
  return false;
}

// The files below `folder` that hold `text`, as they are or unpacked.
inline std::set<std::string> FilesThatHold(const std::string& folder, const std::string& text) {
  std::set<std::string> found;
  for (const std::filesystem::directory_entry& entry :
       std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const bool raw = BytesOf(entry.path()).find(text) != std::string::npos;
    const bool table = entry.path().extension() == ".sst";
    if (raw || (table && TableHolds(entry.path(), text))) {
      found.insert(entry.path().filename().string());
    }
  }
  return found;
}

}  // namespace vitrine::testing

#endif  // VITRINE_TESTS_TESTING_BYTE_SCAN_H_
