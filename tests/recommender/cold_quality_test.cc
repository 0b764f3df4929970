// Whether guessed factors say who will want a product that nobody has touched yet. One product in
// ten is taken out of everybody's history, as if it had never been sold; then, for each person who
// did want some of them, all of them are ranked by the rest of that person's history.

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "experiments/simulation/traffic.h"
#include "ingest/formats/csv.h"
#include "recommender/learn/cold_products.h"
#include "recommender/learn/trainer.h"
#include "recommender/offline/metrics.h"
#include "recommender/rank/fold_in.h"
#include "recommender/rank/live_ranker.h"
#include "recommender/rank/retrieval.h"
#include "tests/recommender/session_sets.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

constexpr size_t kListLength = 20;
constexpr uint32_t kSeed = 7;

struct Act {
  EventKind kind;
  uint32_t product;
  int64_t time_ms = 0;  // where the data set says
};

struct History {
  std::vector<Product> catalogue;
  std::vector<std::vector<Act>> persons;
};

struct Quality {
  double auc = 0, recall = 0, ndcg = 0;  // among those that nobody touched
  double recall_of_all = 0;              // among all products,
  double places = 0;                     // and what part of those lists nobody touched
};

class Trial {
 public:
  Trial(History history, uint32_t seed) : history_(std::move(history)) {
    std::cout << "seed " << seed << "\n";
    std::vector<uint32_t> order(history_.catalogue.size());
    for (uint32_t p = 0; p < order.size(); ++p) order[p] = p;
    std::shuffle(order.begin(), order.end(), std::mt19937(seed));
    hidden_.assign(order.size(), false);
    for (size_t i = 0; i < order.size() / 10; ++i) hidden_[order[i]] = true;
    model_ = Train([this](uint32_t product) { return !hidden_[product]; });
    known_ = Train([](uint32_t) { return true; });
  }

  // Prints the table; the quality by method.
  std::map<std::string, Quality> Run(const ColdSettings& settings = {},
                                     const AttributeSettings& attributes = {}) {
    const AttributeIndex index(history_.catalogue, attributes);
    const ColdProducts cold = GuessFactors(
        index, history_.catalogue, ColdRows(history_.catalogue, model_), model_, settings, 0);
    candidates_.clear();
    guessed_ = FactorMatrix();
    std::vector<Eigen::Index> rows;
    for (size_t c = 0; c < cold.rows.size(); ++c) {
      if (!known_.Find(history_.catalogue[cold.rows[c]].id)) continue;  // nobody's at all
      candidates_.push_back(cold.rows[c]);
      rows.push_back(static_cast<Eigen::Index>(c));
    }
    guessed_ = cold.factors(rows, Eigen::all);
    RankPopularity(index);
    return MeasureAll();
  }

 private:
  using Scores = std::vector<float>;

  Model Train(const std::function<bool(uint32_t)>& takes) {
    InteractionsBuilder builder({}, 0);
    for (const std::vector<Act>& person : history_.persons) {
      for (const Act& act : person) {
        if (takes(act.product)) builder.Add(act.kind, 0, history_.catalogue[act.product].id);
      }
      builder.EndPerson();
    }
    return Value(TrainModel(std::move(builder).Build(), {}));
  }

  // How popular, on average, are the products in the same category; where the catalogue has none,
  // the most similar ones.
  void RankPopularity(const AttributeIndex& index) {
    std::map<std::string, std::pair<double, double>> of_category;
    for (const Product& product : history_.catalogue) {
      if (const auto row = model_.Find(product.id)) {
        auto& [sum, count] = of_category[product.category];
        sum += model_.popularity[*row];
        ++count;
      }
    }
    popularity_.clear();
    for (const uint32_t c : candidates_) {
      const Product& product = history_.catalogue[c];
      double sum = 0, count = 0;
      if (product.__isset.category) {
        std::tie(sum, count) = of_category[product.category];
      } else {
        for (const Cell& like : index.Similar(product, 20, [this](uint32_t row) {
               return model_.Find(history_.catalogue[row].id).has_value();
             })) {
          sum += model_.popularity[*model_.Find(history_.catalogue[like.index].id)];
          ++count;
        }
      }
      popularity_.push_back(static_cast<float>(count > 0 ? sum / count : 0));
    }
  }

  std::vector<Cell> CellsIn(const Model& model, const std::vector<Act>& person) const {
    std::vector<Cell> cells;
    for (const Act& act : person) {
      if (hidden_[act.product]) continue;
      const auto row = model.Find(history_.catalogue[act.product].id);
      if (row && model.weights.Of(act.kind) > 0)
        cells.push_back({*row, model.weights.Of(act.kind)});
    }
    MergeCells(model.weights.cell_weight_max, &cells);
    return cells;
  }

