#include "api/cli/progress.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "store/base/clock.h"

namespace vitrine::cli {
namespace {

constexpr int64_t kEveryNs = 100'000'000;
constexpr char kWipe[] = "\r\x1b[K";

std::string TimeLeft(double seconds) {
  if (seconds < 60) return absl::StrFormat("%.0f s", seconds);
  const int whole = static_cast<int>(seconds);
  return absl::StrFormat("%d min %02d s", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress()
    : is_terminal_(::isatty(STDERR_FILENO) != 0), start_ns_(Clock::System().SteadyNs()) {}

Progress::~Progress() {
  if (shown_ns_ != 0) std::fputs(kWipe, stderr);
}

void Progress::Show(absl::string_view what, int64_t done, int64_t total, absl::string_view detail) {
  const int64_t now_ns = Clock::System().SteadyNs();
  if (!is_terminal_ || now_ns - shown_ns_ < kEveryNs) return;
  shown_ns_ = now_ns;
  std::string line = absl::StrCat(what);
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    absl::StrAppend(&line, absl::StrFormat("  %3.0f %%", 100 * share));
    const double elapsed_s = static_cast<double>(now_ns - start_ns_) / 1e9;
    if (share > 0.01) {
      absl::StrAppend(&line, ", ", TimeLeft(elapsed_s * (1 - share) / share), " left");
    }
  }
  if (!detail.empty()) absl::StrAppend(&line, "  ", detail);
  std::fprintf(stderr, "%s%s", kWipe, line.c_str());
  std::fflush(stderr);
}

}  // namespace vitrine::cli
