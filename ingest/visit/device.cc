#include "ingest/visit/device.h"

#include <initializer_list>

#include "absl/strings/match.h"

namespace vitrine {
namespace {

bool HasAny(absl::string_view text, std::initializer_list<absl::string_view> words) {
  for (const absl::string_view word : words) {
    if (absl::StrContains(text, word)) return true;
  }
  return false;
}

}  // namespace

Device DeviceOf(absl::string_view user_agent) {
  // Before anything else: televisions and consoles run Android and Linux too.
  if (HasAny(user_agent, {"SMART-TV", "SmartTV", "HbbTV", "AppleTV", "Android TV", "BRAVIA", "AFTM",
                          "PlayStation", "Nintendo", "Xbox"})) {
    return Device::UNKNOWN_DEVICE;
  }
  if (HasAny(user_agent, {"iPad", "Tablet;", "PlayBook", "Kindle", "Silk/"})) {
    return Device::TABLET;
  }
  // Tablets with Android leave out the word that phones have.
  if (absl::StrContains(user_agent, "Android")) {
    return HasAny(user_agent, {"Mobile", "Mobi "}) ? Device::MOBILE : Device::TABLET;
  }
  if (HasAny(user_agent,
             {"iPhone", "iPod", "Windows Phone", "IEMobile", "BlackBerry", "BB10", "Opera Mini",
              "Opera Mobi", "Symbian", "Nokia", "webOS", "MIDP", "Mobile Safari", "Mobile;"})) {
    return Device::MOBILE;
  }
  if (HasAny(user_agent, {"Windows", "Macintosh", "X11", "CrOS", "Linux"})) return Device::DESKTOP;
  return Device::UNKNOWN_DEVICE;
}

}  // namespace vitrine