  // By method, a score for each candidate. Those of factors are followed by one for each product of
  // the model.
  std::map<std::string, Scores> ScoreAll(const std::vector<Act>& person,
                                         const std::vector<Cell>& cells, std::mt19937* random) {
    std::map<std::string, Scores> scores;
    const Eigen::VectorXf taste = Taste(model_, cells, {}, 0);
    const Eigen::VectorXf by_guess = guessed_ * taste, others = model_.factors * taste;
    scores["guessed factors"] = Scores(by_guess.begin(), by_guess.end());
    scores["guessed factors"].insert(scores["guessed factors"].end(), others.begin(), others.end());
    const Eigen::VectorXf known_taste = Taste(known_, CellsIn(known_, person), {}, 0);
    const Eigen::VectorXf known_scores = known_.factors * known_taste;
    std::map<std::string, float> of_category;
    for (const Cell& cell : cells) of_category[category_of_[cell.index]] += cell.weight;
    for (size_t c = 0; c < candidates_.size(); ++c) {
      const Product& product = history_.catalogue[candidates_[c]];
      scores["chance"].push_back(static_cast<float>((*random)()));
      scores["popularity within category"].push_back(popularity_[c]);
      if (product.__isset.category) {
        scores["own categories"].push_back(of_category[product.category] * 1e3f + popularity_[c]);
      }
      scores["trained on the answers"].push_back(known_scores[*known_.Find(product.id)]);
    }
    for (size_t p = 0; p < model_.products.size(); ++p) {
      scores["trained on the answers"].push_back(known_scores[*known_.Find(model_.products[p])]);
    }
    return scores;
  }

  std::map<std::string, Quality> MeasureAll() {
    category_of_.clear();
    for (const Product& product : history_.catalogue) {
      if (const auto row = model_.Find(product.id)) {
        category_of_.resize(model_.products.size());
        category_of_[*row] = product.category;
      }
    }
    std::map<std::string, Quality> sums;
    std::mt19937 random(kSeed);
    size_t persons = 0;
    for (const std::vector<Act>& person : history_.persons) {
      const std::vector<Cell> cells = CellsIn(model_, person);
      std::vector<uint32_t> targets;
      for (uint32_t c = 0; c < candidates_.size(); ++c) {
        if (std::any_of(person.begin(), person.end(), [&](const Act& act) {
              return act.product == candidates_[c] && model_.weights.Of(act.kind) > 0;
            })) {
          targets.push_back(c);
        }
      }
      if (cells.empty() || targets.empty()) continue;
      ++persons;
      for (const auto& [method, scores] : ScoreAll(person, cells, &random)) {
        Judge(std::span(scores).first(candidates_.size()), targets, &sums[method]);
        if (scores.size() > candidates_.size()) {
          JudgeAmongAll(scores, targets, cells, &sums[method]);
        }
      }
    }
    Print(&sums, persons);
    return sums;
  }

  void JudgeAmongAll(const Scores& scores, const std::vector<uint32_t>& targets,
                     const std::vector<Cell>& cells, Quality* sum) const {
    ProductSet had(scores.size());
    for (const Cell& cell : cells) {
      had.Insert(static_cast<uint32_t>(candidates_.size()) + cell.index);
    }
    std::vector<uint32_t> list;
    for (const Scored& s : TopScores(scores, had, kListLength)) {
      list.push_back(s.product);
      if (s.product < candidates_.size()) sum->places += 1.0 / kListLength;
    }
    sum->recall_of_all += vitrine::Judge(list, targets, kListLength).recall;
  }

  void Judge(std::span<const float> scores, const std::vector<uint32_t>& targets,
             Quality* sum) const {
    std::vector<uint32_t> list;
    for (const Scored& s : TopScores(scores, ProductSet(scores.size()), scores.size())) {
      list.push_back(s.product);
    }
    const ListQuality quality = vitrine::Judge(list, targets, kListLength);
    sum->recall += quality.recall;
    sum->ndcg += quality.ndcg;
    double before = 0, others_before = 0;  // pairs of a target and a product ranked behind it
    for (const uint32_t product : list) {
      if (std::binary_search(targets.begin(), targets.end(), product)) {
        before += static_cast<double>(list.size() - targets.size()) - others_before;
      } else {
        ++others_before;
      }
    }
    sum->auc += before / static_cast<double>(targets.size() * (list.size() - targets.size()));
  }

