#include "recommender/model/parallel.h"

#include <atomic>
#include <vector>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

TEST(Parallel, HandsOutEveryIndexOnce) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{1003}}) {
    std::vector<std::atomic<int>> visits(size);
    Chunks chunks(size, 10);
    RunOnThreads(4, [&] {
      while (const auto chunk = chunks.Next()) {
        for (size_t i = chunk->begin; i < chunk->end; ++i) ++visits[i];
      }
    });
    for (size_t i = 0; i < size; ++i) EXPECT_EQ(visits[i], 1) << i << " of " << size;
  }
}

TEST(Parallel, RunsOnAsManyThreadsAsAskedFor) {
  std::atomic<int> runs{0};
  RunOnThreads(3, [&] { ++runs; });
  EXPECT_EQ(runs, 3);
  RunOnThreads(0, [&] { ++runs; });
  EXPECT_GE(runs, 4);
}

}  // namespace
}  // namespace vitrine
