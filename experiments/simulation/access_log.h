// The web server's side of the visits: what a log in the "combined" format holds of them.

#ifndef VITRINE_EXPERIMENTS_SIMULATION_ACCESS_LOG_H_
#define VITRINE_EXPERIMENTS_SIMULATION_ACCESS_LOG_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "experiments/simulation/traffic.h"

namespace vitrine::simulation {

// Not thread-safe. `shop` must outlive it.
class AccessLog {
 public:
  explicit AccessLog(const Shop* shop) : shop_(shop) {}

  // Appends the request behind the step, and those for the assets of its page (with its time),
  // each as
  //   address - - [01/Jan/2024:00:05:00 +0000] "GET /p/p0042 HTTP/1.1" 200 7151 "referrer" "agent"
  // Returns the number of lines. REQUIRES: steps come in order of time.
  int64_t Append(const Visit& visit, const Step& step, std::string* out);

 private:
  struct Request {
    absl::string_view method = "GET";
    std::string path;
    int status = 200;
    int64_t bytes = 0;
    std::string referrer;
  };

  Request PageRequest(const Visit& visit, const Step& step) const;
  int64_t AppendAssets(const Visit& visit, const Step& step, std::string* out);
  void AppendLine(const Visit& visit, int64_t time_ms, const Request& request, std::string* out);
  absl::string_view TimeText(int64_t time_ms);

  const Shop* const shop_;
  int64_t second_ = -1;  // that time_text_ stands for
  std::string time_text_;
};

}  // namespace vitrine::simulation

#endif  // VITRINE_EXPERIMENTS_SIMULATION_ACCESS_LOG_H_
