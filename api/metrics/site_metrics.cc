// What a site has to tell Prometheus.

#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

#include "api/metrics/families.h"
#include "api/service/training_record.h"
#include "store/backup.h"
#include "store/base/limits.h"
#include "store/store_figures.h"

namespace vitrine {
namespace {

// The metrics of one site.
class SiteMetrics {
 public:
  SiteMetrics(Site* site, const Clock& clock, Families* families)
      : site_(*site), clock_(clock), now_ms_(clock.NowMs()), families_(*families) {}

  void Add() {
    AddEvents();
    AddRows();
    AddModel();
    AddTraining();
    AddStore();
    AddCaches();
    Gauge("vitrine_live_visits", "Visits that are going on.", site_.live_visits());
    Gauge("vitrine_api_keys", "API keys.", site_.keys().List().size());
    if (const auto backup = ReadBackupState(site_.directory()); backup.ok()) {
      Gauge("vitrine_backup_timestamp_seconds", "Time of the newest backup, since the epoch.",
            Seconds(backup->backup.at_ms));
    }
  }

 private:
  static double Seconds(int64_t ms) { return static_cast<double>(ms) * 1e-3; }

  Labels With(Labels more) const {
    more.insert(more.begin(), {"site", site_.name()});
    return more;
  }
  template <typename Number>
  void Gauge(absl::string_view name, absl::string_view help, Number value, Labels more = {}) {
    families_.Gauge(name, help, With(std::move(more)), static_cast<double>(value));
  }
  template <typename Number>
  void Counter(absl::string_view name, absl::string_view help, Number value, Labels more = {}) {
    families_.Counter(name, help, With(std::move(more)), static_cast<double>(value));
  }

  // "rejected:bad_quantity" as outcome and reason. Reasons are ours and few; but a back office may
  // have sent a source of this name with words of its own.
  void AddEvents() {
    const absl::StatusOr<SourceState> track = site_.house().GetSource(kTrackSource);
    if (!track.ok()) return;
    const auto add = [this](absl::string_view outcome, absl::string_view reason, int64_t n) {
      Counter("vitrine_track_events_total",
              "Live events, by what became of them, since the site was made.", n,
              {{"outcome", std::string(outcome)}, {"reason", std::string(reason)}});
    };
    size_t outcomes = 0;
    int64_t others = 0;
    for (const char* always : {"accepted", "robot", "duplicate"}) {
      if (track->outcomes.count(always) == 0) add(always, "", 0);
    }
    for (const auto& [outcome, n] : track->outcomes) {
      if (++outcomes > limits::kMetricOutcomesMax) {
        others += n;
        continue;
      }
      const size_t colon = outcome.find(':');
      add(absl::string_view(outcome).substr(0, colon),
          colon == std::string::npos ? "" : absl::string_view(outcome).substr(colon + 1), n);
    }
    if (others > 0) add("other", "", others);
    if (const int64_t last_ns = site_.tally().last_ns(); last_ns != 0) {
      const int64_t ago_ns = clock_.SteadyNs() - last_ns;
      Gauge("vitrine_last_event_age_seconds", "Since the last live event was accepted.",
            static_cast<double>(ago_ns) * 1e-9);
    }
  }

  void AddRows() {
    const Totals totals = site_.house().GetTotals();
    const auto add = [this](const char* table, int64_t n) {
      Gauge("vitrine_stored_rows", "Rows that the site holds.", n, {{"table", table}});
    };
    add("events", totals.events);
    add("sessions", totals.sessions);
    add("customers", totals.customers);
    add("products", totals.products);
    add("robots", totals.robots);
    add("conflicts", totals.conflicts);
    Gauge("vitrine_quarantined_rows", "Rejected rows that are kept to be looked at.",
          totals.rejects);
  }

  void AddModel() {
    const std::shared_ptr<const Model> model = site_.model();
    Gauge("vitrine_model_loaded", "1 if a model answers.", model != nullptr);
    if (model == nullptr) return;
    Gauge("vitrine_model_age_seconds", "Since the model that answers was trained.",
          Seconds(now_ms_ - model->trained_at_ms));
    Gauge("vitrine_model_products", "Products that the model ranks.", model->products.size());
  }

  void AddTraining() {
    Gauge("vitrine_training_running", "1 while a training is under way.", site_.training());
    Gauge("vitrine_training_interval_seconds", "How often a model is to be trained; 0: never.",
          int64_t{site_.house().GetSettings().train_every_hours} * 3600);
    const TrainingRecord last = site_.last_training();
    for (const char* outcome : {"published", "worse", "failed"}) {
      Gauge("vitrine_training_last_outcome", "1 for what came of the last training.",
            last.outcome == outcome, {{"outcome", outcome}});
    }
    if (last.started_ms == 0) return;
    Gauge("vitrine_training_last_start_timestamp_seconds",
          "When the last training began, since the epoch.", Seconds(last.started_ms));
    Gauge("vitrine_training_last_duration_seconds", "How long the last training took.",
          last.seconds);
    Gauge("vitrine_training_last_ndcg", "NDCG@20 of held-out visits at the last training.",
          last.gate_ndcg, {{"model", "new"}});
    Gauge("vitrine_training_last_ndcg", "NDCG@20 of held-out visits at the last training.",
          last.gate_served_ndcg, {{"model", "served"}});
  }

  void AddStore() {
    const StoreFigures store = site_.house().Figures();
    Counter("vitrine_exposures_written_total", "Shelves kept as shown.", store.exposures_written);
    Gauge("vitrine_store_table_bytes", "Live table files.", store.table_bytes);
    Gauge("vitrine_store_memtable_bytes", "Rows not yet in tables.", store.memtable_bytes);
    Gauge("vitrine_store_pending_compaction_bytes", "Bytes that compaction has yet to rewrite.",
          store.pending_compaction_bytes);
    Gauge("vitrine_store_write_stall", "1 while writes are slowed down, or stopped.",
          store.writes_delayed, {{"state", "delayed"}});
    Gauge("vitrine_store_write_stall", "1 while writes are slowed down, or stopped.",
          store.writes_stopped, {{"state", "stopped"}});
    const bool room = store.disk.free_bytes >= store.disk_bytes_reserved;
    Gauge("vitrine_store_writable", "0 while the store takes no writes.",
          store.broken.ok() && room);
    Gauge("vitrine_disk_free_bytes", "Free on the disk of the store.", store.disk.free_bytes);
    Gauge("vitrine_disk_size_bytes", "Size of the disk of the store.", store.disk.total_bytes);
    Gauge("vitrine_disk_reserved_bytes", "With less free nothing is written.",
          store.disk_bytes_reserved);
    products_ = store.products;
  }

  void AddCaches() {
    const std::shared_ptr<Serving> serving = site_.serving();
    AddCache("products", products_);
    AddCache("profiles", serving == nullptr ? CacheCounts() : serving->profiles.Counts());
  }
  void AddCache(const char* cache, const CacheCounts& counts) {
    Counter("vitrine_cache_hits_total", "Rows found in a cache.", counts.hits, {{"cache", cache}});
    Counter("vitrine_cache_misses_total", "Rows not found in a cache.", counts.misses,
            {{"cache", cache}});
  }

  Site& site_;
  const Clock& clock_;
  const int64_t now_ms_;
  Families& families_;
  CacheCounts products_;
};

}  // namespace

void AddSiteMetrics(Site* site, const Clock& clock, Families* families) {
  SiteMetrics(site, clock, families).Add();
}

}  // namespace vitrine
