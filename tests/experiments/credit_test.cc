#include "experiments/attribution/credit.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MakeEvent;

constexpr int64_t kDay = 1'300'000'000'000;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kDayMs = 86'400'000;

Exposure Shelf(const std::string& id, int64_t time_ms, const std::vector<std::string>& products) {
  Exposure shelf;
  shelf.id = id;
  shelf.time_ms = time_ms;
  shelf.placement = "home";
  for (const std::string& product : products) {
    shelf.products.emplace_back().product_id = product;
  }
  return shelf;
}

Event Act(const std::string& id, int64_t time_ms, EventKind kind, const std::string& product,
          const std::string& named = "") {
  Event event = MakeEvent(id, "ann", time_ms, kind, product);
  if (!named.empty()) event.__set_recommendation_id(named);
  return event;
}

// One piece of each product for so much.
Event Order(const std::string& id, int64_t time_ms, const std::vector<std::string>& products,
            int64_t price_minor, int32_t quantity = 1) {
  Event event = MakeEvent(id, "ann", time_ms, EventKind::PURCHASE);
  event.__set_order_id(id);
  event.__set_currency("GBP");
  event.__isset.items = true;
  for (const std::string& product : products) {
    Item& item = event.items.emplace_back();
    item.product_id = product;
    item.quantity = quantity;
    item.__set_price_minor(price_minor);
  }
  return event;
}

Event Refund(const std::string& id, int64_t time_ms, const std::string& order,
             const std::string& product = "", int32_t quantity = 1) {
  Event event = MakeEvent(id, "ann", time_ms, EventKind::REFUND, product);
  for (Item& item : event.items) item.quantity = quantity;
  if (!order.empty()) event.__set_order_id(order);
  return event;
}

// Credits in short: what, the event, the shelf and place that has it, and what it is worth.
std::vector<std::string> Told(const std::vector<Exposure>& shelves,
                              const std::vector<Event>& events, const CreditWindows& windows = {}) {
  static constexpr const char* kNames[] = {"click", "cart", "purchase", "refund"};
  std::vector<std::string> told;
  for (const Credit& c : CreditEvents(shelves, events, windows).credits) {
    told.push_back(absl::StrCat(kNames[static_cast<int>(c.as)], " ", events[c.event].id, ": ",
                                shelves[c.shelf].id, "/", c.position));
    if (c.value_minor != 0) absl::StrAppend(&told.back(), " ", c.value_minor);
  }
  return told;
}

TEST(Credit, GoesToTheShelfThatTheEventNamesHoweverLongAgo) {
  const std::vector<Exposure> shelves = {Shelf("old", kDay, {"p", "q"}),
                                         Shelf("new", kDay + 90 * kDayMs, {"q"})};
  EXPECT_THAT(Told(shelves, {Act("e", kDay + 90 * kDayMs + 1, EventKind::SELECT_ITEM, "q", "old")}),
              ElementsAre("click e: old/1"));
  // By a clock that is slow, too.
  EXPECT_THAT(Told(shelves, {Act("e", kDay - 1, EventKind::SELECT_ITEM, "q", "old")}),
              ElementsAre("click e: old/1"));
}

TEST(Credit, WithoutANameGoesToTheNewestShelfThatShowedTheProductWithinTheWindow) {
  const std::vector<Exposure> shelves = {Shelf("a", kDay, {"p"}), Shelf("b", kDay + 10, {"q", "p"}),
                                         Shelf("c", kDay + 20, {"q"}),
                                         Shelf("d", kDay + 100, {"p"})};
  EXPECT_THAT(Told(shelves, {Act("e", kDay + 50, EventKind::VIEW_ITEM, "p")}),
              ElementsAre("click e: b/1"));
  EXPECT_THAT(Told(shelves, {Act("e", kDay + 50, EventKind::VIEW_ITEM, "x")}), IsEmpty());
  const int64_t last = kDay + 100 + 30 * kMinuteMs;
  EXPECT_THAT(Told(shelves, {Act("e", last, EventKind::ADD_TO_CART, "p")}),
              ElementsAre("cart e: d/0"));
  EXPECT_THAT(Told(shelves, {Act("e", last + 1, EventKind::ADD_TO_CART, "p")}), IsEmpty());
  EXPECT_THAT(Told(shelves, {Order("o", last + 1, {"p"}, 250, 2)}),
              ElementsAre("purchase o: d/0 500"));
  EXPECT_THAT(Told(shelves, {Order("o", kDay + 101 + 7 * kDayMs, {"p"}, 250)}), IsEmpty());
}

