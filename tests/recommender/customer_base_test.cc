#include "recommender/customer_base/customer_base.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "recommender/customer_base/customer_report.h"
#include "recommender/customer_base/customer_values.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

constexpr int64_t kDayMs = 86'400'000;
constexpr int32_t kDay0 = 19'802;  // 2024-03-20

class CustomerBaseTest : public ::testing::Test {
 protected:
  void SetUp() override { house_ = Value(WebHouse::Open({.directory = folder_.File("site")})); }

  void Do(absl::string_view person, int32_t day, EventKind kind, int64_t price_minor,
          const std::string& product = "mug", const std::string& currency = "GBP") {
    ++events_;
    Event event = MakeEvent(absl::StrCat("e", events_), person,
                            (kDay0 + day) * kDayMs + events_ % 1000, kind, product);
    event.items[0].__set_price_minor(price_minor);
    event.items[0].quantity = 2;
    event.__set_currency(currency);
    ASSERT_OK(house_->Track({event}, {}, Ack::kApplied).status());
  }
  void Buy(absl::string_view person, int32_t day, int64_t price_minor) {
    Do(person, day, EventKind::PURCHASE, price_minor);
  }

  std::vector<PurchaseDay> DaysOf(const CustomerBase& base, absl::string_view id) {
    for (const CustomerHistory& customer : base.customers) {
      if (customer.person.id == id) return customer.days;
    }
    ADD_FAILURE() << id << " is not there";
    return {};
  }

  // Rows of a table of the report.
  std::vector<std::vector<Report::Cell>> Rows(const Report& report, absl::string_view name) {
    for (const Report::Table& table : report.tables) {
      if (table.name == name) return table.rows;
    }
    return {};
  }

  TempDir folder_;
  std::unique_ptr<WebHouse> house_;
  int64_t events_ = 0;
};

