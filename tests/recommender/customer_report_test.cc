// Online Retail: the customers of a real shop. The figures are those of a script of 40 lines that
// reads the same file and shares no code with us.

#include "recommender/customer_base/customer_report.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ingest/batch_sink.h"
#include "ingest/importer.h"
#include "ingest/mapping.h"
#include "recommender/customer_base/customer_base.h"
#include "recommender/customers/rfm.h"
#include "store/base/atomic_file.h"
#include "store/base/limits.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using testing::Value;

struct Known {
  const char* id;
  int64_t orders;
  RepeatHistory history;
  int64_t bought_minor, refunded_minor;
  RfmScore rfm;
  double alive;  // MBG/NBD, r = .525, alpha = 6.183, a = .891, b = 1.614
};

TEST(CustomerReportTest, OnlineRetailIsAsAScriptHasIt) {
  const std::string file = "../shared/data/uci_online_retail/online_retail.csv.zst";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not here";
  const TempDir folder;
  const std::unique_ptr<WebHouse> house = Value(WebHouse::Open({.directory = folder.File("site")}));
  const Mapping mapping =
      Value(ParseMapping(Value(ReadFile("examples/gifts.toml", limits::kConfigBytesMax)), "gifts"));
  StoreSink sink(house.get());
  ASSERT_OK(ImportFile(file, mapping, &sink, {}).status());
  CustomerReportOptions options;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/London", &options.base.time_zone));
  const CustomerBase base = Value(ReadCustomerBase(*house, options.base));
  EXPECT_EQ(base.customers.size(), 4362);
  EXPECT_EQ(base.last_day, DayNumber(absl::CivilDay(2011, 12, 9)));

  std::vector<PurchaseSummary> summaries;
  std::vector<std::string> ids;
  int64_t bought = 0, refunded = 0, orders = 0, repeat = 0, lost = 0;
  for (const CustomerHistory& customer : base.customers) {
    const auto summary = SummarizePurchases(customer.days, base.last_day);
    if (!summary) continue;
    summaries.push_back(*summary);
    ids.push_back(customer.person.id);
    bought += summary->bought_minor;
    refunded += summary->refunded_minor;
    orders += summary->orders;
    repeat += summary->history.purchases > 0 ? 1 : 0;
    lost += EarnedMinor(*summary, 1) < 0 ? 1 : 0;
  }
  EXPECT_EQ(summaries.size(), 4334);
  EXPECT_EQ(bought, 873'722'764);
  EXPECT_EQ(refunded, 46'782'773);
  EXPECT_EQ(orders, 18'402);
  EXPECT_EQ(repeat, 2776);
  EXPECT_EQ(lost, 2);

  const std::vector<RfmScore> scores = ScoreRfm(summaries);
  const PurchaseModel model = {PurchaseModelKind::kMbgNbd, {.525, 6.183, .891, 1.614}};
  const Known known[] = {
      {"12347", 7, {6, 365 / 7.0, 367 / 7.0}, 431'000, 0, {5, 5, 5}, .892210},
      {"12348", 4, {3, 283 / 7.0, 358 / 7.0}, 143'724, 0, {2, 4, 4}, .714058},
      {"12350", 1, {0, 0, 310 / 7.0}, 29'440, 0, {1, 1, 2}, .375630},
      {"14646", 72, {44, 353 / 7.0, 354 / 7.0}, 27'913'802, 36'000, {5, 5, 5}, .978614},
      {"16446", 2, {1, 205 / 7.0, 205 / 7.0}, 16'847'250, 16'846'960, {5, 2, 1}, .745792},
      {"17548", 1, {0, 0, 233 / 7.0}, 10'330, 24'478, {1, 1, 1}, .406352},
      {"17850", 34, {1, 1 / 7.0, 373 / 7.0}, 539'121, 8'773, {1, 2, 5}, .087789}};
  for (const Known& k : known) {
    SCOPED_TRACE(k.id);
    const auto at = static_cast<size_t>(std::find(ids.begin(), ids.end(), k.id) - ids.begin());
    ASSERT_LT(at, ids.size());
    EXPECT_EQ(summaries[at].orders, k.orders);
    EXPECT_EQ(summaries[at].history, k.history);
    EXPECT_EQ(summaries[at].bought_minor, k.bought_minor);
    EXPECT_EQ(summaries[at].refunded_minor, k.refunded_minor);
    EXPECT_EQ(scores[at], k.rfm);
    EXPECT_NEAR(model.ProbabilityAlive(summaries[at].history), k.alive, 0.51e-6);
  }
  const RfmGrid grid = FillRfmGrid(scores, summaries);
  const int64_t expected[5][5] = {{650, 155, 39, 19, 8},
                                  {360, 227, 138, 115, 44},
                                  {306, 190, 113, 157, 101},
                                  {171, 171, 114, 175, 216},
                                  {71, 126, 93, 151, 424}};
  for (size_t r = 0; r < 5; ++r) {
    for (size_t f = 0; f < 5; ++f) EXPECT_EQ(grid[r][f].customers, expected[r][f]) << r << f;
  }
  // Christmas: everybody buys more, so that the likelihood is highest where nobody leaves.
  const ValueModel fitted = FitValueModel(Histories(base), base.last_day, options.value);
  ASSERT_TRUE(fitted.purchases.has_value()) << fitted.purchases_status;
  EXPECT_LT(fitted.purchases->parameters[2], 0.01);
  EXPECT_FALSE(fitted.stages_by_model);
  EXPECT_TRUE(fitted.spending.has_value()) << fitted.spending_status;
  EXPECT_OK(CustomerReport(*house, options).status());
}

}  // namespace
}  // namespace vitrine
