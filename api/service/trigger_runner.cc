#include "api/service/trigger_runner.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "spdlog/spdlog.h"

#include "store/base/status_macros.h"
#include "store/base/thread.h"
#include "store/offer_book.h"

namespace vitrine {
namespace {

// Between the end of a run and the next: what is said by itself need not come sooner.
constexpr absl::Duration kRest = absl::Seconds(2);

void Log(const std::string& site, const TriggerEngine::Outcome& outcome) {
  int64_t refused = 0;
  for (const auto& [rule, count] : outcome.refused) refused += count;
  if (outcome.sent + outcome.held + outcome.dropped + refused == 0) return;
  spdlog::info("site {}: triggers: {} sent, {} held, {} refused, {} dropped", site, outcome.sent,
               outcome.held, refused, outcome.dropped);
}

}  // namespace

absl::Status TriggerRunner::RunOnce(Site* site) {
  std::unique_ptr<TriggerEngine>& engine = engines_[site->name()];
  if (engine == nullptr) {
    ASSIGN_OR_RETURN(const TriggerSetVersion triggers, OfferBook(&site->house()).Triggers());
    if (triggers.content.triggers.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(
        engine,
        TriggerEngine::Open(&site->house(), absl::StrCat(site->directory(), "/outreach"), clock_));
  }
  ASSIGN_OR_RETURN(const TriggerEngine::Outcome outcome, engine->Run());
  Log(site->name(), outcome);
  return absl::OkStatus();
}

void TriggerRunner::Loop() {
  NameThread("triggers");
  GiveWayToOthers();
  while (true) {
    for (const std::string& name : sites_->Names()) {
      const absl::StatusOr<Site*> site = sites_->Find(name);
      if (!site.ok()) continue;
      const absl::Status done = RunOnce(*site);
      if (!done.ok()) spdlog::warn("site {}: triggers: {}", name, done.ToString());
    }
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kRest);
    if (stopping_) return;
  }
}

void TriggerRunner::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void TriggerRunner::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace vitrine
