// Files of every version, as they were written when it was the newest: what they hold is typed in
// here, so that no later reader makes something else of them. All were made from the same small
// training; from version 2 on they have links, a blend and trees besides.

#include "recommender/model/model.h"
#include "store/base/atomic_file.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::FloatNear;
using ::testing::Pointwise;
using testing::TempDir;
using testing::Value;

constexpr char kVersion1[] = "tests/recommender/golden/version1.model";
constexpr char kVersion2[] = "tests/recommender/golden/version2.model";
constexpr char kVersion3[] = "tests/recommender/golden/version3.model";

constexpr float kFactors[6][3] = {
    {-0.601894975f, -3.30180359f, -1.76856995f}, {-0.0654891655f, 1.75573814f, -3.32014513f},
    {1.47878182f, -2.62936378f, -2.02891064f},   {0.479019046f, 1.55966151f, -3.1497972f},
    {-1.29058719f, -1.44393587f, -1.69209266f},  {-0.464544207f, 1.28025329f, -2.24609137f}};

BlendSettings GoldenBlend() {
  BlendSettings blend;
  blend.depth = 120;
  blend.seen_factor = 0.25f;
  blend.sources = {
      {"near", StanSettings{.last_clicks = 7, .recency = 0, .spread = 4.5f}, 1.5f, 0.7f},
      {"far", VmisSettings{.last_clicks = 5, .idf_of_pairs = true}, 0.1f, 0.5f},
      {"next", RuleSettings{.steps = 3, .backward = 0.3f}, 2, 1},
      {"again", RepeatSettings{}, 100, 1, /*relative=*/false}};
  return blend;
}

void ExpectTheTraining(const Model& model) {
  EXPECT_EQ(model.id, "20231114T221320Z-77d01331");
  EXPECT_EQ(model.trained_at_ms, 1'700'000'000'000);
  EXPECT_EQ(model.newest_ms, 1'700'000'000'000);
  EXPECT_EQ(model.persons, 17);
  EXPECT_EQ(model.interactions, 31);
  EXPECT_EQ(model.train_seconds, 0.125);
  EXPECT_EQ(model.weights.page_view, 0.1f);
  EXPECT_EQ(model.weights.view_item, 1.0f);
  EXPECT_EQ(model.weights.add_to_cart, 2.0f);
  EXPECT_EQ(model.weights.add_to_wishlist, 1.5f);
  EXPECT_EQ(model.weights.purchase, 3.0f);
  EXPECT_EQ(model.weights.cell_weight_max, 10.0f);
  EXPECT_EQ(model.weights.half_life_days, 30.0);
  EXPECT_EQ(model.als.factors, 3u);
  EXPECT_EQ(model.als.solver, AlsSolver::kConjugateGradient);
  EXPECT_EQ(model.als.cg_steps, 5u);
  EXPECT_EQ(model.als.block, 64u);
  EXPECT_EQ(model.als.epochs, 2u);
  EXPECT_EQ(model.als.unobserved_weight, 0.3f);
  EXPECT_EQ(model.als.regularization, 0.01f);
  EXPECT_EQ(model.als.regularization_exponent, 1.0f);
  EXPECT_EQ(model.als.init_stddev, 0.1f);
  EXPECT_EQ(model.als.seed, 1u);
  EXPECT_EQ(model.als.threads, 1u);

  ASSERT_EQ(model.products.size(), 6u);
  for (size_t p = 0; p < 6; ++p) {
    EXPECT_EQ(model.products[p], absl::StrCat("p00000", p));
    EXPECT_EQ(model.Find(absl::StrCat("p00000", p)), p);
  }
  ASSERT_EQ(model.factors.rows(), 6);
  ASSERT_EQ(model.factors.cols(), 3);
  for (int p = 0; p < 6; ++p) {
    for (int j = 0; j < 3; ++j) EXPECT_EQ(model.factors(p, j), kFactors[p][j]) << p << ", " << j;
  }
  EXPECT_THAT(model.popularity, ElementsAre(19.9370136f, 16.2868919f, 24.9252815f, 16.7800732f,
                                            5.34065056f, 3.97962713f));
  EXPECT_THAT(model.by_popularity, ElementsAre(2, 0, 3, 1, 4, 5));
  FactorMatrix gramian(3, 3);
  gramian << 4.66423798f, 0, 0, 0, 27.0546188f, 0, 0, 0, 36.0970078f;
  EXPECT_LT((model.gramian - gramian).norm(), 1e-5);

  // One block of one slice. With the scale that least squares gives, the codes of product 0 are
  // (-1, -7, -4), of product 1 (0, 4, -7): 8 less than the lower halves. The upper, of factors that
  // are not there, come next to 8 with them.
  const QuantizedFactors::Arrays& quantized = model.quantized.arrays();
  EXPECT_THAT(quantized.order, ElementsAre(0, 1, 2, 3, 5, 4)) << "by norm";
  ASSERT_EQ(quantized.codes.size(), 64u);
  EXPECT_THAT(quantized.codes.first(8),
              ElementsAre(0x87, 0x81, 0x84, 0x88, 0x88, 0x7C, 0x81, 0x88));
  EXPECT_THAT(quantized.codes.last(4), ElementsAre(0, 0, 0, 0)) << "no product";
  ASSERT_EQ(quantized.fine_codes.size(), 16u * 3);
  EXPECT_THAT(quantized.fine_codes.first(3), ElementsAre(128 - 15, 128 - 85, 128 - 45));
  EXPECT_THAT(quantized.scales.first(2),
              Pointwise(FloatNear(1e-6f), {(0.601895f + 7 * 3.301804f + 4 * 1.76857f) / 66,
                                           (4 * 1.755738f + 7 * 3.320145f) / 65}));
  ASSERT_EQ(quantized.bounds.size(), 1u);
  EXPECT_EQ(quantized.bounds[0].norm, 3.79368234f);
}

