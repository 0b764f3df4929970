// The log of a server: a line a message on stderr.

#ifndef VITRINE_API_CLI_LOG_H_
#define VITRINE_API_CLI_LOG_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace vitrine::cli {

// How spdlog's default logger writes from now on: "TIME LEVEL MESSAGE", or the same as an object of
// JSON, of which a message that is about a site names it in a field of its own.
void SetUpLog(bool json);

// One line, with its end. Whatever the message holds, it is one line, and of an API key it holds
// the public half at most.
std::string LogLine(absl::Time time, absl::string_view level, absl::string_view message, bool json);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_LOG_H_
