#include "api/server/guarded_processor.h"

#include <cstdint>
#include <string>
#include <thrift/TApplicationException.h>
#include <thrift/protocol/TProtocolException.h>
#include <thrift/transport/TBufferTransports.h>

namespace vitrine {
namespace {

using apache::thrift::TApplicationException;
using apache::thrift::TException;
using apache::thrift::protocol::T_CALL;
using apache::thrift::protocol::T_EXCEPTION;
using apache::thrift::protocol::TMessageType;
using apache::thrift::protocol::TProtocol;
using apache::thrift::protocol::TProtocolException;
using apache::thrift::transport::TMemoryBuffer;
using apache::thrift::transport::TTransportException;

// The event loop leaves room for the length of the reply's frame in front of it.
constexpr uint32_t kFrameHeaderBytes = 4;

struct MessageHead {
  std::string name;
  int32_t sequence = 0;
};

// The head of a message that is known to be bad; what cannot be read stays empty.
MessageHead ReadHead(uint8_t* bytes, uint32_t size, const WireLimits& limits) {
  MessageHead head;
  try {
    TMessageType type;
    BoundedProtocol(std::make_shared<TMemoryBuffer>(bytes, size), limits)
        .readMessageBegin(head.name, type, head.sequence);
  } catch (const TException&) {
    return MessageHead();
  }
  return head;
}

void ReplaceReply(TMemoryBuffer& reply, TProtocol& out, const MessageHead& head,
                  const TApplicationException& error) {
  reply.resetBuffer();
  reply.getWritePtr(kFrameHeaderBytes);
  reply.wroteBytes(kFrameHeaderBytes);
  out.writeMessageBegin(head.name, T_EXCEPTION, head.sequence);
  error.write(&out);
  out.writeMessageEnd();
}

}  // namespace

bool GuardedProcessor::process(std::shared_ptr<TProtocol> in, std::shared_ptr<TProtocol> out,
                               void* context) {
  auto& request = dynamic_cast<TMemoryBuffer&>(*in->getTransport());
  auto& reply = dynamic_cast<TMemoryBuffer&>(*out->getTransport());
  uint8_t* bytes = nullptr;
  uint32_t size = 0;
  request.getBuffer(&bytes, &size);

  const auto refuse = [&](const std::string& why) {
    ++peer_->ledger().malformed;
    ReplaceReply(reply, *out, ReadHead(bytes, size, limits_),
                 TApplicationException(TApplicationException::PROTOCOL_ERROR, why));
    peer_->RequestDone(PeerSocket::Reply::kSendAndHangUp);
  };
  const auto fail = [&] {
    ++peer_->ledger().failed_requests;
    ReplaceReply(reply, *out, ReadHead(bytes, size, limits_),
                 TApplicationException(TApplicationException::INTERNAL_ERROR, "internal error"));
    peer_->RequestDone(PeerSocket::Reply::kSend);
  };

  try {
    if (processor_->process(in, out, context)) {
      const bool oneway = reply.available_read() <= kFrameHeaderBytes;
      peer_->RequestDone(oneway ? PeerSocket::Reply::kNone : PeerSocket::Reply::kSend);
    } else {
      refuse("not a call");
    }
  } catch (const TProtocolException& e) {
    refuse(e.what());
  } catch (const TTransportException&) {
    refuse("the message ends before its end");
  } catch (...) {
    fail();
  }
  return false;
}

}  // namespace vitrine
