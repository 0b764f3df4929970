// Whether a request is worth beginning: told from its first bytes, before anything is done for it.

#ifndef VITRINE_API_SERVER_ADMISSION_H_
#define VITRINE_API_SERVER_ADMISSION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <thrift/protocol/TProtocol.h>

#include "absl/strings/string_view.h"

namespace vitrine {

// What one service knows of its requests; the server knows no service. Thread-safe.
class Admission {
 public:
  static constexpr size_t kKindsMax = 8;

  struct Request {
    size_t kind = 0;          // below kKindsMax: those of one kind take about as long
    int32_t deadline_ms = 0;  // from arrival
  };

  virtual ~Admission() = default;

  // In the event loop: reads as little of the arguments as tells. None: no time is measured out to
  // it, it is handled at once. May throw what Thrift throws; then too.
  virtual std::optional<Request> RequestOf(
      absl::string_view method, apache::thrift::protocol::TProtocol& arguments) const = 0;

  // The result of a method that RequestOf knows: it was not taken, and when to try again.
  virtual void WriteRefusal(apache::thrift::protocol::TProtocol& out,
                            int32_t retry_after_ms) const = 0;
};

// When the request that this thread handles arrived; steady nanoseconds, 0: not known. What it has
// waited since is gone from its deadline.
class RequestArrival {
 public:
  explicit RequestArrival(int64_t arrived_ns) { arrived_ns_ = arrived_ns; }
  ~RequestArrival() { arrived_ns_ = 0; }
  RequestArrival(const RequestArrival&) = delete;
  RequestArrival& operator=(const RequestArrival&) = delete;

  static int64_t Ns() { return arrived_ns_; }

 private:
  inline static thread_local int64_t arrived_ns_ = 0;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_ADMISSION_H_
