// What a site tries out, version by version.

#include <string>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"
#include "store/versions.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

std::string PrefixOf(absl::string_view id) {
  return absl::StrCat(kExperimentsKey, id, absl::string_view("\0", 1));
}

}  // namespace

absl::StatusOr<std::vector<ExperimentVersion>> WebHouse::Experiments() const {
  std::vector<ExperimentVersion> newest;
  auto cursor = impl_->Scan<ExperimentVersion>(Table::kMeta, std::string(kExperimentsKey));
  while (cursor.Valid()) {
    newest.push_back(cursor.value());
    cursor.SkipTo(absl::StrCat(kExperimentsKey, newest.back().content.id, "\1"));
  }
  RETURN_IF_ERROR(cursor.Finish());
  return newest;
}

absl::StatusOr<std::vector<ExperimentVersion>> WebHouse::ExperimentHistory(absl::string_view id,
                                                                           size_t limit) const {
  return NewestVersions<ExperimentVersion>(*impl_, PrefixOf(id), limit);
}

absl::StatusOr<ExperimentVersion> WebHouse::SetExperiment(const Experiment& content,
                                                          int64_t based_on, absl::string_view who,
                                                          absl::string_view comment) {
  RETURN_IF_ERROR(Annotate(ValidId(content.id), "id"));
  const auto may_begin = [this]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<ExperimentVersion> all, Experiments());
    if (all.size() < limits::kExperimentsMax) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        absl::StrCat("a site has at most ", limits::kExperimentsMax, " experiments"));
  };
  const VersionChange change = {based_on, who, comment,
                                absl::StrCat("the experiment ", content.id, " is"), "it"};
  return PutDurableVersion<ExperimentVersion>(this, impl_.get(), PrefixOf(content.id), content,
                                              change, may_begin);
}

absl::StatusOr<std::string> WebHouse::DerivedKey(absl::string_view purpose) const {
  const std::shared_ptr<const AuditKey> key = impl_->CurrentAuditKey();
  if (key == nullptr) return absl::FailedPreconditionError("this store has no audit key");
  return key->Derive(purpose);
}

}  // namespace vitrine
