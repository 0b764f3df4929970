#include "recommender/offline/rerank_train.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>
#include <xgboost/c_api.h>

#include "absl/strings/str_cat.h"

#include "recommender/offline/session_quality.h"
#include "recommender/rank/rerank.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kQuestionsMin = 200;
constexpr uint32_t kPatience = 30;  // trees without a better list

absl::Status Check(int code) {
  if (code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("XGBoost: ", ::XGBGetLastError()));
}

// Candidates of questions whose target is among them.
struct Examples {
  size_t width = 0;
  std::vector<float> rows = {};
  std::vector<size_t> ends = {};     // of a question's candidates
  std::vector<size_t> targets = {};  // the target's row

  size_t size() const { return ends.size(); }
  size_t begin(size_t question) const { return question == 0 ? 0 : ends[question - 1]; }
};

absl::StatusOr<Examples> Collect(const SessionIndex& index, const SessionQuestions& questions,
                                 const BlendSettings& settings) {
  ASSIGN_OR_RETURN(SessionBlend blend, SessionBlend::Make(settings));
  Examples examples = {.width = RerankFeatures(settings.sources.size())};
  RerankDescriber describer;
  std::vector<Scored> list;
  std::vector<float> rows;
  for (size_t q = 0; q < questions.size(); ++q) {
    const SessionIndex::Reader reader(index);
    blend.Rank(reader, questions.prefixes[q], {.k = kRerankDepth}, &list);
    const auto target = std::find_if(list.begin(), list.end(), [&](const Scored& scored) {
      return scored.product == questions.targets[q];
    });
    if (target == list.end()) continue;
    describer.Describe(reader, blend, questions.prefixes[q], list, &rows);
    const size_t begin = examples.rows.size() / examples.width;
    examples.rows.insert(examples.rows.end(), rows.begin(), rows.end());
    examples.targets.push_back(begin + static_cast<size_t>(target - list.begin()));
    examples.ends.push_back(begin + list.size());
  }
  return examples;
}

// Examples [begin, end).
Examples Slice(const Examples& all, size_t begin, size_t end) {
  Examples some = {.width = all.width};
  const size_t first = all.begin(begin);
  const size_t last = end == 0 ? 0 : all.ends[end - 1];
  some.rows.assign(all.rows.begin() + static_cast<ptrdiff_t>(first * all.width),
                   all.rows.begin() + static_cast<ptrdiff_t>(last * all.width));
  for (size_t q = begin; q < end; ++q) {
    some.targets.push_back(all.targets[q] - first);
    some.ends.push_back(all.ends[q] - first);
  }
  return some;
}

class Matrix {
 public:
  static absl::StatusOr<Matrix> Make(const Examples& examples) {
    Matrix matrix;
    RETURN_IF_ERROR(
        Check(::XGDMatrixCreateFromMat(examples.rows.data(), examples.rows.size() / examples.width,
                                       examples.width, NAN, &matrix.handle_)));
    return matrix;
  }

