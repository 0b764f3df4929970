// Whose products people chose, of shelves that two recipes made together (experiments/interleave).

#ifndef VITRINE_EXPERIMENTS_CHOICES_INTERLEAVING_REPORT_H_
#define VITRINE_EXPERIMENTS_CHOICES_INTERLEAVING_REPORT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "experiments/interleave/preference.h"
#include "store/base/report.h"
#include "store/web_house.h"

namespace vitrine::experiments {

struct InterleavingFindings {
  int64_t users = 0;   // who were shown one of its shelves
  int64_t lists = 0;   // those shelves
  int64_t forced = 0;  // users who were shown a forced arm: left out
  int64_t robots = 0;
  std::optional<Preference> preference;  // none: fewer than two users
};

// What each of the experiment's shelves earned its two arms, by the shelves' times. Clicked, put
// into the cart or bought: by the experiment's primary metric, credited as CreditEvents does it.
// `shelves` and `events`: all of the person's.
std::vector<Credit> CreditsOf(const Experiment& experiment, std::span<const Exposure> shelves,
                              std::span<const Event> events);

// Reads the whole store, best a checkpoint. FailedPrecondition if the experiment has not begun.
absl::StatusOr<InterleavingFindings> ReadInterleaving(
    const WebHouse& house, const Experiment& experiment,
    const std::function<void(int64_t persons)>& on_progress = nullptr);

// Before the end that was planned (planned_units users, or `to`) it says how far it is, and no
// numbers: the test is for one look.
Report InterleavingReport(const Experiment& experiment, const InterleavingFindings& findings,
                          int64_t now_ms);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_CHOICES_INTERLEAVING_REPORT_H_
