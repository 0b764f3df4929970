// A request takes no memory once its scratch has grown: every allocation of this program is
// counted.

#include <atomic>
#include <cstdlib>
#include <new>

#include "recommender/rank/blend.h"
#include "recommender/rank/rerank.h"
#include "tests/recommender/session_data.h"

namespace {

std::atomic<size_t> allocations = 0;

}  // namespace

// A sanitizer has an allocator of its own. GCC says so by macros, clang by features.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VITRINE_OWN_ALLOCATOR
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VITRINE_OWN_ALLOCATOR
#endif
#ifdef VITRINE_OWN_ALLOCATOR
constexpr bool kCounted = false;
#else
constexpr bool kCounted = true;

[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
#endif

namespace vitrine {
namespace {

using testing::Clicks;
using testing::DrawSession;
using testing::IndexOf;
using testing::Value;

// Calls `rank` for the same sessions twice; the second time must take no memory.
template <typename Rank>
void ExpectNoMemoryTheSecondTime(const Rank& rank) {
  if (!kCounted) GTEST_SKIP() << "allocations are not counted under a sanitizer";
  std::mt19937 random(5);
  std::vector<Clicks> asked(200);
  for (Clicks& clicks : asked) clicks = DrawSession(&random, 300, 30);
  std::vector<Scored> list;
  for (const Clicks& clicks : asked) rank(clicks, &list);
  const size_t before = allocations;
  for (const Clicks& clicks : asked) rank(clicks, &list);
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_GT(before, 0u);
}

std::unique_ptr<SessionIndex> ManySessions() {
  std::mt19937 random(4);
  std::vector<Clicks> sessions(2000);
  for (Clicks& clicks : sessions) clicks = DrawSession(&random, 300);
  return IndexOf(sessions);
}

TEST(SessionMemory, ABlendTakesNone) {
  const auto index = ManySessions();
  auto blend = Value(SessionBlend::Make(BlendSettings::Default()));
  ExpectNoMemoryTheSecondTime([&](const Clicks& clicks, std::vector<Scored>* list) {
    blend.Rank(SessionIndex::Reader(*index), clicks, {.hide_seen = clicks.size() % 2 == 0}, list);
  });
}

TEST(SessionMemory, ARerankerTakesNone) {
  const auto index = ManySessions();
  // One split on the source's rank.
  const TreeEnsemble trees = Value(TreeEnsemble::Parse(
      R"({"learner":{"gradient_booster":{"name":"gbtree","model":{"trees":[
          {"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[1,0,0],
           "split_conditions":[0.2,1.5,-0.5]}]}}}})",
      RerankFeatures(6), 1));
  auto reranker = Value(Reranker::Make(BlendSettings::Default(), trees));
  ExpectNoMemoryTheSecondTime([&](const Clicks& clicks, std::vector<Scored>* list) {
    reranker.Rank(SessionIndex::Reader(*index), clicks, {}, list);
  });
}

}  // namespace
}  // namespace vitrine