  void Print(std::map<std::string, Quality>* sums, size_t persons) const {
    const auto n = static_cast<double>(persons);
    std::cout << persons << " persons, " << candidates_.size() << " products nobody touched\n";
    for (auto& [method, sum] : *sums) {
      sum = {sum.auc / n, sum.recall / n, sum.ndcg / n, sum.recall_of_all / n, sum.places / n};
      std::cout << absl::StrFormat("%-28s AUC %.4f  Recall@20 %.4f  NDCG@20 %.4f", method, sum.auc,
                                   sum.recall, sum.ndcg);
      if (sum.recall_of_all > 0) {
        std::cout << absl::StrFormat("  Recall@20 of all products %.4f, of whose places %.3f",
                                     sum.recall_of_all, sum.places);
      }
      std::cout << "\n";
    }
  }

  const History history_;
  std::vector<bool> hidden_;
  Model model_, known_;
  std::vector<uint32_t> candidates_;  // rows of the catalogue
  FactorMatrix guessed_;
  Scores popularity_;
  std::vector<std::string> category_of_;  // by row of model_
};

History SimulatedShop() {
  const Shop shop = Value(Shop::Create(
      {.seed = kSeed, .customers = 4000, .products = 3000, .categories = 40, .robot_share = 0}));
  History history;
  for (const Shop::Product& p : shop.products()) {
    Product& product = history.catalogue.emplace_back();
    product.id = p.id;
    product.__set_name(p.name);
    product.__set_category(shop.categories()[p.category].name);
    product.__set_price_minor(p.price_minor);
    product.__set_brand(p.brand);
  }
  history.persons.resize(shop.customers().size());
  EXPECT_OK(Simulate(shop, [&](const Visit& visit, const Step& step) {
    if (visit.who == Visit::Who::kCustomer && step.tracked) {
      for (const Item& item : ToEvent(shop, visit, step).items) {
        history.persons[visit.index].push_back(
            {step.kind, Value(shop.FindProduct(item.product_id))});
      }
    }
    return absl::OkStatus();
  }));
  return history;
}

absl::StatusOr<History> OnlineRetail() {
  ASSIGN_OR_RETURN(const std::string text,
                   Unpack("../shared/data/uci_online_retail/online_retail.csv.zst"));
  History history;
  std::map<std::string, uint32_t> products, persons;
  CsvSplitter splitter(',');
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view>& field = splitter.Split(line);
    int quantity = 0;
    double price = 0;
    if (!absl::SimpleAtoi(field[3], &quantity) || quantity <= 0) continue;
    if (field[6].empty() || !absl::SimpleAtod(field[5], &price)) continue;
    const auto [entry, is_new] = products.try_emplace(std::string(field[1]), products.size());
    if (is_new) {
      Product& product = history.catalogue.emplace_back();
      product.id = entry->first;
      product.__set_name(std::string(field[2]));
      product.__set_price_minor(static_cast<int64_t>(price * 100 + 0.5));
    }
    const size_t person = persons.try_emplace(std::string(field[6]), persons.size()).first->second;
    history.persons.resize(persons.size());
    absl::Time time;
    std::string error;
    if (!absl::ParseTime("%Y-%m-%d %H:%M:%S", field[4], &time, &error)) {
      return absl::DataLossError(absl::StrCat(field[4], ": ", error));
    }
    history.persons[person].push_back({PURCHASE, entry->second, absl::ToUnixMillis(time)});
  }
  return history;
}

// What 30 days of a shop bring: the model knows what was before, the catalogue what is on sale by
// the end, and people want some of what is new and some of what is not.
class Month {
 public:
  Month(const History& history, absl::Time start)
      : history_(history),
        start_ms_(absl::ToUnixMillis(start)),
        end_ms_(absl::ToUnixMillis(start + absl::Hours(24 * 30))),
        model_(Train()) {
    std::vector<bool> sold(history.catalogue.size());
    for (const std::vector<Act>& person : history.persons) {
      for (const Act& act : person) sold[act.product] = sold[act.product] || act.time_ms < end_ms_;
    }
    std::vector<Product> catalogue;
    for (size_t p = 0; p < sold.size(); ++p) {
      if (sold[p]) catalogue.push_back(history.catalogue[p]);
    }
    const ColdProducts cold = GuessFactors(AttributeIndex(catalogue), catalogue,
                                           ColdRows(catalogue, model_), model_, {}, 0);
    guessed_.factors = cold.factors;
    for (const uint32_t row : cold.rows) {
      const auto number = static_cast<uint32_t>(model_.products.size() + guessed_.products.size());
      number_of_[catalogue[row].id] = number;
      guessed_.products.push_back(number);
      guessed_.new_since_ms.push_back(start_ms_);
    }
  }

