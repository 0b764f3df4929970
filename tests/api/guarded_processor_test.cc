#include "api/server/guarded_processor.h"

#include <memory>
#include <string>
#include <thrift/TApplicationException.h>

#include "gtest/gtest.h"

#include "tests/api/server_testing.h"

namespace vitrine {
namespace {

using apache::thrift::TApplicationException;
using apache::thrift::TProcessor;
using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::protocol::TProtocol;
using apache::thrift::transport::TMemoryBuffer;
namespace protocol = apache::thrift::protocol;

constexpr WireLimits kLimits = {100, 10, 20};

// Begins a reply and then does what the test says.
struct FakeProcessor : TProcessor {
  bool process(std::shared_ptr<TProtocol>, std::shared_ptr<TProtocol> out, void*) override {
    out->writeMessageBegin("ping", protocol::T_REPLY, 5);
    return then();
  }
  std::function<bool()> then;
};

struct Answer {
  std::string name;
  protocol::TMessageType type;
  int32_t sequence = 0;
  TApplicationException error;
};

class GuardedProcessorTest : public testing::Test {
 protected:
  // Processes `message` as the event loop does, and reads what would be sent.
  Answer Process(const std::string& message, const std::function<bool()>& then) {
    fake_->then = then;
    auto in = std::make_shared<TMemoryBuffer>();
    in->write(reinterpret_cast<const uint8_t*>(message.data()),
              static_cast<uint32_t>(message.size()));
    auto out = std::make_shared<TMemoryBuffer>();
    out->getWritePtr(4);
    out->wroteBytes(4);
    auto peer = std::make_shared<PeerSocket>(::socket(AF_INET, SOCK_STREAM, 0), 1000,
                                             Clock::System(), ledger_);
    GuardedProcessor guarded(fake_, peer, kLimits);
    EXPECT_FALSE(guarded.process(std::make_shared<BoundedProtocol>(in, kLimits),
                                 std::make_shared<BoundedProtocol>(out, kLimits), nullptr))
        << "no second message in the frame";
    uint8_t length[4];
    out->readAll(length, 4);
    TBinaryProtocol reader(out);
    Answer answer;
    reader.readMessageBegin(answer.name, answer.type, answer.sequence);
    if (answer.type == protocol::T_EXCEPTION) answer.error.read(&reader);
    EXPECT_EQ(out->available_read(), 0u) << "one reply, and nothing of another";
    return answer;
  }

  const std::string call_ = Written(
      [](TBinaryProtocol& out) { out.writeMessageBegin("recommend", protocol::T_CALL, 77); });
  std::shared_ptr<FakeProcessor> fake_ = std::make_shared<FakeProcessor>();
  DoorLedger ledger_;
};

TEST_F(GuardedProcessorTest, LeavesAGoodReplyAlone) {
  EXPECT_EQ(Process(call_, [] { return true; }).type, protocol::T_REPLY);
  EXPECT_EQ(ledger_.counts->malformed + ledger_.counts->failed_requests, 0);
}

TEST_F(GuardedProcessorTest, AnswersAnExceptionInTheNameOfTheRequestThatCausedIt) {
  const Answer answer = Process(call_, []() -> bool { throw std::bad_alloc(); });
  EXPECT_EQ(answer.type, protocol::T_EXCEPTION);
  EXPECT_EQ(answer.name, "recommend");
  EXPECT_EQ(answer.sequence, 77);
  EXPECT_EQ(answer.error.getType(), TApplicationException::INTERNAL_ERROR);
  EXPECT_EQ(ledger_.counts->failed_requests, 1);
}

TEST_F(GuardedProcessorTest, SaysNothingAboutTheInsideOfAFailure) {
  const Answer answer =
      Process(call_, []() -> bool { throw std::runtime_error("/data/shop/000123.sst"); });
  EXPECT_EQ(std::string(answer.error.what()), "internal error");
}

TEST_F(GuardedProcessorTest, AnswersABadMessageAsAProtocolError) {
  const auto bad = [](auto exception) { return [exception]() -> bool { throw exception; }; };
  for (const auto& then :
       {std::function<bool()>(bad(protocol::TProtocolException())),
        std::function<bool()>(bad(apache::thrift::transport::TTransportException())),
        std::function<bool()>([] { return false; })}) {
    EXPECT_EQ(Process(call_, then).error.getType(), TApplicationException::PROTOCOL_ERROR);
  }
  EXPECT_EQ(ledger_.counts->malformed, 3);
}

TEST_F(GuardedProcessorTest, AnswersEvenWhereTheNameCannotBeRead) {
  const std::string long_name = Written([](TBinaryProtocol& out) {
    out.writeMessageBegin(std::string(1000, 'n'), protocol::T_CALL, 77);
  });
  for (const std::string& message : {std::string(), std::string("garbage"), long_name}) {
    const Answer answer = Process(message, [] { return false; });
    EXPECT_EQ(answer.type, protocol::T_EXCEPTION);
    EXPECT_EQ(answer.name, "");
    EXPECT_EQ(answer.sequence, 0);
  }
}

// ---------------------------------------------------------------------------------------------
// BoundedProtocol

void ReadLists(BoundedProtocol& in, int lists) {
  TProtocol& reader = in;
  std::string name;
  protocol::TMessageType type;
  int32_t sequence;
  reader.readMessageBegin(name, type, sequence);
  for (int i = 0; i < lists; ++i) {
    protocol::TType entry;
    uint32_t size;
    reader.readListBegin(entry, size);
  }
}

std::shared_ptr<TMemoryBuffer> MessageOfLists(int lists, uint32_t size) {
  auto buffer = std::make_shared<TMemoryBuffer>();
  TBinaryProtocol out(buffer);
  out.writeMessageBegin("m", protocol::T_CALL, 0);
  for (int i = 0; i < lists; ++i) out.writeListBegin(protocol::T_STRUCT, size);
  return buffer;
}

TEST(BoundedProtocol, CountsTheEntriesOfAllListsOfAMessage) {
  BoundedProtocol within(MessageOfLists(2, 10), kLimits);
  ReadLists(within, 2);
  BoundedProtocol beyond(MessageOfLists(3, 10), kLimits);
  EXPECT_THROW(ReadLists(beyond, 3), protocol::TProtocolException);
}

TEST(BoundedProtocol, BeginsToCountAnewWithEachMessage) {
  auto buffer = MessageOfLists(2, 10);
  BoundedProtocol reader(buffer, kLimits);
  ReadLists(reader, 2);
  const auto next = MessageOfLists(2, 10);
  buffer->write(reinterpret_cast<const uint8_t*>(next->getBufferAsString().data()),
                next->available_read());
  ReadLists(reader, 2);
}

}  // namespace
}  // namespace vitrine
