#include "recommender/learn/cold_products.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "recommender/learn/words.h"
#include "recommender/model/parallel.h"
#include "store/product_facts.h"

namespace vitrine {
namespace {

constexpr double kBandsPerOctave = 2;
constexpr size_t kRescored = 4;  // times k, where long lists were cut
constexpr size_t kProductsPerChunk = 64;

// Calls `use` with each word of a product, told apart by field, and the weight of that field.
template <typename Use>
void ForEachWord(const Product& product, const AttributeSettings& settings, const Use& use) {
  const auto& set = product.__isset;
  if (set.name) {
    for (const std::string& word : Words(product.name)) use(absl::StrCat("n", word), settings.name);
  }
  if (set.category) {
    const absl::string_view path = product.category;
    for (size_t end = 0; end < path.size(); end += kCategorySeparator.size()) {
      end = std::min(path.find(kCategorySeparator, end), path.size());
      use(absl::StrCat("c", path.substr(0, end)), settings.category);
    }
  }
  if (set.brand) use(absl::StrCat("b", absl::StrJoin(Words(product.brand), " ")), settings.brand);
  if (set.price_minor && product.price_minor > 0) {
    const double band = kBandsPerOctave * std::log2(static_cast<double>(product.price_minor));
    use(absl::StrCat("p", product.currency, " ", std::floor(band)), settings.price);
    use(absl::StrCat("q", product.currency, " ", std::floor(band + 0.5)), settings.price);
  }
  if (set.attributes) {
    for (const auto& [key, value] : product.attributes) {
      use(absl::StrCat("a", key, "=", absl::StrJoin(Words(value), " ")), settings.attribute);
    }
  }
}

bool ByIndex(const Cell& a, const Cell& b) { return a.index < b.index; }

bool Better(const Cell& a, const Cell& b) {
  return a.weight != b.weight ? a.weight > b.weight : a.index < b.index;
}

// The k best, best first.
void KeepBest(size_t k, std::vector<Cell>* cells) {
  k = std::min(k, cells->size());
  std::partial_sort(cells->begin(), cells->begin() + static_cast<std::ptrdiff_t>(k), cells->end(),
                    Better);
  cells->resize(k);
}

// Of two vectors in the order of their indices.
float Dot(std::span<const Cell> a, std::span<const Cell> b) {
  float sum = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i].index == b[j].index) {
      sum += a[i++].weight * b[j++].weight;
    } else {
      a[i].index < b[j].index ? ++i : ++j;
    }
  }
  return sum;
}

// Of each row at most `most` cells, evenly spaced.
SparseRows EvenlySpaced(const SparseRows& rows, size_t most) {
  SparseRows spaced;
  spaced.columns = rows.columns;
  for (size_t r = 0; r < rows.rows(); ++r) {
    const std::span<const Cell> row = rows.row(r);
    const size_t kept = std::min(row.size(), most);
    for (size_t i = 0; i < kept; ++i) spaced.cells.push_back(row[i * row.size() / kept]);
    spaced.offsets.push_back(spaced.cells.size());
  }
  return spaced;
}

}  // namespace

AttributeIndex::AttributeIndex(std::span<const Product> catalogue,
                               const AttributeSettings& settings)
    : settings_(settings) {
  struct Count {
    uint32_t products = 0;
    uint32_t last = 0;  // 1 + the row that was counted last
    float weight = 0;
  };
  absl::flat_hash_map<std::string, Count> counts;
  for (uint32_t row = 0; row < catalogue.size(); ++row) {
    ForEachWord(catalogue[row], settings_, [&](std::string word, float weight) {
      Count& count = counts[word];
      count.weight = weight;
      if (std::exchange(count.last, row + 1) != row + 1) ++count.products;
    });
  }
  // Numbers by the words themselves: a hash table's order is another in every process.
  std::vector<std::pair<absl::string_view, float>> shared;
  for (const auto& [word, count] : counts) {
    const double idf = std::log(static_cast<double>(catalogue.size()) / count.products);
    if (count.products > 1 && idf > 0) {
      shared.push_back({word, count.weight * static_cast<float>(idf)});
    }
  }
  std::sort(shared.begin(), shared.end());
  for (uint32_t i = 0; i < shared.size(); ++i) words_[shared[i].first] = {i, shared[i].second};

  for (const Product& product : catalogue) {
    ids_.push_back(product.id);
    const std::vector<Cell> vector = VectorOf(product);
    by_product_.cells.insert(by_product_.cells.end(), vector.begin(), vector.end());
    by_product_.offsets.push_back(by_product_.cells.size());
  }
  by_product_.columns = words_.size();
  by_word_ = EvenlySpaced(by_product_.Transposed(), settings_.postings_max);
}

