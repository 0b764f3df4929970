#include "api/service/training_record.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kRecordBytesMax = 16 << 10;
constexpr size_t kLines = 9;

std::string PathOf(const std::string& site_directory) {
  return site_directory + "/models/LAST_TRAINING";
}

}  // namespace

void TrainingRecord::Describe(const absl::StatusOr<TrainOutcome>& result) {
  if (!result.ok()) {
    outcome = "failed";
    problem = std::string(result.status().message());
    std::replace(problem.begin(), problem.end(), '\n', ' ');
    return;
  }
  outcome = result->published ? "published" : "worse";
  model_id = result->model->id;
  gate_visits = static_cast<int64_t>(result->verdict.visits);
  gate_ndcg = result->verdict.ndcg;
  gate_served_ndcg = result->verdict.served_ndcg;
}

absl::StatusOr<TrainingRecord> ReadTrainingRecord(const std::string& site_directory) {
  const std::string path = PathOf(site_directory);
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kRecordBytesMax));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  TrainingRecord r;
  if (lines.size() < kLines || !absl::SimpleAtoi(lines[0], &r.started_ms) ||
      !absl::SimpleAtod(lines[1], &r.seconds) || !absl::SimpleAtoi(lines[2], &r.events) ||
      !absl::SimpleAtoi(lines[5], &r.gate_visits) || !absl::SimpleAtod(lines[6], &r.gate_ndcg) ||
      !absl::SimpleAtod(lines[7], &r.gate_served_ndcg)) {
    return absl::DataLossError(absl::StrCat(path, " is no record of a training"));
  }
  r.outcome = lines[3];
  r.model_id = lines[4];
  r.problem = lines[8];
  return r;
}

absl::Status WriteTrainingRecord(const TrainingRecord& r, const std::string& site_directory) {
  std::error_code error;
  std::filesystem::create_directories(site_directory + "/models", error);
  if (error) return ErrnoStatus("cannot make folder", site_directory + "/models", error.value());
  return WriteFileAtomically(
      PathOf(site_directory),
      absl::StrCat(r.started_ms, "\n", r.seconds, "\n", r.events, "\n", r.outcome, "\n", r.model_id,
                   "\n", r.gate_visits, "\n", r.gate_ndcg, "\n", r.gate_served_ndcg, "\n",
                   r.problem, "\n"));
}

}  // namespace vitrine
