#include "recommender/learn/cold_products.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "recommender/learn/words.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Value;

TEST(Words, AreRunsOfLettersAndDigitsInLowerCase) {
  EXPECT_THAT(Words("WHITE Hanging-Heart T-Light, 12cm!"),
              ElementsAre("white", "hanging", "heart", "t", "light", "12cm"));
  EXPECT_THAT(Words("Größe ÉCLAIR Ёлка"), ElementsAre("größe", "éclair", "ёлка"));
  EXPECT_THAT(Words(""), IsEmpty());
  EXPECT_THAT(Words(" -!، "), IsEmpty());
  EXPECT_THAT(Words("ab\xff\xfe"
                    "cd\xe2\x82"),
              ElementsAre("ab", "cd"));
}

TEST(Words, OfPersianAreTheSameOnEveryKeyboard) {
  EXPECT_THAT(Words("کیف چرمی"), ElementsAre("کیف", "چرمی"));
  EXPECT_EQ(Words("كيف چرمي"), Words("کیف چرمی"));                 // Arabic kaf and yeh
  EXPECT_EQ(Words("روسری\u200cهای نخی"), Words("روسری های نخی"));  // half-space
  EXPECT_EQ(Words("کِتاب"), Words("کتاب"));                         // short vowel
  EXPECT_EQ(Words("کـــتاب"), Words("کتاب"));                      // lengthened
  EXPECT_EQ(Words("۱۲ عددی"), Words("12 عددی"));
}

Product MakeProduct(absl::string_view id, absl::string_view name, absl::string_view category = "",
                    int64_t price_minor = 0, absl::string_view brand = "") {
  Product product;
  product.id = std::string(id);
  if (!name.empty()) product.__set_name(std::string(name));
  if (!category.empty()) product.__set_category(std::string(category));
  if (price_minor != 0) product.__set_price_minor(price_minor);
  if (!brand.empty()) product.__set_brand(std::string(brand));
  return product;
}

std::string Id(size_t number) { return absl::StrCat("p", number); }