  // NDCG@20 of lists without guesses, and with them.
  std::pair<double, double> Run() const {
    LiveRanker ranker = Value(LiveRanker::Make(model_));
    ListQuality sums[2];
    double persons = 0, places = 0, wanted = 0, wanted_new = 0;
    for (const std::vector<Act>& person : history_.persons) {
      const auto [profile, targets] = Ask(person);
      if (profile.acts.empty() || targets.empty()) continue;
      ++persons;
      wanted += static_cast<double>(targets.size());
      wanted_new += static_cast<double>(std::ranges::count_if(
          targets, [&](uint32_t target) { return target >= model_.products.size(); }));
      for (const bool guesses : {false, true}) {
        const RankOptions options = {
            .k = kListLength, .now_ms = start_ms_ + 1, .guessed = guesses ? &guessed_ : nullptr};
        std::vector<uint32_t> list;
        for (const Ranked& one : ranker.Recommend(model_, nullptr, profile, options).products) {
          list.push_back(one.product);
          if (one.product >= model_.products.size()) places += 1.0 / kListLength;
        }
        const ListQuality quality = Judge(list, targets, kListLength);
        sums[guesses].recall += quality.recall;
        sums[guesses].ndcg += quality.ndcg;
      }
    }
    std::cout << absl::StrFormat(
        "%.0f persons, %d new products guessed, %.3f of what was wanted, %.3f of places; "
        "Recall@20 %.4f, NDCG@20 %.4f; without guesses %.4f, %.4f\n",
        persons, guessed_.products.size(), wanted_new / wanted, places / persons,
        sums[1].recall / persons, sums[1].ndcg / persons, sums[0].recall / persons,
        sums[0].ndcg / persons);
    return {sums[0].ndcg / persons, sums[1].ndcg / persons};
  }

 private:
  Model Train() const {
    InteractionsBuilder builder({}, start_ms_);
    for (const std::vector<Act>& person : history_.persons) {
      for (const Act& act : person) {
        if (act.time_ms >= start_ms_) continue;
        builder.Add(act.kind, act.time_ms, history_.catalogue[act.product].id);
      }
      builder.EndPerson();
    }
    return Value(TrainModel(std::move(builder).Build(), {}));
  }

  // What somebody did before, and what they bought for the first time.
  std::pair<Profile, std::vector<uint32_t>> Ask(const std::vector<Act>& person) const {
    Profile profile;
    std::set<uint32_t> targets;
    for (const Act& act : person) {
      const std::string& id = history_.catalogue[act.product].id;
      const auto fresh = number_of_.find(id);
      if (act.time_ms < start_ms_) {
        profile.acts.push_back({act.time_ms, act.kind, *model_.Find(id)});
      } else if (act.time_ms < end_ms_) {
        // No list has what is neither known nor guessed.
        const auto number = fresh != number_of_.end() ? fresh->second : UINT32_MAX - act.product;
        targets.insert(model_.Find(id).value_or(number));
      }
    }
    std::ranges::sort(profile.acts, std::greater(), &vitrine::Act::time_ms);
    for (const vitrine::Act& act : profile.acts) targets.erase(act.product);
    profile.cells = CellsOf(model_, profile.acts);
    profile.taste = Taste(model_, profile.cells, {}, 0);
    return {std::move(profile), {targets.begin(), targets.end()}};
  }

  const History& history_;
  const int64_t start_ms_, end_ms_;
  const Model model_;
  GuessedProducts guessed_;
  std::map<std::string, uint32_t> number_of_;  // of guessed products: behind those of the model
};

TEST(ColdQuality, GiftsNewInAMonthAreWorthTheirPlaces) {
  absl::StatusOr<History> history = OnlineRetail();
  if (!history.ok()) GTEST_SKIP() << history.status();
  for (const int month : {4, 5, 6, 7, 8, 9, 10}) {
    const absl::CivilDay first(2011, month, 1);
    const auto [without, with] = Month(*history, absl::FromCivil(first, absl::UTCTimeZone())).Run();
    EXPECT_GT(with, without) << month;
  }
}

TEST(ColdQuality, ASimulatedShopsNewProductsFindTheirBuyers) {
  const auto by = Trial(SimulatedShop(), kSeed).Run();
  EXPECT_GT(by.at("guessed factors").auc, by.at("popularity within category").auc + 0.05);
  EXPECT_GT(by.at("guessed factors").recall_of_all, 0.05);
  EXPECT_GT(by.at("guessed factors").ndcg, 1.5 * by.at("popularity within category").ndcg);
}

TEST(ColdQuality, GiftsFindTheirBuyersByName) {
  absl::StatusOr<History> history = OnlineRetail();
  if (!history.ok()) GTEST_SKIP() << history.status();
  const auto by = Trial(*std::move(history), kSeed).Run();
  EXPECT_GT(by.at("guessed factors").auc, by.at("popularity within category").auc + 0.05);
  EXPECT_GT(by.at("guessed factors").recall_of_all, 0.05);
  EXPECT_GT(by.at("guessed factors").ndcg, 2 * by.at("popularity within category").ndcg);
}

}  // namespace
}  // namespace vitrine
