#include "recommender/learn/interactions.h"

#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using testing::kNewestMs;

TEST(Interactions, OrdersProductsByIdAndKeepsPersonsApart) {
  const WeightSettings weights{.view_item = 1, .purchase = 5, .cell_weight_max = 10};
  InteractionsBuilder builder(weights, kNewestMs);
  builder.Add(PURCHASE, kNewestMs, "pear");
  builder.Add(VIEW_ITEM, kNewestMs, "apple");
  builder.Add(VIEW_ITEM, kNewestMs, "pear");
  EXPECT_TRUE(builder.EndPerson());
  builder.Add(VIEW_ITEM, kNewestMs, "apple");
  EXPECT_TRUE(builder.EndPerson());
  const Interactions all = std::move(builder).Build();
  EXPECT_THAT(all.products, ElementsAre("apple", "pear"));
  ASSERT_EQ(all.by_person.rows(), 2u);
  EXPECT_THAT(all.by_person.row(0), ElementsAre(Cell{0, 1}, Cell{1, 6}));
  EXPECT_THAT(all.by_person.row(1), ElementsAre(Cell{0, 1}));
  EXPECT_THAT(all.by_person.ColumnSums(), ElementsAre(2, 6));
  EXPECT_EQ(all.newest_ms, kNewestMs);
}

TEST(Interactions, LeaveOutPersonsAndProductsThatNothingIsSaidAbout) {
  InteractionsBuilder builder(WeightSettings(), kNewestMs);
  builder.Add(REFUND, kNewestMs, "pear");
  EXPECT_FALSE(builder.EndPerson());
  EXPECT_FALSE(builder.EndPerson());
  builder.Add(VIEW_ITEM, kNewestMs, "apple");
  EXPECT_TRUE(builder.EndPerson());
  const Interactions all = std::move(builder).Build();
  EXPECT_THAT(all.products, ElementsAre("apple"));
  EXPECT_EQ(all.by_person.rows(), 1u);
}

TEST(Interactions, CapEveryCell) {
  InteractionsBuilder builder({.purchase = 5, .cell_weight_max = 12}, kNewestMs);
  for (int i = 0; i < 10; ++i) builder.Add(PURCHASE, kNewestMs, "apple");
  builder.EndPerson();
  EXPECT_THAT(std::move(builder).Build().by_person.cells, ElementsAre(Cell{0, 12}));
}

TEST(SparseRows, TransposedTwiceAreThemselves) {
  const SparseRows rows = testing::MakeInteractions({}, 21).by_person;
  const SparseRows columns = rows.Transposed();
  EXPECT_EQ(columns.rows(), rows.columns);
  EXPECT_EQ(columns.columns, rows.rows());
  const SparseRows again = columns.Transposed();
  EXPECT_THAT(again.offsets, ElementsAreArray(rows.offsets));
  EXPECT_THAT(again.cells, ElementsAreArray(rows.cells));
}

}  // namespace
}  // namespace vitrine
