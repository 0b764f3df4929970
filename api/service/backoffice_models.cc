#include "absl/status/status.h"

#include "api/service/backoffice.h"
#include "api/service/errors.h"

namespace vitrine {
namespace {

[[noreturn]] void NotThere() { ThrowStatus(absl::UnavailableError("not there yet")); }

}  // namespace

void Backoffice::models(std::vector<ModelInfo>&, const std::string&) { NotThere(); }

void Backoffice::roll_back_model(ModelInfo&, const std::string&, const std::string&) { NotThere(); }

}  // namespace vitrine