// Of length 1, in the order of words; empty if it shares nothing with anything.
std::vector<Cell> AttributeIndex::VectorOf(const Product& product) const {
  std::vector<Cell> vector;
  ForEachWord(product, settings_, [&](const std::string& word, float) {
    if (const auto found = words_.find(word); found != words_.end()) {
      vector.push_back(found->second);
    }
  });
  std::sort(vector.begin(), vector.end(), ByIndex);
  vector.erase(std::unique(vector.begin(), vector.end()), vector.end());
  float squares = 0;
  for (const Cell& cell : vector) squares += cell.weight * cell.weight;
  for (Cell& cell : vector) cell.weight /= std::sqrt(squares);
  return vector;
}

std::vector<Cell> AttributeIndex::Similar(const Product& product, size_t k,
                                          const std::function<bool(uint32_t row)>& wanted) const {
  const std::vector<Cell> vector = VectorOf(product);
  absl::flat_hash_map<uint32_t, float> sums;
  bool exact = true;
  for (const Cell& word : vector) {
    const std::span<const Cell> postings = by_word_.row(word.index);
    exact = exact && postings.size() < settings_.postings_max;
    for (const Cell& posting : postings) sums[posting.index] += word.weight * posting.weight;
  }
  std::vector<Cell> similar;
  for (const auto& [row, sum] : sums) {
    if (ids_[row] == product.id || (wanted && !wanted(row))) continue;
    similar.push_back({row, sum});
  }
  if (!exact) {
    KeepBest(kRescored * k, &similar);
    for (Cell& cell : similar) cell.weight = Dot(vector, by_product_.row(cell.index));
  }
  KeepBest(k, &similar);
  return similar;
}

std::vector<uint32_t> ColdRows(std::span<const Product> catalogue, const Model& model) {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < catalogue.size(); ++row) {
    if (!model.Find(catalogue[row].id)) rows.push_back(row);
  }
  return rows;
}

ColdProducts GuessFactors(const AttributeIndex& index, std::span<const Product> catalogue,
                          std::span<const uint32_t> cold, const Model& model,
                          const ColdSettings& settings, uint32_t threads) {
  std::vector<std::optional<uint32_t>> warm;
  for (const Product& product : catalogue) warm.push_back(model.Find(product.id));
  const Eigen::VectorXf lengths = model.factors.rowwise().norm();
  FactorMatrix guesses(cold.size(), model.factors.cols());
  std::vector<float> evidence(cold.size());
  Chunks chunks(cold.size(), kProductsPerChunk);
  RunOnThreads(threads, [&] {
    while (const std::optional<Chunks::Range> chunk = chunks.Next()) {
      for (size_t c = chunk->begin; c < chunk->end; ++c) {
        auto guess = guesses.row(static_cast<Eigen::Index>(c));
        guess.setZero();
        float length = 0;
        for (const Cell& like :
             index.Similar(catalogue[cold[c]], settings.neighbours,
                           [&warm](uint32_t row) { return warm[row].has_value(); })) {
          const float weight = std::pow(like.weight, settings.sharpness);
          guess += weight * model.factors.row(*warm[like.index]);
          length += weight * lengths[*warm[like.index]];
          evidence[c] += weight;
        }
        guess.normalize();  // zero stays zero
        guess *= length / (settings.shrinkage + evidence[c]);
      }
    }
  });

  ColdProducts products;
  for (size_t c = 0; c < cold.size(); ++c) {
    if (!(evidence[c] > 0)) continue;
    guesses.row(static_cast<Eigen::Index>(products.rows.size())) =
        guesses.row(static_cast<Eigen::Index>(c));
    products.rows.push_back(cold[c]);
    products.evidence.push_back(evidence[c]);
  }
  products.factors = guesses.topRows(static_cast<Eigen::Index>(products.rows.size()));
  return products;
}

}  // namespace vitrine
