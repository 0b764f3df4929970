#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include "recommender/model/model.h"
#include "store/base/atomic_file.h"
#include "store/base/crc32c.h"
#include "tests/recommender/model_bytes.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::AsVersion1;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using testing::FileOf;
using ::testing::HasSubstr;
using testing::ModelSection;
using testing::SectionsOf;
using testing::TempDir;
using testing::Value;

// The same model whenever it is called.
Model SmallModel() {
  ModelParts parts = PartsOf(testing::MakeModel(
      {.persons = 20, .products = 9, .groups = 3, .purchases = 3}, 1, {.factors = 5, .epochs = 2}));
  parts.train_seconds = 0.25;
  return Value(MakeModel(std::move(parts)));
}

// Has everything that a model can have.
ModelParts FullParts() {
  ModelParts parts = PartsOf(SmallModel());
  parts.viewed_also_viewed = {{0, 2, 3, 3, 3, 3, 3, 3, 3, 4},
                              {{8, 5, 0.5f}, {1, 7, 0.25f}, {0, 7, 0.25f}, {0, 5, 0.5f}}};
  parts.bought_together = {{0, 0, 1, 1, 1, 1, 1, 1, 1, 1}, {{2, 3, 1.5f}}};
  parts.blend = BlendSettings::Default();
  parts.rerank = Value(TreeEnsemble::Parse(
      R"({"learner": {"gradient_booster": {"name": "gbtree", "model": {"trees": [
          {"left_children": [1, -1, -1], "right_children": [2, -1, -1],
           "split_indices": [7, 0, 0], "split_conditions": [0.5, 1, 2]},
          {"left_children": [-1], "right_children": [-1], "split_indices": [0],
           "split_conditions": [0.25]}]}}}})",
      /*features=*/27, /*trees=*/2));
  return parts;
}

Model FullModel() { return Value(MakeModel(FullParts())); }

std::vector<std::string> IdsOf(const Model& model) { return PartsOf(model).products; }

void ExpectSame(const ItemLinks& a, const ItemLinks& b) {
  EXPECT_THAT(a.offsets, ElementsAreArray(b.offsets));
  EXPECT_THAT(a.links, ElementsAreArray(b.links));
}

void ExpectSame(const Model& a, const Model& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.trained_at_ms, b.trained_at_ms);
  EXPECT_EQ(a.newest_ms, b.newest_ms);
  EXPECT_EQ(a.persons, b.persons);
  EXPECT_EQ(a.interactions, b.interactions);
  EXPECT_EQ(a.train_seconds, b.train_seconds);
  EXPECT_EQ(a.weights.half_life_days, b.weights.half_life_days);
  EXPECT_EQ(a.weights.page_view, b.weights.page_view);
  EXPECT_EQ(a.als.solver, b.als.solver);
  EXPECT_EQ(a.als.block, b.als.block);
  EXPECT_EQ(a.als.cg_steps, b.als.cg_steps);
  EXPECT_EQ(a.als.seed, b.als.seed);
  EXPECT_EQ(a.als.factors, b.als.factors);
  EXPECT_EQ(a.als.regularization, b.als.regularization);
  EXPECT_EQ(IdsOf(a), IdsOf(b));
  EXPECT_EQ(a.factors, b.factors);
  EXPECT_EQ(a.gramian, b.gramian);
  EXPECT_THAT(a.popularity, ElementsAreArray(b.popularity));
  EXPECT_THAT(a.by_popularity, ElementsAreArray(b.by_popularity));
  EXPECT_THAT(a.quantized.arrays().codes, ElementsAreArray(b.quantized.arrays().codes));
  EXPECT_THAT(a.quantized.arrays().fine_codes, ElementsAreArray(b.quantized.arrays().fine_codes));
  EXPECT_THAT(a.quantized.arrays().scales, ElementsAreArray(b.quantized.arrays().scales));
  EXPECT_THAT(a.quantized.order(), ElementsAreArray(b.quantized.order()));
  ExpectSame(a.viewed_also_viewed, b.viewed_also_viewed);
  ExpectSame(a.bought_together, b.bought_together);
  EXPECT_EQ(a.blend, b.blend);
  EXPECT_EQ(a.rerank, b.rerank);
  EXPECT_EQ(a.fold_in.spectrum, b.fold_in.spectrum);
}