TEST_F(CustomerBaseTest, ReadsWhatPeopleBoughtAndGaveBack) {
  Product mug;
  mug.id = "mug";
  mug.__set_price_minor(500);
  mug.__set_margin_minor(200);  // so it costs 300
  mug.__set_currency("GBP");
  mug.__set_in_catalogue(true);
  ASSERT_OK(house_->UpdateProducts(std::vector<Product>{mug}, Ack::kApplied).status());
  Buy("ann", 0, 500);
  Buy("ann", 10, 400);  // at a discount: 100 earned of each
  Do("ann", 12, EventKind::REFUND, 500);
  Do("ann", 12, EventKind::PURCHASE, 50, "card");  // of which no margin is known
  Do("bob", 3, EventKind::VIEW_ITEM, 500);
  Do("eve", 4, EventKind::PURCHASE, 900, "mug", "EUR");
  Buy("v:walk-in", 5, 500);
  Buy("dan", 1, 500);
  const CustomerBase base = Value(ReadCustomerBase(*house_, {.margin_share = 0.4}));
  EXPECT_EQ(base.currency, "GBP");
  EXPECT_THAT(
      DaysOf(base, "ann"),
      ElementsAre(
          PurchaseDay{.day = kDay0, .orders = 1, .amount_minor = 1000, .margin_minor = 400},
          PurchaseDay{.day = kDay0 + 10, .orders = 1, .amount_minor = 800, .margin_minor = 200},
          PurchaseDay{.day = kDay0 + 12,
                      .orders = 1,
                      .amount_minor = 100,
                      .margin_minor = 40,
                      .refunded_minor = 1000,
                      .refunded_margin_minor = 400}));
  EXPECT_TRUE(DaysOf(base, "bob").empty());
  EXPECT_TRUE(DaysOf(base, "eve").empty());
  EXPECT_EQ(base.customers.size(), 4);
  EXPECT_EQ(base.guests, 1);
  EXPECT_EQ(base.other_currencies, 1);
  EXPECT_EQ(base.lines, 4);
  EXPECT_EQ(base.lines_with_margin, 3);
  EXPECT_EQ(base.first_day, kDay0);
  EXPECT_EQ(base.last_day, kDay0 + 12);
  EXPECT_EQ(Value(ReadCustomerBase(*house_, {.visitors = true})).customers.size(), 5);
  // One customer alone is the same.
  EXPECT_EQ(Value(ReadPurchaseDays(*house_, Person::Customer("ann"),
                                   {.currency = "GBP", .margin_share = 0.4})),
            DaysOf(base, "ann"));
  EXPECT_EQ(ReadCustomerBase(*house_, {.margin_share = 2}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// 60 customers who buy every ten days; some stop early.
std::vector<std::vector<PurchaseDay>> Regulars() {
  std::vector<std::vector<PurchaseDay>> customers;
  for (int c = 0; c < 60; ++c) {
    std::vector<PurchaseDay>& days = customers.emplace_back();
    const int stop = c % 3 == 0 ? 40 + c : 300;
    for (int day = c % 20; day <= stop; day += 10 + c % 7) {
      days.push_back(
          {.day = day, .orders = 1, .amount_minor = 1000 + 30 * (c % 11), .margin_minor = 300});
    }
  }
  return customers;
}

TEST(CustomerValuesTest, APurchaseIsScoredWithoutAFit) {
  std::vector<std::vector<PurchaseDay>> customers = Regulars();
  const ValueModel model = FitValueModel(customers, 300, {});
  ASSERT_TRUE(model.purchases.has_value()) << model.purchases_status;
  EXPECT_TRUE(model.stages_by_model);
  std::vector<PurchaseDay> days = customers[0];  // stopped on day 40
  const CustomerValue lapsed = *ScoreCustomer(model, days, 300);
  EXPECT_LT(lapsed.alive, 0.2);
  EXPECT_EQ(lapsed.stage, LifeStage::kLapsed);
  EXPECT_NEAR(lapsed.alive, model.purchases->ProbabilityAlive(lapsed.summary.history), 1e-12);
  EXPECT_NEAR(lapsed.expected_purchases,
              model.purchases->ExpectedPurchases(lapsed.summary.history, 365 / 7.0), 1e-12);
  days.push_back({.day = 300, .orders = 1, .amount_minor = 1000, .margin_minor = 300});
  const CustomerValue back = *ScoreCustomer(model, days, 300);
  EXPECT_GT(back.alive, 0.8);
  EXPECT_EQ(back.stage, LifeStage::kWonBack);
  EXPECT_GT(back.lifetime_value_minor, lapsed.lifetime_value_minor);
  EXPECT_EQ(ScoreCustomer(model, {}, 300), std::nullopt);
  EXPECT_EQ(StageAt(model, {}, 300), LifeStage::kProspect);
}

TEST(CustomerValuesTest, ReturnsAndMarginsLowerTheValue) {
  std::vector<std::vector<PurchaseDay>> customers = Regulars();
  const ValueModel model = FitValueModel(customers, 300, {.yearly_discount = 0});
  std::vector<PurchaseDay> keeps = customers[1], returns = customers[1];
  for (PurchaseDay& day : returns) {
    day.refunded_minor = day.amount_minor;
    day.refunded_margin_minor = day.margin_minor;
  }
  returns.back().refunded_minor += 5000;
  returns.back().refunded_margin_minor += 1500;
  const CustomerValue kept = *ScoreCustomer(model, keeps, 300);
  const CustomerValue returned = *ScoreCustomer(model, returns, 300);
  EXPECT_LT(returned.earned_minor, 0);
  EXPECT_LT(returned.expected_revenue_minor, 0.5 * kept.expected_revenue_minor);
  EXPECT_LT(returned.lifetime_value_minor, 0.5 * kept.lifetime_value_minor);
  // Some 27 % of what is paid is earned.
  EXPECT_NEAR(kept.lifetime_value_minor / kept.expected_revenue_minor, 300 / 1150.0, 0.05);
}

TEST(CustomerValuesTest, WithoutAModelThereAreBaselines) {
  const std::vector<std::vector<PurchaseDay>> few = {
      {{.day = 0, .orders = 1, .amount_minor = 100}, {.day = 70, .orders = 1, .amount_minor = 300}},
      {{.day = 80, .orders = 1, .amount_minor = 200}}};
  const ValueModel model = FitValueModel(few, 140, {.horizon_days = 70});
  EXPECT_THAT(model.purchases_status.message(), HasSubstr("too little data: 1"));
  EXPECT_THAT(model.spending_status.message(), HasSubstr("too little data: 1"));
  const CustomerValue value = *ScoreCustomer(model, few[0], 140);
  EXPECT_NEAR(value.expected_purchases, 0.5, 1e-12);    // 1 in 20 weeks
  EXPECT_NEAR(value.expected_value_minor, 200, 1e-12);  // (400 + the site's 200) / 3
  EXPECT_EQ(value.stage, LifeStage::kActive);
}

// Where nothing says that anybody left, P(alive) cannot tell stages apart.
TEST(CustomerValuesTest, WhereNobodyLeavesStagesAreByGaps) {
  std::vector<std::vector<PurchaseDay>> customers;
  for (int c = 0; c < 50; ++c) {
    std::vector<PurchaseDay>& days = customers.emplace_back();
    // Ever faster, up to the last day.
    for (int day = 300 - c % 5; day > 0; day -= 3 + (300 - day) / 4) {
      days.insert(days.begin(), {.day = day, .orders = 1, .amount_minor = 1000});
    }
  }
  const ValueModel model = FitValueModel(customers, 300, {});
  ASSERT_TRUE(model.purchases.has_value()) << model.purchases_status;
  EXPECT_FALSE(model.stages_by_model);
  EXPECT_EQ(StageAt(model, customers[8], 300), LifeStage::kLoyal);
}

TEST_F(CustomerBaseTest, TheReportSaysWhatThereIs) {
  for (int c = 0; c < 50; ++c) {
    const std::string id = absl::StrCat("c", c);
    for (int day = c % 20; day <= (c % 3 == 0 ? 60 : 200); day += 12 + c % 5) {
      Buy(id, day, 500 + 10 * (c % 7));
    }
  }
  Do("c1", 201, EventKind::REFUND, 90'000);
  Do("later", 190, EventKind::VIEW_ITEM, 500);
  const Report report = Value(CustomerReport(*house_, {}));
  for (const Report::Table& table : report.tables) {
    for (const auto& row : table.rows) EXPECT_EQ(row.size(), table.columns.size()) << table.name;
  }
  for (const char* const name :
       {"overview", "life_stages", "life_movement", "rfm_grid", "rfm_revenue", "retention",
        "cohorts", "value_distribution", "expected_revenue", "best_customers",
        "unprofitable_customers", "value_models", "holdout", "holdout_by_purchases"}) {
    EXPECT_FALSE(Rows(report, name).empty()) << name;
  }
  const auto overview = Rows(report, "overview")[0];
  EXPECT_EQ(overview[0], Report::Cell(int64_t{50}));
  EXPECT_EQ(overview[1], Report::Cell(int64_t{1}));
  EXPECT_EQ(overview.back(), Report::Cell(int64_t{1}));
  EXPECT_EQ(Rows(report, "unprofitable_customers")[0][0], Report::Cell("c1"));
  int64_t stages = 0, cells = 0, moved = 0;
  for (const auto& row : Rows(report, "life_stages")) stages += std::get<int64_t>(row[2]);
  for (const auto& row : Rows(report, "life_movement")) moved += std::get<int64_t>(row[2]);
  for (const auto& row : Rows(report, "rfm_grid")) {
    for (size_t f = 1; f < row.size(); ++f) cells += std::get<int64_t>(row[f]);
  }
  EXPECT_EQ(stages, 51);
  EXPECT_EQ(moved, 51);
  EXPECT_EQ(cells, 50);
}

TEST_F(CustomerBaseTest, AReportOfNothingSaysSo) {
  const Report report = Value(CustomerReport(*house_, {}));
  EXPECT_EQ(report.tables.size(), 1);
  EXPECT_EQ(CustomerReport(*house_, {.top = 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CustomerReport(
                *house_, {.as_of = absl::CivilDay(2024, 1, 1), .since = absl::CivilDay(2024, 1, 1)})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine
