#include "api/server/peer_socket.h"

#include <memory>
#include <string>
#include <sys/socket.h>
#include <thrift/transport/TTransportException.h>

#include "gtest/gtest.h"

#include "tests/api/server_testing.h"

namespace vitrine {
namespace {

using apache::thrift::transport::TTransportException;

class PeerSocketTest : public testing::Test {
 protected:
  PeerSocketTest() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    remote_ = ends[0];
    peer_ = std::make_unique<PeerSocket>(ends[1], /*frame_bytes_max=*/100, clock_, ledger_);
  }
  ~PeerSocketTest() override { ::close(remote_); }

  void Arrives(const std::string& bytes) {
    ASSERT_EQ(::send(remote_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void Read(uint32_t size) {
    uint8_t bytes[128];
    ASSERT_EQ(peer_->read(bytes, size), size);
  }
  bool Silent() { return peer_->SilentSince(clock_.SteadyNs() - 1'000'000'000); }
  bool RemoteSeesTheEnd() {
    char byte;
    return ::recv(remote_, &byte, 1, MSG_DONTWAIT) == 0;
  }

  SimClock clock_{0};
  DoorLedger ledger_;
  int remote_ = -1;
  std::unique_ptr<PeerSocket> peer_;
};

TEST_F(PeerSocketTest, ARequestIsUnderWayFromItsFirstByteToTheLastOfItsReply) {
  EXPECT_FALSE(peer_->UnderWay());
  Arrives(Length(2) + "ab");
  EXPECT_TRUE(peer_->UnderWay()) << "still in the kernel";
  Read(4);
  Read(1);
  Read(1);
  EXPECT_TRUE(peer_->UnderWay());
  peer_->RequestDone(PeerSocket::Reply::kSend);
  EXPECT_TRUE(peer_->UnderWay());
  const uint8_t reply[] = "reply";
  peer_->write_partial(reply, sizeof(reply));
  EXPECT_FALSE(peer_->UnderWay());
}

TEST_F(PeerSocketTest, WithoutAReplyTheRequestEndsWhenItIsDone) {
  Arrives(Length(1) + "a");
  Read(4);
  Read(1);
  peer_->RequestDone(PeerSocket::Reply::kNone);
  EXPECT_FALSE(peer_->UnderWay());
}

TEST_F(PeerSocketTest, OnlyCompletedRequestsBreakTheSilence) {
  Arrives(Length(2) + "ab");
  clock_.Advance(2000);
  EXPECT_TRUE(Silent());
  Read(4);
  Read(1);
  EXPECT_TRUE(Silent()) << "bytes are no requests";
  Read(1);
  EXPECT_FALSE(Silent()) << "now it is our turn";
  clock_.Advance(10'000);
  EXPECT_FALSE(Silent());
  peer_->RequestDone(PeerSocket::Reply::kSend);
  EXPECT_FALSE(Silent());
  clock_.Advance(2000);
  EXPECT_TRUE(Silent()) << "does not take its reply";
}

TEST_F(PeerSocketTest, AHeaderCanComeByteByByte) {
  const std::string header = Length(2);
  for (const char byte : header) {
    Arrives(std::string(1, byte));
    Read(1);
  }
  Arrives("ab");
  Read(2);
  clock_.Advance(2000);
  EXPECT_FALSE(Silent()) << "the frame is complete";
}

class BadLengthTest : public PeerSocketTest, public testing::WithParamInterface<uint32_t> {};

TEST_P(BadLengthTest, IsRefused) {
  Arrives(Length(GetParam()));
  uint8_t bytes[4];
  EXPECT_THROW(peer_->read(bytes, 4), TTransportException);
  EXPECT_EQ(ledger_.counts->bad_frames, 1);
}

INSTANTIATE_TEST_SUITE_P(Lengths, BadLengthTest, testing::Values(0, 101, 0x80000000, 0xffffffff));

TEST_F(PeerSocketTest, HangsUpAfterTheReplyIfToldTo) {
  Arrives(Length(1) + "a");
  Read(4);
  Read(1);
  peer_->RequestDone(PeerSocket::Reply::kSendAndHangUp);
  const uint8_t reply[] = "x";
  peer_->write_partial(reply, 1);
  char byte = 0;
  EXPECT_EQ(::recv(remote_, &byte, 1, 0), 1);
  EXPECT_TRUE(RemoteSeesTheEnd());
}

TEST_F(PeerSocketTest, HangingUpOnAClosedConnectionTouchesNobodyElse) {
  const int fd = peer_->getSocketFD();
  peer_->close();
  // The next connection gets the same descriptor.
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const int next = ends[0] == fd ? fd : dup2(ends[0], fd);
  ASSERT_EQ(next, fd);
  peer_->HangUp();
  peer_->HangUpOnSilence();
  EXPECT_EQ(::send(next, "x", 1, MSG_NOSIGNAL), 1) << "it was shut down";
  ::close(ends[0]);
  ::close(ends[1]);
  if (next != ends[0]) ::close(next);
}

TEST_F(PeerSocketTest, CountsItselfOpenUntilItIsClosedOnce) {
  EXPECT_EQ(ledger_.counts->connections, 1);
  peer_->close();
  peer_->close();
  EXPECT_TRUE(peer_->Closed());
  peer_ = nullptr;
  EXPECT_EQ(ledger_.counts->connections, 0);
}

TEST_F(PeerSocketTest, TellsADrainingDoorWhenARequestHasLeft) {
  ledger_.draining = true;
  Arrives(Length(1) + "a");
  Read(4);
  Read(1);
  EXPECT_FALSE(ledger_.bell.Hear());
  peer_->RequestDone(PeerSocket::Reply::kNone);
  EXPECT_TRUE(ledger_.bell.Hear());
  peer_->close();
  EXPECT_TRUE(ledger_.bell.Hear());
}

}  // namespace
}  // namespace vitrine
