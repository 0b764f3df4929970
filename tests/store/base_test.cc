#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

#include "absl/strings/escaping.h"

#include "store/base/atomic_file.h"
#include "store/base/check.h"
#include "store/base/clock.h"
#include "store/base/crc32c.h"
#include "store/base/hmac.h"
#include "store/base/mapped_file.h"
#include "store/base/row_cache.h"
#include "store/base/status_macros.h"
#include "store/base/thread.h"
#include "store/base/utf8.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using testing::Value;

// RFC 3720 appendix B.4.
TEST(Crc32c, AgreesWithThePublishedVectors) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string ascending;
  for (char c = 0; c < 32; ++c) ascending.push_back(c);
  EXPECT_EQ(Crc32c(ascending), 0x46dd794eu);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
}

TEST(Crc32c, CanBeContinued) {
  EXPECT_EQ(Crc32c("cd", Crc32c("ab")), Crc32c("abcd"));
  EXPECT_EQ(Crc32c(""), 0u);
}

TEST(Crc32c, OfTwoTextsFollowsFromTheirs) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text.push_back(static_cast<char>(i * i));
  const absl::string_view all = text;
  for (const size_t cut : {0, 1, 2, 3, 64, 255, 1000, 2048, 2999, 3000}) {
    EXPECT_EQ(Crc32cConcat(Crc32c(all.substr(0, cut)), Crc32c(all.substr(cut)), 3000 - cut),
              Crc32c(all))
        << cut;
  }
}

TEST(MappedFile, ShowsTheFileAsItWasOpened) {
  TempDir dir;
  const std::string path = dir.File("f");
  ASSERT_OK(WriteFileAtomically(path, "first"));
  const MappedFile first = Value(MappedFile::Open(path, 5));
  ASSERT_OK(WriteFileAtomically(path, "second"));
  EXPECT_EQ(first.bytes(), "first");
  EXPECT_EQ(Value(MappedFile::Open(path, 100)).bytes(), "second");
  ASSERT_OK(WriteFileAtomically(path, ""));
  EXPECT_EQ(Value(MappedFile::Open(path, 100)).bytes(), "");
}

TEST(MappedFile, RefusesWhatIsNoFileOrTooLong) {
  TempDir dir;
  ASSERT_OK(WriteFileAtomically(dir.File("f"), "12345"));
  EXPECT_TRUE(absl::IsInvalidArgument(MappedFile::Open(dir.File("f"), 4).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(MappedFile::Open(dir.path(), 100).status()));
  EXPECT_TRUE(absl::IsNotFound(MappedFile::Open(dir.File("none"), 100).status()));
}

TEST(AtomicFile, ReplacesTheWholeFileAndLeavesNoTemporary) {
  TempDir dir;
  const std::string path = dir.File("f");
  ASSERT_OK(WriteFileAtomically(path, "a long first text"));
  ASSERT_OK(WriteFileAtomically(path, "short"));
  EXPECT_EQ(Value(ReadFile(path, 100)), "short");
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST(AtomicFile, KeepsTheOldFileWhenItCannotWrite) {
  TempDir dir;
  const std::string path = dir.File("f");
  ASSERT_OK(WriteFileAtomically(path, "old"));
  ASSERT_EQ(::mkdir((path + ".tmp").c_str(), 0755), 0);  // stands in the way
  EXPECT_FALSE(WriteFileAtomically(path, "new").ok());
  EXPECT_EQ(Value(ReadFile(path, 100)), "old");
}

TEST(AtomicFile, SaysWhatIsWrongWithAFile) {
  TempDir dir;
  EXPECT_TRUE(absl::IsNotFound(ReadFile(dir.File("none"), 10).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadFile(dir.path(), 10).status()));
  ASSERT_OK(WriteFileAtomically(dir.File("f"), "12345678901"));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadFile(dir.File("f"), 10).status()));
}

TEST(Check, StopsTheProcessWithFileLineAndMessage) {
  EXPECT_DEATH(CHECK(1 == 2) << "seen " << 7, "base_test.cc:[0-9]+: CHECK\\(1 == 2\\).*seen 7");
}

absl::Status FirstError(const absl::Status& a, absl::StatusOr<int> b, int* out) {
  RETURN_IF_ERROR(a);
  ASSIGN_OR_RETURN(*out, std::move(b));
  return absl::OkStatus();
}

TEST(StatusMacros, ReturnTheFirstErrorAndElseTheValue) {
  int out = 0;
  EXPECT_OK(FirstError(absl::OkStatus(), 5, &out));
  EXPECT_EQ(out, 5);
  EXPECT_TRUE(absl::IsAborted(FirstError(absl::AbortedError(""), 5, &out)));
  EXPECT_TRUE(absl::IsDataLoss(FirstError(absl::OkStatus(), absl::DataLossError(""), &out)));
}

