// How long a durable `track` takes while something else goes on, against the same in peace, in
// turns within one run: backups every two seconds, and another site's flood.
//
//   track_benchmark [rounds=3] [seconds=6] [flood_connections=8]
//
// One client tracks 5 events 100 times a second on one site of a server in this process; latencies
// are counted from when a call was due.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "api/client/client.h"
#include "api/server/server.h"
#include "api/service/backoffice.h"
#include "api/service/site.h"
#include "api/service/storefront.h"
#include "api/service/track_method.h"
#include "store/base/check.h"
#include "store/base/clock.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr int kEvents = 5;
constexpr int64_t kPauseNs = 10'000'000;  // from one call to the next
constexpr int64_t kBackupEveryNs = 2'000'000'000;

template <typename T>
T Must(absl::StatusOr<T> value) {
  CHECK(value.ok()) << value.status();
  return *std::move(value);
}

std::atomic<int64_t> next_event = 0;

TrackRequest RequestFor(const std::string& site, int events) {
  TrackRequest request;
  request.context.site = site;
  request.context.deadline_ms = 10'000;
  for (int i = 0; i < events; ++i) {
    const int64_t n = next_event++;
    Event& event = request.events.emplace_back();
    event.id = absl::StrCat("e", n);
    event.time_ms = 1'700'000'000'000 + n;
    event.kind = EventKind::VIEW_ITEM;
    event.__set_customer_id(absl::StrCat("c", n % 5000));
    Item item;
    item.product_id = absl::StrCat("p", n % 2000);
    event.__set_items({item});
  }
  return request;
}

void WaitUntil(int64_t due_ns) {
  const int64_t left_ns = due_ns - Clock::System().SteadyNs();
  if (left_ns > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(left_ns));
}

class Bench {
 public:
  explicit Bench(const std::string& folder) : folder_(folder) {
    for (const char* site : {"quiet", "loud"}) Must(Sites::OpenOne(folder + "/data", site, true));
    sites_ = Must(Sites::OpenAll(folder + "/data"));
    storefront_ = std::make_unique<Storefront>(sites_.get(), &Clock::System());
    backoffice_ =
        std::make_unique<Backoffice>(sites_.get(), &Clock::System(), nullptr, folder + "/backups");
    const std::shared_ptr<StorefrontIf> handler(storefront_.get(), [](StorefrontIf*) {});
    ServerOptions options;
    options.queued_method = std::make_shared<TrackMethod>(storefront_.get());
    server_ = Must(StartServer(std::make_shared<StorefrontProcessor>(handler), options));
  }
  ~Bench() { server_->Drain(); }

  // Latencies in milliseconds, ascending.
  std::vector<double> Measure(double seconds) {
    const auto client = Connect();
    std::vector<double> latency_ms;
    const int64_t start_ns = Clock::System().SteadyNs();
    for (int64_t i = 0; static_cast<double>(i * kPauseNs) < seconds * 1e9; ++i) {
      const int64_t due_ns = start_ns + i * kPauseNs;
      const TrackRequest request = RequestFor("quiet", kEvents);
      WaitUntil(due_ns);
      TrackReply reply;
      client->call().track(reply, request);
      latency_ms.push_back(static_cast<double>(Clock::System().SteadyNs() - due_ns) * 1e-6);
    }
    std::sort(latency_ms.begin(), latency_ms.end());
    return latency_ms;
  }

  std::vector<double> MeasureWithBackups(double seconds) {
    std::atomic<bool> stop = false;
    std::thread backups([&] {
      while (!stop) {
        const int64_t start_ns = Clock::System().SteadyNs();
        BackupRequest request;
        request.site = "quiet";
        request.directory = folder_ + "/backups/quiet";
        request.keep = 3;
        BackupReply reply;
        backoffice_->backup(reply, request);
        ++backups_made_;
        while (!stop && Clock::System().SteadyNs() < start_ns + kBackupEveryNs) {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      }
    });
    std::vector<double> latency_ms = Measure(seconds);
    stop = true;
    backups.join();
    return latency_ms;
  }

  std::vector<double> MeasureWithFlood(double seconds, int connections) {
    std::atomic<bool> stop = false;
    std::vector<std::thread> flood;
    for (int i = 0; i < connections; ++i) {
      flood.emplace_back([&] {
        const auto client = Connect();
        while (!stop) {
          TrackReply reply;
          const TrackRequest request = RequestFor("loud", 100);
          const absl::Status status = CatchThrift([&] { client->call().track(reply, request); });
          ++(status.ok() ? flood_calls_ : flood_refused_);
        }
      });
    }
    std::vector<double> latency_ms = Measure(seconds);
    stop = true;
    for (std::thread& thread : flood) thread.join();
    return latency_ms;
  }

  int64_t backups_made() const { return backups_made_; }
  int64_t flood_calls() const { return flood_calls_; }
  int64_t flood_refused() const { return flood_refused_; }

 private:
  std::unique_ptr<Connection<StorefrontClient>> Connect() const {
    return Must(Connection<StorefrontClient>::Open("127.0.0.1", server_->port(), 20'000));
  }

  const std::string folder_;
  std::unique_ptr<Sites> sites_;
  std::unique_ptr<Storefront> storefront_;
  std::unique_ptr<Backoffice> backoffice_;
  std::unique_ptr<Server> server_;
  std::atomic<int64_t> backups_made_ = 0, flood_calls_ = 0, flood_refused_ = 0;
};

double Quantile(const std::vector<double>& ascending, double q) {
  return ascending[static_cast<size_t>(q * static_cast<double>(ascending.size() - 1))];
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void PrintRow(const char* name, const std::vector<double>& latency_ms) {
  std::printf("%-24s %6zu calls  p50 %7.2f ms  p90 %7.2f  p99 %7.2f  max %7.2f\n", name,
              latency_ms.size(), Quantile(latency_ms, 0.5), Quantile(latency_ms, 0.9),
              Quantile(latency_ms, 0.99), latency_ms.back());
  std::fflush(stdout);
}

void Main(int rounds, double seconds, int connections) {
  std::string folder = (fs::current_path() / "track_benchmark.XXXXXX").string();
  CHECK(::mkdtemp(folder.data()) != nullptr);
  {
    Bench bench(folder);
    bench.Measure(1);  // warm
    std::vector<double> backup_ratios, flood_ratios;
    for (int round = 0; round < rounds; ++round) {
      const std::vector<double> alone = bench.Measure(seconds);
      const std::vector<double> with_backups = bench.MeasureWithBackups(seconds);
      const std::vector<double> with_flood = bench.MeasureWithFlood(seconds, connections);
      PrintRow("alone", alone);
      PrintRow("with backups", with_backups);
      PrintRow("with another's flood", with_flood);
      backup_ratios.push_back(Quantile(with_backups, 0.99) / Quantile(alone, 0.99));
      flood_ratios.push_back(Quantile(with_flood, 0.99) / Quantile(alone, 0.99));
    }
    std::printf("p99 with a backup every 2 s (%lld made): %.2f x alone, median of %d rounds\n",
                static_cast<long long>(bench.backups_made()), Median(backup_ratios), rounds);
    std::printf(
        "p99 with another site's flood (%lld calls of 100 events, %lld refused): "
        "%.2f x alone\n",
        static_cast<long long>(bench.flood_calls()), static_cast<long long>(bench.flood_refused()),
        Median(flood_ratios));
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  vitrine::Main(argc > 1 ? std::atoi(argv[1]) : 3, argc > 2 ? std::atof(argv[2]) : 6,
                argc > 3 ? std::atoi(argv[3]) : 8);
}
