// The two public data sets of the examples, whole, with the counts that are known of them.

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>

#include "absl/strings/str_cat.h"

#include "ingest/batch_sink.h"
#include "ingest/importer.h"
#include "ingest/mapping.h"
#include "store/base/atomic_file.h"
#include "store/base/limits.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using testing::Value;

class DataSets : public ::testing::Test {
 protected:
  // Imports ../shared/data/<packed> with examples/<example>; `house_` then holds it.
  void Import(const std::string& packed, const std::string& example) {
    const std::string source = "../shared/data/" + packed;
    if (!std::filesystem::exists(source)) GTEST_SKIP() << source << " is not here";
    const std::string file = folder_.File("data.csv");
    const std::string unpack = absl::StrCat("zstd -dcq '", source, "' > '", file, "'");
    ASSERT_EQ(std::system(unpack.c_str()), 0) << unpack;
    const std::string text = Value(ReadFile("examples/" + example, limits::kConfigBytesMax));
    const Mapping mapping = Value(ParseMapping(text, example));
    house_ = Value(WebHouse::Open({.directory = folder_.File("site")}));
    StoreSink sink(house_.get());
    summary_ = Value(ImportFile(file, mapping, &sink, {}));
  }

  int64_t Outcome(const std::string& name) {
    const auto found = summary_.after.outcomes.find(name);
    return found == summary_.after.outcomes.end() ? 0 : found->second;
  }

  TempDir folder_;
  std::unique_ptr<WebHouse> house_;
  ImportSummary summary_;
};

TEST_F(DataSets, EveryLineOfTheGiftShopHasItsOutcome) {
  Import("uci_online_retail/online_retail.csv.zst", "gifts.toml");
  if (IsSkipped()) return;
  EXPECT_EQ(summary_.after.lines, 541'909);
  EXPECT_EQ(Outcome("ignored:not_a_product"), 2'950);
  EXPECT_EQ(Outcome("ignored:no_sale_price_0"), 1'161);
  EXPECT_EQ(Outcome("rejected:bad_quantity"), 1'336);
  EXPECT_EQ(Outcome("duplicate"), 5'257);
  EXPECT_EQ(Outcome("accepted"), 531'205);
  const Totals totals = house_->GetTotals();
  EXPECT_EQ(totals.events, 531'205);
  EXPECT_EQ(totals.rejects, 1'336);
}

TEST_F(DataSets, AnInvoiceOfTheGiftShopAddsUp) {
  Import("uci_online_retail/online_retail.csv.zst", "gifts.toml");
  if (IsSkipped()) return;
  const Customer customer = Value(house_->GetCustomer("17850"));
  EXPECT_EQ(customer.country, "United Kingdom");
  // 2010-12-01 08:26 in London, where it is winter.
  EXPECT_EQ(customer.first_seen_ms, 1'291'191'960'000);
  EXPECT_EQ(customer.orders, 34);
  // Sold as a white one too; the newest name stands.
  EXPECT_EQ(Value(house_->GetProduct("85123A")).name, "CREAM HANGING HEART T-LIGHT HOLDER");
}

TEST_F(DataSets, TheFashionShopHasExactlyItsSessions) {
  Import("uci_eshop_clothing_2008/eshop_clothing_2008.csv.zst", "fashion.toml");
  if (IsSkipped()) return;
  EXPECT_EQ(Outcome("accepted"), 165'474);
  EXPECT_EQ(summary_.after.lines, 165'474);
  const Totals totals = house_->GetTotals();
  EXPECT_EQ(totals.sessions, 24'026);
  EXPECT_EQ(totals.products, 217);
  const Product product = Value(house_->GetProduct("A13"));
  EXPECT_EQ(product.category, "trousers");
  EXPECT_EQ(product.price_minor, 2'800);
}

}  // namespace
}  // namespace vitrine
