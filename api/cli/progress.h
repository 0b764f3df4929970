// One line on a terminal that says how far long work has come and how long it will still take;
// nothing where stderr is no terminal.

#ifndef VITRINE_API_CLI_PROGRESS_H_
#define VITRINE_API_CLI_PROGRESS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace vitrine::cli {

// One thread at a time.
class Progress {
 public:
  Progress();
  ~Progress();  // wipes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows `what`, the share done (0 to 1; unknown if total is 0), `detail` and the time left; at
  // most ten times a second.
  void Show(absl::string_view what, int64_t done, int64_t total, absl::string_view detail);

 private:
  const bool is_terminal_;
  const int64_t start_ns_;
  int64_t shown_ns_ = 0;
};

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_PROGRESS_H_
