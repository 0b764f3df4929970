// Load on a running storefront server, and its peak beside that of an echo on the same machine.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

#include "api/client/client.h"
#include "benchmarks/load/echo.h"
#include "benchmarks/load/load.h"
#include "store/base/status_macros.h"

namespace vitrine::load {
namespace {

struct Settings {
  Plan plan;
  int backoffice_port = 9091;
  size_t customers = 10'000;
  std::string customers_file;
  bool echo = false;
  bool echo_pool = false;
  size_t echo_workers = 2;
  int rounds = 3;
  bool json = false;
};

constexpr int32_t kPage = 1000;

absl::StatusOr<std::vector<std::string>> AskForCustomers(const Settings& settings) {
  ASSIGN_OR_RETURN(const auto backoffice,
                   Connection<BackofficeClient>::Open(settings.plan.host, settings.backoffice_port,
                                                      /*timeout_ms=*/10'000));
  std::vector<std::string> ids;
  std::vector<Customer> page;
  do {
    const std::string after = ids.empty() ? "" : ids.back();
    RETURN_IF_ERROR(
        CatchThrift([&] { backoffice->call().customers(page, settings.plan.site, after, kPage); }));
    for (Customer& customer : page) ids.push_back(std::move(customer.id));
  } while (page.size() == kPage && ids.size() < settings.customers);
  if (ids.size() > settings.customers) ids.resize(settings.customers);
  if (ids.empty()) return absl::NotFoundError("the site has no customers");
  return ids;
}

absl::StatusOr<std::vector<std::string>> ReadCustomers(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  std::vector<std::string> ids;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) ids.push_back(line);
  }
  if (ids.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": no ids"));
  return ids;
}

nlohmann::json ToJson(const Outcome& outcome) {
  return {{"requests_per_second", outcome.Rate()},
          {"answered", outcome.answered},
          {"suggestions", outcome.suggestions},
          {"degraded", outcome.degraded},
          {"served_p99_ms", Outcome::Quantile(outcome.served_ms, 0.99)},
          {"refused_p99_ms", Outcome::Quantile(outcome.refused_ms, 0.99)},
          {"seconds", outcome.seconds},
          {"errors", outcome.errors},
          {"latency_ms",
           {{"p50", outcome.LatencyMs(0.5)},
            {"p90", outcome.LatencyMs(0.9)},
            {"p99", outcome.LatencyMs(0.99)},
            {"p99.9", outcome.LatencyMs(0.999)},
            {"max", outcome.LatencyMs(1)}}}};
}

void PrintHeading() {
  absl::PrintF("%-34s %10s %8s %8s %8s %8s %8s %8s\n", "", "requests/s", "p50 ms", "p90", "p99",
               "p99.9", "max", "errors");
}

void PrintRow(absl::string_view name, const Outcome& outcome) {
  absl::PrintF("%-34s %10.0f %8.3f %8.3f %8.3f %8.3f %8.3f %8d\n", name, outcome.Rate(),
               outcome.LatencyMs(0.5), outcome.LatencyMs(0.9), outcome.LatencyMs(0.99),
               outcome.LatencyMs(0.999), outcome.LatencyMs(1), outcome.Errors());
  for (const auto& [kind, count] : outcome.errors) absl::PrintF("    %s: %d\n", kind, count);
}

std::string NameOf(absl::string_view what, const Plan& plan) {
  return plan.rate > 0 ? absl::StrFormat("%s at %.0f/s", what, plan.rate)
                       : absl::StrCat(what, ", as fast as possible");
}

// The run with the median rate.
Outcome Median(std::vector<Outcome> runs) {
  std::sort(runs.begin(), runs.end(),
            [](const Outcome& a, const Outcome& b) { return a.Rate() < b.Rate(); });
  return std::move(runs[runs.size() / 2]);
}

absl::Status LoadOnly(const Settings& settings) {
  ASSIGN_OR_RETURN(const Outcome outcome, Run(settings.plan));
  if (settings.json) {
    std::cout << ToJson(outcome).dump(2) << "\n";
  } else {
    PrintHeading();
    PrintRow(NameOf("recommend", settings.plan), outcome);
  }
  return absl::OkStatus();
}

// Rounds alternate between the two, so that whatever else the machine does falls on both.
absl::Status CompareWithEcho(const Settings& settings, const EchoProcess& echo) {
  Plan peak = settings.plan;
  peak.rate = 0;
  Plan floor = peak;
  floor.host = "127.0.0.1";
  floor.port = echo.port();
  const bool alone = settings.plan.port == 0;
  if (alone) floor.rate = settings.plan.rate;
  std::vector<Outcome> echoes;
  std::vector<Outcome> recommends;
  for (int round = 0; round < settings.rounds; ++round) {
    ASSIGN_OR_RETURN(echoes.emplace_back(), Run(floor));
    if (!alone) {
      ASSIGN_OR_RETURN(recommends.emplace_back(), Run(peak));
    }
  }
  const Outcome fastest_echo = Median(std::move(echoes));
  nlohmann::json report = {{"echo", ToJson(fastest_echo)}};
  if (!settings.json) {
    PrintHeading();
    PrintRow(NameOf("echo", floor), fastest_echo);
  }
  if (!alone) {
    const Outcome fastest = Median(std::move(recommends));
    const double ratio = fastest.Rate() / fastest_echo.Rate();
    Plan half = settings.plan;
    half.rate = settings.plan.rate > 0 ? settings.plan.rate : fastest.Rate() / 2;
    ASSIGN_OR_RETURN(const Outcome relaxed, Run(half));
    report["recommend"] = ToJson(fastest);
    report["recommend_to_echo"] = ratio;
    report["recommend_at_half_rate"] = ToJson(relaxed);
    if (!settings.json) {
      PrintRow(NameOf("recommend", peak), fastest);
      PrintRow(NameOf("recommend", half), relaxed);
      absl::PrintF("recommend / echo: %.2f\n", ratio);
    }
  }
  if (settings.json) std::cout << report.dump(2) << "\n";
  return absl::OkStatus();
}

absl::Status Main(Settings settings, const EchoProcess* echo) {
  if (settings.plan.port == 0) {
    settings.plan.customers = {"nobody"};
  } else if (!settings.customers_file.empty()) {
    ASSIGN_OR_RETURN(settings.plan.customers, ReadCustomers(settings.customers_file));
  } else {
    ASSIGN_OR_RETURN(settings.plan.customers, AskForCustomers(settings));
  }
  if (!settings.json) {
    absl::PrintF("%d connections on %d threads, %d customers, k=%d, %.0f s, seed %d\n",
                 settings.plan.connections, settings.plan.threads, settings.plan.customers.size(),
                 settings.plan.k, settings.plan.seconds, settings.plan.seed);
  }
  return echo != nullptr ? CompareWithEcho(settings, *echo) : LoadOnly(settings);
}

void AddOptions(CLI::App& app, Settings& settings) {
  Plan& plan = settings.plan;
  plan.port = 9090;
  app.add_option("--host", plan.host, "Where the server is")->capture_default_str();
  app.add_option("--port", plan.port, "Its storefront port; 0 with --echo: the echo alone")
      ->capture_default_str();
  app.add_option("--backoffice-port", settings.backoffice_port,
                 "Its back-office port, to ask for customer ids")
      ->capture_default_str();
  app.add_option("--site", plan.site, "The site to ask for suggestions");
  app.add_option("--api-key", plan.api_key, "Of the site, for the storefront");
  app.add_option("--customers", settings.customers, "Ask for at most so many customers' ids")
      ->capture_default_str();
  app.add_option("--customers-file", settings.customers_file,
                 "Take the ids from this file, one a line, and leave the back office alone");
  app.add_option("--zipf", plan.zipf,
                 "Draw the n-th of them in proportion to n^-ZIPF; 0: all equally")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--rate", plan.rate,
                 "Requests a second, sent when due whether or not earlier ones are answered;\n"
                 "latency counts from the due time. 0: each connection asks again at once")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--connections", plan.connections, "Connections, one request at a time on each")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--threads", plan.threads, "Threads of this program that serve them")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", plan.seconds, "How long each measurement takes")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--k", plan.k, "Suggestions to ask for")->capture_default_str();
  app.add_option("--deadline-ms", plan.deadline_ms, "Deadline in each request")
      ->capture_default_str();
  app.add_option("--seed", plan.seed, "Draws the customers")->capture_default_str();
  app.add_flag("--echo", settings.echo,
               "Compare with a server whose recommend returns a ready-made reply: peak of both in\n"
               "turns, their ratio, and latency of recommend at half of its peak, or at --rate");
  app.add_option("--rounds", settings.rounds, "Turns of --echo; the median one is shown")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--echo-workers", settings.echo_workers, "Handler threads of the echo")
      ->capture_default_str();
  app.add_flag("--echo-pool", settings.echo_pool, "Run its handlers in a pool, not in the loops");
  app.add_flag("--json", settings.json, "Print JSON");
}

}  // namespace
}  // namespace vitrine::load

int main(int argc, char** argv) {
  using vitrine::load::EchoProcess;
  vitrine::load::Settings settings;
  CLI::App app(
      "Sends recommend requests to a Vitrine server and reports the rate it answers at and how\n"
      "long answers take.\n\n"
      "  load_generator --site demo --rate 500\n"
      "  load_generator --site demo --echo\n");
  vitrine::load::AddOptions(app, settings);
  CLI11_PARSE(app, argc, argv);

  // Before there are threads: it forks.
  std::unique_ptr<EchoProcess> echo;
  absl::Status status;
  if (settings.echo) {
    vitrine::ServerOptions options;
    options.name = "echo";
    options.workers = settings.echo_workers;
    if (settings.echo_pool) options.handlers = vitrine::ServerOptions::Handlers::kPool;
    auto started = EchoProcess::Start(options);
    status = started.status();
    if (started.ok()) echo = *std::move(started);
  }
  if (status.ok()) status = vitrine::load::Main(settings, echo.get());
  if (!status.ok()) std::cerr << "load_generator: " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
