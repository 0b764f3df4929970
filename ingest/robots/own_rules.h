// What a user agent gives away by itself, without anybody's list.
//
// Programs that fetch pages name themselves, say where to complain, or are libraries that somebody
// did not care to rename; browsers all look alike, since the first of them was imitated by the
// second. So what looks like no browser is none. The rules are ours and few; whoever lies about
// being a browser passes them and is left to the rules about behaviour.

#ifndef VITRINE_INGEST_ROBOTS_OWN_RULES_H_
#define VITRINE_INGEST_ROBOTS_OWN_RULES_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace vitrine {

// Bits of what OwnRules() returns; the names are in OwnRuleName.
enum OwnRule : uint32_t {
  kNoUserAgent = 1 << 0,  // empty, or "-"
  kRobotName = 1 << 1,    // "...bot", "spider", "crawler", "checker"
  kContact = 1 << 2,      // a URL or an e-mail address
  kLibrary = 1 << 3,      // curl, python-requests, Go-http-client
  kHeadless = 1 << 4,     // a browser without a person: HeadlessChrome, PhantomJS
  kNotABrowser = 1 << 5,  // nothing that a browser, a phone or a television set begins with
};
constexpr int kOwnRules = 6;

// Counts up with every change of the rules: what they said before is old then.
constexpr uint64_t kOwnRulesVersion = 1;

// "generic:robot_name" of 1 << 1. REQUIRES: 0 <= bit < kOwnRules.
absl::string_view OwnRuleName(int bit);

// The rules that hold for this user agent. `is_web`: it came with a page view of a web site; a
// shop's own app is called as the shop likes and talks through a library, so that neither tells.
// Thread-safe. O(bytes).
uint32_t OwnRules(absl::string_view user_agent, bool is_web);

}  // namespace vitrine

#endif  // VITRINE_INGEST_ROBOTS_OWN_RULES_H_
