// Records to bytes and back: TCompactProtocol, used as its concrete type with buffers kept per
// thread (half the cost of the virtual protocol).

#ifndef VITRINE_STORE_CODEC_H_
#define VITRINE_STORE_CODEC_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// Appends the encoded `record` to `out`. Instantiated for the structs of records.thrift and
// offers.thrift that the store keeps (codec.cc). Thread-safe.
template <typename Record>
void AppendRecord(const Record& record, std::string* out);

template <typename Record>
std::string EncodeRecord(const Record& record) {
  std::string out;
  AppendRecord(record, &out);
  return out;
}

// Replaces `*record` by what `bytes` hold; fields this version does not know are skipped. DataLoss
// if the bytes are no such struct, and then `*record` is undefined.
template <typename Record>
absl::Status DecodeRecord(absl::string_view bytes, Record* record);

}  // namespace vitrine

#endif  // VITRINE_STORE_CODEC_H_
