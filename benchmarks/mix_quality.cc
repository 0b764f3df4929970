// A placement's list mixed from several sources beside each of them alone, on public shops
// (../shared/data): Recall@20 and NDCG@20, the whole catalogue ranked.
//
//   mix_quality [gifts|eshop]
//
// gifts: Online Retail, everybody's last visit (kHome). Tuned on the visits before it, from models
// that knew neither. eshop: e-shop clothing, clicks of the newest tenth of sessions that are new to
// their session (kVisit). Tuned on the tenth before it.

#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "recommender/learn/item_to_item.h"
#include "recommender/learn/session_learner.h"
#include "recommender/learn/trainer.h"
#include "recommender/offline/holdout.h"
#include "recommender/offline/mix_tune.h"
#include "recommender/rank/blend.h"
#include "recommender/rank/fold_in.h"
#include "tests/recommender/session_sets.h"

namespace vitrine {
namespace {

constexpr int64_t kGapMs = 30 * 60 * 1000;
constexpr size_t kNeighbours = 100;
constexpr size_t kCasesMax = 6000;

// What the sources know of a training part.
struct Learned {
  Model model;
  ItemLinkLists links;
};

absl::StatusOr<Learned> Learn(const Interactions& training) {
  ASSIGN_OR_RETURN(Model model, TrainModel(training, {}));
  return Learned{
      std::move(model),
      LearnItemToItem(training.by_person, {.links = kNeighbours, .together_min = 1}).by_cosine};
}

void AddCase(const Learned& learned, const Eigen::VectorXf& taste, std::span<const Cell> history,
             std::span<const Scored> session, std::vector<uint32_t> hidden,
             std::vector<uint32_t> targets, MixLists* lists, MixCases* cases) {
  lists->Clear(MixSettings().depth + hidden.size());
  lists->SetTaste(learned.model.quantized, learned.model.factors, taste);
  lists->SetLinks(learned.links, history);
  lists->SetPopular(learned.model.by_popularity, learned.model.popularity);
  lists->SetSession(session);
  MixCase one = {.hidden = std::move(hidden), .targets = std::move(targets)};
  for (size_t s = 0; s < kMixSources; ++s) {
    const auto list = lists->Of(static_cast<MixSource>(s));
    one.lists[s].assign(list.begin(), list.end());
  }
  cases->cases.push_back(std::move(one));
}

void Show(const char* name, const MixCases& cases, const MixSettings& settings) {
  const MixQuality quality = QualityOf(cases, settings, 0);
  std::printf("%-16s %.4f %.4f\n", name, quality.recall, quality.ndcg);
}

absl::Status TuneAndShow(const MixCases& earlier, const MixCases& tested) {
  ASSIGN_OR_RETURN(const MixTuning tuning, TuneMix(earlier, MixSettings::Default(), {}));
  std::printf("tuned on %zu cases from %s, %llu answers: %.4f %.4f as given, %.4f %.4f now\n",
              earlier.cases.size(), tuning.from.c_str(),
              static_cast<unsigned long long>(tuning.answers), tuning.before.recall,
              tuning.before.ndcg, tuning.after.recall, tuning.after.ndcg);
  for (const SearchStep& step : tuning.steps) {
    std::printf("  %-20s %8.4g -> %8.4g  %+.4f\n", step.what.c_str(), step.from, step.to,
                step.gain);
  }
  std::printf("tested on %zu cases: Recall@20, NDCG@20\n", tested.cases.size());
  for (size_t s = 0; s < kMixSources; ++s) {
    const auto source = static_cast<MixSource>(s);
    Show(std::string(NameOf(source)).c_str(), tested,
         OnlySource(MixSettings::Default(), tested.situation, source));
  }
  Show("mix, defaults", tested, MixSettings::Default());
  Show("mix, tuned", tested, tuning.settings);
  return absl::OkStatus();
}

// Rows of Online Retail by customer; a customer's rows without a pause are a visit.
absl::StatusOr<Visits> ReadGifts() {
  ASSIGN_OR_RETURN(const std::string text,
                   Unpack("../shared/data/uci_online_retail/online_retail.csv.zst"));
  Visits visits;
  ProductNumbers numbers;
  std::map<std::string, std::vector<Action>> persons;
  bool first = true;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (std::exchange(first, false)) continue;
    // Descriptions hold commas; the columns that matter are counted from both ends.
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ',');
    const size_t n = fields.size();
    int quantity = 0;
    absl::Time time;
    if (n < 8 || !absl::SimpleAtoi(fields[n - 5], &quantity) || quantity <= 0 ||
        !absl::ParseTime("%Y-%m-%d %H:%M:%S", fields[n - 4], absl::UTCTimeZone(), &time, nullptr)) {
      continue;
    }
    const std::string person(fields[n - 2].empty() ? fields[0] : fields[n - 2]);
    const uint32_t product = numbers.Of(fields[1]);
    if (product == visits.products.size()) visits.products.emplace_back(fields[1]);
    persons[person].push_back({absl::ToUnixMillis(time), product, PURCHASE});
  }
  for (auto& [person, actions] : persons) {
    std::stable_sort(actions.begin(), actions.end(),
                     [](const Action& a, const Action& b) { return a.time_ms < b.time_ms; });
    std::vector<Visit> own;
    for (const Action& action : actions) {
      if (own.empty() || action.time_ms - own.back().actions.back().time_ms > kGapMs) {
        own.push_back({action.time_ms, {}});
      }
      own.back().actions.push_back(action);
    }
    visits.persons.push_back(std::move(own));
  }
  return visits;
}

