#include "benchmarks/ranking_quality.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "recommender/learn/ease.h"
#include "recommender/learn/item_to_item.h"
#include "recommender/model/parallel.h"

namespace vitrine::benchmarks {
namespace {

constexpr size_t kCutoff = 20;
constexpr size_t kPersonsAtOnce = 32;

// The best kCutoff columns, best first.
std::vector<uint32_t> Top(std::span<const float> scores) {
  std::vector<std::pair<float, uint32_t>> heap;  // the worst of the best on top
  for (uint32_t i = 0; i < scores.size(); ++i) {
    if (heap.size() == kCutoff && scores[i] <= heap.front().first) continue;
    if (heap.size() == kCutoff) {
      std::ranges::pop_heap(heap, std::greater<>());
      heap.pop_back();
    }
    heap.emplace_back(scores[i], i);
    std::ranges::push_heap(heap, std::greater<>());
  }
  std::ranges::sort(heap, std::greater<>());
  std::vector<uint32_t> top;
  for (const auto& [score, column] : heap) top.push_back(column);
  return top;
}

Quality QualityOf(const std::vector<uint32_t>& top, std::span<const Cell> wanted) {
  double hits = 0, gain = 0, ideal = 0;
  for (size_t i = 0; i < top.size(); ++i) {
    const bool hit = std::ranges::binary_search(wanted, top[i], {}, &Cell::index);
    const double discount = 1 / std::log2(static_cast<double>(i) + 2);
    if (hit) hits += 1, gain += discount;
    if (i < wanted.size()) ideal += discount;
  }
  return {hits / static_cast<double>(wanted.size()), gain / ideal};
}

Quality Mean(const std::vector<Quality>& each) {
  Quality mean;
  for (const Quality& q : each) mean.recall += q.recall, mean.ndcg += q.ndcg;
  const auto count = static_cast<double>(each.size());
  return {mean.recall / count, mean.ndcg / count};
}

std::vector<uint32_t> PersonsAsked(const Questions& questions) {
  std::vector<uint32_t> all;
  for (uint32_t r = 0; r < questions.wanted.rows(); ++r) {
    if (!questions.wanted.row(r).empty()) all.push_back(r);
  }
  if (all.size() <= questions.persons) return all;
  std::vector<uint32_t> asked;
  for (size_t i = 0; i < questions.persons; ++i) {
    asked.push_back(all[i * all.size() / questions.persons]);
  }
  return asked;
}

// What a person has is out of question; the best of the others is 1.
void Normalize(std::span<const Cell> has, std::span<float> scores) {
  for (const Cell& cell : has) scores[cell.index] = -INFINITY;
  const float best = *std::ranges::max_element(scores);
  if (best <= 0) return;
  for (float& score : scores) score /= best;
}

void Append(std::span<Cell> cells, SparseRows* rows) {
  std::ranges::sort(cells, {}, &Cell::index);
  rows->cells.insert(rows->cells.end(), cells.begin(), cells.end());
  rows->offsets.push_back(rows->cells.size());
}

// `score` writes the scores of one history.
template <typename Score>
Scores ByHistory(const SparseRows& train, const Score& score) {
  return [&train, score](std::span<const uint32_t> persons, FactorMatrix* scores) {
    scores->resize(static_cast<Eigen::Index>(persons.size()),
                   static_cast<Eigen::Index>(train.columns));
    for (size_t i = 0; i < persons.size(); ++i) {
      score(train.row(persons[i]),
            std::span<float>(scores->row(static_cast<Eigen::Index>(i)).data(), train.columns));
    }
  };
}

}  // namespace

Split HoldOut(const SparseRows& all, uint32_t seed) {
  std::mt19937 random(seed);
  Split split;
  split.train.columns = split.held_out.columns = all.columns;
  for (size_t r = 0; r < all.rows(); ++r) {
    std::vector<Cell> row(all.row(r).begin(), all.row(r).end());
    std::shuffle(row.begin(), row.end(), random);
    const size_t tenth = (row.size() + random() % 10) / 10;
    const size_t held = row.empty() ? 0 : std::min(row.size() - 1, tenth);
    Append(std::span(row).first(held), &split.held_out);
    Append(std::span(row).subspan(held), &split.train);
  }
  return split;
}

Scores ByTaste(const AlsFactors& factors) {
  return [&factors](std::span<const uint32_t> persons, FactorMatrix* scores) {
    FactorMatrix some(static_cast<Eigen::Index>(persons.size()), factors.persons.cols());
    for (size_t i = 0; i < persons.size(); ++i) {
      some.row(static_cast<Eigen::Index>(i)) = factors.persons.row(persons[i]);
    }
    scores->noalias() = some * factors.products.transpose();
  };
}

Scores ByWeights(const SparseRows& weights, const SparseRows& train) {
  return ByHistory(train, [&weights](std::span<const Cell> history, std::span<float> scores) {
    ScoreByWeights(weights, history, scores);
  });
}

Scores ByLinks(const ItemLinkLists& links, const SparseRows& train) {
  return ByHistory(train, [&links](std::span<const Cell> history, std::span<float> scores) {
    ScoreByLinks(links, history, scores);
  });
}

std::vector<Quality> EvaluateBlends(const std::vector<Scores>& parts,
                                    const std::vector<std::vector<float>>& blends,
                                    const Questions& questions, uint32_t threads) {
  const std::vector<uint32_t> asked = PersonsAsked(questions);
  const size_t columns = questions.train.columns;
  std::vector<std::vector<Quality>> each(blends.size(), std::vector<Quality>(asked.size()));
  Chunks chunks(asked.size(), kPersonsAtOnce);
  RunOnThreads(threads, [&] {
    std::vector<FactorMatrix> scores(parts.size());
    std::vector<float> sum(columns);
    while (const auto chunk = chunks.Next()) {
      const std::span<const uint32_t> persons(&asked[chunk->begin], chunk->end - chunk->begin);
      for (size_t p = 0; p < parts.size(); ++p) parts[p](persons, &scores[p]);
      for (size_t i = 0; i < persons.size(); ++i) {
        const auto row = [&](size_t p) {
          return std::span<float>(scores[p].row(static_cast<Eigen::Index>(i)).data(), columns);
        };
        for (size_t p = 0; p < parts.size(); ++p)
          Normalize(questions.train.row(persons[i]), row(p));
        for (size_t b = 0; b < blends.size(); ++b) {
          std::ranges::fill(sum, 0.0f);
          for (size_t p = 0; p < parts.size(); ++p) {
            if (blends[b][p] == 0) continue;
            for (size_t c = 0; c < columns; ++c) sum[c] += blends[b][p] * row(p)[c];
          }
          each[b][chunk->begin + i] = QualityOf(Top(sum), questions.wanted.row(persons[i]));
        }
      }
    }
  });
  std::vector<Quality> means;
  for (const std::vector<Quality>& e : each) means.push_back(Mean(e));
  return means;
}

Quality Evaluate(const Scores& scores, const Questions& questions, uint32_t threads) {
  return EvaluateBlends({scores}, {{1.0f}}, questions, threads)[0];
}

}  // namespace vitrine::benchmarks
