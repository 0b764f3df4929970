// What the clickstream says: how many get how far, where visits come from and go, what is searched
// in vain, what is bought together. One pass over sessions and events in the order of their keys.

#ifndef VITRINE_RECOMMENDER_MINING_MINE_H_
#define VITRINE_RECOMMENDER_MINING_MINE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "recommender/patterns/association_rules.h"
#include "recommender/patterns/heavy_hitters.h"
#include "recommender/patterns/lists.h"
#include "recommender/patterns/page_flow.h"
#include "store/base/limits.h"
#include "store/base/report.h"
#include "store/web_house.h"

namespace vitrine {

struct MineOptions {
  // Sessions that began on these days, both included; empty: from the first, to the last.
  std::optional<absl::CivilDay> from = std::nullopt;
  std::optional<absl::CivilDay> to = std::nullopt;
  absl::TimeZone time_zone = absl::UTCTimeZone();  // of the shop's days
  size_t top = 10;                                 // rows of a table; 1 to limits::kMinedRowsMax
  double min_support = 0.005;  // of patterns: share of orders, visits, customers; above 0, to 1
  bool group_pages = true;     // in paths and transitions, all pages of one kind are one
  std::function<void(int64_t events)> on_progress = nullptr;  // now and then; may be empty
};

struct Conversion {
  int64_t sessions = 0;
  int64_t with_order = 0;
};

// Frequent patterns of one kind, and what they are a share of.
struct MinedPatterns {
  std::vector<Pattern> patterns;
  size_t lists = 0;       // that were searched
  size_t offered = 0;     // more than `lists` if those are a sample
  int64_t min_count = 0;  // what a pattern had to occur
  bool raised = false;    // there were too many patterns at what was asked
};

struct Mining {
  MineOptions options;

  // From the sessions.
  int64_t visitors = 0;  // persons with a session
  int64_t orders = 0;
  Conversion all;
  std::map<absl::CivilDay, Conversion> by_day;
  std::map<Channel, Conversion> by_channel;
  std::map<Device, Conversion> by_device;
  std::map<std::optional<ReferrerClass>, Conversion> by_referrer;  // none: not known
  std::array<int64_t, 5> furthest = {};                            // by FunnelStage, from VISIT
  int64_t robot_sessions = 0;                                      // left out of everything

  // From their events. Counts are as HeavyHitters has them.
  int64_t page_views = 0;
  int64_t inferred_views = 0;  // that came out of the browser's cache; in paths only
  HeavyHitters<std::string> entries{limits::kMinedKeysMax};
  HeavyHitters<std::string> exits{limits::kMinedKeysMax};
  HeavyHitters<std::string> searches{limits::kMinedKeysMax};
  HeavyHitters<std::string> unclicked{limits::kMinedKeysMax};
  PageFlow flow{limits::kMinedKeysMax, 6};
  std::vector<std::string> products;  // ids, by the numbers in patterns
  MinedPatterns baskets;              // sets of up to 3 products of one order
  MinedPatterns viewed;               // sequences of up to 4 products of one visit
  MinedPatterns bought;        // of one customer's orders, of customers with more than one order
  int64_t pending_events = 0;  // that lie in no session yet
  int64_t cut_visits = 0;      // longer than limits::kMinedVisitEventsMax
};

// Reads the whole store, best a checkpoint. Memory: the limits that limits.h names, and the
// products. InvalidArgument for options out of range. Time: O(events), and that of PrefixSpan.
absl::StatusOr<Mining> Mine(const WebHouse& house, const MineOptions& options);

// Its tables (overview, funnel, by_day, by_channel, by_device, by_referrer, entry_pages,
// exit_pages, paths, transitions, searches, bought_together, viewed_sequences, bought_sequences),
// plots and notes. Products are shown by name and id, as `house` knows them.
absl::StatusOr<Report> MiningReport(const WebHouse& house, const Mining& mining);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MINING_MINE_H_