// Everybody's last visit, from what came before.
absl::StatusOr<MixCases> HomeCases(const Visits& visits) {
  ASSIGN_OR_RETURN(const Holdout holdout, Holdout::Split(visits, {}));
  ASSIGN_OR_RETURN(const Learned learned, Learn(holdout.training()));
  MixCases cases = {
      .refill = {learned.model.by_popularity.begin(), learned.model.by_popularity.end()},
      .situation = Situation::kHome};
  MixLists lists;
  for (const Case& asked : holdout.cases()) {
    const Question question = holdout.Ask(asked);
    std::vector<uint32_t> hidden;
    for (uint32_t p = 0; p < learned.model.products.size(); ++p) {
      if (question.exclude.Contains(p)) hidden.push_back(p);
    }
    AddCase(learned, Taste(learned.model, question.history, {}, 0), question.history, {}, hidden,
            question.targets, &lists, &cases);
  }
  return cases;
}

absl::Status RunGifts() {
  ASSIGN_OR_RETURN(const Visits visits, ReadGifts());
  Visits before = visits;
  for (std::vector<Visit>& person : before.persons) {
    if (person.size() > 1) person.pop_back();
  }
  ASSIGN_OR_RETURN(const MixCases earlier, HomeCases(before));
  ASSIGN_OR_RETURN(const MixCases tested, HomeCases(visits));
  return TuneAndShow(earlier, tested);
}

// Sessions as persons with one visit each. Columns are the log's numbers, in letters.
Interactions InteractionsOf(const SessionLog& log, std::vector<uint32_t>* number_of) {
  InteractionsBuilder builder(WeightSettings(), 0);
  for (size_t s = 0; s < log.size(); ++s) {
    for (const uint32_t product : log[s]) builder.Add(VIEW_ITEM, 0, absl::StrCat(product));
    builder.EndPerson();
  }
  Interactions interactions = std::move(builder).Build();
  for (const std::string& id : interactions.products) {
    uint32_t number = 0;
    if (absl::SimpleAtoi(id, &number)) number_of->push_back(number);
  }
  return interactions;
}

// The next click of sessions [begin, end) that is new to its session, from those before it.
absl::StatusOr<MixCases> VisitCases(const SessionLog& log, size_t begin, size_t end) {
  const SessionLog known = log.Slice(0, begin);
  std::vector<uint32_t> number_of;
  ASSIGN_OR_RETURN(const Learned learned, Learn(InteractionsOf(known, &number_of)));
  std::map<uint32_t, uint32_t> column_of;
  for (uint32_t c = 0; c < number_of.size(); ++c) column_of[number_of[c]] = c;
  const SessionSource source = [&](const auto& add) {
    for (size_t s = 0; s < known.size(); ++s) RETURN_IF_ERROR(add(known[s]));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(const auto index, LearnSessions(source, known.size(), known.clicks(), {}));
  const SessionQuestions questions =
      Sample(AskEveryClick(log.Slice(begin, end), index.get()), kCasesMax, 1);
  ASSIGN_OR_RETURN(SessionBlend blend, SessionBlend::Make(BlendSettings::Default()));
  const float weight = EventWeight(learned.model.weights, VIEW_ITEM, 0);
  MixCases cases = {.refill = {}, .situation = Situation::kVisit};
  for (const uint32_t column : learned.model.by_popularity) {
    cases.refill.push_back(number_of[column]);
  }
  MixLists lists(number_of);
  std::vector<Scored> session;
  for (size_t q = 0; q < questions.size(); ++q) {
    const auto clicks = questions.prefixes[q];
    const std::set<uint32_t> seen(clicks.begin(), clicks.end());
    if (seen.count(questions.targets[q]) > 0) continue;
    std::vector<Cell> history;
    for (const uint32_t click : clicks) history.push_back({column_of[click], weight});
    MergeCells(learned.model.weights.cell_weight_max, &history);
    blend.Rank(SessionIndex::Reader(*index), clicks, {.k = MixSettings().depth, .hide_seen = true},
               &session);
    AddCase(learned, Taste(learned.model, history, {}, 0), history, session,
            {seen.begin(), seen.end()}, {questions.targets[q]}, &lists, &cases);
  }
  return cases;
}

absl::Status RunEshop() {
  ProductNumbers products;
  ASSIGN_OR_RETURN(const SessionLog log, LoadEshop(&products));
  const size_t tenth = log.size() / 10;
  ASSIGN_OR_RETURN(const MixCases earlier,
                   VisitCases(log, log.size() - 2 * tenth, log.size() - tenth));
  ASSIGN_OR_RETURN(const MixCases tested, VisitCases(log, log.size() - tenth, log.size()));
  return TuneAndShow(earlier, tested);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  const bool eshop = argc > 1 && std::string(argv[1]) == "eshop";
  const absl::Status status = eshop ? vitrine::RunEshop() : vitrine::RunGifts();
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