  Matrix() = default;
  Matrix(Matrix&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Matrix& operator=(Matrix&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Matrix() {
    if (handle_ != nullptr) ::XGDMatrixFree(handle_);
  }

  DMatrixHandle get() const { return handle_; }

 private:
  DMatrixHandle handle_ = nullptr;
};

class Booster {
 public:
  // The matrices are those whose predictions are kept up to date.
  absl::Status Start(const std::vector<DMatrixHandle>& matrices, const RerankOptions& options) {
    RETURN_IF_ERROR(Check(::XGBoosterCreate(matrices.data(), matrices.size(), &handle_)));
    const std::pair<const char*, std::string> settings[] = {
        {"tree_method", "hist"},
        {"max_bin", "64"},
        {"base_score", "0"},
        {"verbosity", "0"},
        {"max_depth", absl::StrCat(options.depth)},
        {"eta", absl::StrCat(options.learning_rate)},
        {"lambda", absl::StrCat(options.l2)},
        {"min_child_weight", absl::StrCat(options.child_weight)},
        {"nthread", absl::StrCat(options.threads)},
        {"seed", absl::StrCat(options.seed)}};
    for (const auto& [name, value] : settings) {
      RETURN_IF_ERROR(Check(::XGBoosterSetParam(handle_, name, value.c_str())));
    }
    return absl::OkStatus();
  }

  Booster() = default;
  Booster(const Booster&) = delete;
  Booster& operator=(const Booster&) = delete;
  ~Booster() {
    if (handle_ != nullptr) ::XGBoosterFree(handle_);
  }

  absl::StatusOr<std::span<const float>> Predict(const Matrix& matrix) const {
    bst_ulong size = 0;
    const float* margins = nullptr;
    constexpr int kMargin = 1;
    RETURN_IF_ERROR(Check(::XGBoosterPredict(handle_, matrix.get(), kMargin, /*ntree_limit=*/0,
                                             /*training=*/0, &size, &margins)));
    return std::span<const float>(margins, size);
  }

  absl::Status Boost(const Matrix& matrix, std::vector<float>* gradient,
                     std::vector<float>* hessian) {
    return Check(::XGBoosterBoostOneIter(handle_, matrix.get(), gradient->data(), hessian->data(),
                                         gradient->size()));
  }

  absl::StatusOr<std::string> Save() const {
    bst_ulong size = 0;
    const char* bytes = nullptr;
    RETURN_IF_ERROR(
        Check(::XGBoosterSaveModelToBuffer(handle_, R"({"format": "json"})", &size, &bytes)));
    return std::string(bytes, size);
  }

 private:
  BoosterHandle handle_ = nullptr;
};

// Of -ln softmax(target), by score.
void SoftmaxGradient(const Examples& examples, std::span<const float> margins,
                     std::vector<float>* gradient, std::vector<float>* hessian) {
  for (size_t q = 0; q < examples.size(); ++q) {
    const size_t begin = examples.begin(q);
    const size_t end = examples.ends[q];
    const float largest = *std::max_element(margins.begin() + static_cast<ptrdiff_t>(begin),
                                            margins.begin() + static_cast<ptrdiff_t>(end));
    float sum = 0;
    for (size_t i = begin; i < end; ++i) {
      (*gradient)[i] = std::exp(margins[i] - largest);
      sum += (*gradient)[i];
    }
    for (size_t i = begin; i < end; ++i) {
      const float p = (*gradient)[i] / sum;
      (*gradient)[i] = p - (i == examples.targets[q] ? 1 : 0);
      (*hessian)[i] = p * (1 - p);
    }
  }
}

// Mean gain of the lists in the order of the margins, of equals in the order of the blend.
double MeanGain(const Examples& examples, std::span<const float> margins) {
  double sum = 0;
  for (size_t q = 0; q < examples.size(); ++q) {
    const size_t target = examples.targets[q];
    size_t rank = 1;
    for (size_t i = examples.begin(q); i < examples.ends[q]; ++i) {
      rank += margins[i] > margins[target] || (margins[i] == margins[target] && i < target);
    }
    if (rank <= kSessionCutoff) sum += static_cast<double>(Gain(rank));
  }
  return sum / static_cast<double>(examples.size());
}

absl::Status CompareWithXgboost(const TreeEnsemble& ours, const Examples& examples,
                                std::span<const float> theirs) {
  std::vector<float> scores(theirs.size());
  ours.Score(examples.rows, scores);
  for (size_t i = 0; i < scores.size(); ++i) {
    if (std::abs(scores[i] - theirs[i]) > 1e-4f * (1 + std::abs(theirs[i]))) {
      return absl::InternalError(absl::StrCat("re-ranking: row ", i, " is ", scores[i],
                                              " for us and ", theirs[i], " for XGBoost"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RerankTraining> TrainReranker(const SessionIndex& index,
                                             const SessionQuestions& questions,
                                             const BlendSettings& blend,
                                             const RerankOptions& options) {
  ASSIGN_OR_RETURN(const Examples all,
                   Collect(index, Sample(questions, options.questions, options.seed), blend));
  if (all.size() < kQuestionsMin) {
    return absl::FailedPreconditionError(
        absl::StrCat("re-ranking: ", all.size(), " questions to learn from, not ", kQuestionsMin));
  }
  const auto stop =
      all.size() - static_cast<size_t>(options.stopping * static_cast<double>(all.size()));
  const Examples learned = Slice(all, 0, stop);
  // Without a share to judge by, the first fifth only checks that our walk is XGBoost's.
  const Examples judged =
      options.stopping == 0 ? Slice(all, 0, all.size() / 5) : Slice(all, stop, all.size());
  ASSIGN_OR_RETURN(const Matrix learned_matrix, Matrix::Make(learned));
  ASSIGN_OR_RETURN(const Matrix judged_matrix, Matrix::Make(judged));
  Booster booster;
  RETURN_IF_ERROR(booster.Start({learned_matrix.get(), judged_matrix.get()}, options));
  std::vector<float> gradient(learned.ends.back());
  std::vector<float> hessian(gradient.size());
  double best = -1;
  uint32_t best_trees = 1;
  for (uint32_t tree = 1; tree <= options.trees && tree <= best_trees + kPatience; ++tree) {
    ASSIGN_OR_RETURN(const auto margins, booster.Predict(learned_matrix));
    SoftmaxGradient(learned, margins, &gradient, &hessian);
    RETURN_IF_ERROR(booster.Boost(learned_matrix, &gradient, &hessian));
    if (options.stopping == 0) {
      best_trees = tree;
      continue;
    }
    ASSIGN_OR_RETURN(const auto judged_margins, booster.Predict(judged_matrix));
    const double gain = MeanGain(judged, judged_margins);
    if (gain > best) {
      best = gain;
      best_trees = tree;
    }
  }
  RerankTraining training = {.questions = learned.size()};
  ASSIGN_OR_RETURN(training.json, booster.Save());
  ASSIGN_OR_RETURN(const TreeEnsemble whole,
                   TreeEnsemble::Parse(training.json, all.width, options.trees));
  ASSIGN_OR_RETURN(const auto theirs, booster.Predict(judged_matrix));
  RETURN_IF_ERROR(CompareWithXgboost(whole, judged, theirs));
  ASSIGN_OR_RETURN(training.trees, TreeEnsemble::Parse(training.json, all.width, best_trees));
  return training;
}

}  // namespace vitrine
