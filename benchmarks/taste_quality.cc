// Ranking quality of iALS, of item-to-item links and of both together on Gowalla (LightGCN's split)
// or on MovieLens-1M (ratings of 4 and 5; the settings chosen on what is trained on for fold 1,
// then all five folds tested), by the protocol in ranking_quality.h.
//
//   taste_quality [gowalla|movielens] [--factors 64,128,256,512] [--blend] [--ease 200,0]
//                 [--minutes 10]
//                 [--solver exact] [--persons 5000] [--start 0,0,1,0] [--given .01,.09569,.5,.1,8]
//                 [--data FOLDER]
//
// Settings are chosen on a tenth of each person's training cells, held out at random, by Recall@20
// + NDCG@20: from the best of the number of factors before, one setting at a time is changed until
// nothing is better or the time is over. Then all training cells are trained on, and the test part
// is looked at once. The weights of the blend are chosen on the same tenth.
//
// Training begins from random products, not from random persons: see benchmarks/README.md.

#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"

#include "benchmarks/ranking_quality.h"
#include "benchmarks/ranking_sets.h"
#include "recommender/learn/als/als.h"
#include "recommender/learn/ease.h"
#include "recommender/learn/item_to_item.h"
#include "store/base/status_macros.h"

namespace vitrine::benchmarks {
namespace {

constexpr uint32_t kSplitSeed = 1;
constexpr size_t kLinks = 400;  // of a product

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

AlsTrainer FromRandomProducts(const SparseRows& train, const AlsSettings& settings) {
  AlsTrainer trainer(train, settings);
  trainer.StartFrom(RandomFactors(train.columns, settings));
  return trainer;
}

// What is searched. The strength is that of an average person's regularization term, whatever the
// exponent and the unobserved weight: a grid of it then has its best in much the same place.
struct Point {
  int weight = 0;    // unobserved weight 0.01 * 2^(weight / 2)
  int strength = 0;  // 2 * 2^(strength / 2)
  int exponent = 1;  // exponent / 2
  int init = 0;      // standard deviation of the first products 0.1 * 10^(init / 2)

  auto operator<=>(const Point&) const = default;
};

AlsSettings SettingsOf(const Point& p, const SparseRows& train, AlsSettings settings) {
  settings.unobserved_weight = 0.01f * std::exp2(static_cast<float>(p.weight) / 2);
  settings.regularization_exponent = static_cast<float>(p.exponent) / 2;
  settings.init_stddev = 0.1f * std::pow(10.0f, static_cast<float>(p.init) / 2);
  const float strength = 2 * std::exp2(static_cast<float>(p.strength) / 2);
  const float degree = static_cast<float>(train.cells.size()) / static_cast<float>(train.rows());
  settings.regularization =
      strength / std::pow(degree + settings.unobserved_weight * static_cast<float>(train.columns),
                          settings.regularization_exponent);
  return settings;
}

void Print(const char* what, const AlsSettings& s, const Quality& q) {
  std::printf("%s d=%u w=%.4f reg=%.5f exponent=%.1f init=%.3f epochs=%u: %.4f / %.4f\n", what,
              s.factors, s.unobserved_weight, s.regularization, s.regularization_exponent,
              s.init_stddev, s.epochs, q.recall, q.ndcg);
  std::fflush(stdout);
}

constexpr uint32_t kLooks[] = {2, 3, 4, 5, 6, 8, 10, 12, 16};

struct Choice {
  Quality quality;
  uint32_t epochs = 0;
};

class Search {
 public:
  Search(const Split& split, const AlsSettings& base, size_t persons, double seconds)
      : split_(split), base_(base), persons_(persons), end_(Seconds() + seconds) {}