// The file with one byte of its header changed and the header's checksum made to fit.
std::string WithHeader(std::string file, size_t offset, char byte) {
  file[offset] = byte;
  testing::PutValue(Crc32c(absl::string_view(file).substr(0, 28)), 28, &file);
  return file;
}

// The file with one section changed, all checksums made to fit.
std::string WithSection(const std::string& file, absl::string_view name,
                        const std::function<void(std::string*)>& change) {
  std::vector<ModelSection> sections = SectionsOf(file);
  for (ModelSection& section : sections) {
    if (section.name == name) change(&section.bytes);
  }
  return FileOf(testing::GetValue<uint32_t>(file, 8), sections);
}

template <typename T>
std::string WithValue(const std::string& file, absl::string_view section, size_t at, T value) {
  return WithSection(file, section,
                     [&](std::string* bytes) { testing::PutValue(value, at, bytes); });
}

std::string WithText(const std::string& file, absl::string_view section, const std::string& from,
                     const std::string& to) {
  return WithSection(file, section, [&](std::string* bytes) {
    const size_t at = bytes->find(from);
    ASSERT_NE(at, std::string::npos) << from;
    bytes->replace(at, from.size(), to);
  });
}

std::string Without(const std::string& file, absl::string_view section) {
  return WithSection(file, section, [](std::string* bytes) { bytes->clear(); });
}

class ModelFileTest : public ::testing::Test {
 protected:
  std::string Bytes(const Model& model) {
    EXPECT_OK(WriteModel(model, path_));
    return Value(ReadFile(path_, 1 << 20));
  }

  // Models that were read before must be gone: the file is written in place.
  absl::StatusOr<std::shared_ptr<const Model>> Read(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    return ReadModel(path_);
  }

  // What is said about a file that is damaged.
  std::string Damage(const std::string& bytes) {
    const absl::Status status = Read(bytes).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    return std::string(status.message());
  }

  TempDir dir_;
  const std::string path_ = dir_.File("a.model");
};

TEST_F(ModelFileTest, ComesBackBitByBit) {
  ModelParts parts = FullParts();
  parts.train_seconds = 0.1;
  parts.weights.half_life_days = 1.0 / 3;
  parts.als.seed = std::numeric_limits<uint64_t>::max();
  parts.als.solver = AlsSolver::kBlocks;
  parts.als.block = 32;
  parts.als.cg_steps = 5;
  const Model model = Value(MakeModel(parts));
  ASSERT_OK(WriteModel(model, path_));
  const std::shared_ptr<const Model> read = Value(ReadModel(path_));
  ExpectSame(*read, model);
  EXPECT_EQ(read->blend, BlendSettings::Default());
  EXPECT_EQ(read->rerank, parts.rerank);
  EXPECT_EQ(IdsOf(*read), parts.products);
  EXPECT_EQ(read->factors, parts.factors);
  EXPECT_THAT(read->viewed_also_viewed.Of(1), ElementsAre(ItemLink{0, 7, 0.25f}));
  EXPECT_EQ(Bytes(*read), model.file) << "there is one way to write a model";
  EXPECT_EQ(Value(MakeModel(PartsOf(*read))).file, model.file);
}

TEST_F(ModelFileTest, LiesInTheFileAsItIsDrawn) {
  const std::string bytes = Bytes(FullModel());
  EXPECT_EQ(FileOf(3, SectionsOf(bytes)), bytes);
}