TEST(SimClock, MovesOnlyWhenTold) {
  SimClock clock(1000);
  const int64_t start_ns = clock.SteadyNs();
  clock.Advance(5);
  EXPECT_EQ(clock.NowMs(), 1005);
  EXPECT_EQ(clock.SteadyNs() - start_ns, 5'000'000);
}

TEST(RowCache, GivesBackWhatWasPutUntilItIsErased) {
  RowCache<std::string> cache(1000);
  uint64_t ticket;
  EXPECT_EQ(cache.Get("k", &ticket), nullptr);
  cache.Put("k", std::make_shared<std::string>("row"), ticket);
  ASSERT_NE(cache.Get("k", &ticket), nullptr);
  EXPECT_EQ(*cache.Get("k", &ticket), "row");
  cache.Erase("k");
  EXPECT_EQ(cache.Get("k", &ticket), nullptr);
}

TEST(RowCache, AReaderThatBeganBeforeAChangeCannotPutTheOldRowBack) {
  RowCache<std::string> cache(1000);
  uint64_t ticket;
  EXPECT_EQ(cache.Get("k", &ticket), nullptr);  // the reader begins
  cache.Erase("k");                             // the row changes
  cache.Put("k", std::make_shared<std::string>("old"), ticket);
  EXPECT_EQ(cache.Get("k", &ticket), nullptr);
}

TEST(RowCache, StaysWithinItsBound) {
  constexpr size_t kRows = 10'000;
  RowCache<std::string> cache(640);
  uint64_t ticket;
  size_t kept = 0;
  for (size_t i = 0; i < kRows; ++i) {
    EXPECT_EQ(cache.Get(std::to_string(i), &ticket), nullptr);
    cache.Put(std::to_string(i), std::make_shared<std::string>("row"), ticket);
  }
  for (size_t i = 0; i < kRows; ++i) kept += cache.Get(std::to_string(i), &ticket) != nullptr;
  EXPECT_GT(kept, 0u);
  EXPECT_LE(kept, 1000u);
}

TEST(RowCache, KeepsWhatIsUsedWhileOthersPassBy) {
  RowCache<std::string> cache(640);
  uint64_t ticket;
  EXPECT_EQ(cache.Get("often", &ticket), nullptr);
  cache.Put("often", std::make_shared<std::string>("row"), ticket);
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_EQ(cache.Get(std::to_string(i), &ticket), nullptr);
    cache.Put(std::to_string(i), std::make_shared<std::string>("row"), ticket);
    ASSERT_NE(cache.Get("often", &ticket), nullptr) << i;
  }
  EXPECT_EQ(cache.Counts().hits, 10'000);
  EXPECT_EQ(cache.Counts().misses, 10'001);
  cache.Erase("often");
  EXPECT_EQ(cache.Get("often", &ticket), nullptr) << "of either generation";
}

// RFC 4231, test cases 1, 2, 3 and 6: short keys, and one above a block.
TEST(Hmac, GivesTheKnownDigests) {
  const auto hex = [](const std::string& key, const std::string& text) {
    const Hmac hmac(key);
    const Hmac::Digest digest = hmac.Of({text});
    EXPECT_EQ(hmac.Of({text.substr(0, 3), "", text.substr(3)}), digest);
    return absl::BytesToHexString(AsBytes(digest));
  };
  EXPECT_EQ(hex(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(std::string(20, '\xaa'), std::string(50, '\xdd')),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Utf8, TellsTextFromBytes) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("plain"));
  EXPECT_TRUE(IsUtf8("ویترین"));
  EXPECT_FALSE(IsUtf8("\xff"));
  EXPECT_FALSE(IsUtf8("\xc0\xaf"));      // overlong
  EXPECT_FALSE(IsUtf8("\xed\xa0\x80"));  // surrogate
}

int MyNice() { return ::getpriority(PRIO_PROCESS, 0); }

TEST(DoInBackground, GivesWayWithAllItsThreadsAndNotTheCaller) {
  const int before = MyNice();
  int there = 0;
  int below = 0;
  DoInBackground("test", [&] {
    there = MyNice();
    std::thread([&] { below = MyNice(); }).join();
  });
  EXPECT_GT(there, before);
  EXPECT_EQ(below, there);
  EXPECT_EQ(MyNice(), before);
}

TEST(DoInBackground, ThrowsWhatTheWorkThrew) {
  EXPECT_THROW(DoInBackground("test", [] { throw std::runtime_error("mine"); }),
               std::runtime_error);
}

}  // namespace
}  // namespace vitrine
