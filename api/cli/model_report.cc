#include "api/cli/model_report.h"

#include "absl/time/time.h"

namespace vitrine::cli {

Report::Table ModelTable(const std::vector<std::pair<std::string, ModelInfo>>& models) {
  Report::Table table;
  table.name = "models";
  table.title = "Models";
  table.columns = {{"site"},       {"model"},        {"trained at"}, {"products"},
                   {"persons"},    {"interactions"}, {"factors"},    {"epochs"},
                   {"train s", 2}, {"file bytes"},   {"served"}};
  for (const auto& [site, m] : models) {
    const std::string trained_at = absl::FormatTime(
        "%Y-%m-%d %H:%M UTC", absl::FromUnixMillis(m.trained_at_ms), absl::UTCTimeZone());
    table.rows.push_back({site, m.model_id, trained_at, m.products, m.persons, m.interactions,
                          int64_t{m.factors}, int64_t{m.epochs}, m.train_seconds, m.file_bytes,
                          std::string(m.served ? "yes" : "no")});
  }
  return table;
}

}  // namespace vitrine::cli