TEST_F(ModelFileTest, IsReadWhereItLies) {
  const Model model =
      testing::MakeModel({.persons = 30, .products = 20}, 1, {.factors = 32, .epochs = 2});
  ASSERT_OK(WriteModel(model, path_));
  const std::shared_ptr<const Model> read = Value(ReadModel(path_));
  const auto in_file = [&](const void* data) {
    return data >= read->file.data() && data < read->file.data() + read->file.size();
  };
  EXPECT_TRUE(in_file(read->products[0].data()));
  EXPECT_TRUE(in_file(read->factors.data()));
  EXPECT_TRUE(in_file(read->quantized.codes(0)));
  EXPECT_TRUE(in_file(read->FoldInSide().rows)) << "and is folded in there";
  EXPECT_EQ(reinterpret_cast<uintptr_t>(read->factors.data()) % 64, 0u);
}

TEST_F(ModelFileTest, OutlivesItsName) {
  const Model model = FullModel();
  ASSERT_OK(WriteModel(model, path_));
  const std::shared_ptr<const Model> read = Value(ReadModel(path_));
  ASSERT_OK(WriteModel(SmallModel(), path_));
  std::filesystem::remove(path_);
  ExpectSame(*read, model);
}

TEST_F(ModelFileTest, CompletesWhatOthersLeaveOut) {
  const Model model = FullModel();
  std::string bytes = Bytes(model);
  for (const absl::string_view section : {"gramian", "by_popularity", "quantized"}) {
    ExpectSame(*Value(Read(Without(bytes, section))), model);
  }
  for (const absl::string_view section :
       {"gramian", "by_popularity", "quantized", "viewed_also_viewed", "bought_together", "blend",
        "rerank"}) {
    bytes = Without(bytes, section);
  }
  ExpectSame(*Value(Read(bytes)), SmallModel());
  for (const absl::string_view section : {"description", "products", "factors", "popularity"}) {
    EXPECT_FALSE(Read(Without(bytes, section)).ok()) << section;
  }
}

TEST_F(ModelFileTest, HoldsOneProductWithTheLongestId) {
  ModelParts parts;
  parts.als.factors = 1;
  parts.products = {std::string(256, 'x')};
  parts.factors = FactorMatrix::Constant(1, 1, 0.5f);
  parts.popularity = {2};
  const std::shared_ptr<const Model> read = Value(Read(Bytes(Value(MakeModel(parts)))));
  EXPECT_EQ(read->Find(std::string(256, 'x')), 0u);
  EXPECT_EQ(read->Find(std::string(255, 'x')), std::nullopt);
  EXPECT_EQ(read->gramian(0, 0), 0.25f);
  EXPECT_THAT(read->by_popularity, ElementsAre(0));
  EXPECT_TRUE(read->viewed_also_viewed.Of(0).empty());
  EXPECT_EQ(read->blend, std::nullopt);
  EXPECT_EQ(read->rerank, std::nullopt);
}

TEST_F(ModelFileTest, ReadsModelsOfBeforeThereWereSolvers) {
  const Model model = SmallModel();
  std::string bytes = AsVersion1(Bytes(model));
  bytes = WithText(bytes, "description", "\"als.solver\": \"exact\",", "");
  bytes = WithText(bytes, "description", "\"als.block\": 64,", "");
  bytes = WithText(bytes, "description", "\"als.cg_steps\": 2,", "");
  ExpectSame(*Value(Read(bytes)), model);
}

TEST_F(ModelFileTest, RefusesSolversItDoesNotKnow) {
  const std::string bytes = Bytes(SmallModel());
  EXPECT_THAT(Damage(WithText(bytes, "description", "\"exact\"", "\"magic\"")),
              HasSubstr("als.solver"));
  EXPECT_THAT(Damage(WithText(bytes, "description", "\"exact\"", "3")), HasSubstr("als.solver"));
  EXPECT_THAT(Damage(WithText(bytes, "description", "als.block\": 64", "als.block\": 65")),
              HasSubstr("block"));
}

