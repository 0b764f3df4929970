#include "recommender/model/parallel.h"

#include <system_error>
#include <thread>
#include <vector>

namespace vitrine {

void RunOnThreads(uint32_t threads, const std::function<void()>& work) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> others;
  others.reserve(threads - 1);
  try {
    while (others.size() + 1 < threads) others.emplace_back(work);
  } catch (const std::system_error&) {
    // The system gives no more threads: those we have do all of it.
  }
  work();
}

}  // namespace vitrine
