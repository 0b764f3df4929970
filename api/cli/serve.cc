// vitrine serve: the server process.

#include <cstdio>
#include <memory>
#include <optional>
#include <pthread.h>
#include <signal.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "spdlog/spdlog.h"

#include "api/Backoffice.h"
#include "api/Storefront.h"
#include "api/admission/guarded_storefront.h"
#include "api/admission/storefront_admission.h"
#include "api/auth/gatekeeper.h"
#include "api/auth/guarded_backoffice.h"
#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/log.h"
#include "api/gateway/gateway.h"
#include "api/metrics/metrics.h"
#include "api/server/server.h"
#include "api/service/backoffice.h"
#include "api/service/robots.h"
#include "api/service/site.h"
#include "api/service/storefront.h"
#include "api/service/track_method.h"
#include "api/service/training_schedule.h"
#include "api/service/trigger_runner.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

constexpr int kHttpPort = 9092;

struct Options {
  std::string host = "127.0.0.1";
  int port = 9090;
  int admin_port = 9091;
  // Absent: kHttpPort, or any free one where the storefront takes any.
  std::optional<int> http_port;
  bool no_http = false;
  std::string shop;
  size_t workers = 2;
  bool accept_loss = false;
  bool require_keys = false;
  bool log_json = false;
  std::string backup_root;
};

// The signals that end the server, taken by WaitForEnd alone: blocked here, before any thread is
// made, so that every thread inherits it.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Connections and table files share one budget of descriptors: take all that the system grants.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool IsLoopback(absl::string_view host) {
  return absl::StartsWith(host, "127.") || host == "::1" || host == "localhost";
}

