#include "experiments/attribution/placement_report.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

constexpr int64_t kDay = 1'300'000'000'000;

// Products "p0", "p1", ... from these sources.
Exposure Shelf(const std::string& id, const std::string& whose, int64_t time_ms,
               const std::string& placement, const std::vector<Source>& sources) {
  Exposure shelf;
  shelf.id = id;
  shelf.time_ms = time_ms;
  shelf.placement = placement;
  if (whose.starts_with("v:")) {
    shelf.__set_visitor_id(whose.substr(2));
  } else if (!whose.empty()) {
    shelf.__set_customer_id(whose);
  }
  for (size_t p = 0; p < sources.size(); ++p) {
    ExposedProduct& product = shelf.products.emplace_back();
    product.product_id = absl::StrCat("p", p);
    product.source = sources[p];
    if (sources[p] == Source::PINNED) product.rule = "pin-it";
  }
  return shelf;
}

Event Sale(const std::string& id, const std::string& who, int64_t time_ms,
           const std::string& product, int64_t price_minor, const std::string& currency = "GBP") {
  Event event = MakeEvent(id, who, time_ms, EventKind::PURCHASE, product);
  event.items[0].__set_price_minor(price_minor);
  event.__set_currency(currency);
  return event;
}

class PlacementReportTest : public ::testing::Test {
 protected:
  void Add(const std::vector<Exposure>& shelves) { ASSERT_OK(house_->AddExposures(shelves)); }
  void Add(const std::vector<Event>& events) {
    ASSERT_OK(house_->Track(events, {}, Ack::kApplied).status());
  }
  void Name(Event event, const std::string& shelf) {
    event.__set_recommendation_id(shelf);
    Add(std::vector<Event>{event});
  }

  // Rows as text: "home/taste: shelves shown clicked% carted% orders revenue...".
  std::vector<std::string> Rows(const PlacementReportOptions& options, const char* table) {
    const Report report = Value(PlacementReport(*house_, options));
    notes_.clear();
    for (const Report::Message& message : report.messages) notes_.push_back(message.key);
    std::vector<std::string> rows;
    for (const Report::Table& t : report.tables) {
      if (t.name != table) continue;
      for (const auto& row : t.rows) {
        std::string& text = rows.emplace_back();
        for (const Report::Cell& cell : row) {
          absl::StrAppend(&text, text.empty() ? "" : " ", Told(cell));
        }
      }
    }
    return rows;
  }

  static std::string Told(const Report::Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    if (const auto* number = std::get_if<int64_t>(&cell)) return absl::StrCat(*number);
    if (const auto* number = std::get_if<double>(&cell)) return absl::StrCat(*number);
    if (const auto* message = std::get_if<Report::Message>(&cell)) return message->key;
    return absl::StrCat(std::get<Report::Estimate>(cell).value);
  }

  TempDir dir_;
  std::unique_ptr<WebHouse> house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  std::vector<std::string> notes_;
};

TEST_F(PlacementReportTest, SaysWhatEachPlacementAndSourceEarned) {
  Add({Shelf("a", "ann", kDay, "home", {Source::TASTE, Source::PINNED, Source::TASTE}),
       Shelf("b", "bob", kDay, "home", {Source::TASTE}),
       Shelf("c", "ann", kDay + 10, "cart", {Source::TOGETHER, Source::TOGETHER})});
  Name(MakeEvent("1", "ann", kDay + 20, EventKind::SELECT_ITEM, "p0"), "a");
  Name(MakeEvent("2", "ann", kDay + 21, EventKind::VIEW_ITEM, "p0"), "a");  // the same click
  Add({MakeEvent("3", "ann", kDay + 22, EventKind::ADD_TO_CART, "p2"),
       Sale("4", "ann", kDay + 23, "p0", 250), Sale("5", "bob", kDay + 24, "p0", 1000, "JPY")});
  PlacementReportOptions options;
  options.minor_digits = [](absl::string_view currency) { return currency == "JPY" ? 0 : 2; };
  EXPECT_THAT(Rows(options, "overview"), ElementsAre("2 3 6 0.166667 0.166667 2 2.5 1000"));
  EXPECT_THAT(Rows(options, "shelves_shown"),
              ElementsAre("home 2 4 0.25 0.25 1 0 1000", "cart 1 2 0 0 1 2.5 0"));
  EXPECT_THAT(
      Rows(options, "shelves_shown_in_detail"),
      ElementsAre("home source.taste 2 3 0.333333 0.333333 1 0 1000",
                  "cart source.together 1 2 0 0 1 2.5 0", "home source.pinned 1 1 0 0 0 0 0"));
  options.by = {PlacementKey::kPosition};
  EXPECT_THAT(Rows(options, "shelves_shown"),
              ElementsAre("1 3 3 0.333333 0 2 2.5 1000", "2 2 2 0 0 0 0 0", "3 1 1 0 1 0 0 0"));
  options.by = {PlacementKey::kRule, PlacementKey::kArm};
  EXPECT_THAT(Rows(options, "shelves_shown"),
              ElementsAre("3 5 0.2 0.2 2 2.5 1000", "pin-it 1 1 0 0 0 0 0"));
}

