#include "ingest/formats/file_window.h"

#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <sys/stat.h>
#include <xxhash.h>

#include "absl/strings/match.h"

#include "store/base/limits.h"
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

TEST(FileWindow, RefusesWhatIsNoFile) {
  TempDir folder;
  EXPECT_TRUE(absl::IsNotFound(FileWindow::Open(folder.File("none")).status()));
  const absl::Status directory = FileWindow::Open(folder.path()).status();
  EXPECT_TRUE(absl::StrContains(directory.message(), "is a directory")) << directory;
  ASSERT_EQ(::mkfifo(folder.File("pipe").c_str(), 0600), 0);
  const absl::Status pipe = FileWindow::Open(folder.File("pipe")).status();
  EXPECT_TRUE(absl::StrContains(pipe.message(), "not a regular file")) << pipe;
}

}  // namespace
}  // namespace vitrine