// Nobody shall be served who did not have to say who they are, unless they are on this machine.
absl::Status CheckKeys(const Sites& sites, const Options& options) {
  for (const std::string& name : sites.Names()) {
    ASSIGN_OR_RETURN(Site * site, sites.Find(name));
    if (!site->keys().empty()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "site ", name, " has no API key, so that ",
        options.require_keys ? "nobody could call it" : "everybody who reaches ",
        options.require_keys ? "" : options.host, options.require_keys ? "" : " could call it",
        "; run this first: vitrine keys create --site ", name, " --role storefront"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Server>> StartStorefront(Storefront* service, StorefrontIf* guarded,
                                                        const Gatekeeper* gatekeeper,
                                                        std::shared_ptr<ServerCounts> counts,
                                                        const Options& options) {
  ServerOptions server;
  server.name = "storefront";
  server.counts = std::move(counts);
  server.host = options.host;
  server.port = options.port;
  server.workers = options.workers;
  server.admission = std::make_shared<StorefrontAdmission>();
  server.queued_method = std::make_shared<TrackMethod>(service, gatekeeper);
  // The service outlives the server: shared_ptr is what Thrift wants, not who owns it.
  const std::shared_ptr<StorefrontIf> handler(guarded, [](StorefrontIf*) {});
  return StartServer(std::make_shared<StorefrontProcessor>(handler), server);
}

absl::StatusOr<std::unique_ptr<Server>> StartBackoffice(Backoffice* service,
                                                        const Gatekeeper* gatekeeper,
                                                        std::shared_ptr<ServerCounts> counts,
                                                        const Options& options) {
  ServerOptions server;
  server.name = "backoffice";
  server.counts = std::move(counts);
  server.host = options.host;
  server.port = options.admin_port;
  // A pool, so that a training does not hold up the connections beside it.
  server.handlers = ServerOptions::Handlers::kPool;
  server.workers = 4;
  server.frame_bytes_max = limits::kBackofficeFrameBytesMax;
  server.container_max = limits::kBatchEventsMax;
  server.connections_max = 64;
  // One for each connection, which remembers its key.
  const NewProcessor new_processor = [service, gatekeeper] {
    return std::make_shared<BackofficeProcessor>(
        std::make_shared<GuardedBackoffice>(service, gatekeeper));
  };
  return StartServer(new_processor, server);
}

// Null where it is left out.
absl::StatusOr<std::unique_ptr<Gateway>> StartHttp(StorefrontIf* service, const Sites* sites,
                                                   const Metrics* metrics,
                                                   std::shared_ptr<ServerCounts> counts,
                                                   const Options& options) {
  if (options.no_http) return nullptr;
  GatewayOptions gateway;
  gateway.host = options.host;
  gateway.port = options.http_port.value_or(options.port == 0 ? 0 : kHttpPort);
  gateway.shop_directory = options.shop;
  GatewayParts parts;
  parts.storefront = service;
  parts.hosts = [sites](const std::string& name) {
    std::vector<std::string> hosts;
    for (const std::string& known : sites->Names()) {
      const absl::StatusOr<Site*> site = sites->Find(known);
      if (!site.ok() || (!name.empty() && name != known)) continue;
      const SiteSettings settings = (*site)->house().GetSettings();
      hosts.insert(hosts.end(), settings.hosts.begin(), settings.hosts.end());
    }
    return hosts;
  };
  parts.ready = [sites] {
    for (const std::string& name : sites->Names()) {
      const absl::StatusOr<Site*> site = sites->Find(name);
      if (site.ok() && (*site)->model() == nullptr) {
        return absl::UnavailableError(absl::StrCat("site ", name, " has no model yet"));
      }
    }
    return absl::OkStatus();
  };
  parts.metrics = [metrics](const std::string& key) { return metrics->Text(key); };
  parts.counts = std::move(counts);
  return StartGateway(std::move(parts), gateway);
}

// What is counted of each of the three ports.
struct Ports {
  std::shared_ptr<ServerCounts> storefront = std::make_shared<ServerCounts>(
      std::vector<std::string>{"recommend", "page", "similar", "offers", "track", "ping"});
  std::shared_ptr<ServerCounts> backoffice = std::make_shared<ServerCounts>();
  std::shared_ptr<ServerCounts> http = std::make_shared<ServerCounts>(
      std::vector<std::string>{"/v1/events", "/v1/recommendations", "/v1/page", "/v1/offers"});
};

absl::Status Run(const Common& common, const Options& options) {
  const sigset_t signals = BlockEndSignals();
  RaiseDescriptorLimit();
  // Debian's Abseil looks for deadlocks at every lock; tests do that for us.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  SetUpLog(options.log_json);
  ASSIGN_OR_RETURN(const std::unique_ptr<Sites> sites,
                   Sites::OpenAll(common.data, options.accept_loss));
  if (sites->Names().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is no site in ", common.data, "; run vitrine ingest first"));
  }
  const bool keys_required = options.require_keys || !IsLoopback(options.host);
  if (keys_required) RETURN_IF_ERROR(CheckKeys(*sites, options));
  // Before the first request would have to wait for them.
  for (const RobotLists::Info& list : RobotListsOf(common.data)->lists()) {
    if (list.problem.empty()) {
      spdlog::info("robots: {} patterns of {}", list.patterns, list.path);
    } else {
      spdlog::warn("robots are told without {}: {}", list.path, list.problem);
    }
  }
  TrainingSchedule schedule(sites.get(), &Clock::System());
  TriggerRunner triggers(sites.get(), &Clock::System());
  Storefront storefront(sites.get(), &Clock::System());
  Backoffice backoffice(sites.get(), &Clock::System(), nullptr, options.backup_root);
  ASSIGN_OR_RETURN(const std::string local_key, RandomSecret());
  const Gatekeeper gatekeeper(sites.get(), {keys_required, local_key});
  GuardedStorefront guarded(&storefront, &gatekeeper);
  const Ports ports;
  const Metrics metrics({.sites = sites.get(),
                         .gatekeeper = &gatekeeper,
                         .keys_required = keys_required,
                         .servers = {{"storefront", ports.storefront},
                                     {"backoffice", ports.backoffice},
                                     {"http", ports.http}},
                         .degraded = [&guarded] { return guarded.degraded(); }});
  backoffice.SetProcess([&metrics] { return metrics.Facts(); });
  ASSIGN_OR_RETURN(const std::unique_ptr<Server> front,
                   StartStorefront(&storefront, &guarded, &gatekeeper, ports.storefront, options));
  ASSIGN_OR_RETURN(const std::unique_ptr<Server> back,
                   StartBackoffice(&backoffice, &gatekeeper, ports.backoffice, options));
  ASSIGN_OR_RETURN(const std::unique_ptr<Gateway> http,
                   StartHttp(&guarded, sites.get(), &metrics, ports.http, options));
  const Address address = {options.host, front->port(), back->port()};
  RETURN_IF_ERROR(sites->Announce(FormatAddress(address), local_key));
  // The one line on stdout: whoever started us waits for it.
  std::printf("storefront %s:%d backoffice %s:%d", options.host.c_str(), front->port(),
              options.host.c_str(), back->port());
  if (http != nullptr) std::printf(" http %s:%d", options.host.c_str(), http->port());
  std::printf("\n");
  std::fflush(stdout);
  for (const std::string& name : sites->Names()) spdlog::info("serving site {}", name);
  // Verdicts of before may be of other lists.
  for (const std::string& name : sites->Names()) {
    ASSIGN_OR_RETURN(Site * site, sites->Find(name));
    site->DeriveSoon();
  }

  schedule.Start();
  triggers.Start();

  int signal_number = 0;
  sigwait(&signals, &signal_number);
  spdlog::info("signal {}: draining", signal_number);
  RETURN_IF_ERROR(sites->Announce(""));  // new commands shall not come to us any more
  if (http != nullptr) http->Drain();
  front->Drain();
  schedule.Stop();
  triggers.Stop();
  back->Drain();
  spdlog::info("stopped");
  return absl::OkStatus();
}

}  // namespace

void AddServe(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "serve",
      "Serve every site of the data folder over Thrift until SIGTERM or Ctrl-C.\n"
      "Prints one line on stdout when it is ready; then logs to stderr. While it runs, the other\n"
      "commands go through it, without a key. Binds to loopback unless told otherwise. A site that\n"
      "has API keys (vitrine keys) is open to their bearers only; one that has none, to whoever\n"
      "reaches the ports, so that another --host is refused until each site has one. Thrift sends\n"
      "keys in the clear: across a network, through a proxy with TLS (api/auth/README.md).");
  auto options = std::make_shared<Options>();
  AddDataOption(command, common);
  command->add_option("--host", options->host, "Address to bind")->capture_default_str();
  command->add_option("--port", options->port, "Storefront port; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command->add_option("--admin-port", options->admin_port, "Backoffice port; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command
      ->add_option("--http-port", options->http_port,
                   "HTTP/JSON port (api/gateway/README.md); 0: any free one. Default: 9092, or "
                   "any free one with --port 0")
      ->check(CLI::Range(0, 65535));
  command->add_flag("--no-http", options->no_http, "No HTTP/JSON port");
  command->add_option("--shop", options->shop,
                      "Folder of a static page to serve at / of the HTTP port: examples/shop");
  command->add_option("--backup-root", options->backup_root,
                      "Folder under which vitrine backup may write; without it, nowhere");
  command->add_flag("--require-keys", options->require_keys,
                    "Want a key from everybody, on loopback too: for a server behind a proxy");
  command->add_flag("--log-json", options->log_json, "Write the log as lines of JSON");
  command->add_option("--workers", options->workers, "Threads that answer storefronts")
      ->check(CLI::Range(size_t{1}, size_t{256}))
      ->capture_default_str();
  command->add_flag(
      "--accept-loss", options->accept_loss,
      "Open sites that have lost what they acknowledged; their audit chains will say so");
  command->callback([=] { *action = [=] { return Run(*common, *options); }; });
}

}  // namespace vitrine::cli
