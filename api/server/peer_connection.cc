#include "api/server/peer_connection.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <sys/epoll.h>
#include <thrift/transport/TTransportException.h>
#include <utility>

#include "api/server/server.h"
#include "store/base/check.h"
#include "store/base/limits.h"

namespace vitrine {
namespace {

using apache::thrift::protocol::T_CALL;
using apache::thrift::protocol::T_REPLY;
using apache::thrift::protocol::T_STOP;
using apache::thrift::protocol::TMessageType;
using apache::thrift::transport::TMemoryBuffer;
using apache::thrift::transport::TTransportException;

constexpr uint32_t kReplyBytesAtFirst = 512;
// Of a frame, before that much of it has arrived: what a length merely declares costs nothing.
constexpr size_t kFrameBytesAtFirst = 64 << 10;

// The name in a strict binary call message; empty if it is none.
absl::string_view NameOf(const std::vector<uint8_t>& message) {
  constexpr uint8_t kCall[] = {0x80, 0x01, 0x00, T_CALL};
  constexpr size_t kNameAt = 8;
  if (message.size() < kNameAt || std::memcmp(message.data(), kCall, sizeof(kCall)) != 0) return "";
  uint32_t size;
  std::memcpy(&size, message.data() + sizeof(kCall), sizeof(size));
  size = ntohl(size);
  if (size > message.size() - kNameAt) return "";
  return absl::string_view(reinterpret_cast<const char*>(message.data()) + kNameAt, size);
}

// What a reply says became of the call (kCallFailed). `message` is without its length.
size_t OutcomeOf(const uint8_t* message, size_t size) {
  constexpr size_t kTypeAt = 3, kNameAt = 8, kSequenceBytes = 4;
  if (size < kNameAt || message[kTypeAt] != T_REPLY) return kCallFailed;
  uint32_t name_bytes;
  std::memcpy(&name_bytes, message + kTypeAt + 1, sizeof(name_bytes));
  // The result is a struct with one field at most: 0 is what the method returns.
  const size_t field_at = kNameAt + ntohl(name_bytes) + kSequenceBytes;
  if (field_at + 3 > size || message[field_at] == T_STOP) return 0;
  const size_t number = size_t{message[field_at + 1]} << 8 | message[field_at + 2];
  return std::min(number, kCallFailed);
}

}  // namespace

PeerConnection::PeerConnection(std::shared_ptr<PeerSocket> peer, int epoll,
                               const std::shared_ptr<apache::thrift::TProcessor>& processor,
                               const WireLimits& limits)
    : peer_(std::move(peer)),
      epoll_(epoll),
      clock_(Clock::System()),
      limits_(limits),
      processor_(processor, peer_, limits),
      request_(std::make_shared<TMemoryBuffer>(0)),
      reply_(std::make_shared<TMemoryBuffer>(kReplyBytesAtFirst)),
      in_(std::make_shared<BoundedProtocol>(request_, limits)),
      out_(std::make_shared<BoundedProtocol>(reply_, limits)) {}

// Whoever holds the socket a moment longer must not keep it in the epoll, which knows us by
// address.
PeerConnection::~PeerConnection() { peer_->close(); }

PeerConnection::Received PeerConnection::Receive() try {
  if (header_bytes_ < kFrameHeaderBytes) {
    uint8_t header[kFrameHeaderBytes];
    const uint32_t got = peer_->read(header, kFrameHeaderBytes - header_bytes_);
    if (got == 0) return Received::kEnd;
    header_bytes_ += got;
    if (header_bytes_ < kFrameHeaderBytes) return Received::kPart;
  }
  while (peer_->payload_left() > 0) {
    if (frame_bytes_ == frame_.size()) {
      const size_t more = std::max(kFrameBytesAtFirst, frame_.size());
      frame_.resize(frame_.size() + std::min<size_t>(more, peer_->payload_left()));
    }
    const uint32_t room = static_cast<uint32_t>(frame_.size()) - frame_bytes_;
    const uint32_t got = peer_->read(frame_.data() + frame_bytes_, room);
    if (got == 0) return Received::kEnd;
    frame_bytes_ += got;
    if (got < room) return Received::kPart;
  }
  arrived_ns_ = clock_.SteadyNs();
  BeginRequest();
  return Received::kFrame;
} catch (const TTransportException& e) {
  // The socket's way to say that nothing is there yet.
  if (e.getType() == TTransportException::TIMED_OUT) return Received::kPart;
  throw;
}

void PeerConnection::BeginRequest() {
  request_->resetBuffer(frame_.data(), static_cast<uint32_t>(frame_.size()));
  reply_->resetBuffer();
  // Room for the reply's length.
  reply_->getWritePtr(kFrameHeaderBytes);
  reply_->wroteBytes(kFrameHeaderBytes);
}

std::optional<QueuedMethod::Turn> PeerConnection::TurnFor(const QueuedMethod& method) {
  if (NameOf(frame_) != method.name()) return std::nullopt;
  try {
    BoundedProtocol reader(
        std::make_shared<TMemoryBuffer>(frame_.data(), static_cast<uint32_t>(frame_.size())),
        limits_);
    std::string name;
    TMessageType type;
    int32_t sequence;
    apache::thrift::protocol::TProtocol& in = reader;
    in.readMessageBegin(name, type, sequence);
    return method.TurnOf(in);
  } catch (...) {
    return std::nullopt;  // the processor will find out what is wrong with it, and say so
  }
}

std::optional<Admission::Request> PeerConnection::RequestFor(const Admission& admission) {
  const absl::string_view name = NameOf(frame_);
  if (name.empty()) return std::nullopt;
  try {
    BoundedProtocol reader(
        std::make_shared<TMemoryBuffer>(frame_.data(), static_cast<uint32_t>(frame_.size())),
        limits_);
    std::string read_name;
    TMessageType type;
    int32_t sequence;
    apache::thrift::protocol::TProtocol& in = reader;
    in.readMessageBegin(read_name, type, sequence);
    return admission.RequestOf(name, in);
  } catch (...) {
    return std::nullopt;
  }
}

void PeerConnection::Refuse(const Admission& admission, int32_t retry_after_ms) {
  WriteReply([&](auto& out) { admission.WriteRefusal(out, retry_after_ms); });
}

void PeerConnection::Process() { processor_.process(in_, out_, nullptr); }

bool PeerConnection::Read(QueuedMethod::Call& call) {
  return processor_.Try(frame_.data(), static_cast<uint32_t>(frame_.size()), *out_, [&] {
    apache::thrift::protocol::TProtocol& in = *in_;
    std::string name;
    TMessageType type;
    int32_t sequence;
    in.readMessageBegin(name, type, sequence);
    call.ReadArguments(in);
    in.readMessageEnd();
  });
}

bool PeerConnection::Write(const QueuedMethod::Call& call) {
  return WriteReply([&](auto& out) { call.WriteResult(out); });
}

bool PeerConnection::WriteReply(
    absl::FunctionRef<void(apache::thrift::protocol::TProtocol&)> write_result) {
  const auto size = static_cast<uint32_t>(frame_.size());
  const bool written = processor_.Try(frame_.data(), size, *out_, [&] {
    BoundedProtocol head(std::make_shared<TMemoryBuffer>(frame_.data(), size), limits_);
    std::string name;
    TMessageType type;
    int32_t sequence;
    head.readMessageBegin(name, type, sequence);
    apache::thrift::protocol::TProtocol& out = *out_;
    out.writeMessageBegin(name, T_REPLY, sequence);
    write_result(out);
    out.writeMessageEnd();
  });
  if (written) peer_->RequestDone(PeerSocket::Reply::kSend);
  return written;
}

void PeerConnection::Fail() {
  processor_.Try(frame_.data(), static_cast<uint32_t>(frame_.size()), *out_,
                 [] { throw std::exception(); });
}

void PeerConnection::Reply() {
  if (!replying_) {
    uint8_t* bytes = nullptr;
    uint32_t size = 0;
    reply_->getBuffer(&bytes, &size);
    const uint32_t length = htonl(size - kFrameHeaderBytes);
    std::memcpy(bytes, &length, sizeof(length));
    replying_ = size > kFrameHeaderBytes;
    if (replying_) CountCall();
  }
  bool sent = true;
  try {
    sent = SendAll();
  } catch (const std::exception&) {
    peer_->HangUp();  // the loop then reads the end of it
  }
  if (sent) EndRequest();
  WaitFor(sent ? EPOLLIN : EPOLLOUT);
}

void PeerConnection::CountCall() {
  const absl::string_view name = NameOf(frame_);
  if (name.empty()) return;  // among the malformed
  uint8_t* bytes = nullptr;
  uint32_t size = 0;
  reply_->getBuffer(&bytes, &size);
  peer_->ledger().counts->calls.Count(
      name, OutcomeOf(bytes + kFrameHeaderBytes, size - kFrameHeaderBytes),
      clock_.SteadyNs() - arrived_ns_);
}

bool PeerConnection::SendAll() {
  while (replying_) {
    uint8_t* bytes = nullptr;
    uint32_t size = 0;
    reply_->getBuffer(&bytes, &size);
    const uint32_t left = size - reply_sent_;
    const uint32_t sent = peer_->write_partial(bytes + reply_sent_, left);
    if (sent == 0) return false;
    reply_sent_ += sent;
    replying_ = sent < left;
  }
  return true;
}

void PeerConnection::EndRequest() {
  replying_ = false;
  header_bytes_ = frame_bytes_ = reply_sent_ = 0;
  frame_.clear();
  // One large request must not leave its buffers with each connection for good.
  if (frame_.capacity() > limits::kIdleBufferBytesMax) frame_.shrink_to_fit();
  if (reply_->getBufferSize() > limits::kIdleBufferBytesMax) {
    reply_->resetBuffer(kReplyBytesAtFirst);
  }
}

void PeerConnection::Begin() { WaitFor(EPOLLIN); }

void PeerConnection::WaitFor(uint32_t events) {
  if (events == waits_for_) return;
  const int what = waits_for_ == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  waits_for_ = events;
  epoll_event event = {};
  event.events = events;
  event.data.ptr = this;
  // From here on it may be the loop's again.
  CHECK(epoll_ctl(epoll_, what, peer_->getSocketFD(), &event) == 0) << "epoll_ctl";
}

}  // namespace vitrine
