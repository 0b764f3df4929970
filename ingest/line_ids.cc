#include "ingest/line_ids.h"

#include <algorithm>
#include <utility>
#include <xxhash.h>

#include "absl/strings/escaping.h"

namespace vitrine {

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
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.digest), sizeof(bytes.digest)));
}

int64_t LineIds::FirstThatMatters(int64_t number) {
  return std::max<int64_t>(1, (number / kBlockLines - 1) * kBlockLines);
}

}  // namespace vitrine