TEST(Credit, OfAProductThatTheNamedShelfDoesNotHoldGoesByTheWindow) {
  const std::vector<Exposure> shelves = {Shelf("a", kDay, {"p"}), Shelf("b", kDay + 1, {"q"})};
  Event order = Order("o", kDay + 2, {"p", "q", "x"}, 100);
  order.__set_recommendation_id("a");
  EXPECT_THAT(Told(shelves, {order}), ElementsAre("purchase o: a/0 100", "purchase o: b/0 100"));
}

TEST(Credit, OfAShelfThatNobodyKnowsGoesNowhere) {
  const std::vector<Exposure> shelves = {Shelf("a", kDay, {"p"})};
  const std::vector<Event> events = {Act("e", kDay + 1, EventKind::SELECT_ITEM, "p", "gone")};
  const Crediting crediting = CreditEvents(shelves, events, {});
  EXPECT_THAT(crediting.credits, IsEmpty());
  EXPECT_EQ(crediting.unknown, 1u);
}

TEST(Credit, OfKindsThatSayNothingOfAProductIsNotGiven) {
  EXPECT_THAT(
      Told({Shelf("a", kDay, {"p"})}, {Act("e", kDay + 1, EventKind::REMOVE_FROM_CART, "p"),
                                       Act("f", kDay + 1, EventKind::VIEW_ITEM_LIST, "p", "a")}),
      IsEmpty());
}

// --- Refunds ---

TEST(Credit, OfWhatComesBackIsTakenOffWhereThePurchaseHasIt) {
  const std::vector<Exposure> shelves = {Shelf("a", kDay, {"p", "q"})};
  const Event order = Order("o", kDay + 1, {"p", "q"}, 250, 3);
  EXPECT_THAT(Told(shelves, {order, Refund("r", kDay + 90 * kDayMs, "o", "p", 2)}),
              ElementsAre("purchase o: a/0 750", "purchase o: a/1 750", "refund r: a/0 -500"));
  EXPECT_THAT(Told(shelves, {order, Refund("r", kDay + 2, "o")}),
              ElementsAre("purchase o: a/0 750", "purchase o: a/1 750", "refund r: a/0 -750",
                          "refund r: a/1 -750"));
  EXPECT_THAT(Told(shelves, {order, Refund("r", kDay + 2, "another", "p")}),
              ElementsAre("purchase o: a/0 750", "purchase o: a/1 750"));
}

