// Stands between the threads of the server and the generated processor. Whatever a message holds,
// and whatever a handler throws, the peer gets an answer and the thread gets no exception.

#ifndef VITRINE_API_SERVER_GUARDED_PROCESSOR_H_
#define VITRINE_API_SERVER_GUARDED_PROCESSOR_H_

#include <cstdint>
#include <memory>
#include <thrift/TProcessor.h>
#include <utility>

#include "absl/functional/function_ref.h"

#include "api/server/bounded_protocol.h"
#include "api/server/peer_socket.h"

namespace vitrine {

// Of one connection.
//
// A message that cannot be read is answered with a TApplicationException, and the connection is
// closed; an exception from a handler is answered with a TApplicationException that says nothing
// about it. The reply bears the name and sequence number of the request if those could be read.
class GuardedProcessor final : public apache::thrift::TProcessor {
 public:
  GuardedProcessor(std::shared_ptr<apache::thrift::TProcessor> processor,
                   std::shared_ptr<PeerSocket> peer, const WireLimits& limits)
      : processor_(std::move(processor)), peer_(std::move(peer)), limits_(limits) {}

  // Never throws. REQUIRES: both protocols on a TMemoryBuffer. Returns false: a second message in
  // the frame is not looked for.
  bool process(std::shared_ptr<apache::thrift::protocol::TProtocol> in,
               std::shared_ptr<apache::thrift::protocol::TProtocol> out, void* context) override;

  // Does a part of a request, the message `bytes`. True if it came to its end; false if it threw:
  // then `out` holds the answer that says so, and the request is done. Never throws.
  bool Try(const uint8_t* bytes, uint32_t size, apache::thrift::protocol::TProtocol& out,
           absl::FunctionRef<void()> part);

 private:
  const std::shared_ptr<apache::thrift::TProcessor> processor_;
  const std::shared_ptr<PeerSocket> peer_;
  const WireLimits limits_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_GUARDED_PROCESSOR_H_
