#include "experiments/simulation/traffic.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

#include "experiments/simulation/random.h"
#include "store/base/check.h"
#include "store/base/status_macros.h"

namespace vitrine {

using simulation::Random;
using simulation::Stream;
using simulation::WeightedChoice;

namespace {

constexpr int64_t kHourMs = 60 * 60 * 1000;
constexpr int64_t kHealthCheckMs = 5 * 60 * 1000;

// Monday to Sunday; the mean is 1.
constexpr std::array<double, 7> kWeekdays = {1.05, 0.95, 0.90, 0.95, 0.90, 1.05, 1.20};

// From midnight UTC: quiet at night, a top at lunch and a higher one in the evening.
const std::vector<double> kHours = {1.0, 0.6, 0.4, 0.3, 0.3, 0.5, 1.0, 2.0, 3.0, 3.8, 4.2, 4.6,
                                    5.2, 4.8, 4.4, 4.4, 4.6, 5.0, 5.6, 6.6, 7.2, 6.6, 4.6, 2.4};

constexpr absl::string_view kOrigin = "https://shop.example";

// A visit that will start.
struct Arrival {
  int64_t start_ms;
  Visit::Who who;
  uint32_t index;
};

// Who comes on which day, and when.
class Calendar {
 public:
  explicit Calendar(const Shop* shop) : shop_(shop), hours_(kHours), customers_(Activity(*shop)) {}

  // In order of start.
  std::vector<Arrival> ArrivalsOf(absl::CivilDay day) const {
    const ShopOptions& options = shop_->options();
    Random random(options.seed, Stream::kDay, day - options.first_day);
    const int64_t midnight_ms = StartOfDay(day);
    const double visits = options.visits_per_day * options.customers *
                          kWeekdays[static_cast<size_t>(absl::GetWeekday(day))];
    std::vector<Arrival> arrivals;
    for (int64_t n = RoundRandomly(visits, random); n > 0; --n) {
      const int64_t start_ms = midnight_ms + hours_.Draw(random) * kHourMs + random.Below(kHourMs);
      arrivals.push_back({start_ms, Visit::Who::kCustomer, customers_.Draw(random)});
    }
    const double robots = visits * options.robot_share / (1.0 - options.robot_share);
    for (int64_t n = RoundRandomly(robots, random); n > 0; --n) {
      const int64_t start_ms = midnight_ms + static_cast<int64_t>(random.Below(kDayMs));
      const auto robot = static_cast<uint32_t>(random.Below(shop_->robots().size()));
      arrivals.push_back({start_ms, Visit::Who::kRobot, robot});
    }
    for (int64_t at = 0; at < kDayMs; at += kHealthCheckMs) {
      arrivals.push_back({midnight_ms + at, Visit::Who::kMonitor, 0});
    }
    std::stable_sort(arrivals.begin(), arrivals.end(),
                     [](const Arrival& a, const Arrival& b) { return a.start_ms < b.start_ms; });
    return arrivals;
  }

 private:
  static std::vector<double> Activity(const Shop& shop) {
    std::vector<double> weights;
    weights.reserve(shop.customers().size());
    for (const Shop::Customer& customer : shop.customers()) weights.push_back(customer.activity);
    return weights;
  }

  // A whole number whose mean is `x`.
  static int64_t RoundRandomly(double x, Random& random) {
    const auto whole = static_cast<int64_t>(x);
    return whole + (random.Chance(x - static_cast<double>(whole)) ? 1 : 0);
  }

  const Shop* const shop_;
  const WeightedChoice hours_;
  const WeightedChoice customers_;
};

// Merges the visits under way into one sequence of steps.
class Merger {
 public:
  using VisitStep = absl::FunctionRef<absl::Status(const Visit&, const Step&)>;

  explicit Merger(VisitStep visit_step) : visit_step_(visit_step) {}

  void Add(Visit visit) {
    const int64_t start_ms = visit.steps.front().time_ms;
    heap_.push_back({start_ms, 0, std::make_unique<Visit>(std::move(visit))});
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }

  // Hands out all steps before `end_ms`.
  absl::Status RunUntil(int64_t end_ms) {
    while (!heap_.empty() && heap_.front().time_ms < end_ms) {
      std::pop_heap(heap_.begin(), heap_.end(), Later);
      UnderWay& next = heap_.back();
      Step& step = next.visit->steps[next.step];
      if (step.tracked) step.event_number = ++events_;
      RETURN_IF_ERROR(visit_step_(*next.visit, step));
      if (++next.step == next.visit->steps.size()) {
        heap_.pop_back();
      } else {
        next.time_ms = next.visit->steps[next.step].time_ms;
        std::push_heap(heap_.begin(), heap_.end(), Later);
      }
    }
    return absl::OkStatus();
  }

 private:
  struct UnderWay {
    int64_t time_ms;  // of the next step
    size_t step;
    std::unique_ptr<Visit> visit;
  };

  // Of two steps in the same millisecond the earlier visit's comes first.
  static bool Later(const UnderWay& a, const UnderWay& b) {
    return std::pair(a.time_ms, a.visit->number) > std::pair(b.time_ms, b.visit->number);
  }

