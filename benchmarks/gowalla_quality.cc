// Ranking quality of iALS on the Gowalla check-ins, by the protocol of LightGCN: every place that a
// person was not at in the training part is ranked; Recall@20 = hits / places to find, NDCG@20 with
// binary gains, means over persons.
//
//   gowalla_quality [--factors 64,128,256,512] [--solver exact] [--persons 10000] [--start 0,0,1]
//                   [--given .01,.0045786,1,8] [--data FOLDER]
//
// Settings (unobserved weight, strength and exponent of the regularization, epochs) are chosen on a
// tenth of each person's training cells, held out at random, by Recall@20 + NDCG@20: from the best
// of the number of factors before, one setting at a time is changed until nothing is better. Then
// all training cells are trained on, and the test part is looked at once.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"

#include "benchmarks/gowalla.h"
#include "recommender/learn/als/als.h"
#include "recommender/model/parallel.h"

namespace vitrine::benchmarks {
namespace {

constexpr size_t kCutoff = 20;
constexpr uint32_t kSplitSeed = 1;

struct Quality {
  double recall = 0;
  double ndcg = 0;
  double Sum() const { return recall + ndcg; }
};

// The best kCutoff columns, best first.
std::vector<uint32_t> Top(const float* scores, size_t columns) {
  std::vector<std::pair<float, uint32_t>> heap;  // the worst of the best on top
  for (uint32_t i = 0; i < columns; ++i) {
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

// Of the first `persons` persons who have something to find.
Quality Evaluate(const AlsFactors& factors, const SparseRows& train, const SparseRows& wanted,
                 size_t persons, uint32_t threads) {
  constexpr size_t kPersonsAtOnce = 32;
  std::vector<uint32_t> asked;
  for (uint32_t r = 0; r < wanted.rows() && asked.size() < persons; ++r) {
    if (!wanted.row(r).empty()) asked.push_back(r);
  }
  std::vector<Quality> each(asked.size());
  Chunks chunks(asked.size(), kPersonsAtOnce);
  RunOnThreads(threads, [&] {
    FactorMatrix some(kPersonsAtOnce, factors.persons.cols());
    FactorMatrix scores;
    while (const auto chunk = chunks.Next()) {
      for (size_t i = chunk->begin; i < chunk->end; ++i) {
        some.row(static_cast<Eigen::Index>(i - chunk->begin)) = factors.persons.row(asked[i]);
      }
      scores.noalias() = some * factors.products.transpose();
      for (size_t i = chunk->begin; i < chunk->end; ++i) {
        float* const row = scores.row(static_cast<Eigen::Index>(i - chunk->begin)).data();
        for (const Cell& cell : train.row(asked[i])) row[cell.index] = -INFINITY;
        each[i] = QualityOf(Top(row, train.columns), wanted.row(asked[i]));
      }
    }
  });
  Quality mean;
  for (const Quality& q : each) mean.recall += q.recall, mean.ndcg += q.ndcg;
  const auto count = static_cast<double>(each.size());
  return {mean.recall / count, mean.ndcg / count};
}

struct Split {
  SparseRows train;
  SparseRows held_out;
};

// A tenth of each row's cells, rounded at random, and never all of them.
Split HoldOut(const SparseRows& all) {
  std::mt19937 random(kSplitSeed);
  Split split;
  split.train.columns = split.held_out.columns = all.columns;
  for (size_t r = 0; r < all.rows(); ++r) {
    std::vector<Cell> row(all.row(r).begin(), all.row(r).end());
    std::shuffle(row.begin(), row.end(), random);
    const size_t held = std::min(row.size() - 1, (row.size() + random() % 10) / 10);
    std::sort(row.begin(), row.begin() + static_cast<ptrdiff_t>(held),
              [](const Cell& a, const Cell& b) { return a.index < b.index; });
    std::sort(row.begin() + static_cast<ptrdiff_t>(held), row.end(),
              [](const Cell& a, const Cell& b) { return a.index < b.index; });
    split.held_out.cells.insert(split.held_out.cells.end(), row.begin(),
                                row.begin() + static_cast<ptrdiff_t>(held));
    split.held_out.offsets.push_back(split.held_out.cells.size());
    split.train.cells.insert(split.train.cells.end(), row.begin() + static_cast<ptrdiff_t>(held),
                             row.end());
    split.train.offsets.push_back(split.train.cells.size());
  }
  return split;
}

// What is searched. The strength is that of an average person's regularization term, whatever the
// exponent and the unobserved weight: a grid of it then has its best in much the same place.
struct Point {
  int weight = 0;    // unobserved weight 0.01 * 2^(weight / 2)
  int strength = 0;  // 2 * 2^(strength / 2)
  int exponent = 1;  // exponent / 2

  auto operator<=>(const Point&) const = default;
};

AlsSettings SettingsOf(const Point& p, const SparseRows& train, AlsSettings settings) {
  settings.unobserved_weight = 0.01f * std::exp2(static_cast<float>(p.weight) / 2);
  settings.regularization_exponent = static_cast<float>(p.exponent) / 2;
  const float strength = 2 * std::exp2(static_cast<float>(p.strength) / 2);
  const float degree = static_cast<float>(train.cells.size()) / static_cast<float>(train.rows());
  settings.regularization =
      strength / std::pow(degree + settings.unobserved_weight * static_cast<float>(train.columns),
                          settings.regularization_exponent);
  return settings;
}

struct Choice {
  Quality quality;
  uint32_t epochs = 0;
};

constexpr uint32_t kLooks[] = {2, 3, 4, 5, 6, 8, 10, 12, 16};

class Search {
 public:
  Search(const Split& split, const AlsSettings& base, size_t persons)
      : split_(split), base_(base), persons_(persons) {}

  // From `start`, as long as changing one setting is better. The last word has `best()`.
  Point Climb(Point start) {
    Point at = start;
    double best = Look(at).quality.Sum();
    for (bool better = true; better;) {
      better = false;
      for (const Point& next : Neighbours(at)) {
        const double sum = Look(next).quality.Sum();
        if (sum <= best) continue;
        best = sum;
        at = next;
        better = true;
        break;
      }
    }
    return at;
  }

  const Choice& Look(const Point& p) {
    const auto [entry, is_new] = seen_.try_emplace(p);
    if (is_new) entry->second = Train(p);
    return entry->second;
  }

 private:
  static std::vector<Point> Neighbours(const Point& p) {
    std::vector<Point> out;
    for (const int step : {1, -1}) out.push_back({p.weight, p.strength + step, p.exponent});
    for (const int step : {-1, 1}) out.push_back({p.weight + step, p.strength, p.exponent});
    out.push_back({p.weight, p.strength, 3 - p.exponent});
    return out;
  }

  // Until the second look that is worse than the best.
  Choice Train(const Point& p) {
    AlsTrainer trainer(split_.train, SettingsOf(p, split_.train, base_));
    Choice best;
    uint32_t epoch = 0;
    int worse = 0;
    for (const uint32_t look : kLooks) {
      for (; epoch < look; ++epoch) trainer.RunEpoch();
      const Quality q =
          Evaluate(trainer.Factors(), split_.train, split_.held_out, persons_, base_.threads);
      if (q.Sum() > best.quality.Sum()) {
        best = {q, look};
        worse = 0;
      } else if (++worse == 2) {
        break;
      }
    }
    const AlsSettings s = SettingsOf(p, split_.train, base_);
    std::printf("  d=%u w=%.4f reg=%.5f exponent=%.1f epochs=%u: validation %.4f / %.4f\n",
                s.factors, s.unobserved_weight, s.regularization, s.regularization_exponent,
                best.epochs, best.quality.recall, best.quality.ndcg);
    std::fflush(stdout);
    return best;
  }

  const Split& split_;
  const AlsSettings base_;
  const size_t persons_;
  std::map<Point, Choice> seen_;
};

// Trains on all training cells and looks at the test part, once.
void Test(const Gowalla& gowalla, const AlsSettings& s) {
  AlsTrainer trainer(gowalla.train, s);
  for (uint32_t epoch = 0; epoch < s.epochs; ++epoch) trainer.RunEpoch();
  const Quality test =
      Evaluate(trainer.Factors(), gowalla.train, gowalla.test, gowalla.test.rows(), s.threads);
  std::printf("d=%u w=%.4f reg=%.5f exponent=%.1f epochs=%u: TEST Recall@20 %.4f NDCG@20 %.4f\n",
              s.factors, s.unobserved_weight, s.regularization, s.regularization_exponent, s.epochs,
              test.recall, test.ndcg);
  std::fflush(stdout);
}

struct Options {
  std::vector<uint32_t> factors = {64, 128, 256, 512};
  std::string data = kGowallaFolder;
  std::string solver = "exact";
  size_t persons = 10'000;
  std::vector<int> start = {0, 0, 1};
  std::vector<float> given;
  uint32_t threads = 2;
};

void Choose(const Gowalla& gowalla, const Options& options, AlsSettings base) {
  const Split split = HoldOut(gowalla.train);
  Point point{options.start[0], options.start[1], options.start[2]};
  for (const uint32_t d : options.factors) {
    base.factors = d;
    Search search(split, base, options.persons);
    point = search.Climb(point);
    AlsSettings chosen = SettingsOf(point, gowalla.train, base);
    chosen.epochs = search.Look(point).epochs;
    std::printf("chosen (--start %d,%d,%d): ", point.weight, point.strength, point.exponent);
    Test(gowalla, chosen);
  }
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Recall@20 and NDCG@20 of iALS on Gowalla, settings chosen on the training part");
  app.add_option("--factors", options.factors, "numbers of factors, ascending")->delimiter(',');
  app.add_option("--solver", options.solver, "exact, cg or ials++");
  app.add_option("--persons", options.persons, "to choose settings by");
  app.add_option("--start", options.start, "where the search begins: Point, in the source")
      ->delimiter(',')
      ->expected(3);
  app.add_option("--given", options.given,
                 "unobserved weight, regularization, exponent, epochs: choose nothing")
      ->delimiter(',')
      ->expected(4);
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 1024));
  app.add_option("--data", options.data, "folder of train.txt.zst and test.txt.zst");
  CLI11_PARSE(app, argc, argv);
  const absl::StatusOr<Gowalla> gowalla = ReadGowalla(options.data);
  const std::optional<AlsSolver> solver = SolverOfName(options.solver);
  if (!gowalla.ok() || !solver) {
    std::fprintf(stderr, "%s\n", solver ? gowalla.status().ToString().c_str() : "no such solver");
    return 1;
  }
  AlsSettings base{.solver = *solver, .threads = options.threads};
  if (options.given.empty()) {
    Choose(*gowalla, options, base);
    return 0;
  }
  for (const uint32_t d : options.factors) {
    base.factors = d;
    base.unobserved_weight = options.given[0];
    base.regularization = options.given[1];
    base.regularization_exponent = options.given[2];
    base.epochs = static_cast<uint32_t>(options.given[3]);
    Test(*gowalla, base);
  }
  return 0;
}

}  // namespace
}  // namespace vitrine::benchmarks

int main(int argc, char** argv) { return vitrine::benchmarks::Main(argc, argv); }