  // From `start`, as long as changing one setting is better and there is time.
  Point Climb(const Point& start) {
    Point at = start;
    double best = Look(at).quality.Sum();
    for (bool better = true; better;) {
      better = false;
      for (const Point& next : Neighbours(at)) {
        if (Seconds() > end_) return at;
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
    for (const int step : {1, -1}) out.push_back({p.weight, p.strength + step, p.exponent, p.init});
    for (const int step : {-1, 1}) out.push_back({p.weight + step, p.strength, p.exponent, p.init});
    out.push_back({p.weight, p.strength, 3 - p.exponent, p.init});
    for (const int step : {-1, 1}) out.push_back({p.weight, p.strength, p.exponent, p.init + step});
    return out;
  }

  // Until the second look that is worse than the best.
  Choice Train(const Point& p) {
    AlsSettings settings = SettingsOf(p, split_.train, base_);
    AlsTrainer trainer = FromRandomProducts(split_.train, settings);
    Choice best;
    uint32_t epoch = 0;
    int worse = 0;
    for (const uint32_t look : kLooks) {
      for (; epoch < look; ++epoch) trainer.RunEpoch();
      const AlsFactors factors = trainer.Factors();
      const Quality q =
          Evaluate(ByTaste(factors), {split_.train, split_.held_out, persons_}, base_.threads);
      if (q.Sum() > best.quality.Sum()) {
        best = {q, look};
        worse = 0;
      } else if (++worse == 2) {
        break;
      }
    }
    settings.epochs = best.epochs;
    Print("  validation", settings, best.quality);
    return best;
  }

  const Split& split_;
  const AlsSettings base_;
  const size_t persons_;
  const double end_;
  std::map<Point, Choice> seen_;
};

AlsFactors Train(const SparseRows& train, const AlsSettings& settings) {
  AlsTrainer trainer = FromRandomProducts(train, settings);
  for (uint32_t epoch = 0; epoch < settings.epochs; ++epoch) trainer.RunEpoch();
  return trainer.Factors();
}

struct Options {
  std::string set = "gowalla";
  std::vector<uint32_t> factors = {64, 128, 256, 512};
  std::string data;
  std::string solver = "exact";
  size_t persons = 5'000;
  double minutes = 10;
  std::vector<int> start = {0, 0, 1, 0};
  std::vector<float> given;
  bool blend = false;
  std::vector<float> ease;
  uint32_t threads = 2;
};

// What goes with what, by either of two ways; a person with many products says less about each
// pair.
struct Linear {
  ItemLinkLists cosine;
  SparseRows ease;  // empty unless wanted
};

SparseRows DownWeighted(SparseRows rows) {
  for (size_t r = 0; r < rows.rows(); ++r) {
    const float weight = 1 / std::sqrt(static_cast<float>(rows.row(r).size()));
    for (size_t c = rows.offsets[r]; c < rows.offsets[r + 1]; ++c) rows.cells[c].weight = weight;
  }
  return rows;
}

Linear LearnLinear(const SparseRows& train, const Options& options) {
  const double begin = Seconds();
  Linear linear;
  linear.cosine = LearnItemToItem(DownWeighted(train), {.links = kLinks,
                                                        .together_min = 1,
                                                        .row_cells_max = SIZE_MAX,
                                                        .threads = options.threads})
                      .by_cosine;
  std::printf("  cosines: %.1f s\n", Seconds() - begin);
  if (options.ease.empty()) return linear;
  const double ease_begin = Seconds();
  linear.ease = LearnEase(train, {.regularization = options.ease[0],
                                  .dropout = options.ease[1],
                                  .weights = kLinks,
                                  .tolerance = 0.01f,
                                  .threads = options.threads});
  std::printf("  EASE: %.1f s\n", Seconds() - ease_begin);
  return linear;
}

// Shares of iALS, of the cosines and, if there is one, of EASE.
std::vector<std::vector<float>> Blends(size_t parts) {
  std::vector<std::vector<float>> blends;
  for (int cosine = 0; cosine <= 10; ++cosine) {
    for (int ease = 0; ease <= (parts == 3 ? 10 - cosine : 0); ++ease) {
      const float left = static_cast<float>(10 - cosine - ease) / 10;
      blends.push_back({left, static_cast<float>(cosine) / 10});
      if (parts == 3) blends.back().push_back(static_cast<float>(ease) / 10);
    }
  }
  return blends;
}

std::string NameOf(const std::vector<float>& blend) {
  constexpr const char* kNames[] = {"iALS", "cosine", "EASE"};
  std::string name;
  for (size_t p = 0; p < blend.size(); ++p) {
    if (blend[p] > 0) absl::StrAppendFormat(&name, " %.1f %s", blend[p], kNames[p]);
  }
  return name;
}

class Table {
 public:
  Table(const std::vector<RankingSet>& sets, const Options& options, const AlsSettings& base)
      : sets_(sets), options_(options), base_(base) {
    if (!options.given.empty() && !options.blend) return;
    split_ = HoldOut(sets[0].train, kSplitSeed);
    if (!options.blend) return;
    validation_linear_ = LearnLinear(split_.train, options);
    for (const RankingSet& set : sets) linear_.push_back(LearnLinear(set.train, options));
  }

  void Print() {
    Point point{options_.start[0], options_.start[1], options_.start[2], options_.start[3]};
    for (const uint32_t d : options_.factors) {
      AlsSettings settings = base_;
      settings.factors = d;
      if (options_.given.empty()) {
        Search search(split_, settings, options_.persons, options_.minutes * 60);
        point = search.Climb(point);
        settings.epochs = search.Look(point).epochs;
        std::printf("chosen: --start %d,%d,%d,%d\n", point.weight, point.strength, point.exponent,
                    point.init);
        Test(point, settings);
      } else {
        settings.unobserved_weight = options_.given[0];
        settings.regularization = options_.given[1];
        settings.regularization_exponent = options_.given[2];
        settings.init_stddev = options_.given[3];
        settings.epochs = static_cast<uint32_t>(options_.given[4]);
        Test(std::nullopt, settings);
      }
    }
  }

 private:
  std::vector<Scores> Parts(const AlsFactors& factors, const Linear* linear,
                            const SparseRows& train) const {
    std::vector<Scores> parts = {ByTaste(factors)};
    if (linear == nullptr) return parts;
    parts.push_back(ByLinks(linear->cosine, train));
    if (!options_.ease.empty()) parts.push_back(ByWeights(linear->ease, train));
    return parts;
  }

  std::vector<float> ChooseBlend(const AlsSettings& settings) {
    const AlsFactors factors = Train(split_.train, settings);
    const std::vector<Scores> parts = Parts(factors, &validation_linear_, split_.train);
    const std::vector<std::vector<float>> blends = Blends(parts.size());
    const std::vector<Quality> tried = EvaluateBlends(
        parts, blends, {split_.train, split_.held_out, options_.persons}, base_.threads);
    size_t best = 0;
    for (size_t i = 0; i < tried.size(); ++i) {
      std::printf("  validation%s: %.4f / %.4f\n", NameOf(blends[i]).c_str(), tried[i].recall,
                  tried[i].ndcg);
      if (tried[i].Sum() > tried[best].Sum()) best = i;
    }
    return blends[best];
  }

  // What is looked at: each part by itself, and the blend that the validation part prefers.
  std::vector<std::vector<float>> BlendsToTest(const AlsSettings& settings) {
    if (!options_.blend) return {{1}};
    std::vector<std::vector<float>> blends = {{1, 0}, {0, 1}};
    if (!options_.ease.empty()) blends = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    blends.push_back(ChooseBlend(settings));
    return blends;
  }

  // Looks at the test part, once.
  void Test(const std::optional<Point>& point, const AlsSettings& given) {
    const auto settings_for = [&](const SparseRows& train) {
      return point ? SettingsOf(*point, train, given) : given;
    };
    const std::vector<std::vector<float>> blends = BlendsToTest(settings_for(split_.train));
    std::vector<Quality> means(blends.size());
    for (size_t s = 0; s < sets_.size(); ++s) {
      const AlsFactors factors = Train(sets_[s].train, settings_for(sets_[s].train));
      const std::vector<Quality> qualities =
          EvaluateBlends(Parts(factors, options_.blend ? &linear_[s] : nullptr, sets_[s].train),
                         blends, {sets_[s].train, sets_[s].test}, base_.threads);
      for (size_t b = 0; b < blends.size(); ++b) {
        means[b].recall += qualities[b].recall / static_cast<double>(sets_.size());
        means[b].ndcg += qualities[b].ndcg / static_cast<double>(sets_.size());
      }
    }
    benchmarks::Print("TEST", settings_for(sets_[0].train), means[0]);
    for (size_t b = 1; b < blends.size(); ++b) {
      std::printf("TEST%s: %.4f / %.4f\n", NameOf(blends[b]).c_str(), means[b].recall,
                  means[b].ndcg);
    }
    std::fflush(stdout);
  }

  const std::vector<RankingSet>& sets_;
  const Options& options_;
  const AlsSettings base_;
  Split split_;
  Linear validation_linear_;
  std::vector<Linear> linear_;  // by set
};

absl::StatusOr<std::vector<RankingSet>> ReadSets(const Options& options) {
  std::vector<RankingSet> sets;
  if (options.set == "gowalla") {
    ASSIGN_OR_RETURN(RankingSet set,
                     ReadGowalla(options.data.empty() ? kGowallaFolder : options.data));
    sets.push_back(std::move(set));
  } else {
    for (int fold = 1; fold <= kMovielensFolds; ++fold) {
      ASSIGN_OR_RETURN(RankingSet set,
                       ReadMovielens(options.data.empty() ? kMovielensFolder : options.data, fold));
      sets.push_back(std::move(set));
    }
  }
  return sets;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Recall@20 and NDCG@20 of iALS and links, settings chosen on the training part");
  app.add_option("set", options.set)->check(CLI::IsMember({"gowalla", "movielens"}));
  app.add_option("--factors", options.factors, "numbers of factors, ascending")->delimiter(',');
  app.add_option("--solver", options.solver, "exact, cg or ials++");
  app.add_option("--persons", options.persons, "to choose settings by");
  app.add_option("--minutes", options.minutes, "to choose settings in, per number of factors");
  app.add_option("--start", options.start, "where the search begins: Point, in the source")
      ->delimiter(',')
      ->expected(4);
  app.add_option("--given", options.given,
                 "unobserved weight, regularization, exponent, init, epochs: choose nothing")
      ->delimiter(',')
      ->expected(5);
  app.add_flag("--blend", options.blend, "also item-to-item, and both together");
  app.add_option("--ease", options.ease, "regularization and dropout of EASE, in the blend too")
      ->delimiter(',')
      ->expected(2);
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 1024));
  app.add_option("--data", options.data, "folder of the set");
  CLI11_PARSE(app, argc, argv);
  const absl::StatusOr<std::vector<RankingSet>> sets = ReadSets(options);
  const std::optional<AlsSolver> solver = SolverOfName(options.solver);
  if (!sets.ok() || !solver) {
    std::fprintf(stderr, "%s\n", solver ? sets.status().ToString().c_str() : "no such solver");
    return 1;
  }
  Table(*sets, options, {.solver = *solver, .threads = options.threads}).Print();
  return 0;
}

}  // namespace
}  // namespace vitrine::benchmarks

int main(int argc, char** argv) { return vitrine::benchmarks::Main(argc, argv); }
