// A hundred small sites in one process: what each costs, and that each works.

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "api/service/site.h"
#include "api/service/storefront.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "tests/api/server_testing.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

constexpr int kSites = 100;
constexpr int kEventsPerSite = 200;
constexpr int64_t kDay = 1'780'000'000'000;  // May 2026: track takes nothing older than ten years

size_t OpenDescriptors() {
  const fs::directory_iterator listing("/proc/self/fd");
  return static_cast<size_t>(std::distance(listing, fs::directory_iterator()));
}

std::string NameOf(int site) { return absl::StrCat("shop-", site); }

void Track(Storefront* storefront, int site, int first) {
  TrackRequest request;
  request.context.site = NameOf(site);
  request.context.deadline_ms = limits::kDeadlineMsMax;
  request.acknowledge = Acknowledge::APPLIED;
  for (int i = first; i < first + kEventsPerSite; ++i) {
    request.events.push_back(MakeEvent(absl::StrCat("e", i), absl::StrCat("c", i % 20), kDay + i,
                                       EventKind::VIEW_ITEM, absl::StrCat("p", i % 50)));
  }
  TrackReply reply;
  storefront->track(reply, request);
  EXPECT_EQ(reply.accepted, kEventsPerSite);
}

// Sessions are derived in the background: waits until nobody is dirty.
void WaitForSessions(Sites* sites) {
  for (int site = 0; site < kSites; ++site) {
    WebHouse& house = Value(sites->Find(NameOf(site)))->house();
    while (!Value(house.Dirty(1)).empty()) std::this_thread::yield();
  }
}

TEST(ManySites, AHundredSmallOnesAreCheapAndAllWork) {
  TempDir dir;
  {
    auto sites = Value(Sites::OpenOne(dir.path(), NameOf(0), /*create=*/true));
    Storefront storefront(sites.get(), &Clock::System());
    Track(&storefront, 0, 0);
  }
  for (int site = 1; site < kSites; ++site) {  // making each would take ten times as long
    fs::copy(dir.File(NameOf(0)), dir.File(NameOf(site)), fs::copy_options::recursive);
  }
  const int64_t bytes_before = MemoryBytes("VmRSS");
  const size_t descriptors_before = OpenDescriptors();
  auto sites = Value(Sites::OpenAll(dir.path()));
  Storefront storefront(sites.get(), &Clock::System());
  for (int site = 0; site < kSites; ++site) {
    Track(&storefront, site, kEventsPerSite);
  }
  WaitForSessions(sites.get());
  for (int site = 0; site < kSites; ++site) {
    WebHouse& house = Value(sites->Find(NameOf(site)))->house();
    EXPECT_EQ(house.GetTotals().events, 2 * kEventsPerSite);
    EXPECT_EQ(Value(house.GetCustomer("c0")).events, 2 * kEventsPerSite / 20);
  }
  const int64_t bytes = MemoryBytes("VmRSS") - bytes_before;
  const size_t descriptors = OpenDescriptors() - descriptors_before;
  std::printf("%d sites: %.2f MB and %.1f descriptors each, %lld threads in all\n", kSites,
              static_cast<double>(bytes) / kSites / 1e6, static_cast<double>(descriptors) / kSites,
              static_cast<long long>(std::distance(fs::directory_iterator("/proc/self/task"),
                                                   fs::directory_iterator())));
  EXPECT_LE(bytes, static_cast<int64_t>(kSites * limits::kSmallSiteBytesMax));
  EXPECT_LE(descriptors, kSites * limits::kSmallSiteDescriptorsMax);
}

}  // namespace
}  // namespace vitrine
