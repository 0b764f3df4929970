// What this process takes of its machine, as /proc says.

#ifndef VITRINE_API_METRICS_PROCESS_FIGURES_H_
#define VITRINE_API_METRICS_PROCESS_FIGURES_H_

#include <cstdint>

namespace vitrine {

struct ProcessFigures {
  int64_t resident_bytes = 0;
  int64_t virtual_bytes = 0;
  int64_t threads = 0;
  int64_t open_descriptors = 0;
  int64_t descriptors_max = 0;
  double cpu_seconds = 0;         // user and system
  double start_time_seconds = 0;  // since the epoch
};

// What cannot be read is 0.
ProcessFigures ReadProcessFigures();

}  // namespace vitrine

#endif  // VITRINE_API_METRICS_PROCESS_FIGURES_H_
