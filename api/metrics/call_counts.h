// How many requests were answered, how, and how long it took: atomics, so that to count one takes
// no lock. What Prometheus makes of them is api/metrics/metrics.h's.

#ifndef VITRINE_API_METRICS_CALL_COUNTS_H_
#define VITRINE_API_METRICS_CALL_COUNTS_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "store/base/limits.h"

namespace vitrine {

// A histogram of how long something took. Thread-safe, lock-free, O(log bounds).
class Durations {
 public:
  // A duration belongs to the first bound that it is not longer than; behind the last, to none.
  static constexpr std::array<int64_t, 12> kBoundsNs = {
      200'000,    500'000,    1'000'000,   2'000'000,   5'000'000,     10'000'000,
      20'000'000, 50'000'000, 100'000'000, 500'000'000, 1'000'000'000, 10'000'000'000};

  void Add(int64_t ns) {
    const auto* const bound = std::lower_bound(kBoundsNs.begin(), kBoundsNs.end(), ns);
    counts_[static_cast<size_t>(bound - kBoundsNs.begin())].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(ns, std::memory_order_relaxed);
  }

  // By bound, those behind the last one at the end.
  std::array<int64_t, kBoundsNs.size() + 1> counts() const {
    std::array<int64_t, kBoundsNs.size() + 1> counts;
    std::copy(counts_.begin(), counts_.end(), counts.begin());
    return counts;
  }
  int64_t sum_ns() const { return sum_ns_; }

 private:
  std::array<std::atomic<int64_t>, kBoundsNs.size() + 1> counts_ = {};
  std::atomic<int64_t> sum_ns_ = 0;
};

// What outcomes there are, and their names, is for those to know who count and who read; 0 is
// success. Thread-safe.
class CallCounts {
 public:
  static constexpr size_t kOutcomesMax = 10;

  struct Method {
    std::string name;
    std::array<std::atomic<int64_t>, kOutcomesMax> outcomes = {};
    Durations succeeded = {};
  };

  // `methods` are there from the beginning, others from their first success on.
  explicit CallCounts(const std::vector<std::string>& methods = {}) {
    for (const std::string& name : methods) Learn(name);
  }

  // A name that never succeeded may be anybody's invention, and is counted as "other"; so are those
  // beyond limits::kMetricMethodsMax. O(methods). REQUIRES: outcome < kOutcomesMax.
  void Count(absl::string_view name, size_t outcome, int64_t duration_ns) {
    Method* method = Find(name);
    if (method == nullptr && outcome == 0) method = Learn(name);
    if (method == nullptr) method = &other_;
    method->outcomes[outcome].fetch_add(1, std::memory_order_relaxed);
    if (outcome == 0) method->succeeded.Add(duration_ns);
  }

  // Gives `use` each method, and "other" at the end.
  template <typename Use>
  void ForEach(const Use& use) const {
    const size_t methods = size_.load(std::memory_order_acquire);
    for (size_t i = 0; i < methods; ++i) use(*methods_[i]);
    use(other_);
  }

  // Of all methods.
  int64_t total() const {
    int64_t sum = 0;
    ForEach([&](const Method& method) {
      for (const auto& count : method.outcomes) sum += count;
    });
    return sum;
  }

 private:
  Method* Find(absl::string_view name) const {
    const size_t methods = size_.load(std::memory_order_acquire);
    for (size_t i = 0; i < methods; ++i) {
      if (methods_[i]->name == name) return methods_[i].get();
    }
    return nullptr;
  }

  // Null if there are too many.
  Method* Learn(absl::string_view name) {
    absl::MutexLock lock(&learn_mutex_);
    if (Method* const known = Find(name)) return known;
    const size_t methods = size_;
    if (methods == methods_.size()) return nullptr;
    methods_[methods] = std::make_unique<Method>();
    methods_[methods]->name = std::string(name);
    size_.store(methods + 1, std::memory_order_release);
    return methods_[methods].get();
  }

  // The first size_ of them never change again.
  std::array<std::unique_ptr<Method>, limits::kMetricMethodsMax> methods_;
  std::atomic<size_t> size_ = 0;
  absl::Mutex learn_mutex_;
  Method other_{.name = "other"};
};

}  // namespace vitrine

#endif  // VITRINE_API_METRICS_CALL_COUNTS_H_
