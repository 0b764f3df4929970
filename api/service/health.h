// What is wrong with a site, and what to do about it.

#ifndef VITRINE_API_SERVICE_HEALTH_H_
#define VITRINE_API_SERVICE_HEALTH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/service/event_tally.h"
#include "api/service/site.h"
#include "api/service/training_record.h"
#include "api/vitrine_types.h"
#include "store/backup.h"
#include "store/base/clock.h"
#include "store/records_types.h"
#include "store/store_figures.h"

namespace vitrine {

// Of the process that has the sites.
struct ProcessFacts {
  bool serves = false;         // else it is a command that opened the site for itself
  bool keys_required = false;  // whoever calls must show one
  int64_t requests = 0;
  int64_t refused = 0;          // for want of time or room
  int64_t refused_ago_ms = -1;  // the last time; -1: never
  int64_t memory_bytes = 0;
};

// All that is looked at.
struct SiteFacts {
  std::string site;
  int64_t now_ms = 0;
  int64_t up_ms = 0;
  std::optional<int64_t> model_trained_at_ms;
  TrainingRecord training;
  SiteSettings settings;
  Totals totals;
  StoreFigures store;
  EventCounts lately;                        // live events of the last hour
  EventCounts ever;                          // lines of all sources, since the site was made
  std::optional<int64_t> last_event_ago_ms;  // none since the process started
  bool tracked_before = false;               // there were live events once
  std::vector<ApiKey> keys;
  std::optional<BackupState> backup;
  ProcessFacts process;
};

// The worst first. Their kinds:
//   no_model, store_failed, store_stalled, disk_full, disk_low, overloaded, events_stopped,
//   clock_skew, training_failed, training_refused, rejects_many, robots_many, no_keys, key_expired,
//   key_expires, model_old, no_schedule, no_backup, backup_old.
std::vector<HealthProblem> ProblemsOf(const SiteFacts& facts);

SiteFacts FactsOf(Site* site, const ProcessFacts& process, const Clock& clock);
SiteHealth HealthOf(const SiteFacts& facts);

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_HEALTH_H_
