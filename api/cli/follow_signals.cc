#include "api/cli/follow_signals.h"

#include <ctime>
#include <pthread.h>

namespace vitrine::cli {
namespace {

// Between two looks at a file that does not grow: soon enough for a person, cheap enough for ever.
constexpr long kWaitMs = 250;

}  // namespace

FollowSignals::FollowSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

bool FollowSignals::Wait() {
  TakeSignal(kWaitMs);
  return !stopped_;
}

bool FollowSignals::Stopped() {
  TakeSignal(0);
  return stopped_;
}

void FollowSignals::TakeSignal(long milliseconds) {
  if (stopped_) return;
  const timespec time = {milliseconds / 1000, (milliseconds % 1000) * 1'000'000};
  stopped_ = ::sigtimedwait(&signals_, nullptr, &time) > 0;
}

}  // namespace vitrine::cli
