#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "recommender/model/model.h"
#include "store/base/atomic_file.h"
#include "store/base/crc32c.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using testing::TempDir;
using testing::Value;

Model SmallModel() {
  return testing::MakeModel({.persons = 20, .products = 9, .groups = 3, .purchases = 3}, 1,
                            {.factors = 5, .epochs = 2});
}

// The file with one byte of its header changed and the header's checksum made to fit.
std::string WithHeader(std::string file, size_t offset, char byte) {
  file[offset] = byte;
  const uint32_t crc = Crc32c(absl::string_view(file).substr(0, 28));
  file.replace(28, 4, reinterpret_cast<const char*>(&crc), 4);
  return file;
}

class ModelFileTest : public ::testing::Test {
 protected:
  std::string Bytes(const Model& model) {
    EXPECT_OK(WriteModel(model, path_));
    return Value(ReadFile(path_, 1 << 20));
  }

  absl::StatusOr<std::shared_ptr<const Model>> Read(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    return ReadModel(path_);
  }

  TempDir dir_;
  const std::string path_ = dir_.File("a.model");
};

TEST_F(ModelFileTest, ComesBackBitByBit) {
  Model model = SmallModel();
  model.train_seconds = 0.1;
  model.weights.half_life_days = 1.0 / 3;
  model.als.seed = std::numeric_limits<uint64_t>::max();
  ASSERT_OK(WriteModel(model, path_));
  const std::shared_ptr<const Model> read = Value(ReadModel(path_));
  EXPECT_EQ(read->id, model.id);
  EXPECT_EQ(read->trained_at_ms, model.trained_at_ms);
  EXPECT_EQ(read->newest_ms, model.newest_ms);
  EXPECT_EQ(read->persons, model.persons);
  EXPECT_EQ(read->interactions, model.interactions);
  EXPECT_EQ(read->train_seconds, model.train_seconds);
  EXPECT_EQ(read->weights.half_life_days, model.weights.half_life_days);
  EXPECT_EQ(read->weights.page_view, model.weights.page_view);
  EXPECT_EQ(read->als.seed, model.als.seed);
  EXPECT_EQ(read->als.factors, model.als.factors);
  EXPECT_EQ(read->als.regularization, model.als.regularization);
  EXPECT_EQ(read->products, model.products);
  EXPECT_EQ(read->factors, model.factors);
  EXPECT_EQ(read->gramian, model.gramian);
  EXPECT_EQ(read->popularity, model.popularity);
  EXPECT_EQ(read->by_popularity, model.by_popularity);
  EXPECT_EQ(read->index, model.index);
}

TEST_F(ModelFileTest, KnowsTheSolver) {
  Model model = SmallModel();
  model.als.solver = AlsSolver::kBlocks;
  model.als.block = 32;
  model.als.cg_steps = 5;
  ASSERT_OK(WriteModel(model, path_));
  const std::shared_ptr<const Model> read = Value(ReadModel(path_));
  EXPECT_EQ(read->als.solver, AlsSolver::kBlocks);
  EXPECT_EQ(read->als.block, 32u);
  EXPECT_EQ(read->als.cg_steps, 5u);
}

// The same model with another description, all checksums made to fit.
std::string WithDescription(const std::string& good, const std::string& from,
                            const std::string& to) {
  constexpr size_t kEntry = 48, kTable = 32, kSections = 4, kAlign = 64;
  const auto load = [&](size_t at) {
    uint64_t value;
    std::memcpy(&value, good.data() + at, sizeof(value));
    return value;
  };
  std::string file(256, '\0');
  std::string table = good.substr(kTable, kSections * kEntry);
  for (size_t s = 0; s < kSections; ++s) {
    std::string section =
        good.substr(load(kTable + s * kEntry + 24), load(kTable + s * kEntry + 32));
    if (s == 0) {
      const size_t at = section.find(from);
      EXPECT_NE(at, std::string::npos) << from;
      section.replace(at, from.size(), to);
    }
    file.resize((file.size() + kAlign - 1) / kAlign * kAlign, '\0');
    const uint64_t place[] = {file.size(), section.size()};
    const uint32_t crc = Crc32c(section);
    std::memcpy(table.data() + s * kEntry + 24, place, sizeof(place));
    std::memcpy(table.data() + s * kEntry + 40, &crc, sizeof(crc));
    file += section;
  }
  std::string header = good.substr(0, kTable);
  const uint64_t bytes = file.size();
  const uint32_t table_crc = Crc32c(table);
  std::memcpy(header.data() + 16, &bytes, sizeof(bytes));
  std::memcpy(header.data() + 24, &table_crc, sizeof(table_crc));
  const uint32_t header_crc = Crc32c(absl::string_view(header).substr(0, 28));
  std::memcpy(header.data() + 28, &header_crc, sizeof(header_crc));
  return file.replace(0, kTable, header).replace(kTable, table.size(), table);
}