// Names of a few words, some of them in every third name; paths of categories, brands, prices.
std::vector<Product> MakeCatalogue(uint32_t seed, size_t products) {
  std::mt19937 random(seed);
  std::vector<Product> catalogue;
  for (size_t p = 0; p < products; ++p) {
    std::vector<std::string> name;
    for (size_t i = 1 + random() % 5; i > 0; --i) {
      const double u = std::uniform_real_distribution(0.0, 1.0)(random);
      name.push_back(absl::StrCat("word", static_cast<int>(300 * u * u * u)));
    }
    const size_t category = random() % 12;
    catalogue.push_back(MakeProduct(
        Id(p), absl::StrJoin(name, " "),
        category == 0 ? "" : absl::StrCat("room", category % 3, " > thing", category),
        static_cast<int64_t>(random() % 10'000), random() % 3 == 0 ? "" : Id(random() % 20)));
    if (random() % 4 == 0) catalogue.back().__set_attributes({{"color", Id(random() % 5)}});
  }
  return catalogue;
}

// Every pair, from the words by the letter of the header.
class Twin {
 public:
  Twin(const std::vector<Product>& catalogue, const AttributeSettings& settings)
      : settings_(settings) {
    for (const Product& product : catalogue) {
      words_.push_back(WordsOf(product));
      for (const auto& [word, weight] : words_.back()) ++products_[word];
    }
  }

  std::map<uint32_t, float> Similar(uint32_t row) const {
    std::map<uint32_t, float> similar;
    for (uint32_t other = 0; other < words_.size(); ++other) {
      const double cosine = Cosine(words_[row], words_[other]);
      if (other != row && cosine > 0) similar[other] = static_cast<float>(cosine);
    }
    return similar;
  }

 private:
  using Weights = std::map<std::string, double>;

  Weights WordsOf(const Product& p) const {
    Weights words;
    for (const std::string& word : Words(p.name)) words["n" + word] = settings_.name;
    for (size_t end = 0; !p.category.empty() && end != std::string::npos;) {
      end = p.category.find(" > ", end + 1);
      words["c" + p.category.substr(0, end)] = settings_.category;
    }
    if (!p.brand.empty()) words["b" + p.brand] = settings_.brand;
    if (p.price_minor > 0) {
      const double band = 2 * std::log2(p.price_minor);
      words[absl::StrCat("p", std::floor(band))] = settings_.price;
      words[absl::StrCat("q", std::floor(band + 0.5))] = settings_.price;
    }
    for (const auto& [key, value] : p.attributes) words["a" + key + value] = settings_.attribute;
    return words;
  }

  double Weight(const std::string& word, double weight) const {
    const auto products = products_.at(word);
    return products == 1 ? 0 : weight * std::log(static_cast<double>(words_.size()) / products);
  }

  double Cosine(const Weights& a, const Weights& b) const {
    double dot = 0, aa = 0, bb = 0;
    for (const auto& [word, w] : a) {
      aa += std::pow(Weight(word, w), 2);
      if (b.contains(word)) dot += std::pow(Weight(word, w), 2);
    }
    for (const auto& [word, w] : b) bb += std::pow(Weight(word, w), 2);
    return dot > 0 ? dot / std::sqrt(aa * bb) : 0;
  }

  const AttributeSettings settings_;
  std::vector<Weights> words_;
  std::map<std::string, int> products_;
};

TEST(AttributeIndex, FindsWhatEveryPairWouldTell) {
  constexpr uint32_t kSeed = 1;
  SCOPED_TRACE(absl::StrCat("seed ", kSeed));
  const std::vector<Product> catalogue = MakeCatalogue(kSeed, 500);
  const AttributeIndex index(catalogue);
  const Twin twin(catalogue, {});
  for (uint32_t row = 0; row < catalogue.size(); row += 7) {
    const std::map<uint32_t, float> expected = twin.Similar(row);
    const std::vector<Cell> all = index.Similar(catalogue[row], catalogue.size());
    ASSERT_EQ(all.size(), expected.size());
    for (const Cell& cell : all) EXPECT_NEAR(cell.weight, expected.at(cell.index), 1e-5);
    for (size_t i = 1; i < all.size(); ++i) {
      EXPECT_TRUE(all[i - 1].weight > all[i].weight ||
                  (all[i - 1].weight == all[i].weight && all[i - 1].index < all[i].index));
    }
    const std::vector<Cell> ten = index.Similar(catalogue[row], 10);
    EXPECT_TRUE(std::equal(ten.begin(), ten.end(), all.begin()));
    const std::vector<Cell> even =
        index.Similar(catalogue[row], 10, [](uint32_t r) { return r % 2 == 0; });
    std::vector<Cell> expected_even = all;
    std::erase_if(expected_even, [](const Cell& cell) { return cell.index % 2 != 0; });
    expected_even.resize(std::min<size_t>(10, expected_even.size()));
    EXPECT_EQ(even, expected_even);
  }
}

TEST(AttributeIndex, FindsNearlyTheSameWithinItsBound) {
  constexpr uint32_t kSeed = 2;
  SCOPED_TRACE(absl::StrCat("seed ", kSeed));
  const std::vector<Product> catalogue = MakeCatalogue(kSeed, 3000);
  const AttributeIndex exact(catalogue, {.postings_max = 3000});
  const AttributeIndex bounded(catalogue, {.postings_max = 150});
  size_t found = 0, wanted = 0;
  for (uint32_t row = 0; row < catalogue.size(); row += 10) {
    std::set<uint32_t> best;
    std::map<uint32_t, float> weights;
    for (const Cell& cell : exact.Similar(catalogue[row], 3000)) weights[cell.index] = cell.weight;
    for (const Cell& cell : exact.Similar(catalogue[row], 10)) best.insert(cell.index);
    wanted += best.size();
    for (const Cell& cell : bounded.Similar(catalogue[row], 10)) {
      found += best.contains(cell.index);
      EXPECT_NEAR(cell.weight, weights.at(cell.index), 1e-5);  // no approximation in that
    }
  }
  EXPECT_GT(static_cast<double>(found), 0.7 * static_cast<double>(wanted));
}

TEST(AttributeIndex, KnowsNeighboursOfAProductThatCameAfterIt) {
  const std::vector<Product> catalogue = {MakeProduct("a", "Red lamp", "garden > lamp", 2000),
                                          MakeProduct("b", "Blue lamp", "garden > lamp", 2100),
                                          MakeProduct("c", "Red mug", "kitchen > mug", 500),
                                          MakeProduct("d", "Blue mug", "kitchen > mug", 520)};
  const AttributeIndex index(catalogue);
  const std::vector<Cell> similar =
      index.Similar(MakeProduct("new", "Blue shiny lamp", "garden > lamp", 1950), 4);
  ASSERT_GE(similar.size(), 2u);
  EXPECT_EQ(similar[0].index, 1u);
  EXPECT_EQ(similar[1].index, 0u);
  EXPECT_THAT(index.Similar(MakeProduct("odd", "Nothing like it"), 4), IsEmpty());
  EXPECT_THAT(index.Similar(Product(), 4), IsEmpty());
  EXPECT_THAT(AttributeIndex({}).Similar(catalogue[0], 4), IsEmpty());
}

class GuessFactorsTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kSeed = 3;

  // Knows two products of three.
  GuessFactorsTest() : catalogue_(MakeCatalogue(kSeed, 400)), index_(catalogue_) {
    std::mt19937 random(kSeed);
    ModelParts parts;
    for (size_t p = 0; p < catalogue_.size(); ++p) {
      if (p % 3 != 0) parts.products.push_back(catalogue_[p].id);
    }
    std::ranges::sort(parts.products);
    parts.als.factors = 16;
    parts.factors.resize(static_cast<Eigen::Index>(parts.products.size()), 16);
    for (float& x : parts.factors.reshaped()) x = std::normal_distribution<float>()(random);
    parts.popularity.assign(parts.products.size(), 1);
    model_ = Value(MakeModel(std::move(parts)));
  }

  const std::vector<Product> catalogue_;
  const AttributeIndex index_;
  Model model_;
};

TEST_F(GuessFactorsTest, PointToTheMeanOfTheMostSimilar) {
  const ColdSettings settings = {.neighbours = 7, .sharpness = 1.5f, .shrinkage = 0.3f};
  const ColdProducts cold =
      GuessFactors(index_, catalogue_, ColdRows(catalogue_, model_), model_, settings, 1);
  const Twin twin(catalogue_, {});
  ASSERT_GT(cold.rows.size(), 100u);
  ASSERT_EQ(cold.factors.rows(), static_cast<Eigen::Index>(cold.rows.size()));
  for (size_t c = 0; c < cold.rows.size(); ++c) {
    EXPECT_EQ(cold.rows[c] % 3, 0u);
    std::vector<std::pair<float, uint32_t>> best;
    for (const auto& [row, weight] : twin.Similar(cold.rows[c])) {
      if (row % 3 != 0) best.push_back({-weight, row});
    }
    std::sort(best.begin(), best.end());
    if (best.size() > 7 && best[6].first > best[7].first - 1e-5f)
      continue;  // a tie: either will do
    best.resize(std::min<size_t>(best.size(), 7));
    Eigen::RowVectorXf sum = Eigen::RowVectorXf::Zero(16);
    float weights = 0, length = 0;
    for (const auto& [negated, row] : best) {
      const float weight = std::pow(-negated, 1.5f);
      const Eigen::RowVectorXf factors = model_.factors.row(*model_.Find(catalogue_[row].id));
      sum += weight * factors;
      length += weight * factors.norm();
      weights += weight;
    }
    EXPECT_NEAR(cold.evidence[c], weights, 1e-4f);
    EXPECT_LT((cold.factors.row(static_cast<Eigen::Index>(c)) -
               sum.normalized() * length / (0.3f + weights))
                  .norm(),
              1e-4f);
  }
}

TEST_F(GuessFactorsTest, DoNotDependOnThreads) {
  const ColdProducts one =
      GuessFactors(index_, catalogue_, ColdRows(catalogue_, model_), model_, {}, 1);
  const ColdProducts four =
      GuessFactors(index_, catalogue_, ColdRows(catalogue_, model_), model_, {}, 4);
  EXPECT_EQ(one.rows, four.rows);
  EXPECT_EQ(one.evidence, four.evidence);
  EXPECT_TRUE(one.factors == four.factors);
}

TEST_F(GuessFactorsTest, LeaveOutWhatIsLikeNothing) {
  std::vector<Product> catalogue = catalogue_;
  catalogue.push_back(MakeProduct("odd", "unheard of"));
  const AttributeIndex index(catalogue);
  const ColdProducts cold =
      GuessFactors(index, catalogue, ColdRows(catalogue, model_), model_, {}, 1);
  for (const uint32_t row : cold.rows) EXPECT_NE(catalogue[row].id, "odd");
  for (const float evidence : cold.evidence) EXPECT_GT(evidence, 0);
}

TEST_F(GuessFactorsTest, GoNoFurtherThanTheEvidence) {
  const ColdProducts little =
      GuessFactors(index_, catalogue_, ColdRows(catalogue_, model_), model_, {.shrinkage = 10}, 1);
  const ColdProducts much =
      GuessFactors(index_, catalogue_, ColdRows(catalogue_, model_), model_, {.shrinkage = 0}, 1);
  for (Eigen::Index c = 0; c < little.factors.rows(); ++c) {
    const float evidence = little.evidence[static_cast<size_t>(c)];
    EXPECT_NEAR(little.factors.row(c).norm(),
                much.factors.row(c).norm() * evidence / (10 + evidence), 1e-4f);
  }
}

}  // namespace
}  // namespace vitrine
