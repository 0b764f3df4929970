// How a visit found the shop: the site it came from, and the campaign that its first page names.

#ifndef VITRINE_INGEST_VISIT_ORIGIN_H_
#define VITRINE_INGEST_VISIT_ORIGIN_H_

#include <span>
#include <string>

#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

// The host of an absolute URL ("https://user@Shop.example:80/a" gives "Shop.example") or of an
// "android-app://" one; empty for a path.
absl::string_view HostOf(absl::string_view url);

// What the URL of a page says of a campaign: utm_campaign, else utm_source, else the name of the
// click id that advertisers add ("gclid", "fbclid", "msclkid", ...). Empty: no campaign. Percent
// signs and pluses are decoded; cut to limits::kIdBytesMax. O(bytes).
std::string CampaignOf(absl::string_view url);

struct Origin {
  std::string referrer;  // empty: none, or a page of the shop's own
  ReferrerClass referrer_class = ReferrerClass::DIRECT;
  std::string campaign;
};

// The origin of a visit whose first page is `landing`. A referrer on one of `hosts`, in lower case,
// or on a host below one, or on the host of the page, is the shop's own. A campaign counts before
// the referrer: it is what the shop paid for.
Origin OriginOf(const Event& landing, std::span<const std::string> hosts);

}  // namespace vitrine

#endif  // VITRINE_INGEST_VISIT_ORIGIN_H_
