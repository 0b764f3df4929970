// Models as a table, for `train` and `status`.

#ifndef VITRINE_API_CLI_MODEL_REPORT_H_
#define VITRINE_API_CLI_MODEL_REPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "api/vitrine_types.h"
#include "store/base/report.h"

namespace vitrine::cli {

// One row a site.
Report::Table ModelTable(const std::vector<std::pair<std::string, ModelInfo>>& models);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_MODEL_REPORT_H_