TEST(Credit, OfMoreThanWasBoughtOnlyThatIsTakenOffAndOnlyOnce) {
  const std::vector<Exposure> shelves = {Shelf("a", kDay, {"p"})};
  Event dear = Refund("s", kDay + 3, "o", "p", 9);
  dear.items[0].__set_price_minor(10'000);
  dear.__set_currency("GBP");
  EXPECT_THAT(Told(shelves, {Order("o", kDay + 1, {"p"}, 250, 3), Refund("r", kDay + 2, "", "p", 2),
                             dear, Refund("t", kDay + 4, "o", "p", 1)}),
              ElementsAre("purchase o: a/0 750", "refund r: a/0 -500", "refund s: a/0 -250"));
}

TEST(Credit, OfAPurchaseThatNoShelfEarnedIsNotTakenOffAnother) {
  const std::vector<Exposure> shelves = {Shelf("a", kDay, {"p"})};
  // The later purchase comes back first, and no shelf has that.
  EXPECT_THAT(Told(shelves,
                   {Order("o", kDay + 1, {"p"}, 250), Order("late", kDay + 30 * kDayMs, {"p"}, 250),
                    Refund("r", kDay + 31 * kDayMs, "", "p")}),
              ElementsAre("purchase o: a/0 250"));
}

// --- Beside a plain twin, on random histories ---

// Looks at every shelf for every item.
std::vector<std::string> Plain(const std::vector<Exposure>& shelves,
                               const std::vector<Event>& events, const CreditWindows& windows) {
  std::multiset<std::string> credits;
  for (const Event& event : events) {
    const std::optional<Credited> as = CreditedKind(event.kind);
    if (!as.has_value() || *as == Credited::kRefund) continue;
    const bool names = event.__isset.recommendation_id;
    const bool known = std::any_of(shelves.begin(), shelves.end(), [&](const Exposure& shelf) {
      return shelf.id == event.recommendation_id;
    });
    for (const Item& item : event.items) {
      const Exposure* best = nullptr;
      bool said = false;
      for (const Exposure& shelf : shelves) {
        const bool holds = std::any_of(
            shelf.products.begin(), shelf.products.end(),
            [&](const ExposedProduct& product) { return product.product_id == item.product_id; });
        if (!holds || (names && !known)) continue;
        if (names && shelf.id == event.recommendation_id) {
          best = &shelf;
          said = true;
        }
        const int64_t ago_ms = event.time_ms - shelf.time_ms;
        const int64_t window_ms = *as == Credited::kPurchase ? windows.order_ms : windows.click_ms;
        if (said || ago_ms < 0 || ago_ms > window_ms) continue;
        if (best == nullptr ||
            std::tie(best->time_ms, best->id) < std::tie(shelf.time_ms, shelf.id))
          best = &shelf;
      }
      if (best == nullptr) continue;
      const auto place = std::find_if(
          best->products.begin(), best->products.end(),
          [&](const ExposedProduct& product) { return product.product_id == item.product_id; });
      credits.insert(
          absl::StrCat(event.id, " ", best->id, " ", place - best->products.begin(), " ", said));
    }
  }
  return {credits.begin(), credits.end()};
}

struct History {
  std::vector<Exposure> shelves;
  std::vector<Event> events;
};

History RandomHistory(std::mt19937* random) {
  const auto upto = [random](int n) { return static_cast<int>((*random)() % n); };
  const auto product = [&] { return absl::StrCat("p", upto(6)); };
  History history;
  for (int s = upto(8); s > 0; --s) {
    std::vector<std::string> products;
    for (int p = upto(5); p >= 0; --p) products.push_back(product());
    history.shelves.push_back(Shelf(absl::StrCat("s", s), kDay + upto(60), products));
  }
  constexpr EventKind kKinds[] = {EventKind::SELECT_ITEM, EventKind::VIEW_ITEM,
                                  EventKind::ADD_TO_CART, EventKind::PURCHASE,
                                  EventKind::REFUND,      EventKind::SEARCH};
  for (int e = upto(15); e > 0; --e) {
    Event event = MakeEvent(absl::StrCat("e", e), "ann", kDay + upto(90), kKinds[upto(6)]);
    event.__set_currency("GBP");
    event.__isset.items = true;
    for (int i = upto(3); i > 0; --i) {
      Item& item = event.items.emplace_back();
      item.product_id = product();
      item.quantity = 1 + upto(3);
      if (upto(3) > 0) item.__set_price_minor(upto(1000));
    }
    if (upto(2) == 0) event.__set_order_id(absl::StrCat("o", upto(4)));
    if (upto(4) == 0) event.__set_recommendation_id(absl::StrCat("s", upto(9)));
    history.events.push_back(event);
  }
  return history;
}

TEST(Credit, IsThatOfThePlainTwinWhateverTheOrder) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const CreditWindows windows = {.click_ms = 15, .order_ms = 40};
  for (int round = 0; round < 2000; ++round) {
    History history = RandomHistory(&random);
    const std::vector<std::string> told = Told(history.shelves, history.events, windows);
    std::vector<std::string> ours;
    std::map<std::pair<size_t, size_t>, int64_t> sold, back;  // by event and shelf
    for (const Credit& c : CreditEvents(history.shelves, history.events, windows).credits) {
      if (c.as == Credited::kRefund) {
        back[{c.purchase, c.shelf}] += c.value_minor;
        continue;
      }
      sold[{c.purchase, c.shelf}] += c.value_minor;
      ours.push_back(absl::StrCat(history.events[c.event].id, " ", history.shelves[c.shelf].id, " ",
                                  c.position, " ", c.named));
    }
    std::sort(ours.begin(), ours.end());
    ASSERT_EQ(ours, Plain(history.shelves, history.events, windows)) << "round " << round;
    for (const auto& [where, value_minor] : back) ASSERT_GE(sold[where] + value_minor, 0);
    std::shuffle(history.shelves.begin(), history.shelves.end(), random);
    std::shuffle(history.events.begin(), history.events.end(), random);
    ASSERT_EQ(Told(history.shelves, history.events, windows), told) << "round " << round;
  }
}

}  // namespace
}  // namespace vitrine
