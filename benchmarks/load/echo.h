// The floor to compare with: a Storefront that knows its answer already.

#ifndef VITRINE_BENCHMARKS_LOAD_ECHO_H_
#define VITRINE_BENCHMARKS_LOAD_ECHO_H_

#include <memory>

#include "absl/status/statusor.h"

#include "api/server/server.h"

namespace vitrine::load {

// A process of its own, as the server it is compared with is one. It runs the real Server with a
// handler whose recommend returns a ready-made reply of 20 suggestions with names and prices.
class EchoProcess {
 public:
  // REQUIRES: the calling process has one thread.
  static absl::StatusOr<std::unique_ptr<EchoProcess>> Start(const ServerOptions& options);
  ~EchoProcess();

  int port() const { return port_; }

 private:
  EchoProcess(int port, int pid, int lifeline) : port_(port), pid_(pid), lifeline_(lifeline) {}

  const int port_;
  const int pid_;
  const int lifeline_;  // the child ends when this closes, however we end
};

}  // namespace vitrine::load

#endif  // VITRINE_BENCHMARKS_LOAD_ECHO_H_
