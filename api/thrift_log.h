// Where Thrift's own messages go.

#ifndef VITRINE_API_THRIFT_LOG_H_
#define VITRINE_API_THRIFT_LOG_H_

#include <thrift/TOutput.h>

#include "spdlog/spdlog.h"

namespace vitrine {

// Thrift writes to stderr, often, and with the peer's address. What matters of it comes back as a
// Status or is counted, so the text is for a developer's eyes only. Process-wide.
inline void SendThriftMessagesToDebugLog() {
  apache::thrift::GlobalOutput.setOutputFunction(
      [](const char* message) { spdlog::debug("thrift: {}", message); });
}

}  // namespace vitrine

#endif  // VITRINE_API_THRIFT_LOG_H_
