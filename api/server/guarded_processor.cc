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

struct MessageHead {
  std::string name;
  int32_t sequence = 0;
};

// The head of a message that is known to be bad; what cannot be read stays empty.
MessageHead ReadHead(const uint8_t* bytes, uint32_t size, const WireLimits& limits) {
  MessageHead head;
  try {
    TMessageType type;
    // It only observes.
    BoundedProtocol(std::make_shared<TMemoryBuffer>(const_cast<uint8_t*>(bytes), size), limits)
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
  const auto& reply = dynamic_cast<TMemoryBuffer&>(*out->getTransport());
  uint8_t* bytes = nullptr;
  uint32_t size = 0;
  request.getBuffer(&bytes, &size);
  const bool handled = Try(bytes, size, *out, [&] {
    if (!processor_->process(in, out, context)) {
      throw TProtocolException(TProtocolException::INVALID_DATA, "not a call");
    }
  });
  if (!handled) return false;
  const bool oneway = reply.available_read() <= kFrameHeaderBytes;
  peer_->RequestDone(oneway ? PeerSocket::Reply::kNone : PeerSocket::Reply::kSend);
  return false;
}

bool GuardedProcessor::Try(const uint8_t* bytes, uint32_t size, TProtocol& out,
                           absl::FunctionRef<void()> part) {
  const auto answer = [&](TApplicationException::TApplicationExceptionType type,
                          const std::string& why, PeerSocket::Reply reply) {
    ReplaceReply(dynamic_cast<TMemoryBuffer&>(*out.getTransport()), out,
                 ReadHead(bytes, size, limits_), TApplicationException(type, why));
    peer_->RequestDone(reply);
  };
  const auto refuse = [&](const std::string& why) {
    ++peer_->ledger().counts->malformed;
    answer(TApplicationException::PROTOCOL_ERROR, why, PeerSocket::Reply::kSendAndHangUp);
  };
  try {
    part();
    return true;
  } catch (const TProtocolException& e) {
    refuse(e.what());
  } catch (const TTransportException&) {
    refuse("the message ends before its end");
  } catch (...) {
    ++peer_->ledger().counts->failed_requests;
    answer(TApplicationException::INTERNAL_ERROR, "internal error", PeerSocket::Reply::kSend);
  }
  return false;
}

}  // namespace vitrine
