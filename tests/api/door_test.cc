#include "api/server/door.h"

#include <sys/resource.h>

#include "gtest/gtest.h"

#include "tests/api/server_testing.h"

namespace vitrine {
namespace {

// Restores the limit of this process.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t limit) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit now = {limit, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(ConnectionsThatFit, KeepsTheReserveWhereThereIsPlenty) {
  const DescriptorLimit limit(1000);
  EXPECT_EQ(ConnectionsThatFit(100, 256), 100u);
  EXPECT_EQ(ConnectionsThatFit(5000, 256), 744u);
}

TEST(ConnectionsThatFit, TakesHalfOfASmallLimit) {
  const DescriptorLimit limit(400);
  EXPECT_EQ(ConnectionsThatFit(5000, 256), 200u);
  EXPECT_EQ(ConnectionsThatFit(5000, 1'000'000), 200u);
}

TEST(Lane, HandsOverInOrderOneForEachTimeItIsReadable) {
  DoorLedger ledger;
  Lane lane;
  std::vector<int> pushed;
  for (int i = 0; i < 3; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    pushed.push_back(fd);
    lane.Push(std::make_shared<PeerSocket>(fd, 100, Clock::System(), ledger));
  }
  EXPECT_EQ(ledger.counts->connections, 3);
  pollfd readable{lane.fd(), POLLIN, 0};
  for (const int fd : pushed) {
    ASSERT_EQ(::poll(&readable, 1, 0), 1);
    EXPECT_EQ(lane.Take()->getSocketFD(), fd);
  }
  EXPECT_EQ(::poll(&readable, 1, 0), 0);
  EXPECT_EQ(lane.Take(), nullptr);
  EXPECT_EQ(ledger.counts->connections, 0);
}

TEST(Door, LetsNobodyInBeforeItStartsAndKeepsThemWaiting) {
  auto door = Door::Open(ServerOptions(), 1, Clock::System());
  ASSERT_TRUE(door.ok());
  const RawPeer peer((*door)->port());
  EXPECT_TRUE(peer.connected());
  pollfd readable{(*door)->lanes()[0]->fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&readable, 1, 0), 0);
  (*door)->Start();
  EXPECT_EQ(::poll(&readable, 1, kSoonMs), 1);
  (*door)->Stop();
  EXPECT_TRUE((*door)->Drain(0)) << "nothing to wait for after Stop";
}

}  // namespace
}  // namespace vitrine
