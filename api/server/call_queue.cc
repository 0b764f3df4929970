#include "api/server/call_queue.h"

#include <algorithm>
#include <utility>

#include "store/base/clock.h"
#include "store/base/limits.h"

namespace vitrine {
namespace {

// The part of the last batch in the mean of them all: it follows a change within some ten batches.
constexpr double kNewestShare = 0.2;

}  // namespace

CallQueue::CallQueue(const Queue::Limits& limits, size_t threads,
                     std::shared_ptr<QueuedMethod> method)
    : method_(std::move(method)), turns_(limits) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

CallQueue::~CallQueue() { Stop(); }

std::optional<int32_t> CallQueue::Add(const QueuedMethod::Turn& turn, PendingCall&& call) {
  absl::MutexLock lock(&mutex_);
  const double wait_ms = ms_per_call_[turn.key] * static_cast<double>(turns_.Waiting(turn.key));
  const bool in_time = turn.deadline_ms == 0 || wait_ms <= turn.deadline_ms;
  if (in_time && turns_.Add(turn.key, std::move(call))) return std::nullopt;
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

void CallQueue::Work() {
  const auto awake = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || turns_.HasNext();
  };
  while (true) {
    Queue::Batch batch;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&awake));
      if (stopping_) return;
      batch = turns_.Next();
    }
    const int64_t start_ns = Clock::System().SteadyNs();
    Run(batch);
    const double ms = static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-6;
    NoteTime(batch.key, ms / static_cast<double>(batch.jobs.size()));
    absl::MutexLock lock(&mutex_);
    turns_.Done(batch.key);
  }
}

void CallQueue::NoteTime(const std::string& key, double ms_per_call) {
  absl::MutexLock lock(&mutex_);
  double& mean = ms_per_call_[key];
  mean += kNewestShare * (ms_per_call - mean);
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