TEST_F(PlacementReportTest, CreditsWhatAVisitorSawToTheCustomerTheyTurnOutToBe) {
  Add({Shelf("a", "v:cookie", kDay, "home", {Source::TASTE})});
  Event login = MakeEvent("login", "ann", kDay + 1, EventKind::LOGIN);
  login.__set_visitor_id("cookie");
  Add({login, Sale("o", "ann", kDay + 2, "p0", 300)});
  EXPECT_THAT(Rows({}, "shelves_shown"), ElementsAre("home 1 1 0 0 1 3"));
}

TEST_F(PlacementReportTest, KnowsShelvesOfNobodyByTheirName) {
  Add({Shelf("a", "", kDay, "home", {Source::POPULAR})});
  Name(MakeEvent("1", "v:new", kDay + 1, EventKind::SELECT_ITEM, "p0"), "a");
  Name(MakeEvent("2", "v:new", kDay + 2, EventKind::SELECT_ITEM, "p0"), "of another shop");
  Name(MakeEvent("3", "v:new", kDay + 3, EventKind::SELECT_ITEM, "p0"), "of another shop");
  Add({Sale("o", "v:new", kDay + 4, "p0", 300)});  // by whom it was shown to, as it turned out
  EXPECT_THAT(Rows({}, "shelves_shown"), ElementsAre("home 1 1 1 0 1 3"));
  EXPECT_THAT(notes_, ::testing::Contains("placements.unknown"));
}

TEST_F(PlacementReportTest, LeavesRobotsOut) {
  Add({Shelf("a", "v:robot", kDay, "home", {Source::TASTE}),
       Shelf("b", "v:human", kDay, "home", {Source::TASTE})});
  Add({MakeEvent("1", "v:robot", kDay + 1, EventKind::VIEW_ITEM, "p0")});
  const Derived derived = {.person = Person::Visitor("robot"),
                           .mark = Value(house_->MarkOf(Person::Visitor("robot"))),
                           .sessions = {},
                           .customer = {},
                           .robot = {"list:robots"}};
  ASSERT_OK(house_->ReplaceDerived({&derived, 1}));
  EXPECT_THAT(Rows({}, "shelves_shown"), ElementsAre("home 1 1 0 0 0"));
  EXPECT_THAT(notes_, ::testing::Contains("placements.robots"));
}

TEST_F(PlacementReportTest, CountsWhatCameOfShelvesOfThePeriodWheneverItCame) {
  Add({Shelf("a", "ann", kDay, "home", {Source::TASTE}),
       Shelf("b", "ann", kDay + 100, "cart", {Source::TASTE}),
       Shelf("c", "bob", kDay + 200, "home", {Source::TASTE})});
  Add({Sale("1", "ann", kDay + 50, "p0", 100), Sale("2", "ann", kDay + 150, "p0", 100),
       Sale("3", "bob", kDay + 250, "p0", 100)});
  PlacementReportOptions options;
  options.period = {.from_ms = kDay + 100, .to_ms = kDay + 200};
  EXPECT_THAT(Rows(options, "shelves_shown"), ElementsAre("cart 1 1 0 0 1 1"));
  options.period = {.from_ms = kDay, .to_ms = kDay + 100};
  EXPECT_THAT(Rows(options, "shelves_shown"), ElementsAre("home 1 1 0 0 1 1"));
}

TEST_F(PlacementReportTest, OfASiteThatShowedNothingIsEmpty) {
  EXPECT_THAT(Rows({}, "overview"), ElementsAre("0 0 0 0 0 0"));
  EXPECT_THAT(Rows({}, "shelves_shown"), ::testing::IsEmpty());
  PlacementReportOptions twice;
  twice.by = {PlacementKey::kRule, PlacementKey::kRule};
  EXPECT_TRUE(absl::IsInvalidArgument(PlacementReport(*house_, twice).status()));
}

// Of R: binom::binom.wilson(1, 10), and (0, 10).
TEST(WilsonShare, LiesAsTextbooksSay) {
  const Report::Estimate one = WilsonShare(1, 10);
  EXPECT_DOUBLE_EQ(one.value, 0.1);
  EXPECT_NEAR(one.low, 0.01787621, 1e-7);
  EXPECT_NEAR(one.high, 0.4041500, 1e-7);
  EXPECT_DOUBLE_EQ(WilsonShare(0, 10).low, 0);
  EXPECT_NEAR(WilsonShare(0, 10).high, 0.2775328, 1e-7);
  EXPECT_DOUBLE_EQ(WilsonShare(10, 10).high, 1);
  EXPECT_EQ(WilsonShare(0, 0), (Report::Estimate{0, 0, 1}));
}

}  // namespace
}  // namespace vitrine
