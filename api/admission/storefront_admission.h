// What the server must know of a storefront's requests, to refuse those that cannot be in time.

#ifndef VITRINE_API_ADMISSION_STOREFRONT_ADMISSION_H_
#define VITRINE_API_ADMISSION_STOREFRONT_ADMISSION_H_

#include <optional>

#include "absl/strings/string_view.h"

#include "api/server/admission.h"

namespace vitrine {

// recommend, page and similar; ping and what makes no sense are answered at once. For track, which
// waits for the disk, see TrackMethod.
class StorefrontAdmission final : public Admission {
 public:
  std::optional<Request> RequestOf(absl::string_view method,
                                   apache::thrift::protocol::TProtocol& arguments) const override;
  void WriteRefusal(apache::thrift::protocol::TProtocol& out,
                    int32_t retry_after_ms) const override;
};

}  // namespace vitrine

#endif  // VITRINE_API_ADMISSION_STOREFRONT_ADMISSION_H_
