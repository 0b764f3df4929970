// JSON for the structs of the IDL, by its own field names. Enums are their names in small letters,
// or their numbers. What is absent or null has its default; a name that the IDL does not have is an
// error, because it is a typing error of whoever wrote the page.

#ifndef VITRINE_API_GATEWAY_JSON_CODEC_H_
#define VITRINE_API_GATEWAY_JSON_CODEC_H_

#include <memory>
#include <string>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/transport/TBufferTransports.h>

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "api/gateway/idl.h"
#include "ingest/formats/json_tree.h"

namespace vitrine {

using CompactProtocol =
    apache::thrift::protocol::TCompactProtocolT<apache::thrift::transport::TMemoryBuffer>;

// Between a struct and its JSON stands its compact encoding: one walk over the IDL does for all of
// them.
absl::Status EncodeRequest(const JsonTree::Value& json, const Idl::Record& record,
                           CompactProtocol* out);
nlohmann::ordered_json DecodeRecord(const Idl::Record& record, CompactProtocol* in);

// Fills in what `json` says of `*request`, the struct that the IDL calls `name`; what it leaves out
// stays. The fields of the request's Context and PageFacts stand beside its own ("site" for
// "context.site"), or in `context` and `page`. InvalidArgument "events[3].kind: ..." otherwise.
// A string is at most limits::kWireStringBytesMax long, a list limits::kWireContainerMax, as over
// Thrift. O(bytes).
template <typename Request>
absl::Status ReadJson(const JsonTree::Value& json, absl::string_view name, Request* request) {
  const auto buffer = std::make_shared<apache::thrift::transport::TMemoryBuffer>();
  CompactProtocol protocol(buffer);
  absl::Status read = EncodeRequest(json, Idl::Get().record(name), &protocol);
  if (read.ok()) request->read(&protocol);
  return read;
}

// `reply` is the struct that the IDL calls `name`.
template <typename Reply>
nlohmann::ordered_json ToJson(const Reply& reply, absl::string_view name) {
  const auto buffer = std::make_shared<apache::thrift::transport::TMemoryBuffer>();
  CompactProtocol protocol(buffer);
  reply.write(&protocol);
  return DecodeRecord(Idl::Get().record(name), &protocol);
}

}  // namespace vitrine

#endif  // VITRINE_API_GATEWAY_JSON_CODEC_H_
