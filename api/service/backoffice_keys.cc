#include "absl/status/status.h"

#include "api/service/backoffice.h"
#include "api/service/errors.h"

namespace vitrine {
namespace {

[[noreturn]] void NotThere() { ThrowStatus(absl::UnavailableError("not there yet")); }

}  // namespace

void Backoffice::authenticate(const std::string&) {}

void Backoffice::keys(std::vector<ApiKey>&, const std::string&) { NotThere(); }

void Backoffice::create_key(NewKey&, const std::string&, Role, const std::string&, int32_t,
                            int64_t) {
  NotThere();
}

void Backoffice::revoke_key(const std::string&, const std::string&) { NotThere(); }

}  // namespace vitrine
