// OwnerLock and ModelStore: the files beside the store.

#include <sys/wait.h>
#include <unistd.h>

#include "store/base/atomic_file.h"
#include "store/model_store.h"
#include "store/owner_lock.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using testing::Value;

TEST(OwnerLock, OneOwnerAtATimeAndItsAddressCanBeRead) {
  TempDir dir;
  const std::string site = dir.File("gifts");
  EXPECT_TRUE(absl::IsNotFound(ReadOwner(site).status()));
  {
    OwnerLock lock = Value(OwnerLock::Take(site));
    EXPECT_TRUE(absl::IsFailedPrecondition(OwnerLock::Take(site).status()));
    EXPECT_EQ(Value(ReadOwner(site)).address, "");
    ASSERT_OK(lock.Announce("127.0.0.1:9091"));
    EXPECT_EQ(Value(ReadOwner(site)).address, "127.0.0.1:9091");
    EXPECT_EQ(Value(ReadOwner(site)).pid, ::getpid());
  }
  EXPECT_TRUE(absl::IsNotFound(ReadOwner(site).status()));
  EXPECT_OK(OwnerLock::Take(site).status());
}

TEST(OwnerLock, EndsWithTheProcessThatHeldIt) {
  TempDir dir;
  const pid_t child = ::fork();
  if (child == 0) {
    absl::StatusOr<OwnerLock> lock = OwnerLock::Take(dir.path());
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_OK(OwnerLock::Take(dir.path()).status());
}

TEST(ModelStore, NamesTheCurrentModelAndKeepsTheNewest) {
  TempDir dir;
  const ModelStore models(dir.path());
  EXPECT_TRUE(absl::IsNotFound(models.Current().status()));
  EXPECT_TRUE(Value(models.List()).empty());
  std::filesystem::create_directories(dir.File("models"));
  for (const char* id : {"m1", "m2", "m3", "m4"}) {
    ASSERT_OK(WriteFileAtomically(models.PathOf(id), id));
    const auto age = std::chrono::seconds(10 - (id[1] - '0'));
    std::filesystem::last_write_time(models.PathOf(id),
                                     std::filesystem::file_time_type::clock::now() - age);
    ASSERT_OK(models.Publish(id));
    ASSERT_OK(models.Prune(2));
    EXPECT_EQ(Value(models.Current()), id);
  }
  EXPECT_THAT(Value(models.List()), ::testing::ElementsAre("m3", "m4"));
}

TEST(ModelStore, WillNotPublishAModelThatIsNotThere) {
  TempDir dir;
  EXPECT_TRUE(absl::IsNotFound(ModelStore(dir.path()).Publish("none")));
}

}  // namespace
}  // namespace vitrine
