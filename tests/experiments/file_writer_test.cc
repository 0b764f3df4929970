#include "experiments/simulation/file_writer.h"

#include "store/base/atomic_file.h"
#include "tests/testing/testing.h"

namespace vitrine::simulation {
namespace {

using testing::Value;

TEST(FileWriter, WritesWhatWasAppendedInOrder) {
  testing::TempDir dir;
  std::string expected;
  FileWriter file = Value(FileWriter::Create(dir.File("numbers")));
  for (int i = 0; i < 300'000; ++i) {
    const std::string line = std::to_string(i) + "\n";
    expected += line;
    *file.buffer() += line;
    ASSERT_OK(file.WriteIfFull());
  }
  EXPECT_GT(file.bytes_written(), 0);  // not all of it is held back
  ASSERT_OK(file.Close());
  EXPECT_EQ(file.bytes_written(), static_cast<int64_t>(expected.size()));
  EXPECT_EQ(Value(ReadFile(dir.File("numbers"), 1 << 24)), expected);
}

TEST(FileWriter, TellsThatTheDiskIsFull) {
  FileWriter file = Value(FileWriter::Create("/dev/full"));
  *file.buffer() += "x";
  EXPECT_TRUE(absl::IsResourceExhausted(file.Close()));
}

TEST(FileWriter, TellsThatThereIsNoSuchFolder) {
  EXPECT_TRUE(absl::IsNotFound(FileWriter::Create("/nowhere/file").status()));
}

}  // namespace
}  // namespace vitrine::simulation