TEST(GoldenModel, OfVersion1) {
  const std::shared_ptr<const Model> model = Value(ReadModel(kVersion1));
  ExpectTheTraining(*model);
  EXPECT_TRUE(model->viewed_also_viewed.empty());
  EXPECT_TRUE(model->bought_together.empty());
  EXPECT_EQ(model->blend, std::nullopt);
  EXPECT_EQ(model->rerank, std::nullopt);
}

void ExpectTheListsToo(const Model& model) {
  EXPECT_THAT(model.viewed_also_viewed.Of(0),
              ElementsAre(ItemLink{4, 3, 1.25f}, ItemLink{2, 9, 0.5f}));
  EXPECT_THAT(model.viewed_also_viewed.Of(1), ElementsAre());
  EXPECT_THAT(model.viewed_also_viewed.Of(4), ElementsAre(ItemLink{0, 3, 1.25f}));
  EXPECT_THAT(model.bought_together.Of(1), ElementsAre(ItemLink{3, 2, 7.5f}));
  EXPECT_EQ(model.blend, GoldenBlend());
  ASSERT_TRUE(model.rerank.has_value());
  EXPECT_EQ(model.rerank->trees(), 2u);
  EXPECT_EQ(model.rerank->features(), 3u);
  std::vector<float> scores(3);
  model.rerank->Score(std::vector<float>{0, 0, 0, 0, 2, 0, 0, 9, 9}, scores);
  EXPECT_THAT(scores, ElementsAre(-0.75f, 10.25f, 20.25f));
}

TEST(GoldenModel, OfVersion2) {
  const std::shared_ptr<const Model> model = Value(ReadModel(kVersion2));
  ExpectTheTraining(*model);
  ExpectTheListsToo(*model);
}

TEST(GoldenModel, OfVersion3) {
  const std::shared_ptr<const Model> model = Value(ReadModel(kVersion3));
  ExpectTheTraining(*model);
  ExpectTheListsToo(*model);
}

TEST(GoldenModel, OfVersion3IsWrittenTheSameAgain) {
  TempDir dir;
  for (const char* const version : {kVersion2, kVersion3}) {
    ASSERT_OK(WriteModel(*Value(ReadModel(version)), dir.File("again.model")));
    EXPECT_EQ(Value(ReadFile(dir.File("again.model"), 1 << 20)),
              Value(ReadFile(kVersion3, 1 << 20)));
  }
}

}  // namespace
}  // namespace vitrine