TEST_F(ModelFileTest, ReadsModelsOfBeforeThereWereSolvers) {
  std::string bytes = Bytes(SmallModel());
  bytes = WithDescription(bytes, "\"als.solver\": \"exact\",", "");
  bytes = WithDescription(bytes, "\"als.block\": 64,", "");
  bytes = WithDescription(bytes, "\"als.cg_steps\": 2,", "");
  EXPECT_EQ(Value(Read(bytes))->als.solver, AlsSolver::kExact);
}

TEST_F(ModelFileTest, RefusesSolversItDoesNotKnow) {
  const std::string bytes = Bytes(SmallModel());
  EXPECT_THAT(Read(WithDescription(bytes, "\"exact\"", "\"magic\"")).status().message(),
              HasSubstr("als.solver"));
  EXPECT_THAT(Read(WithDescription(bytes, "\"exact\"", "3")).status().message(),
              HasSubstr("als.solver"));
  EXPECT_THAT(Read(WithDescription(bytes, "als.block\": 64", "als.block\": 65")).status().message(),
              HasSubstr("block"));
}

TEST_F(ModelFileTest, RefusesEveryFlippedByte) {
  const std::string good = Bytes(SmallModel());
  ASSERT_OK(Read(good).status());
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](size_t at, char byte) {
    file.seekp(static_cast<std::streamoff>(at)).put(byte).flush();
  };
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int mask : {1 << (i % 8), 0xff}) {
      put(i, static_cast<char>(good[i] ^ mask));
      EXPECT_FALSE(ReadModel(path_).ok()) << "byte " << i << " of " << good.size();
    }
    put(i, good[i]);
  }
  EXPECT_OK(ReadModel(path_).status());
}

TEST_F(ModelFileTest, RefusesEveryTruncationAndEveryExtension) {
  const std::string good = Bytes(SmallModel());
  for (size_t size = good.size(); size-- > 0;) {
    std::filesystem::resize_file(path_, size);
    EXPECT_FALSE(ReadModel(path_).ok()) << size << " of " << good.size() << " bytes";
  }
  EXPECT_THAT(Read(good + '\0').status().message(), HasSubstr("bytes of"));
  EXPECT_FALSE(Read(good + good).ok());
  const auto size = static_cast<uint16_t>(good.size() + 1);  // a header that knows of the byte
  std::string longer = WithHeader(good + '\0', 16, static_cast<char>(size & 0xff));
  longer = WithHeader(longer, 17, static_cast<char>(size >> 8));
  EXPECT_THAT(Read(longer).status().message(), HasSubstr("after the last section"));
}

TEST_F(ModelFileTest, TellsDamageFromAnotherVersionFromAnotherKindOfFile) {
  const std::string good = Bytes(SmallModel());
  std::string damaged = good;
  damaged.back() ^= 1;
  EXPECT_EQ(Read(damaged).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(Read(damaged).status().message(), HasSubstr("popularity"));

  const std::string newer = WithHeader(good, /*offset=*/8, /*byte=*/2);
  EXPECT_EQ(Read(newer).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Read(newer).status().message(), HasSubstr("version 2"));

  EXPECT_EQ(Read("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Read(std::string(500, 'x')).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadModel(dir_.File("none")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ModelFileTest, RefusesFactorsThatAreNoNumbers) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Model model = SmallModel();
    model.factors(3, 2) = bad;
    ASSERT_OK(WriteModel(model, path_));
    EXPECT_EQ(ReadModel(path_).status().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(ReadModel(path_).status().message(), HasSubstr("not finite"));
  }
}

TEST_F(ModelFileTest, RefusesContentsThatDoNotFitTogether) {
  Model fewer_factors = SmallModel();
  fewer_factors.factors.conservativeResize(8, Eigen::NoChange);
  EXPECT_THAT(Read(Bytes(fewer_factors)).status().message(), HasSubstr("do not fit"));

  Model narrower = SmallModel();
  narrower.als.factors = 4;
  EXPECT_THAT(Read(Bytes(narrower)).status().message(), HasSubstr("do not fit"));

  Model twice = SmallModel();
  twice.products[1] = twice.products[0];
  EXPECT_THAT(Read(Bytes(twice)).status().message(), HasSubstr("twice"));

  Model endless = SmallModel();
  endless.weights.half_life_days = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Read(Bytes(endless)).status().message(), HasSubstr("half_life_days"));
}

}  // namespace
}  // namespace vitrine
