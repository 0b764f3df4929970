#include "api/server/peer_socket.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

namespace vitrine {

using apache::thrift::transport::TSocket;
using apache::thrift::transport::TTransportException;

PeerSocket::PeerSocket(int fd, int32_t frame_bytes_max, const Clock& clock, DoorLedger& ledger)
    : TSocket(fd),
      frame_bytes_max_(frame_bytes_max),
      clock_(clock),
      ledger_(ledger),
      last_done_ns_(clock.SteadyNs()) {
  ++ledger_.counts->connections;
}

PeerSocket::~PeerSocket() { close(); }

uint32_t PeerSocket::read(uint8_t* buffer, uint32_t size) {
  // Before the bytes leave the kernel, so that UnderWay sees them in one place or the other.
  phase_ = Phase::kReceiving;
  const uint32_t got = TSocket::read(buffer, size);
  FollowFrame(buffer, got);
  return got;
}

void PeerSocket::FollowFrame(const uint8_t* bytes, uint32_t size) {
  if (payload_left_ > 0) {
    payload_left_ -= size;
    if (payload_left_ == 0) phase_ = Phase::kHandling;
    return;
  }
  for (uint32_t i = 0; i < size; ++i) header_ = header_ << 8 | bytes[i];
  header_bytes_ += static_cast<int>(size);
  if (header_bytes_ < 4) return;
  header_bytes_ = 0;
  payload_left_ = header_;
  // The event loop would wait for ever after an empty frame, and allocate a long one.
  if (payload_left_ == 0 || payload_left_ > static_cast<uint32_t>(frame_bytes_max_)) {
    ++ledger_.counts->bad_frames;
    throw TTransportException(TTransportException::CORRUPTED_DATA, "frame is empty or too long");
  }
}

void PeerSocket::RequestDone(Reply reply) {
  hang_up_after_reply_ = reply == Reply::kSendAndHangUp;
  last_done_ns_ = clock_.SteadyNs();
  if (reply == Reply::kNone) {
    RequestLeft();
  } else {
    phase_ = Phase::kReplying;
  }
}

uint32_t PeerSocket::write_partial(const uint8_t* buffer, uint32_t size) {
  const uint32_t sent = TSocket::write_partial(buffer, size);
  if (sent == size) {
    if (hang_up_after_reply_) HangUp();
    RequestLeft();
  }
  return sent;
}

void PeerSocket::RequestLeft() {
  last_done_ns_ = clock_.SteadyNs();
  phase_ = Phase::kIdle;
  if (ledger_.draining) ledger_.bell.Ring();
}

void PeerSocket::close() {
  {
    absl::MutexLock lock(&descriptor_mutex_);
    if (closed_) return;
    closed_ = true;
    TSocket::close();
  }
  --ledger_.counts->connections;
  if (ledger_.draining) ledger_.bell.Ring();
}

bool PeerSocket::Closed() const {
  absl::MutexLock lock(&descriptor_mutex_);
  return closed_;
}

bool PeerSocket::UnderWay() const {
  absl::MutexLock lock(&descriptor_mutex_);
  if (closed_) return false;
  int unread = 0;
  if (ioctl(socket_, FIONREAD, &unread) == 0 && unread > 0) return true;
  return phase_ != Phase::kIdle;
}

bool PeerSocket::SilentSince(int64_t steady_ns) const {
  return phase_ != Phase::kHandling && last_done_ns_ < steady_ns;
}

void PeerSocket::HangUp() {
  absl::MutexLock lock(&descriptor_mutex_);
  if (!closed_) ::shutdown(socket_, SHUT_RDWR);
}

void PeerSocket::HangUpOnSilence() {
  absl::MutexLock lock(&descriptor_mutex_);
  if (closed_) return;
  if (phase_ == Phase::kReplying) {
    const linger reset_on_close = {1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &reset_on_close, sizeof(reset_on_close));
  }
  ::shutdown(socket_, SHUT_RDWR);
}

}  // namespace vitrine
