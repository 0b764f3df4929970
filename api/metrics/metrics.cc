#include "api/metrics/metrics.h"

#include <algorithm>
#include <array>
#include <prometheus/text_serializer.h>

#include "absl/strings/str_cat.h"

#include "api/metrics/families.h"
#include "api/metrics/process_figures.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// By the numbers of the exceptions that the Storefront's methods declare (vitrine.thrift); what is
// none of them is a mistake of the caller's, or ours, that no method foresees.
constexpr std::array<const char*, CallCounts::kOutcomesMax> kOutcomes = {
    "ok",          "invalid_request", "not_found",    "overloaded", "deadline_exceeded",
    "unavailable", "internal_error",  "unauthorized", "failed",     "failed"};
// The Backoffice's methods number theirs each in its own way.
constexpr std::array<const char*, CallCounts::kOutcomesMax> kBackofficeOutcomes = {
    "ok", "error", "error", "error", "error", "error", "error", "error", "error", "failed"};

void AddCalls(const std::string& service, const CallCounts& calls, Families* families) {
  const auto& names = service == "backoffice" ? kBackofficeOutcomes : kOutcomes;
  calls.ForEach([&](const CallCounts::Method& method) {
    for (size_t i = 0; i < names.size();) {
      // Neighbours of one name are one.
      const size_t first = i;
      int64_t n = 0;
      while (i < names.size() && absl::string_view(names[i]) == names[first]) {
        n += method.outcomes[i++];
      }
      if (n == 0 && first != 0) continue;
      families->Counter("vitrine_requests_total", "Requests answered, by what became of them.",
                        {{"service", service}, {"method", method.name}, {"outcome", names[first]}},
                        static_cast<double>(n));
    }
    if (method.outcomes[0] == 0) return;
    families->Histogram("vitrine_request_duration_seconds",
                        "From the whole request to its reply, of those that succeeded.",
                        {{"service", service}, {"method", method.name}}, method.succeeded);
  });
}

void AddServer(const std::string& service, const ServerCounts& counts, Families* families) {
  AddCalls(service, counts.calls, families);
  const Labels labels = {{"service", service}};
  const auto counter = [&](const char* name, const char* help, int64_t value) {
    families->Counter(name, help, labels, static_cast<double>(value));
  };
  const auto refused = [&](const char* stage, int64_t value) {
    families->Counter("vitrine_requests_refused_total",
                      "Requests refused because they would have waited too long (outcome "
                      "overloaded).",
                      {{"service", service}, {"stage", stage}}, static_cast<double>(value));
  };
  refused("arrival", counts.refused_on_arrival);
  refused("late", counts.refused_late);
  refused("queue", counts.refused_at_queue);
  const auto waiting = [&](const char* stage, int64_t value) {
    families->Gauge("vitrine_requests_waiting", "Requests that wait for a thread now.",
                    {{"service", service}, {"stage", stage}}, static_cast<double>(value));
  };
  waiting("line", counts.waiting_in_line);
  waiting("queue", counts.waiting_in_queue);
  families->Gauge("vitrine_connections", "Connections that are open now.", labels,
                  static_cast<double>(counts.connections));
  counter("vitrine_connections_accepted_total", "Connections let in.", counts.accepted);
  counter("vitrine_connections_refused_total", "Connections closed on arrival: too many.",
          counts.refused_connections);
  counter("vitrine_connections_deferred_total",
          "Times that a connection had to wait for a descriptor or memory.",
          counts.deferred_connections);
  counter("vitrine_connections_silent_total",
          "Connections closed because they completed no request in time.",
          counts.silent_connections);
  counter("vitrine_bad_frames_total", "Connections closed for a frame that is none.",
          counts.bad_frames);
  counter("vitrine_malformed_requests_total", "Requests that could not be read.", counts.malformed);
  counter("vitrine_failed_requests_total", "Requests that ended in an exception nobody expects.",
          counts.failed_requests);
}

