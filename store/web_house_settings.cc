// What a site has set, and what a change of it makes old.

#include "absl/strings/str_cat.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

absl::Status CheckSettings(const SiteSettings& settings) {
  if (settings.session_gap_ms <= 0) {
    return absl::InvalidArgumentError("the session gap must be above 0 ms");
  }
  if (settings.session_max_ms < settings.session_gap_ms) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the longest session (", settings.session_max_ms,
        " ms) must not be shorter than the session gap (", settings.session_gap_ms, " ms)"));
  }
  if (settings.customers_per_visitor_max < 1 ||
      settings.customers_per_visitor_max > limits::kCustomersPerVisitorMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("customers_per_visitor_max must be 1 to ", limits::kCustomersPerVisitorMax));
  }
  if (settings.train_every_hours < 0 || settings.train_every_hours > limits::kTrainEveryHoursMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("train_every_hours must be 0 (never) to ", limits::kTrainEveryHoursMax));
  }
  if (settings.models_kept < 1 || settings.models_kept > limits::kModelsKeptMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("models_kept must be 1 to ", limits::kModelsKeptMax));
  }
  if (!(settings.experiment_holdout >= 0 && settings.experiment_holdout <= 1)) {
    return absl::InvalidArgumentError("experiment_holdout must be 0 to 1");
  }
  for (const auto& [kind, days] : settings.retention_days) {
    if (days < 1) return absl::InvalidArgumentError("retention must be at least 1 day");
  }
  if (settings.hosts.size() > limits::kHostsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("hosts: more than ", limits::kHostsMax, " hosts"));
  }
  for (const std::string& host : settings.hosts) {
    RETURN_IF_ERROR(Annotate(ValidId(host), "hosts"));
  }
  return absl::OkStatus();
}

// Sessions and customers do not depend on the settings that are levelled here; on every other,
// those to come too, they are taken to.
bool ChangesDerivedRows(SiteSettings before, const SiteSettings& after) {
  before.exclude_bought = after.exclude_bought;
  before.retention_days = after.retention_days;
  before.train_every_hours = after.train_every_hours;
  before.models_kept = after.models_kept;
  before.experiment_holdout = after.experiment_holdout;
  return before != after;
}

void Apply(const SiteSettingsPatch& patch, SiteSettings* settings) {
  if (patch.__isset.session_gap_ms) settings->session_gap_ms = patch.session_gap_ms;
  if (patch.__isset.exclude_bought) settings->exclude_bought = patch.exclude_bought;
  if (patch.__isset.session_max_ms) settings->session_max_ms = patch.session_max_ms;
  if (patch.__isset.cut_at_campaign) settings->cut_at_campaign = patch.cut_at_campaign;
  if (patch.__isset.retention_days) settings->retention_days = patch.retention_days;
  if (patch.__isset.customers_per_visitor_max) {
    settings->customers_per_visitor_max = patch.customers_per_visitor_max;
  }
  if (patch.__isset.hosts) settings->hosts = patch.hosts;
  if (patch.__isset.train_every_hours) settings->train_every_hours = patch.train_every_hours;
  if (patch.__isset.models_kept) settings->models_kept = patch.models_kept;
  if (patch.__isset.experiment_holdout) settings->experiment_holdout = patch.experiment_holdout;
}

}  // namespace

absl::Status WebHouse::SetSettings(const SiteSettings& settings) {
  absl::MutexLock lock(&impl_->commit_mutex);
  return impl_->ChangeSettings(settings);
}

absl::Status WebHouse::PatchSettings(const SiteSettingsPatch& patch) {
  absl::MutexLock lock(&impl_->commit_mutex);
  SiteSettings settings = GetSettings();
  Apply(patch, &settings);
  return impl_->ChangeSettings(settings);
}

absl::Status WebHouse::Impl::ChangeSettings(const SiteSettings& after) {
  RETURN_IF_ERROR(Writable());
  RETURN_IF_ERROR(CheckSettings(after));
  SiteSettings before;
  {
    absl::MutexLock state_lock(&state_mutex);
    before = settings;
  }
  if (after == before) return absl::OkStatus();
  rocksdb::WriteBatch rows = NewBatch();
  PutMeta(kSettingsKey, EncodeRecord(after), &rows);
  if (ChangesDerivedRows(before, after)) RETURN_IF_ERROR(MarkEverybody(&rows));
  RETURN_IF_ERROR(Write(&rows, CurrentTotals()));
  absl::MutexLock state_lock(&state_mutex);
  settings = after;
  return absl::OkStatus();
}

}  // namespace vitrine
