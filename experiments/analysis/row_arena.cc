#include "experiments/analysis/row_arena.h"

#include <algorithm>
#include <cstring>

#include "store/base/check.h"

namespace vitrine::experiments {
namespace {

constexpr size_t kChunkBytes = 1 << 20;
constexpr int kChunkShift = 32;

size_t ChunkOf(RowArena::Place place) { return place >> kChunkShift; }
size_t AtOf(RowArena::Place place) { return place & ((uint64_t{1} << kChunkShift) - 1); }

}  // namespace

RowArena::Place RowArena::Add(absl::string_view row) {
  CHECK(!row.empty() && row.size() < (size_t{1} << 30)) << row.size();
  const auto room = static_cast<uint32_t>(row.size() + row.size() / 4);
  const size_t needed = sizeof(Head) + room;
  if (chunks_.empty() || chunks_.back().size() + needed > chunks_.back().capacity()) {
    chunks_.emplace_back().reserve(std::max(kChunkBytes, needed));
  }
  const Place place = uint64_t{chunks_.size() - 1} << kChunkShift | chunks_.back().size();
  chunks_.back().resize(chunks_.back().size() + needed);
  Write(place, {room, static_cast<uint32_t>(row.size())}, row);
  return place;
}

RowArena::Place RowArena::Replace(Place place, absl::string_view row) {
  CHECK(!row.empty());
  const Head head = HeadAt(place);
  if (row.size() <= head.room) {
    Write(place, {head.room, static_cast<uint32_t>(row.size())}, row);
    return place;
  }
  Remove(place);
  return Add(row);
}

void RowArena::Remove(Place place) { Write(place, {HeadAt(place).room, 0}, ""); }

absl::string_view RowArena::Row(Place place) const {
  return {chunks_[ChunkOf(place)].data() + AtOf(place) + sizeof(Head), HeadAt(place).used};
}

void RowArena::ForEach(absl::FunctionRef<void(absl::string_view row)> use) const {
  for (const std::string& chunk : chunks_) {
    Head head;
    for (size_t at = 0; at < chunk.size(); at += sizeof(Head) + head.room) {
      std::memcpy(&head, chunk.data() + at, sizeof(Head));
      if (head.used > 0) use({chunk.data() + at + sizeof(Head), head.used});
    }
  }
}

RowArena::Head RowArena::HeadAt(Place place) const {
  Head head;
  std::memcpy(&head, chunks_[ChunkOf(place)].data() + AtOf(place), sizeof(Head));
  return head;
}

void RowArena::Write(Place place, Head head, absl::string_view row) {
  char* const to = chunks_[ChunkOf(place)].data() + AtOf(place);
  std::memcpy(to, &head, sizeof(Head));
  std::memcpy(to + sizeof(Head), row.data(), row.size());
}

}  // namespace vitrine::experiments
