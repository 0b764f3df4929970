// Time and memory of an import by its size: events of ever more visitors, written, made into
// sessions and synced. Every size runs in a process of its own, so that each has a peak of its own.
//
//   memory_benchmark [MILLIONS...]      1 2 5 10 20 unless said otherwise
//
// The events come in the order of time and each is of a random one of events/4 visitors: what a
// visitor did is spread over the whole import, the worst case for a store sorted by visitor.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "ingest/batch_sink.h"
#include "ingest/sessionizer.h"
#include "store/base/check.h"
#include "store/base/clock.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using testing::Value;

constexpr int kBatchEvents = 8192;
constexpr int64_t kFirstMs = 1'704'067'200'000;
constexpr int64_t kStepMs = 100;
constexpr size_t kMemoryBoundMb = 500;

// What one size came to; crosses from the child process as bytes.
struct Figures {
  double write_seconds = 0;
  double all_seconds = 0;  // with sessions and the sync
  double cpu_seconds = 0;
  int64_t sessions = 0;
  size_t peak_mb = 0;
};

double CpuSeconds() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

size_t PeakMb() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<size_t>(usage.ru_maxrss) / 1024;
}

void FillEvent(int64_t i, int64_t visitors, std::mt19937_64* random, Event* event) {
  event->id = absl::StrCat("event-", i);
  event->time_ms = kFirstMs + i * kStepMs;
  event->kind = EventKind::VIEW_ITEM;
  event->__set_visitor_id(
      absl::StrFormat("%016x", static_cast<int64_t>((*random)() % visitors) * 0x9e3779b97f4a7c15));
  const uint64_t product = (*random)() % 5000;
  event->__set_url(absl::StrCat("https://shop.example/p/", product));
  event->__set_user_agent("Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0");
  Item item;
  item.product_id = absl::StrCat("p", product);
  event->__set_items({item});
}

Figures Run(int64_t events) {
  TempDir folder;
  const auto house = Value(WebHouse::Open({.directory = folder.File("site")}));
  StoreSink sink(house.get());
  std::mt19937_64 random(1);
  const int64_t start_ns = Clock::System().SteadyNs();
  const auto since_start = [&] {
    return static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-9;
  };
  EventBatch batch;
  batch.source = "generated";
  for (int64_t done = 0; done < events; done = batch.to_lines) {
    batch.from_lines = batch.from_bytes = done;
    batch.to_lines = batch.to_bytes = std::min(events, done + kBatchEvents);
    batch.events.resize(static_cast<size_t>(batch.to_lines - done));
    for (int64_t i = done; i < batch.to_lines; ++i) {
      FillEvent(i, events / 4, &random, &batch.events[static_cast<size_t>(i - done)]);
    }
    Value(sink.Commit(batch));
  }
  Figures figures;
  figures.write_seconds = since_start();
  const absl::Status derived = DeriveAll(house.get(), nullptr);
  CHECK(derived.ok()) << derived;
  CHECK(house->Sync().ok());
  figures.all_seconds = since_start();
  figures.cpu_seconds = CpuSeconds();
  figures.sessions = house->GetTotals().sessions;
  figures.peak_mb = PeakMb();
  return figures;
}

Figures RunInChild(int64_t events) {
  int ends[2];
  CHECK(::pipe(ends) == 0);
  const pid_t child = ::fork();
  CHECK(child >= 0);
  if (child == 0) {
    const Figures figures = Run(events);
    const bool sent = ::write(ends[1], &figures, sizeof(figures)) == sizeof(figures);
    ::_exit(sent ? 0 : 1);
  }
  ::close(ends[1]);
  Figures figures;
  CHECK(::read(ends[0], &figures, sizeof(figures)) == sizeof(figures)) << "the child has failed";
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return figures;
}

void Main(const std::vector<double>& millions) {
  std::printf("%8s %9s %9s %9s %8s %9s %12s %8s\n", "million", "write s", "all s", "CPU s",
              "us/event", "CPU us", "CPU / n ln n", "peak MB");
  double first_cost = 0;
  for (const double size : millions) {
    const double n = size * 1e6;
    const Figures f = RunInChild(static_cast<int64_t>(n));
    const double cost = f.cpu_seconds / (n * std::log(n));
    if (first_cost == 0) first_cost = cost;
    std::printf("%8.1f %9.1f %9.1f %9.1f %8.2f %9.2f %11.2fx %8zu%s\n", size, f.write_seconds,
                f.all_seconds, f.cpu_seconds, f.all_seconds * 1e6 / n, f.cpu_seconds * 1e6 / n,
                cost / first_cost, f.peak_mb, f.peak_mb > kMemoryBoundMb ? " TOO MUCH" : "");
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  std::vector<double> millions;
  for (int i = 1; i < argc; ++i) {
    double size;
    if (!absl::SimpleAtod(argv[i], &size) || !(size > 0)) {
      std::fprintf(stderr, "usage: memory_benchmark [MILLIONS...]\n");
      return 2;
    }
    millions.push_back(size);
  }
  if (millions.empty()) millions = {1, 2, 5, 10, 20};
  vitrine::Main(millions);
  return 0;
}
