// Settings found without gradients: some starting points judged on ever more questions, the worse
// half left behind each time (successive halving: Jamieson, Talwalkar, AISTATS 2016), then one
// setting after the other, the best of a few values, again while it pays. All comparisons are
// between gains on the same questions, and a step counts only if it gains more than chance would.
//
// Whatever is judged is judged on a prefix of the questions first, so deal them out beforehand: a
// prefix should look like the whole.

#ifndef VITRINE_RECOMMENDER_OFFLINE_COORDINATE_SEARCH_H_
#define VITRINE_RECOMMENDER_OFFLINE_COORDINATE_SEARCH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vitrine {

// How much a search may cost.
struct SearchLimits {
  uint64_t answers_max = 0;  // questions answered by some settings; 0: no limit
  // Asked before each trial (a deadline, an operator): true ends the search with what it has.
  std::function<bool()> stop = {};
};

// What of it is left; one for all parts of a search.
class SearchBudget {
 public:
  explicit SearchBudget(SearchLimits limits) : limits_(std::move(limits)) {}

  void Spend(uint64_t answers) { answers_ += answers; }
  uint64_t answers() const { return answers_; }  // spent so far
  bool IsSpent() const {
    return (limits_.answers_max > 0 && answers_ >= limits_.answers_max) ||
           (limits_.stop && limits_.stop());
  }

 private:
  const SearchLimits limits_;
  uint64_t answers_ = 0;
};

// One thing to turn.
template <typename Settings>
struct Knob {
  std::string name;
  std::function<float(const Settings&)> get;
  std::function<void(Settings*, float)> set;
  // What to try instead of a value.
  std::function<std::vector<float>(float)> others;
};

struct SearchStep {
  std::string what;
  float from = 0;
  float to = 0;
  double gain = 0;  // mean over the questions it was chosen by
};

// Settings to begin with, and how they did on as many questions as they were judged on.
template <typename Settings>
struct SearchStart {
  std::string name;
  Settings settings;
  std::vector<float> gains;
};

// What to try for a weight: 0, and up to ten times as much or little; for an exponent.
std::vector<float> OtherWeights(float weight);
std::vector<float> OtherExponents(float exponent);

// 0 for none.
double Mean(std::span<const float> values);

// Mean of b - a, in standard errors of that mean: above 2, hardly ever chance. 0 if they are the
// same. REQUIRES: as many of both.
double StandardErrors(std::span<const float> a, std::span<const float> b);

// Thread-compatible; `judge` may use threads of its own. With a judge whose gains depend on nothing
// but settings and question, and without `stop`, the same settings on every run.
template <typename Settings>
class CoordinateSearch {
 public:
  // Appends the gains of settings on questions [gains->size(), end).
  using Judge = std::function<void(const Settings&, size_t end, std::vector<float>* gains)>;
  using Start = SearchStart<Settings>;

  // A step gains `certainty` standard errors, or is not taken. `budget` must outlive the search;
  // the start is judged even if it is spent. REQUIRES: questions > 0.
  CoordinateSearch(size_t questions, Judge judge, Settings start, float certainty,
                   SearchBudget* budget)
      : questions_(questions),
        judge_(std::move(judge)),
        certainty_(static_cast<double>(certainty)),
        budget_(budget),
        settings_(std::move(start)) {
    Extend(settings_, questions_, &gains_);
  }

  const Settings& settings() const { return settings_; }
  const std::vector<float>& gains() const { return gains_; }  // of settings(), by question

  // Leaves in `starts` the `keep` best, best first, each judged on all questions; the others behind
  // them in the order in which they fell out (what the budget did not allow counts as worst).
  void Halve(std::vector<Start>* starts, size_t keep);

  // Goes on from other settings, if they are better than what is set. True if they were.
  bool Adopt(const Start& start) {
    if (start.gains.size() != questions_ || StandardErrors(gains_, start.gains) < certainty_) {
      return false;
    }
    settings_ = start.settings;
    gains_ = start.gains;
    return true;
  }

  // Tries other values for one setting, again while a better one is found. True if it was changed.
  bool Turn(const Knob<Settings>& knob, std::vector<SearchStep>* steps) {
    const float from = knob.get(settings_);
    const double before = Mean(gains_);
    while (TryOthers(knob)) {
    }
    if (knob.get(settings_) == from) return false;
    steps->push_back({knob.name, from, knob.get(settings_), Mean(gains_) - before});
    return true;
  }

 private:
  // Values that do this badly on the first questions are not tried on the others.
  static constexpr double kHopeless = -1.5;  // standard errors
  static constexpr size_t kFirst = 4;        // one in so many questions

  void Extend(const Settings& settings, size_t end, std::vector<float>* gains) {
    budget_->Spend(end - gains->size());
    judge_(settings, end, gains);
  }

  bool IsHopeless(std::span<const float> gains) const {
    return StandardErrors(std::span(gains_).first(gains.size()), gains) < kHopeless;
  }

  // Takes the best of the values if it is better than what is set.
  bool TryOthers(const Knob<Settings>& knob) {
    Start best;
    for (const float value : knob.others(knob.get(settings_))) {
      Start trial = {knob.name, settings_, {}};
      knob.set(&trial.settings, value);
      if (knob.get(trial.settings) == knob.get(settings_) || budget_->IsSpent()) continue;
      Extend(trial.settings, questions_ / kFirst, &trial.gains);
      if (IsHopeless(trial.gains)) continue;
      Extend(trial.settings, questions_, &trial.gains);
      if (best.gains.empty() || Mean(trial.gains) > Mean(best.gains)) best = std::move(trial);
    }
    return Adopt(best);
  }

  const size_t questions_;
  const Judge judge_;
  const double certainty_;
  SearchBudget* const budget_;
  Settings settings_;
  std::vector<float> gains_;
};

template <typename Settings>
void CoordinateSearch<Settings>::Halve(std::vector<Start>* starts, size_t keep) {
  size_t kept = starts->size();
  // As many rounds of halving as it takes, the last on all questions.
  size_t rounds = 0;
  while ((kept >> rounds) > keep) ++rounds;
  while (true) {
    const size_t end = std::max<size_t>(1, questions_ >> rounds);
    for (size_t i = 0; i < kept && !budget_->IsSpent(); ++i) {
      Start& start = (*starts)[i];
      if (start.gains.size() < end) Extend(start.settings, end, &start.gains);
    }
    std::stable_sort(starts->begin(), starts->begin() + static_cast<ptrdiff_t>(kept),
                     [&](const Start& a, const Start& b) {
                       if (a.gains.size() != b.gains.size()) return a.gains.size() > b.gains.size();
                       return Mean(a.gains) > Mean(b.gains);
                     });
    if (rounds == 0) return;
    --rounds;
    kept = std::max(keep, (kept + 1) / 2);
  }
}

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_COORDINATE_SEARCH_H_
