// Time, injected: product code never asks the operating system itself, so that a test can say
// what time it is.

#ifndef VITRINE_STORE_BASE_CLOCK_H_
#define VITRINE_STORE_BASE_CLOCK_H_

#include <atomic>
#include <cstdint>

namespace vitrine {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // UTC milliseconds since 1970. May jump when the machine's clock is set.
  virtual int64_t NowMs() const = 0;

  // Nanoseconds since an arbitrary start. Never goes back: for deadlines and durations.
  virtual int64_t SteadyNs() const = 0;

  // The machine's clocks.
  static const Clock& System();
};

// Stands still until told to move.
class SimClock : public Clock {
 public:
  explicit SimClock(int64_t now_ms) : now_ms_(now_ms) {}

  int64_t NowMs() const override { return now_ms_.load(); }
  int64_t SteadyNs() const override { return steady_ns_.load(); }

  void Advance(int64_t ms) {
    now_ms_ += ms;
    steady_ns_ += ms * 1'000'000;
  }

 private:
  std::atomic<int64_t> now_ms_;
  std::atomic<int64_t> steady_ns_{0};
};

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_CLOCK_H_
