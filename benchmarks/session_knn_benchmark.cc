// The session index at the size that Serenade was measured at (60 million clicks on 1.7 million
// products): time and memory to take them in, time of one list, time of one session that enters a
// full index, and lists while sessions enter.
//
//   session_knn_benchmark [CLICKS [PRODUCTS]]
//
// Sessions are generated: 2 to 8 clicks, the first on a product whose popularity falls with its
// rank (Zipf, exponent 1), the next mostly near the one before.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "recommender/model/session_index.h"
#include "recommender/rank/blend.h"
#include "recommender/rank/session_vmis.h"

namespace vitrine {
namespace {

using SteadyClock = std::chrono::steady_clock;

double Microseconds(SteadyClock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

double ResidentMb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return 0;
}

class Generator {
 public:
  Generator(uint32_t products, uint64_t seed) : products_(products), random_(seed) {}

  const std::vector<uint32_t>& Next() {
    clicks_.resize(2 + random_() % 7);
    clicks_[0] = Popular();
    for (size_t i = 1; i < clicks_.size(); ++i) {
      const uint64_t kind = random_() % 16;
      if (kind == 0) {
        clicks_[i] = Popular();
      } else if (kind < 4) {
        clicks_[i] = clicks_[random_() % i];
      } else {
        clicks_[i] = (clicks_[i - 1] + random_() % 50) % products_;
      }
    }
    return clicks_;
  }

 private:
  // The rank is exp(u ln products): density 1 / rank. Neighbours in rank are no neighbours in the
  // catalogue.
  uint32_t Popular() {
    const double u = static_cast<double>(random_() >> 11) * 0x1p-53;
    const auto rank = static_cast<uint64_t>(std::exp(u * std::log(products_)));
    return static_cast<uint32_t>(rank * 2'654'435'761u % products_);
  }

  const uint32_t products_;
  std::mt19937_64 random_;
  std::vector<uint32_t> clicks_;
};

void PrintPercentiles(const char* what, std::vector<double>* times) {
  std::sort(times->begin(), times->end());
  const auto at = [&](double p) {
    return (*times)[static_cast<size_t>(p * static_cast<double>(times->size() - 1))];
  };
  std::printf("%-44s p50 %7.1f  p90 %7.1f  p99 %7.1f  max %8.1f us  (%zu)\n", what, at(0.5),
              at(0.9), at(0.99), times->back(), times->size());
  std::fflush(stdout);
}

// Times `rank` on prefixes of generated sessions.
template <typename Rank>
void TimeLists(const char* what, uint32_t products, size_t lists, const Rank& rank) {
  Generator generator(products, 99);
  std::vector<double> times;
  for (size_t i = 0; i < lists + lists / 10; ++i) {
    const auto& session = generator.Next();
    const auto prefix = std::span(session).first(1 + i % session.size());
    const auto start = SteadyClock::now();
    rank(prefix);
    // The first tenth grows the scratch.
    if (i >= lists / 10) times.push_back(Microseconds(SteadyClock::now() - start));
  }
  PrintPercentiles(what, &times);
}

void TimeAdds(SessionIndex* index, uint32_t products, size_t sessions) {
  Generator generator(products, 7);
  std::vector<double> times;
  for (size_t i = 0; i < sessions; ++i) {
    const auto& session = generator.Next();
    const auto start = SteadyClock::now();
    if (!index->Add(session).ok()) std::abort();
    times.push_back(Microseconds(SteadyClock::now() - start));
  }
  PrintPercentiles("a session enters, the oldest leave", &times);
}

void Run(size_t clicks, uint32_t products) {
  const double empty_mb = ResidentMb();
  auto index =
      *SessionIndex::Make({.sessions = clicks / 5, .clicks = clicks, .sessions_per_product = 500});
  Generator generator(products, 1);
  size_t taken = 0;
  const auto start = SteadyClock::now();
  // A twentieth more than there is room for, so that the index is full and has let sessions go.
  while (taken < clicks + clicks / 20) {
    const auto& session = generator.Next();
    if (!index->Add(session).ok()) std::abort();
    taken += session.size();
  }
  const double seconds = Microseconds(SteadyClock::now() - start) * 1e-6;
  std::printf("%zu clicks in %.1f s (%.2f us a session, generating included), %zu sessions kept\n",
              taken, seconds, seconds * 1e6 * 5 / static_cast<double>(taken),
              SessionIndex::Reader(*index).sessions());
  std::printf("memory: %.0f MB resident, %.0f MB by own count\n", ResidentMb() - empty_mb,
              static_cast<double>(index->MemoryBytes()) * 1e-6);

  std::vector<Scored> list;
  ScoreMap scores;
  VmisScorer vmis({.last_clicks = 9, .recent_sessions = 500, .neighbours = 500});
  const auto rank_vmis = [&](std::span<const uint32_t> prefix) {
    scores.Clear();
    vmis.Score(SessionIndex::Reader(*index), prefix, &scores);
    scores.Top(20, {}, &list);
  };
  auto blend = *SessionBlend::Make(BlendSettings::Default());
  const auto rank_blend = [&](std::span<const uint32_t> prefix) {
    blend.Rank(SessionIndex::Reader(*index), prefix, {.k = 20}, &list);
  };
  TimeLists("VMIS-kNN, m = k = 500, top 20", products, 20'000, rank_vmis);
  TimeLists("blend of six, top 20", products, 10'000, rank_blend);
  TimeAdds(index.get(), products, 50'000);

  std::atomic<bool> done = false;
  std::thread writer([&] {
    Generator entering(products, 3);
    while (!done) {
      if (!index->Add(entering.Next()).ok()) std::abort();
      std::this_thread::sleep_for(std::chrono::microseconds(1000));
    }
  });
  TimeLists("blend of six, 1,000 sessions/s entering", products, 10'000, rank_blend);
  done = true;
  writer.join();
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  vitrine::Run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 60'000'000,
               argc > 2 ? static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)) : 1'700'000);
  return 0;
}