  const VisitStep visit_step_;
  std::vector<UnderWay> heap_;
  uint64_t events_ = 0;
};

void Plan(const Arrival& arrival, VisitPlanner& planner, Merger& merger) {
  switch (arrival.who) {
    case Visit::Who::kCustomer: {
      std::optional<Visit> visit = planner.Customer(arrival.index, arrival.start_ms);
      if (!visit.has_value()) return;
      if (std::optional<Visit> refund = planner.Return(*visit)) merger.Add(*std::move(refund));
      merger.Add(*std::move(visit));
      return;
    }
    case Visit::Who::kRobot:
      merger.Add(planner.Robot(arrival.index, arrival.start_ms));
      return;
    case Visit::Who::kMonitor:
      merger.Add(planner.HealthCheck(arrival.start_ms));
      return;
    case Visit::Who::kBackOffice:
      CHECK(false) << "the back office has no arrivals of its own";
  }
}

// Lists name their products and say no more of them.
bool HasPrices(EventKind kind) { return kind != EventKind::VIEW_ITEM_LIST; }

std::vector<Item> ItemsOf(const Shop& shop, const Visit& visit, const Step& step) {
  std::vector<Item> items;
  for (const Line& line : visit.LinesOf(step)) {
    const Shop::Product& product = shop.products()[line.product];
    Item& item = items.emplace_back();
    item.product_id = product.id;
    item.quantity = line.quantity;
    if (!HasPrices(step.kind)) continue;
    item.__set_price_minor(product.price_minor);
    item.__set_name(product.name);
    item.__set_category(shop.categories()[product.category].name);
  }
  return items;
}

std::string UrlOf(const Shop& shop, Channel channel, Place place) {
  std::string url;
  AppendUrl(shop, channel, place, &url);
  return url;
}

std::string OrderId(uint32_t order) { return absl::StrCat("o", absl::Dec(order, absl::kZeroPad7)); }

}  // namespace

absl::Status Simulate(const Shop& shop,
                      absl::FunctionRef<absl::Status(const Visit&, const Step&)> visit_step) {
  const Calendar calendar(&shop);
  VisitPlanner planner(&shop);
  Merger merger(visit_step);
  const absl::CivilDay first = shop.options().first_day;
  const absl::CivilDay end = first + shop.options().days;
  for (absl::CivilDay day = first; day < end; ++day) {
    for (const Arrival& arrival : calendar.ArrivalsOf(day)) {
      RETURN_IF_ERROR(merger.RunUntil(arrival.start_ms));
      Plan(arrival, planner, merger);
    }
  }
  return merger.RunUntil(StartOfDay(end));
}

Event ToEvent(const Shop& shop, const Visit& visit, const Step& step) {
  Event event;
  event.id = absl::StrCat("e", step.event_number);
  event.time_ms = step.time_ms;
  event.kind = step.kind;
  event.channel = visit.channel;
  event.__set_visitor_id(visit.visitor_id);
  if (visit.who == Visit::Who::kCustomer || visit.who == Visit::Who::kBackOffice) {
    const Shop::Customer& customer = shop.customers()[visit.index];
    if (step.signed_in) event.__set_customer_id(customer.id);
    event.__set_country(customer.country);
  }
  if (step.lines_begin < step.lines_end) {
    event.__set_items(ItemsOf(shop, visit, step));
    if (HasPrices(step.kind)) event.__set_currency(shop.options().currency);
  }
  if (step.order != 0) event.__set_order_id(OrderId(step.order));
  if (step.kind == EventKind::SEARCH) {
    event.__set_search_terms(shop.products()[step.place.number].search_terms);
  }
  if (step.place.page == Place::Page::kOutside) return event;  // the back office has no browser
  event.__set_url(UrlOf(shop, visit.channel, step.place));
  if (step.from.page != Place::Page::kOutside) {
    event.__set_referrer(UrlOf(shop, visit.channel, step.from));
  } else if (!visit.referrer.empty()) {
    event.__set_referrer(std::string(visit.referrer));
  }
  event.__set_user_agent(std::string(visit.user_agent));
  return event;
}

absl::StatusOr<std::vector<Event>> Events(const ShopOptions& options) {
  ASSIGN_OR_RETURN(const Shop shop, Shop::Create(options));
  std::vector<Event> events;
  RETURN_IF_ERROR(Simulate(shop, [&](const Visit& visit, const Step& step) {
    if (step.tracked) events.push_back(ToEvent(shop, visit, step));
    return absl::OkStatus();
  }));
  return events;
}

void AppendPath(const Shop& shop, Channel channel, Place place, std::string* out) {
  using Page = Place::Page;
  if (channel == Channel::APP) out->append("/app");
  switch (place.page) {
    case Page::kOutside:
      CHECK(false) << "no page of the shop";
      return;
    case Page::kHome:
      absl::StrAppend(out, "/", channel == Channel::EMAIL ? "?utm_medium=email" : "");
      return;
    case Page::kCategory:
      absl::StrAppend(out, "/c/", shop.categories()[place.number].slug);
      return;
    case Page::kSearch:
      out->append("/search?q=");
      for (const char c : shop.products()[place.number].search_terms) {
        out->push_back(c == ' ' ? '+' : c);
      }
      return;
    case Page::kProduct:
      absl::StrAppend(out, "/p/", shop.products()[place.number].id);
      return;
    case Page::kCart:
      out->append("/cart");
      return;
    case Page::kCheckout:
      out->append("/checkout");
      return;
    case Page::kOrder:
      absl::StrAppend(out, "/order/", OrderId(place.number));
      return;
    case Page::kLogin:
      out->append("/login");
      return;
    case Page::kIndexHtml:
      out->append("/index.html");
      return;
    case Page::kMissing:
      absl::StrAppend(out, "/sale/", place.number);
      return;
    case Page::kRobotsTxt:
      out->append("/robots.txt");
      return;
    case Page::kHealth:
      out->append("/healthz");
      return;
  }
}

void AppendUrl(const Shop& shop, Channel channel, Place place, std::string* out) {
  absl::StrAppend(out, kOrigin);
  AppendPath(shop, channel, place, out);
}

}  // namespace vitrine
