#include "api/metrics/process_figures.h"

#include <filesystem>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

#include "store/base/atomic_file.h"

namespace vitrine {
namespace {

constexpr size_t kProcFileBytesMax = 64 << 10;

double NumberAt(const std::vector<absl::string_view>& words, size_t i) {
  double number = 0;
  if (i >= words.size() || !absl::SimpleAtod(words[i], &number)) return 0;
  return number;
}

// When the machine started, in seconds since the epoch.
double BootTime() {
  const absl::StatusOr<std::string> text = ReadFile("/proc/stat", kProcFileBytesMax);
  if (!text.ok()) return 0;
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    if (words[0] == "btime") return NumberAt(words, 1);
  }
  return 0;
}

}  // namespace

// The fields of /proc/self/stat are those of proc(5), counted from the third, which follows the
// last parenthesis: a program's name may hold anything.
ProcessFigures ReadProcessFigures() {
  ProcessFigures figures;
  const absl::StatusOr<std::string> stat = ReadFile("/proc/self/stat", kProcFileBytesMax);
  if (stat.ok()) {
    const absl::string_view behind = absl::string_view(*stat).substr(stat->rfind(')') + 1);
    const std::vector<absl::string_view> words = absl::StrSplit(behind, ' ', absl::SkipEmpty());
    const auto field = [&](size_t number) { return NumberAt(words, number - 3); };
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    figures.cpu_seconds = (field(14) + field(15)) / ticks;
    figures.threads = static_cast<int64_t>(field(20));
    if (const double boot = BootTime(); boot > 0) {
      figures.start_time_seconds = boot + field(22) / ticks;
    }
    figures.virtual_bytes = static_cast<int64_t>(field(23));
    figures.resident_bytes = static_cast<int64_t>(field(24)) * ::sysconf(_SC_PAGESIZE);
  }
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (!error) {
    // One of them is this look at them.
    figures.open_descriptors = std::distance(begin(entries), end(entries)) - 1;
  }
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    figures.descriptors_max = static_cast<int64_t>(limit.rlim_cur);
  }
  return figures;
}

}  // namespace vitrine
