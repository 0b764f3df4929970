#include "recommender/placements/assortment.h"

#include <algorithm>
#include <utility>

#include "xxhash.h"

#include "store/product_facts.h"

namespace vitrine {
namespace {

// What was ranked with the same guesses need not be ranked again because somebody looked.
uint64_t DigestOf(const GuessedProducts& guessed) {
  if (guessed.products.empty()) return 0;
  const auto add = [](const auto* values, auto count, uint64_t before) {
    return XXH3_64bits_withSeed(values, static_cast<size_t>(count) * sizeof(*values), before);
  };
  uint64_t digest = add(guessed.products.data(), guessed.products.size(), 0);
  digest = add(guessed.new_since_ms.data(), guessed.new_since_ms.size(), digest);
  return add(guessed.factors.data(), guessed.factors.size(), digest);
}

}  // namespace

Assortment::Assortment(std::span<const Product> catalogue, std::span<const uint32_t> numbers,
                       const Model& model)
    : numbers_(numbers.begin(), numbers.end()), index_(catalogue) {
  std::vector<std::pair<int64_t, uint32_t>> begun;
  for (size_t row = 0; row < catalogue.size(); ++row) {
    const Product& product = catalogue[row];
    if (product.__isset.available_from_ms) {
      begun.emplace_back(product.available_from_ms, numbers_[row]);
    } else if (product.in_catalogue && numbers_[row] >= model.products.size()) {
      begun.emplace_back(product.facts_time_ms, numbers_[row]);
    }
    if (!product.__isset.category) continue;
    const absl::string_view path = product.category;
    for (size_t end = 0; end != path.npos;) {
      end = path.find(kCategorySeparator, end == 0 ? 0 : end + kCategorySeparator.size());
      by_category_[path.substr(0, end)].push_back(numbers_[row]);
    }
  }
  std::sort(begun.begin(), begun.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (const auto& [since_ms, number] : begun) {
    newest_.push_back(number);
    new_since_ms_.push_back(since_ms);
  }
  Guess(catalogue, model);
  const auto popularity = [&model](uint32_t number) {
    return number < model.popularity.size() ? model.popularity[number] : 0;
  };
  for (auto& [category, products] : by_category_) {
    std::sort(products.begin(), products.end(), [&](uint32_t a, uint32_t b) {
      return popularity(a) != popularity(b) ? popularity(a) > popularity(b) : a < b;
    });
  }
}

void Assortment::Guess(std::span<const Product> catalogue, const Model& model) {
  absl::flat_hash_map<uint32_t, uint32_t> row_of;  // by number, of those the model does not know
  for (uint32_t row = 0; row < numbers_.size(); ++row) {
    if (numbers_[row] >= model.products.size()) row_of[numbers_[row]] = row;
  }
  std::vector<uint32_t> cold;
  absl::flat_hash_map<uint32_t, int64_t> since_ms;  // by row
  for (size_t i = 0; i < newest_.size() && cold.size() < kGuessedMax; ++i) {
    const auto row = row_of.find(newest_[i]);
    if (row == row_of.end()) continue;
    cold.push_back(row->second);
    since_ms[row->second] = new_since_ms_[i];
  }
  ColdProducts guesses = GuessFactors(index_, catalogue, cold, model, {}, /*threads=*/1);
  for (const uint32_t row : guesses.rows) {
    guessed_.rows[numbers_[row]] = static_cast<Eigen::Index>(guessed_.products.size());
    guessed_.products.push_back(numbers_[row]);
    guessed_.new_since_ms.push_back(since_ms[row]);
  }
  guessed_.factors = std::move(guesses.factors);
  guessed_.version = DigestOf(guessed_);
}

std::vector<Scored> Assortment::Alike(const Product& product, size_t k) const {
  return Similar(product, k);
}

std::vector<Scored> Assortment::Matching(absl::string_view words, size_t k) const {
  Product wanted;
  wanted.__set_name(std::string(words));
  return Similar(wanted, k);
}

std::vector<Scored> Assortment::Similar(const Product& product, size_t k) const {
  std::vector<Scored> list;
  for (const Cell& cell : index_.Similar(product, k)) {
    list.push_back({numbers_[cell.index], cell.weight});
  }
  return list;
}

std::span<const uint32_t> Assortment::InCategory(absl::string_view category) const {
  const auto it = by_category_.find(category);
  if (it == by_category_.end()) return {};
  return it->second;
}

}  // namespace vitrine
