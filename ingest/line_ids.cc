#include "ingest/line_ids.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"

namespace vitrine {
namespace {

constexpr size_t kLooksAtBytes = 1024;
constexpr size_t kCommonBytes = 26;  // 17/May/2015:10:05:03 +0000
constexpr size_t kIsoBytes = 19;     // 2015-05-17T10:05:03

void AppendHex(uint64_t value, int digits, std::string* out) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out->push_back("0123456789abcdef"[value >> shift & 0xf]);
  }
}

}  // namespace

std::string TimedId(int64_t seconds, const XXH128_hash_t& hash) {
  const bool fits = seconds >= 0 && seconds <= std::numeric_limits<uint32_t>::max();
  std::string id;
  id.reserve(32);
  AppendHex(fits ? static_cast<uint64_t>(seconds) : 0, 8, &id);
  AppendHex(hash.high64, 8, &id);
  AppendHex(hash.low64, 16, &id);
  return id;
}

// What looks like a time is behind two digits and a slash, or four and a hyphen.
int64_t LineIds::SecondsIn(absl::string_view line) {
  line = line.substr(0, kLooksAtBytes);
  int64_t time_ms;
  for (size_t i = 4; i + 2 < line.size(); ++i) {
    if (line[i] == '/' && absl::ascii_isdigit(line[i - 1]) && absl::ascii_isalpha(line[i + 1])) {
      if (time_.Parse(line.substr(i - 2, kCommonBytes), &time_ms).ok()) return time_ms / 1000;
    } else if (line[i] == '-' && absl::ascii_isdigit(line[i - 4]) &&
               absl::ascii_isdigit(line[i + 1])) {
      if (time_.Parse(line.substr(i - 4, kIsoBytes), &time_ms).ok()) return time_ms / 1000;
    }
  }
  return 0;
}

std::string LineIds::IdOf(absl::string_view line, int64_t number) {
  const int64_t block = number / kBlockLines;
  if (block != block_) {
    before_ = block == block_ + 1 ? std::move(now_) : Counts();
    now_ = Counts();
    block_ = block;
  }
  XXH128_hash_t hash = XXH3_128bits(line.data(), line.size());
  uint64_t occurrence = now_[hash.low64]++;
  if (const auto earlier = before_.find(hash.low64); earlier != before_.end()) {
    occurrence += earlier->second;
  }
  if (occurrence > 0) hash = XXH3_128bits_withSeed(line.data(), line.size(), occurrence);
  return TimedId(SecondsIn(line), hash);
}

int64_t LineIds::FirstThatMatters(int64_t number) {
  return std::max<int64_t>(1, (number / kBlockLines - 1) * kBlockLines);
}

}  // namespace vitrine
