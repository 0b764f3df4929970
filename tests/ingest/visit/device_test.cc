#include "ingest/visit/device.h"

#include <gtest/gtest.h>
#include <utility>

namespace vitrine {
namespace {

TEST(Device, IsWhatBrowsersCallIt) {
  const std::pair<const char*, Device> cases[] = {
      {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36",
       Device::DESKTOP},
      {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15",
       Device::DESKTOP},
      {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36", Device::DESKTOP},
      {"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/117.0",
       Device::DESKTOP},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
       Device::MOBILE},
      {"Mozilla/5.0 (Linux; Android 13; SM-S908B) AppleWebKit/537.36 Chrome/112.0 Mobile "
       "Safari/537.36",
       Device::MOBILE},
      {"Opera/9.80 (J2ME/MIDP; Opera Mini/4.0; U; en) Presto/2.5", Device::MOBILE},
      {"Mozilla/5.0 (Mobile; rv:48.0) Gecko/48.0 Firefox/48.0", Device::MOBILE},
      {"Mozilla/5.0 (Linux; Android 12; SM-X906C) AppleWebKit/537.36 Chrome/80.0 Safari/537.36",
       Device::TABLET},
      {"Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
       Device::TABLET},
      {"Mozilla/5.0 (Linux; U; en-us; KFTT Build/IML74K) AppleWebKit/535.19 Silk/2.0 Safari/535.19",
       Device::TABLET},
      {"Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36", Device::UNKNOWN_DEVICE},
      {"Mozilla/5.0 (Linux; Android 9; BRAVIA 4K) AppleWebKit/537.36", Device::UNKNOWN_DEVICE},
      {"", Device::UNKNOWN_DEVICE},
      {"curl/7.88.1", Device::UNKNOWN_DEVICE},
  };
  for (const auto& [agent, device] : cases) EXPECT_EQ(DeviceOf(agent), device) << agent;
}

}  // namespace
}  // namespace vitrine
