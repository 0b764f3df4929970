// One accepted connection. It follows the frames that pass through it, so that the door knows who
// is silent and who still waits for an answer.

#ifndef VITRINE_API_SERVER_PEER_SOCKET_H_
#define VITRINE_API_SERVER_PEER_SOCKET_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thrift/transport/TSocket.h>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "api/metrics/server_counts.h"
#include "api/server/event_fd.h"
#include "store/base/clock.h"

namespace vitrine {

// What all connections of one door tell it. Outlives them.
struct DoorLedger {
  std::shared_ptr<ServerCounts> counts = std::make_shared<ServerCounts>();
  std::atomic<bool> draining{false};
  EventFd bell{EventFd::kOnce};
};

// A frame is a length of this many bytes, and what it counts.
inline constexpr uint32_t kFrameHeaderBytes = 4;

// The event loop reads, writes and closes; the processor calls RequestDone; the door calls the
// rest, from its own thread.
//
// A request goes idle -> receiving -> handling -> replying -> idle. It is handled from the moment
// its frame is complete, so waiting for a free thread counts as handling.
class PeerSocket final : public apache::thrift::transport::TSocket {
 public:
  // Takes over `fd`.
  PeerSocket(int fd, int32_t frame_bytes_max, const Clock& clock, DoorLedger& ledger);
  ~PeerSocket() override;

  // Throws TTransportException, which closes the connection, on a frame that is empty or too long.
  uint32_t read(uint8_t* buffer, uint32_t size) override;
  uint32_t write_partial(const uint8_t* buffer, uint32_t size) override;
  void close() override;

  // Of the frame that is arriving: what is not read yet. 0 while its length is not known.
  uint32_t payload_left() const { return payload_left_; }

  enum class Reply { kNone, kSend, kSendAndHangUp };
  void RequestDone(Reply reply);

  bool Closed() const;
  // A request is between its first byte and its reply, or has arrived and is not yet read.
  bool UnderWay() const;
  // Waits for the peer, and has completed no request since `steady_ns`.
  bool SilentSince(int64_t steady_ns) const;
  // Both sides see the end of the stream; the event loop then closes.
  void HangUp();
  // The same; a reply that the peer does not take is thrown away, not left to the kernel.
  void HangUpOnSilence();

  DoorLedger& ledger() { return ledger_; }

 private:
  enum class Phase { kIdle, kReceiving, kHandling, kReplying };

  // Follows `size` bytes that the event loop read: a 4-byte length, or a part of that many bytes.
  void FollowFrame(const uint8_t* bytes, uint32_t size);
  void RequestLeft();

  const int32_t frame_bytes_max_;
  const Clock& clock_;
  DoorLedger& ledger_;

  // Of the event loop.
  uint32_t header_ = 0;
  int header_bytes_ = 0;
  uint32_t payload_left_ = 0;

  std::atomic<Phase> phase_{Phase::kIdle};
  std::atomic<bool> hang_up_after_reply_{false};
  std::atomic<int64_t> last_done_ns_;

  // Keeps the descriptor from being closed, and given to another connection, while the door uses
  // it.
  mutable absl::Mutex descriptor_mutex_;
  bool closed_ ABSL_GUARDED_BY(descriptor_mutex_) = false;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_PEER_SOCKET_H_
