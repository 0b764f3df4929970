#include "ingest/formats/file_window.h"

#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <xxhash.h>

#include "absl/strings/string_view.h"

#include "store/base/limits.h"
#include "tests/testing/packed.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using testing::Value;

TEST(FileWindow, ShowsEveryByteOnceAndHashesWhatItLeavesBehind) {
  std::mt19937_64 random(7);
  std::string bytes(11 << 20, ' ');
  for (char& c : bytes) c = static_cast<char>(random());
  TempDir folder;
  std::ofstream(folder.File("f"), std::ios::binary) << bytes;

  FileWindow window = Value(FileWindow::Open(folder.File("f")));
  std::string seen;
  while (true) {
    ASSERT_OK(window.Fill());
    const absl::string_view view = window.View();
    if (view.empty()) break;
    ASSERT_TRUE(view.size() >= FileWindow::kLookAhead || window.EndsInView());
    const size_t step = 1 + random() % view.size();
    seen.append(view.data(), step);
    window.Consume(step);
    ASSERT_EQ(window.Position(), static_cast<int64_t>(seen.size()));
  }
  EXPECT_TRUE(seen == bytes);
  EXPECT_EQ(static_cast<uint64_t>(window.Digest()), XXH3_64bits(bytes.data(), bytes.size()));
}

TEST(FileWindow, OfADamagedFileTheWholeLinesComeFirst) {
  TempDir folder;
  const std::string packed = testing::Gzip("one\ntwo\nthree\n");
  std::ofstream(folder.File("f"), std::ios::binary) << packed.substr(0, packed.size() - 9);
  FileWindow window = Value(FileWindow::Open(folder.File("f")));
  size_t lines = 0;
  while (window.Fill().ok()) {
    const size_t end = window.View().find('\n');
    ASSERT_NE(end, absl::string_view::npos);
    window.Consume(end + 1);
    ++lines;
  }
  EXPECT_GE(lines, 2u);
  EXPECT_TRUE(absl::IsDataLoss(window.Fill()));
}

}  // namespace
}  // namespace vitrine
