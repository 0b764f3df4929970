// One connection: the frame that arrives, what is made of it, and the reply that leaves.

#ifndef VITRINE_API_SERVER_PEER_CONNECTION_H_
#define VITRINE_API_SERVER_PEER_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thrift/TProcessor.h>
#include <thrift/transport/TBufferTransports.h>
#include <vector>

#include "absl/strings/string_view.h"

#include "api/server/admission.h"
#include "api/server/bounded_protocol.h"
#include "api/server/guarded_processor.h"
#include "api/server/peer_socket.h"
#include "api/server/queued_method.h"

namespace vitrine {

// Belongs to its event loop, except between Lend and GiveBack: then to the thread that handles its
// request. Not thread-safe.
class PeerConnection {
 public:
  // `epoll` outlives it.
  PeerConnection(std::shared_ptr<PeerSocket> peer, int epoll,
                 const std::shared_ptr<apache::thrift::TProcessor>& processor,
                 const WireLimits& limits);
  ~PeerConnection();
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;

  // Takes what has arrived, at most to the end of a frame. Throws std::exception if the connection
  // is of no more use.
  enum class Received { kPart, kFrame, kEnd };
  Received Receive();

  // The steady time of the last frame's arrival.
  int64_t arrived_ns() const { return arrived_ns_; }

  // Whose turn the request in the frame must wait for; none: nobody's. Never throws.
  std::optional<QueuedMethod::Turn> TurnFor(const QueuedMethod& method);

  // What may wait in line; none: nothing, answer it at once. Never throws.
  std::optional<Admission::Request> RequestFor(const Admission& admission);

  // The request through the processor, which makes the reply.
  void Process();
  // The reply says that it was not taken.
  void Refuse(const Admission& admission, int32_t retry_after_ms);

  // The same in parts, for a call of a queued method. False: it is answered already.
  bool Read(QueuedMethod::Call& call);
  bool Write(const QueuedMethod::Call& call);
  // Says that the request failed for no fault of its own.
  void Fail();

  // Sends what it can of the reply and waits for the rest, or for the next request, in the loop.
  void Reply();

  // Waits for nothing: the loop does not see it until Reply.
  void Lend() { WaitFor(0); }
  // Waits for a request.
  void Begin();

  // Something arrived or left: goes on. For the loop.
  bool replying() const { return replying_; }
  // It stands in the loop's line: what else its socket says is for later.
  void set_in_line(bool in_line) { in_line_ = in_line; }
  bool in_line() const { return in_line_; }

 private:
  // A reply to the call in the frame, with the result that `write_result` writes.
  bool WriteReply(absl::FunctionRef<void(apache::thrift::protocol::TProtocol&)> write_result);
  void BeginRequest();
  // That the request in the frame has its reply.
  void CountCall();
  void WaitFor(uint32_t events);
  bool SendAll();
  void EndRequest();

  const std::shared_ptr<PeerSocket> peer_;
  const int epoll_;
  const Clock& clock_;
  const WireLimits limits_;
  GuardedProcessor processor_;

  std::vector<uint8_t> frame_;  // without its length
  uint32_t header_bytes_ = 0;
  uint32_t frame_bytes_ = 0;
  int64_t arrived_ns_ = 0;
  bool replying_ = false;
  bool in_line_ = false;
  uint32_t reply_sent_ = 0;
  uint32_t waits_for_ = 0;

  const std::shared_ptr<apache::thrift::transport::TMemoryBuffer> request_;
  const std::shared_ptr<apache::thrift::transport::TMemoryBuffer> reply_;
  const std::shared_ptr<BoundedProtocol> in_;
  const std::shared_ptr<BoundedProtocol> out_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_PEER_CONNECTION_H_
