// How long a durable `track` takes while something else goes on, against the same in peace, in
// turns within one run: backups every two seconds, and another site's flood, held at a rate and as
// fast as it can.
//
//   track_benchmark [rounds=5] [seconds=5] [flood_connections=8] [held_calls_per_second=90]
//
// One client tracks 5 events 100 times a second on one site of a server in this process; latencies
// are counted from when a call was due. The flood's calls are of 100 events each; its clients take
// their time from the same processors, as the column "cores" tells; "others" is what the rest of
// the machine took: above 0.1 the line says little.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
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
#include "store/base/thread.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr int kEvents = 5;
constexpr int kFloodEvents = 100;
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

  // `calls_per_second` of all connections together; 0: as many as are answered.
  std::vector<double> MeasureWithFlood(double seconds, int connections, double calls_per_second) {
    std::atomic<bool> stop = false;
    std::vector<std::thread> flood;
    for (int i = 0; i < connections; ++i) {
      flood.emplace_back([&, i] {
        NameThread("flood");
        const auto client = Connect();
        const int64_t every_ns =
            calls_per_second > 0 ? static_cast<int64_t>(1e9 * connections / calls_per_second) : 0;
        int64_t due_ns = Clock::System().SteadyNs() + every_ns * i / connections;  // in turn
        WaitUntil(due_ns);
        while (!stop) {
          TrackReply reply;
          const TrackRequest request = RequestFor("loud", kFloodEvents);
          const absl::Status status = CatchThrift([&] { client->call().track(reply, request); });
          ++(status.ok() ? flood_calls_ : flood_refused_);
          due_ns += every_ns;
          WaitUntil(due_ns);
        }
      });
    }
    std::vector<double> latency_ms = Measure(seconds);
    stop = true;
    for (std::thread& thread : flood) thread.join();
    return latency_ms;
  }

  int64_t backups_made() const { return backups_made_; }
  // Since the last time.
  int64_t TakeFloodCalls() { return flood_calls_.exchange(0); }
  int64_t TakeFloodRefused() { return flood_refused_.exchange(0); }

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

// Seconds of processor taken by this process, and by everything on the machine (proc(5)).
struct ProcessorTime {
  double own = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  double all = 0;

  ProcessorTime() {
    std::ifstream stat("/proc/stat");
    std::string cpu;
    double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
    stat >> cpu >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
    all = (user + nice + system + irq + softirq) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
};

// What is compared with peace, and how it compared in each round.
struct Case {
  const char* name;
  std::function<std::vector<double>()> measure;
  std::vector<double> ratios = {};
};

// Measures and prints a line; the p99.
double MeasureCase(const Case& what, Bench* bench) {
  const ProcessorTime before;
  const int64_t start_ns = Clock::System().SteadyNs();
  const std::vector<double> latency_ms = what.measure();
  const double seconds = static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-9;
  const ProcessorTime after;
  const double cores = (after.own - before.own) / seconds;
  std::printf(
      "%-18s %5zu calls  p50 %7.2f ms  p90 %7.2f  p99 %7.2f  max %7.2f  cores %.2f, others "
      "%.2f",
      what.name, latency_ms.size(), Quantile(latency_ms, 0.5), Quantile(latency_ms, 0.9),
      Quantile(latency_ms, 0.99), latency_ms.back(), cores,
      std::max(0.0, (after.all - before.all) / seconds - cores));
  const int64_t done = bench->TakeFloodCalls(), refused = bench->TakeFloodRefused();
  if (done + refused > 0) {
    std::printf("  flood %.0f/s, refused %.0f/s", static_cast<double>(done) / seconds,
                static_cast<double>(refused) / seconds);
  }
  std::printf("\n");
  std::fflush(stdout);
  return Quantile(latency_ms, 0.99);
}

void Main(int rounds, double seconds, int connections, double held_rate) {
  std::string folder = (fs::current_path() / "track_benchmark.XXXXXX").string();
  CHECK(::mkdtemp(folder.data()) != nullptr);
  RunSoonAfterWaking();  // stands for a client on another machine
  {
    Bench bench(folder);
    bench.Measure(1);  // warm
    const Case alone = {"alone", [&] { return bench.Measure(seconds); }};
    Case cases[] = {
        // Peace against peace: what the machine does by itself.
        {"alone again", alone.measure},
        {"with backups", [&] { return bench.MeasureWithBackups(seconds); }},
        {"with a held flood",
         [&] { return bench.MeasureWithFlood(seconds, connections, held_rate); }},
        {"with a flood", [&] { return bench.MeasureWithFlood(seconds, connections, 0); }},
    };
    for (int round = 0; round < rounds; ++round) {
      const double alone_ms = MeasureCase(alone, &bench);
      for (Case& other : cases) other.ratios.push_back(MeasureCase(other, &bench) / alone_ms);
    }
    std::printf("%lld backups; p99 by p99 alone in %d rounds:\n",
                static_cast<long long>(bench.backups_made()), rounds);
    for (Case& other : cases) {
      std::sort(other.ratios.begin(), other.ratios.end());
      std::printf("  %-18s median %5.2f x  (%.2f to %.2f)\n", other.name,
                  other.ratios[other.ratios.size() / 2], other.ratios.front(), other.ratios.back());
    }
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  vitrine::Main(argc > 1 ? std::atoi(argv[1]) : 5, argc > 2 ? std::atof(argv[2]) : 5,
                argc > 3 ? std::atoi(argv[3]) : 8, argc > 4 ? std::atof(argv[4]) : 90);
}
