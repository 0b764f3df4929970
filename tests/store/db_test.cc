#include "store/db.h"

#include <rocksdb/db.h>
#include <string>

#include "gtest/gtest.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

// Where a slow disk is behind with its tables, the next spill is asked for while RocksDB holds all
// writes up; it then refuses a flush that does not wait.
TEST(Db, SpillIsNoErrorWhereWritesAreStopped) {
  const testing::TempDir directory;
  const auto db =
      testing::Value(Db::Open(directory.path(), Db::Mode::kCreate, MakeDbBudget(1 << 20, 4 << 20)));
  rocksdb::ColumnFamilyHandle* const events = db->table(Table::kEvents);
  ASSERT_TRUE(db->raw()->SetOptions(events, {{"write_buffer_size", "65536"}}).ok());
  ASSERT_TRUE(db->raw()->Put({}, events, "a", "1").ok());
  ASSERT_TRUE(db->raw()->Flush({}, events).ok());
  ASSERT_TRUE(db->raw()->PauseBackgroundWork().ok());
  ASSERT_TRUE(db->raw()->Put({}, events, "b", std::string(60'000, 'x')).ok());
  ASSERT_TRUE(db->raw()
                  ->SetOptions(events, {{"level0_file_num_compaction_trigger", "1"},
                                        {"level0_slowdown_writes_trigger", "1"},
                                        {"level0_stop_writes_trigger", "1"}})
                  .ok());
  uint64_t stopped = 0;
  ASSERT_TRUE(db->raw()->GetIntProperty(rocksdb::DB::Properties::kIsWriteStopped, &stopped));
  ASSERT_EQ(stopped, 1u);

  EXPECT_OK(db->SpillEvents());

  ASSERT_TRUE(db->raw()->ContinueBackgroundWork().ok());
}

}  // namespace
}  // namespace vitrine