TEST_F(ModelFileTest, RefusesEveryFlippedByte) {
  const std::string good = Bytes(FullModel());
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
  const std::string good = Bytes(FullModel());
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
  const std::string good = Bytes(FullModel());
  std::string damaged = good;
  damaged.back() ^= 1;
  EXPECT_EQ(Read(damaged).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(Read(damaged).status().message(), HasSubstr("rerank"));

  const std::string newer = WithHeader(good, /*offset=*/8, /*byte=*/4);
  EXPECT_EQ(Read(newer).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Read(newer).status().message(), HasSubstr("version 4"));

  EXPECT_EQ(Read("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Read(std::string(500, 'x')).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadModel(dir_.File("none")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ModelFileTest, RefusesEveryFlippedByteOfVersion1) {
  const std::string good = AsVersion1(Bytes(SmallModel()));
  ASSERT_OK(Read(good).status());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bad;
    EXPECT_FALSE(ReadModel(path_).ok()) << "byte " << i << " of " << good.size();
  }
}

TEST_F(ModelFileTest, RefusesWhatIsNoNumber) {
  const std::string good = Bytes(SmallModel());
  // Behind the codes of one block of five factors.
  constexpr size_t kScales = 64 + 16 * 5, kBounds = kScales + 64;
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(Damage(WithValue(good, "factors", 44 * 4, bad)), HasSubstr("44 is not finite"));
    EXPECT_THAT(Damage(WithValue(good, "gramian", 0, bad)), HasSubstr("gramian"));
    EXPECT_THAT(Damage(WithValue(good, "popularity", 8 * 4, bad)), HasSubstr("popularity"));
    EXPECT_THAT(Damage(WithValue(good, "quantized", kScales, bad)), HasSubstr("quantized"));
    for (const size_t bound : {kBounds, kBounds + 4, kBounds + 8}) {
      EXPECT_THAT(Damage(WithValue(good, "quantized", bound, bad)), HasSubstr("block 0"));
    }
    EXPECT_THAT(Damage(WithValue(AsVersion1(good), "factors", 4, bad)), HasSubstr("factors"));
  }
}

TEST_F(ModelFileTest, RefusesSectionsThatDoNotFitTogether) {
  const std::string good = Bytes(FullModel());
  for (const ModelSection& section : SectionsOf(good)) {
    if (section.name == "description") continue;
    EXPECT_THAT(Damage(WithSection(good, section.name, [](std::string* b) { b->pop_back(); })),
                HasSubstr(section.name == "blend" || section.name == "rerank" ? "" : section.name));
    EXPECT_FALSE(Read(WithSection(good, section.name, [](std::string* b) { *b += 'x'; })).ok());
  }
  EXPECT_THAT(Damage(WithText(good, "description", "\"products\": 9", "\"products\": 8")),
              HasSubstr("does not fit 8 products"));
  EXPECT_THAT(Damage(WithText(good, "description", "\"products\": 9",
                              "\"products\": 18446744073709551615")),
              HasSubstr("does not fit"));
  EXPECT_THAT(Damage(WithText(good, "description", "als.factors\": 5", "als.factors\": 4")),
              HasSubstr("does not fit"));
  EXPECT_THAT(
      Damage(WithText(good, "description", "half_life_days\": 180.0", "half_life_days\": -1")),
      HasSubstr("half_life_days"));
}

TEST_F(ModelFileTest, RefusesIdsThatAreNoneOrOutOfOrder) {
  const std::string good = Bytes(SmallModel());
  constexpr size_t kIds = 10 * 8;
  EXPECT_THAT(Damage(WithText(good, "products", "p000001", "p000000")), HasSubstr("twice"));
  EXPECT_THAT(Damage(WithText(good, "products", "p000001", "q000001")), HasSubstr("twice"));
  for (const uint64_t end : {uint64_t{7}, uint64_t{6}, uint64_t{64}, ~uint64_t{0}}) {
    EXPECT_THAT(Damage(WithValue(good, "products", 2 * 8, end)), HasSubstr("products")) << end;
  }
  EXPECT_THAT(Damage(WithValue(good, "products", 0, uint64_t{1})), HasSubstr("product 0"));
  EXPECT_THAT(Damage(WithSection(good, "products", [](std::string* bytes) { *bytes += 'x'; })),
              HasSubstr("too many"));
  ASSERT_OK(Read(WithSection(good, "products", [](std::string* bytes) {
              testing::PutValue(uint64_t{8 * 7 + 256}, 9 * 8, bytes);
              bytes->append(249, 'z');
            })).status());
  EXPECT_THAT(Damage(WithSection(good, "products",
                                 [](std::string* bytes) {
                                   testing::PutValue(uint64_t{8 * 7 + 257}, 9 * 8, bytes);
                                   bytes->append(250, 'z');
                                 })),
              HasSubstr("product 8"))
      << "an id of 257 bytes behind " << kIds;
}

TEST_F(ModelFileTest, RefusesAnOrderThatIsNotByPopularity) {
  const Model model = SmallModel();
  const std::string good = Bytes(model);
  EXPECT_THAT(Damage(WithValue(good, "by_popularity", 0, model.by_popularity[1])),
              HasSubstr("place 1"));
  EXPECT_THAT(Damage(WithValue(good, "by_popularity", 0, uint32_t{9})), HasSubstr("place 0"));
  EXPECT_THAT(Damage(WithValue(good, "popularity", 4 * model.by_popularity[8], 1e6f)),
              HasSubstr("place 8"));
}

TEST_F(ModelFileTest, RefusesAnOrderThatIsNotByNorm) {
  ModelParts parts;
  parts.als.factors = 1;
  constexpr uint32_t kProducts = 40;
  parts.factors.resize(kProducts, 1);
  for (uint32_t p = 0; p < kProducts; ++p) {
    parts.products.push_back(testing::ProductName(p));
    parts.factors(p, 0) = static_cast<float>(p);
  }
  parts.popularity.assign(kProducts, 1);
  const Model model = Value(MakeModel(parts));
  EXPECT_EQ(model.quantized.order()[0], 39u);
  const std::string good = Bytes(model);
  constexpr size_t kBounds = 3 * (64 + 16 + 64), kOrder = kBounds + 3 * 12;
  EXPECT_OK(Read(WithValue(good, "quantized", kBounds + 12 + 8, 24.0f)).status());
  EXPECT_THAT(Damage(WithValue(good, "quantized", kBounds + 12 + 8, 40.0f)), HasSubstr("block 1"));
  EXPECT_THAT(Damage(WithValue(good, "quantized", kBounds + 2 * 12 + 8, -1.0f)),
              HasSubstr("block 2"));
  EXPECT_THAT(Damage(WithValue(good, "quantized", kOrder, kProducts)), HasSubstr("place 0"));
  EXPECT_THAT(Damage(WithValue(good, "quantized", kOrder, ~0u)), HasSubstr("place 0"));
  EXPECT_THAT(Damage(WithValue(good, "quantized", kOrder + 4 * 39, 39u)), HasSubstr("place 39"));
  EXPECT_OK(Read(WithValue(good, "quantized", kOrder + 4 * 39, 0u)).status()) << "as it was";
}

TEST_F(ModelFileTest, LeavesAloneWhatVersion2KnewOfCodes) {
  const Model model = FullModel();
  const std::string bytes = Bytes(model);
  const std::string codes = "whatever it was";
  std::string older =
      FileOf(2, SectionsOf(WithSection(bytes, "quantized", [&](std::string* b) { *b = codes; })));
  ExpectSame(*Value(Read(older)), model);
  older[older.find(codes)] ^= 1;
  EXPECT_THAT(Damage(older), HasSubstr("quantized"));
  ExpectSame(*Value(Read(FileOf(2, SectionsOf(Without(bytes, "quantized"))))), model);
}

TEST_F(ModelFileTest, RefusesLinksThatLeadNowhere) {
  const std::string good = Bytes(FullModel());
  constexpr size_t kLinks = 10 * 8;
  for (const absl::string_view links : {"viewed_also_viewed", "bought_together"}) {
    EXPECT_THAT(Damage(WithValue(good, links, kLinks, uint32_t{9})), HasSubstr(links));
    EXPECT_THAT(Damage(WithValue(good, links, kLinks + 8, 0.0f)), HasSubstr(links));
    EXPECT_THAT(Damage(WithValue(good, links, kLinks + 8, 0.0f / 0.0f)), HasSubstr(links));
    for (const uint64_t offset : {uint64_t{5}, ~uint64_t{0}}) {
      EXPECT_THAT(Damage(WithValue(good, links, 16, offset)), HasSubstr(links));
      EXPECT_THAT(Damage(WithValue(good, links, 9 * 8, offset)), HasSubstr(links));
    }
  }
  EXPECT_THAT(Damage(WithValue(good, "viewed_also_viewed", kLinks, uint32_t{0})),
              HasSubstr("link 0"))
      << "a link to itself";
  EXPECT_THAT(Damage(WithValue(good, "viewed_also_viewed", kLinks + 8, 0.125f)),
              HasSubstr("link 0"))
      << "not best first";
}

// More than one core looks at in one go: no link is lost between two of them.
TEST_F(ModelFileTest, LooksAtEveryOneOfManyLinks) {
  constexpr uint32_t kProducts = 300, kOfEach = 60;
  ModelParts parts;
  parts.als.factors = 1;
  parts.factors = FactorMatrix::Ones(kProducts, 1);
  parts.popularity.assign(kProducts, 1);
  ItemLinkLists& links = parts.bought_together;
  for (uint32_t p = 0; p < kProducts; ++p) {
    parts.products.push_back(testing::ProductName(p));
    for (uint32_t i = 1; i <= kOfEach; ++i) links.links.push_back({(p + i) % kProducts, 1, 1});
    links.offsets.push_back(links.links.size());
  }
  const std::string good = Bytes(Value(MakeModel(parts)));
  ASSERT_OK(Read(good).status());
  for (uint32_t link = 0; link < kProducts * kOfEach; link += 97) {
    const size_t at = 8 * (kProducts + 1) + 12 * link;
    EXPECT_FALSE(Read(WithValue(good, "bought_together", at, link / kOfEach)).ok()) << link;
    if (link % kOfEach == 0) continue;
    EXPECT_FALSE(Read(WithValue(good, "bought_together", at + 8, 2.0f)).ok()) << link;
  }
  const uint32_t border = (128 << 10) / 12;
  const size_t at = 8 * (kProducts + 1) + 12 * border;
  EXPECT_FALSE(Read(WithValue(good, "bought_together", at + 8, 2.0f)).ok());
}

TEST_F(ModelFileTest, RefusesSettingsThatAreNone) {
  const std::string good = Bytes(FullModel());
  EXPECT_THAT(Damage(WithText(good, "blend", "position_decay", "positron_decay")),
              HasSubstr("position_decay"));
  EXPECT_THAT(Damage(WithValue(good, "rerank", 16, uint32_t{27})), HasSubstr("out of range"));
}

TEST_F(ModelFileTest, SortsTheIdsOfVersion1) {
  const Model model = SmallModel();
  std::vector<ModelSection> sections = SectionsOf(AsVersion1(Bytes(model)));
  const auto swap_ends = [](std::string* bytes, size_t size) {
    std::swap_ranges(bytes->begin(), bytes->begin() + static_cast<ptrdiff_t>(size),
                     bytes->end() - static_cast<ptrdiff_t>(size));
  };
  swap_ends(&sections[1].bytes, 9);
  swap_ends(&sections[2].bytes, 5 * 4);
  swap_ends(&sections[3].bytes, 4);
  ExpectSame(*Value(Read(FileOf(1, sections))), model);
  sections[1].bytes.replace(0, 9, sections[1].bytes.substr(9, 9));
  EXPECT_THAT(Damage(FileOf(1, sections)), HasSubstr("twice"));
}

}  // namespace
}  // namespace vitrine
