#include "ingest/batch_sink.h"

#include <gtest/gtest.h>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

TEST(StoreSink, FinishSetsTheSiteAndDerivesWhatChanged) {
  TempDir folder;
  const auto house = Value(WebHouse::Open({.directory = folder.File("site")}));
  StoreSink sink(house.get());
  EventBatch batch;
  batch.source = "f";
  batch.to_bytes = 9;
  batch.to_lines = 1;
  batch.events = {MakeEvent("1", "ann", 1'300'000'000'000, EventKind::LOGIN)};
  EXPECT_EQ(Value(sink.Commit(batch)).accepted, 1);
  EXPECT_EQ(Value(sink.Source("f")).bytes, 9);
  EXPECT_EQ(house->GetTotals().sessions, 0);

  SiteSettingsPatch settings;
  settings.__set_session_gap_ms(60'000);
  ASSERT_OK(sink.Finish(settings));
  SiteSettings expected;
  expected.session_gap_ms = 60'000;
  EXPECT_EQ(house->GetSettings(), expected);
  EXPECT_EQ(house->GetTotals().sessions, 1);
  EXPECT_EQ(house->GetTotals().customers, 1);

  ASSERT_OK(sink.RestartSource("f"));
  EXPECT_EQ(Value(sink.Source("f")).bytes, 0);
}

}  // namespace
}  // namespace vitrine
