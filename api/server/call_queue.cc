#include "api/server/call_queue.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/thread.h"

namespace vitrine {
namespace {

// The part of the last batch in the mean of them all: it follows a change within some ten batches.
constexpr double kNewestShare = 0.2;
// A key that keeps a thread busy for a tenth of the time is heavy; what was half a second ago
// counts for 1/e.
constexpr double kFadeMs = 500;
constexpr double kHeavyBusyMs = 0.1 * kFadeMs;

}  // namespace

CallQueue::CallQueue(const Queue::Limits& limits, size_t threads, size_t heavy_threads,
                     std::shared_ptr<QueuedMethod> method, ServerCounts* counts)
    : method_(std::move(method)), has_heavy_(heavy_threads > 0), counts_(counts), turns_(limits) {
  for (size_t i = 0; i < threads + heavy_threads; ++i) {
    threads_.emplace_back([this, heavy = i >= threads] { Work(heavy); });
  }
}

CallQueue::~CallQueue() { Stop(); }

std::optional<int32_t> CallQueue::Add(const QueuedMethod::Turn& turn, PendingCall&& call) {
  absl::MutexLock lock(&mutex_);
  const double wait_ms =
      costs_[turn.key].ms_per_call * static_cast<double>(turns_.Waiting(turn.key));
  const bool in_time = turn.deadline_ms == 0 || wait_ms <= turn.deadline_ms;
  if (in_time && turns_.Add(turn.key, std::move(call))) {
    if (counts_ != nullptr) ++counts_->waiting_in_queue;
    return std::nullopt;
  }
  return static_cast<int32_t>(std::clamp<double>(wait_ms, 1, limits::kRetryAfterMsMax));
}

void CallQueue::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void CallQueue::Work(bool heavy) {
  NameThread(heavy ? "queue-heavy" : "queue");
  if (heavy) {
    GiveWayToOthers();
  } else {
    RunSoonAfterWaking();
  }
  const auto awake = [this, heavy]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || turns_.HasNext(heavy);
  };
  while (true) {
    Queue::Batch batch;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&awake));
      if (stopping_) return;
      batch = turns_.Next(heavy);
    }
    if (counts_ != nullptr) counts_->waiting_in_queue -= static_cast<int64_t>(batch.jobs.size());
    const int64_t start_ns = Clock::System().SteadyNs();
    Run(batch);
    const int64_t end_ns = Clock::System().SteadyNs();
    const bool is_heavy = NoteTime(batch.key, batch.jobs.size(), start_ns, end_ns);
    absl::MutexLock lock(&mutex_);
    turns_.Done(batch.key, is_heavy);
  }
}

bool CallQueue::NoteTime(const std::string& key, size_t calls, int64_t start_ns, int64_t end_ns) {
  const double ms = static_cast<double>(end_ns - start_ns) * 1e-6;
  absl::MutexLock lock(&mutex_);
  Cost& cost = costs_[key];
  cost.ms_per_call += kNewestShare * (ms / static_cast<double>(calls) - cost.ms_per_call);
  const double since_ms = static_cast<double>(end_ns - cost.end_ns) * 1e-6;
  cost.busy_ms = cost.busy_ms * std::exp(-since_ms / kFadeMs) + ms;
  cost.end_ns = end_ns;
  return has_heavy_ && cost.busy_ms > kHeavyBusyMs;
}

void CallQueue::Run(const Queue::Batch& batch) {
  if (batch.jobs.front().call != nullptr) return RunMethod(batch);
  for (const PendingCall& pending : batch.jobs) {
    pending.connection->Process();
    pending.connection->Reply();
  }
}

void CallQueue::RunMethod(const Queue::Batch& batch) {
  std::vector<const PendingCall*> read;
  std::vector<QueuedMethod::Call*> calls;
  for (const PendingCall& pending : batch.jobs) {
    if (!pending.connection->Read(*pending.call)) {
      pending.connection->Reply();
      continue;
    }
    read.push_back(&pending);
    calls.push_back(pending.call.get());
  }
  bool ran = true;
  try {
    method_->Run(calls);
  } catch (...) {
    ran = false;
  }
  for (const PendingCall* pending : read) {
    if (ran) {
      pending->connection->Write(*pending->call);
    } else {
      pending->connection->Fail();
    }
    pending->connection->Reply();
  }
}

}  // namespace vitrine
