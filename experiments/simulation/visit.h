// One visit to the shop, planned from its first page to its last.

#ifndef VITRINE_EXPERIMENTS_SIMULATION_VISIT_H_
#define VITRINE_EXPERIMENTS_SIMULATION_VISIT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "experiments/simulation/shop.h"
#include "store/records_types.h"

namespace vitrine {

constexpr int64_t kDayMs = int64_t{24} * 60 * 60 * 1000;

// Days as UTC milliseconds since 1970, and back.
int64_t StartOfDay(absl::CivilDay day);
absl::CivilDay DayOf(int64_t time_ms);

// A page of the shop, as its URL names it.
struct Place {
  enum class Page : uint8_t {
    kOutside,  // no page of ours
    kHome,
    kCategory,  // number: category
    kSearch,    // number: product whose search terms were typed
    kProduct,   // number: product
    kCart,
    kCheckout,
    kOrder,  // number: order
    kLogin,
    kIndexHtml,  // an old address of the home page
    kMissing,    // number: anything; there is no such page
    kRobotsTxt,
    kHealth,
  };
  Page page = Page::kOutside;
  uint32_t number = 0;
};

struct Line {
  uint32_t product = 0;
  int32_t quantity = 1;
};

// One thing a visitor did: an event of ours, a request to the web server, or (mostly) both.
struct Step {
  int64_t time_ms = 0;
  EventKind kind = EventKind::PAGE_VIEW;
  Place place = {};  // the page it happened on; kOutside: the web server saw nothing of it
  Place from = {};   // the page that led here; kOutside: Visit::referrer did
  bool signed_in = false;
  bool tracked = true;                      // false: no event, only the web server's log knows
  int16_t status = 200;                     // of HTTP
  uint32_t lines_begin = 0, lines_end = 0;  // in Visit::lines
  uint32_t order = 0;                       // 0: none
  uint64_t event_number = 0;                // from 1, in order of time; 0 if not tracked
};

struct Visit {
  enum class Who : uint8_t { kCustomer, kRobot, kMonitor, kBackOffice };
  enum class Intent : uint8_t { kBrowse, kSearch, kGift, kBuyAgain };

  uint64_t number = 0;  // from 1, in order of start
  Who who = Who::kCustomer;
  uint32_t index = 0;  // the customer (also of the back office's refunds) or the robot
  Intent intent = Intent::kBrowse;
  Channel channel = Channel::WEB;
  std::string visitor_id;
  absl::string_view address, user_agent;
  absl::string_view referrer;  // the page elsewhere that led here; may be empty
  std::vector<Step> steps;     // in order of time
  std::vector<Line> lines;

  std::span<const Line> LinesOf(const Step& step) const {
    return std::span(lines).subspan(step.lines_begin, step.lines_end - step.lines_begin);
  }
};

// Plans visits, and remembers from one to the next what a customer bought. Not thread-safe;
// `shop` must outlive it. Call in order of start.
class VisitPlanner {
 public:
  explicit VisitPlanner(const Shop* shop);

  // nullopt if the customer is still busy with an earlier visit.
  std::optional<Visit> Customer(uint32_t customer, int64_t start_ms);
  Visit Robot(uint32_t robot, int64_t start_ms);
  Visit HealthCheck(int64_t start_ms);

  // What is sent back, days later, of the order that `visit` ended with (if any).
  std::optional<Visit> Return(const Visit& visit);

 private:
  struct Memory {
    int64_t busy_until_ms = 0;
    std::vector<uint32_t> bought;
  };

  const Shop* const shop_;
  std::vector<Memory> memories_;  // by customer
  uint64_t visits_ = 0;
  uint32_t orders_ = 0;
};

}  // namespace vitrine

#endif  // VITRINE_EXPERIMENTS_SIMULATION_VISIT_H_
