// A method whose calls wait for something slow, such as a sync of the disk. They leave the event
// loop and take turns in threads behind it (api/server/call_queue.h), many of one key at once: what
// they wait for can be shared.

#ifndef VITRINE_API_SERVER_QUEUED_METHOD_H_
#define VITRINE_API_SERVER_QUEUED_METHOD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thrift/protocol/TProtocol.h>

#include "absl/strings/string_view.h"

namespace vitrine {

// What one of a service is for is in its own words: the server knows no service. Thread-safe.
class QueuedMethod {
 public:
  // One call from its arrival to its reply; used by one thread at a time.
  class Call {
   public:
    virtual ~Call() = default;
    // Reads and writes the structs of the method's arguments and result. They may throw what Thrift
    // throws.
    virtual void ReadArguments(apache::thrift::protocol::TProtocol& in) = 0;
    virtual void WriteResult(apache::thrift::protocol::TProtocol& out) const = 0;
    // Makes the result say that it was not taken, and when to try again. The arguments may be
    // unread.
    virtual void Refuse(int32_t retry_after_ms) = 0;
  };

  struct Turn {
    std::string key;          // one of few, as there are sites
    int32_t deadline_ms = 0;  // from arrival: a call that would wait longer is refused
  };

  virtual ~QueuedMethod() = default;

  // As on the wire.
  virtual absl::string_view name() const = 0;

  // In the event loop: reads as little of the arguments as tells whose call it is. None: it does
  // not have to wait, let the processor answer. May throw what Thrift throws; then too.
  virtual std::optional<Turn> TurnOf(apache::thrift::protocol::TProtocol& arguments) const = 0;

  // `arrived_ns` is steady.
  virtual std::unique_ptr<Call> NewCall(int64_t arrived_ns) = 0;

  // Does calls of one key whose arguments are read, in the order of their arrival, and gives each
  // its result. An exception is an internal error of them all.
  virtual void Run(std::span<Call* const> calls) = 0;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_QUEUED_METHOD_H_