void AddProcess(Families* families) {
  const ProcessFigures process = ReadProcessFigures();
  const auto gauge = [&](const char* name, const char* help, double value) {
    families->Gauge(name, help, {}, value);
  };
  gauge("process_resident_memory_bytes", "Resident memory.",
        static_cast<double>(process.resident_bytes));
  gauge("process_virtual_memory_bytes", "Virtual memory.",
        static_cast<double>(process.virtual_bytes));
  gauge("process_threads", "Threads.", static_cast<double>(process.threads));
  gauge("process_open_fds", "Open file descriptors.",
        static_cast<double>(process.open_descriptors));
  gauge("process_max_fds", "File descriptors that may be open.",
        static_cast<double>(process.descriptors_max));
  gauge("process_start_time_seconds", "Start of the process, since the epoch.",
        process.start_time_seconds);
  families->Counter("process_cpu_seconds_total", "Processor time, user and system.", {},
                    process.cpu_seconds);
}

}  // namespace

prometheus::ClientMetric& Families::Add(absl::string_view name, absl::string_view help,
                                        prometheus::MetricType type, Labels labels) {
  const auto [entry, is_new] = by_name_.try_emplace(name, families_.size());
  if (is_new) families_.push_back({std::string(name), std::string(help), type, {}});
  prometheus::ClientMetric& metric = families_[entry->second].metric.emplace_back();
  metric.label = std::move(labels);
  return metric;
}

void Families::Histogram(absl::string_view name, absl::string_view help, Labels labels,
                         const Durations& durations) {
  prometheus::ClientMetric::Histogram& histogram =
      Add(name, help, prometheus::MetricType::Histogram, std::move(labels)).histogram;
  const auto counts = durations.counts();
  for (size_t i = 0; i < counts.size(); ++i) {
    histogram.sample_count += static_cast<uint64_t>(counts[i]);
    if (i < Durations::kBoundsNs.size()) {
      histogram.bucket.push_back(
          {histogram.sample_count, static_cast<double>(Durations::kBoundsNs[i]) * 1e-9});
    }
  }
  histogram.sample_sum = static_cast<double>(durations.sum_ns()) * 1e-9;
}

absl::StatusOr<std::string> Metrics::Text(const std::string& key) const {
  const int64_t begin_ns = parts_.clock->SteadyNs();
  Families families;
  absl::Status refused;
  size_t seen = 0;
  for (const std::string& name : parts_.sites->Names()) {
    if (parts_.keys_required) {
      const absl::Status opened = parts_.gatekeeper->Check(name, key, Opens::kBackofficeRead);
      if (!opened.ok()) refused = opened;
      if (!opened.ok()) continue;
    }
    if (++seen > limits::kMetricSitesMax) break;
    ASSIGN_OR_RETURN(Site * site, parts_.sites->Find(name));
    AddSiteMetrics(site, *parts_.clock, &families);
  }
  if (seen == 0 && !refused.ok()) return refused;
  for (const auto& [service, counts] : parts_.servers) AddServer(service, *counts, &families);
  families.Counter("vitrine_requests_degraded_total",
                   "Requests answered without a history, because of load.", {},
                   static_cast<double>(parts_.degraded ? parts_.degraded() : 0));
  families.Gauge("vitrine_sites", "Sites that are served.", {},
                 static_cast<double>(parts_.sites->Names().size()));
  AddProcess(&families);
  families.Gauge("vitrine_scrape_duration_seconds", "What it took to gather these metrics.", {},
                 static_cast<double>(parts_.clock->SteadyNs() - begin_ns) * 1e-9);
  return prometheus::TextSerializer().Serialize(families.all());
}

ProcessFacts Metrics::Facts() const {
  ProcessFacts facts;
  facts.serves = true;
  facts.keys_required = parts_.keys_required;
  facts.memory_bytes = ReadProcessFigures().resident_bytes;
  int64_t last_ns = 0;
  for (const auto& [service, counts] : parts_.servers) {
    facts.requests += counts->calls.total();
    facts.refused += counts->refused();
    last_ns = std::max<int64_t>(last_ns, counts->last_refused_ns);
  }
  if (last_ns != 0) facts.refused_ago_ms = (parts_.clock->SteadyNs() - last_ns) / 1'000'000;
  return facts;
}

}  // namespace vitrine
