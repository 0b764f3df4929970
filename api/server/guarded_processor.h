// Stands between the event loop and the generated processor. Whatever a message holds, and
// whatever a handler throws, the peer gets an answer and the event loop gets no exception.

#ifndef VITRINE_API_SERVER_GUARDED_PROCESSOR_H_
#define VITRINE_API_SERVER_GUARDED_PROCESSOR_H_

#include <memory>
#include <thrift/TProcessor.h>
#include <utility>

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

  // Never throws. REQUIRES: both protocols on a TMemoryBuffer. Returns false, which tells the
  // event loop to look for no second message in the frame.
  bool process(std::shared_ptr<apache::thrift::protocol::TProtocol> in,
               std::shared_ptr<apache::thrift::protocol::TProtocol> out, void* context) override;

 private:
  const std::shared_ptr<apache::thrift::TProcessor> processor_;
  const std::shared_ptr<PeerSocket> peer_;
  const WireLimits limits_;
};

class GuardedProcessorFactory final : public apache::thrift::TProcessorFactory {
 public:
  GuardedProcessorFactory(std::shared_ptr<apache::thrift::TProcessor> processor,
                          const WireLimits& limits)
      : processor_(std::move(processor)), limits_(limits) {}

  std::shared_ptr<apache::thrift::TProcessor> getProcessor(
      const apache::thrift::TConnectionInfo& connection) override {
    return std::make_shared<GuardedProcessor>(
        processor_, std::dynamic_pointer_cast<PeerSocket>(connection.transport), limits_);
  }

 private:
  const std::shared_ptr<apache::thrift::TProcessor> processor_;
  const WireLimits limits_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_GUARDED_PROCESSOR_H_
