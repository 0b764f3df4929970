#include "api/auth/guarded_backoffice.h"

#include <algorithm>
#include <thrift/TApplicationException.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "api/service/errors.h"

namespace vitrine {

using apache::thrift::TApplicationException;

BackofficeIf& GuardedBackoffice::For(const std::string& site, Opens wanted) const {
  const absl::Status status = gatekeeper_.Check(site, key_, wanted);
  if (status.ok()) return service_;
  const absl::string_view first = key_.empty() ? "authenticate first: " : "";
  throw TApplicationException(
      TApplicationException::UNKNOWN,
      absl::StrCat(absl::IsUnauthenticated(status) ? kUnauthorizedPrefix : kOverloadedPrefix, first,
                   status.message()));
}

void GuardedBackoffice::authenticate(const std::string& api_key) {
  key_ = "";
  if (!gatekeeper_.Knows(api_key)) {
    ThrowStatus(absl::UnauthenticatedError("this is no API key of this server"));
  }
  key_ = api_key;
}

void GuardedBackoffice::sites(std::vector<std::string>& names) {
  service_.sites(names);
  std::erase_if(names, [&](const std::string& name) { return !gatekeeper_.Sees(name, key_); });
}

}  // namespace vitrine
