#include "ingest/formats/byte_source.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"

#include "tests/testing/packed.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Gzip;
using ::testing::HasSubstr;
using testing::TempDir;
using testing::Value;
using testing::Zstd;

class ByteSourceTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& bytes) {
    std::ofstream(folder_.File("f"), std::ios::binary | std::ios::trunc) << bytes;
    return folder_.File("f");
  }

  // All that can be read, by pieces of at most `piece` bytes; `status_` is how it ended.
  std::string ReadAll(const std::string& packed, size_t piece = 1000) {
    absl::StatusOr<std::unique_ptr<ByteSource>> source = ByteSource::Open(Write(packed));
    status_ = source.status();
    std::string all;
    std::string buffer(piece, '\0');
    while (status_.ok()) {
      const absl::StatusOr<size_t> got = (*source)->Read(buffer.data(), piece);
      status_ = got.status();
      if (!got.ok() || *got == 0) break;
      all.append(buffer, 0, *got);
    }
    return all;
  }

  TempDir folder_;
  absl::Status status_;
};

// Half of it packs well.
std::string SomeBytes(size_t size) {
  std::mt19937_64 random(size);
  std::string bytes(size, 'x');
  for (size_t i = 0; i < size; i += 2) bytes[i] = static_cast<char>(random() % 64);
  return bytes;
}

TEST_F(ByteSourceTest, UnpacksWhatIsPackedWhateverItsPieces) {
  // With large pieces more than is read from the file at once.
  for (const size_t piece : {7u, 4096u, 1u << 18, 1u << 22}) {
    const std::string a = SomeBytes(piece < 100 ? 5'001 : 700'001);
    const std::string b = SomeBytes(piece < 100 ? 4'096 : 1 << 18);
    EXPECT_TRUE(ReadAll(a, piece) == a);
    for (const auto& pack : {Gzip, Zstd}) {
      EXPECT_TRUE(ReadAll(pack(a), piece) == a) << piece;
      EXPECT_OK(status_);
      EXPECT_TRUE(ReadAll(pack(a) + pack("") + pack(b), piece) == a + b) << piece;
      EXPECT_OK(status_);
    }
  }
  const std::string a = SomeBytes(1000);
  EXPECT_TRUE(ReadAll(Gzip(a) + std::string(1024, '\0')) == a);
  EXPECT_OK(status_);
  EXPECT_EQ(ReadAll(Gzip("")), "");
  EXPECT_OK(status_);
  EXPECT_EQ(ReadAll("\x1f"), "\x1f");
}

TEST_F(ByteSourceTest, WhatIsCutOffIsToldAfterAllThatIsGood) {
  const std::string bytes = SomeBytes(200'000);
  for (const auto& pack : {Gzip, Zstd}) {
    const std::string packed = pack(bytes);
    for (const size_t left : {packed.size() - 1, packed.size() / 2, size_t{12}}) {
      const std::string read = ReadAll(packed.substr(0, left));
      EXPECT_TRUE(read == bytes.substr(0, read.size()));
      EXPECT_TRUE(absl::IsDataLoss(status_)) << left;
      EXPECT_THAT(std::string(status_.message()),
                  HasSubstr(absl::StrCat("is damaged: the file ends too early, at its byte ", left,
                                         ", behind ", read.size(), " bytes")));
    }
  }
}

TEST_F(ByteSourceTest, WhatIsDamagedIsFound) {
  const std::string bytes = SomeBytes(200'000);
  std::string packed = Gzip(bytes);
  packed[packed.size() / 2] ^= 0x55;
  EXPECT_NE(ReadAll(packed), bytes);
  EXPECT_TRUE(absl::IsDataLoss(status_)) << status_;
  EXPECT_TRUE(ReadAll(Gzip(bytes) + "more") == bytes);
  EXPECT_TRUE(absl::IsDataLoss(status_)) << status_;
  EXPECT_TRUE(ReadAll(Zstd(bytes) + "more") == bytes);
  EXPECT_TRUE(absl::IsDataLoss(status_)) << status_;
}

TEST_F(ByteSourceTest, RefusesWhatItCannotRead) {
  const auto error = [](const std::string& path) { return ByteSource::Open(path).status(); };
  EXPECT_TRUE(absl::IsNotFound(error(folder_.File("none"))));
  EXPECT_THAT(std::string(error(folder_.path()).message()), HasSubstr("is a directory"));
  ASSERT_EQ(::mkfifo(folder_.File("pipe").c_str(), 0600), 0);
  EXPECT_THAT(std::string(error(folder_.File("pipe")).message()), HasSubstr("not a regular file"));
  EXPECT_THAT(std::string(error(Write(std::string("\xfd\x37zXZ\0\0", 7))).message()),
              HasSubstr("packed by xz: unpack it first"));
  EXPECT_THAT(std::string(error(Write("BZh91AY")).message()), HasSubstr("packed by bzip2"));
}

}  // namespace
}  // namespace vitrine
