// Work on all cores: threads that take chunks of a range until none is left.
//
//   Chunks chunks(rows, /*chunk=*/64);
//   RunOnThreads(threads, [&] {
//     Scratch scratch;
//     while (const auto chunk = chunks.Next()) Work(chunk->begin, chunk->end, &scratch);
//   });

#ifndef VITRINE_RECOMMENDER_MODEL_PARALLEL_H_
#define VITRINE_RECOMMENDER_MODEL_PARALLEL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace vitrine {

// The range [0, size), handed out in order. Thread-safe.
class Chunks {
 public:
  struct Range {
    size_t begin = 0;
    size_t end = 0;
  };

  Chunks(size_t size, size_t chunk) : size_(size), chunk_(chunk) {}

  std::optional<Range> Next() {
    const size_t begin = next_.fetch_add(chunk_, std::memory_order_relaxed);
    if (begin >= size_) return std::nullopt;
    return Range{begin, std::min(begin + chunk_, size_)};
  }

 private:
  const size_t size_;
  const size_t chunk_;
  std::atomic<size_t> next_{0};
};

// Runs `work` on this thread and on as many more as make `threads` (0: one per core), and returns
// when all are done. `work` must not throw, and must get by with fewer threads than asked for.
void RunOnThreads(uint32_t threads, const std::function<void()>& work);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_PARALLEL_H_
