// What a shop's operator sees when the input is wrong: where, why, and nothing half-written.

#include <fstream>
#include <random>

#include "absl/strings/str_cat.h"

#include "store/web_house.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Outcome;
using ::testing::Pair;
using testing::RunProgram;
using testing::TempDir;
using testing::Value;
using testing::Vitrine;

constexpr char kHeader[] =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
constexpr char kGood[] = "536365,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,France\n";

class WrongInput : public ::testing::Test {
 protected:
  std::string Write(const std::string& text) {
    const std::string path = dir_.File("input.csv");
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  Outcome Ingest(const std::string& path) {
    return RunProgram(Vitrine({"ingest", "--data", dir_.File("data"), "--site", "shop", "--mapping",
                               "examples/gifts.toml", path}));
  }

  std::unique_ptr<WebHouse> House() {
    return Value(WebHouse::Open({.directory = dir_.File("data/shop/db"), .create = false}));
  }

  std::map<std::string, int64_t> OutcomesOf(const std::string& path) {
    return Value(House()->GetSource(std::filesystem::canonical(path).string())).outcomes;
  }

  TempDir dir_;
};

TEST_F(WrongInput, AMissingColumnIsNamedWithThoseThatAreThere) {
  const Outcome outcome = Ingest(Write("InvoiceNo,StockCode\n1,2\n"));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("input.csv"), HasSubstr("no column \"CustomerID\""),
                                 HasSubstr("StockCode")));
}

TEST_F(WrongInput, ABadDateIsRejectedWithItsLineAndTheRestIsKept) {
  const std::string path =
      Write(absl::StrCat(kHeader, kGood, "1,A,B,1,2010-13-41 08:26:00,2.55,1.0,France\n"));
  const Outcome outcome = Ingest(path);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("bad_time"), HasSubstr("2010-13-41")));
  EXPECT_THAT(OutcomesOf(path), ElementsAre(Pair("accepted", 1), Pair("rejected:bad_time", 1)));
  auto house = House();
  RejectCursor rejects = house->Rejects(std::filesystem::canonical(path).string());
  ASSERT_TRUE(rejects.Valid());
  EXPECT_EQ(rejects.value().byte_offset,
            static_cast<int64_t>(std::string(kHeader).size() + std::string(kGood).size()));
  EXPECT_OK(rejects.Finish());
}

TEST_F(WrongInput, ALineOfTenMegabytesIsRejectedAndTheNextIsRead) {
  const std::string path = Write(absl::StrCat(kHeader, std::string(10 << 20, 'x'), "\n", kGood));
  const Outcome outcome = Ingest(path);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(OutcomesOf(path),
              ElementsAre(Pair("accepted", 1), Pair("rejected:line_too_long", 1)));
}

TEST_F(WrongInput, BinaryGarbageIsAccountedForLineByLine) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::string garbage = kHeader;
  for (int i = 0; i < 200'000; ++i) garbage.push_back(static_cast<char>(random()));
  const std::string path = Write(garbage);
  const Outcome outcome = Ingest(path);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(House()->GetTotals().events, 0);  // opening checks that the counts add up
  EXPECT_GT(House()->GetTotals().rejects, 0);
}

TEST_F(WrongInput, GarbageWithoutAHeaderIsRefused) {
  const Outcome outcome = Ingest(Write(std::string("\x00\x01\xff\xfe\x7f\x80", 6)));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("input.csv"));
}

TEST_F(WrongInput, AnEmptyFileADirectoryAndNoFileAreSaidSo) {
  EXPECT_THAT(Ingest(Write("")).err, AllOf(HasSubstr("input.csv"), HasSubstr("empty")));
  EXPECT_THAT(Ingest(dir_.path()).err, HasSubstr("directory"));
  EXPECT_THAT(Ingest(dir_.File("none.csv")).err, HasSubstr("none.csv"));
  EXPECT_EQ(Ingest(dir_.File("none.csv")).exit_code, 1);
}

TEST_F(WrongInput, AMistypedMappingIsSaidWithItsLine) {
  const std::string mapping = dir_.File("m.toml");
  std::ofstream(mapping) << "format = \"csv\"\n[colums]\nproduct = \"P\"\n";
  const Outcome outcome = RunProgram(Vitrine({"ingest", "--data", dir_.File("data"), "--site",
                                              "shop", "--mapping", mapping, Write(kHeader)}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("m.toml"), HasSubstr("colums")));
}

// A tmpfs of 12 MB in a mount namespace of its own. After the failure the same command, given room,
// ends as if nothing had happened.
TEST_F(WrongInput, AFullDiskStopsTheImportAndLosesNothing) {
  const Outcome can_mount =
      RunProgram({"unshare", "-m", "sh", "-c", "mount -t tmpfs none /mnt && umount /mnt"});
  if (can_mount.exit_code != 0) GTEST_SKIP() << "cannot mount a tmpfs here: " << can_mount.err;
  std::string text = kHeader;
  for (int i = 0; i < 200'000; ++i) {
    absl::StrAppend(&text, 500'000 + i, ",P", i % 3000, ",THING,6,2010-12-01 08:26:00,2.55,",
                    10'000 + i % 5000, ".0,France\n");
  }
  const std::string path = Write(text);
  const std::string data = dir_.File("data");
  std::filesystem::create_directories(data);
  const std::string ingest = absl::StrCat(Vitrine({})[0], " ingest --data ", data,
                                          " --site shop --mapping examples/gifts.toml ", path);
  const Outcome outcome =
      RunProgram({"unshare", "-m", "sh", "-c",
                  absl::StrCat("mount -t tmpfs -o size=12m none ", data, " && ", ingest,
                               "; code=$?; mount -o remount,size=400m ", data, " && ", ingest,
                               " >&2 && exit $code; exit 99")});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("200,000"));
  // On a disk this small one batch is more than what is kept free.
  EXPECT_THAT(outcome.err, AnyOf(HasSubstr("No space left"), HasSubstr("nearly full")));
}

}  // namespace
}  // namespace vitrine
