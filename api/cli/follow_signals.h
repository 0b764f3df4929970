// A moment's wait that SIGTERM and SIGINT end.

#ifndef VITRINE_API_CLI_FOLLOW_SIGNALS_H_
#define VITRINE_API_CLI_FOLLOW_SIGNALS_H_

#include <signal.h>

#include "ingest/importer.h"

namespace vitrine::cli {

// Make it before any thread is started: the signals are blocked from then on, and only this one
// takes them.
class FollowSignals : public FollowWaiter {
 public:
  FollowSignals();

  bool Wait() override;
  bool Stopped() override;

 private:
  // Takes a signal if one comes within the time.
  void TakeSignal(long milliseconds);

  sigset_t signals_;
  bool stopped_ = false;
};

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_FOLLOW_SIGNALS_H_
