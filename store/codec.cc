#include "store/codec.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/transport/TBufferTransports.h>

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/offers_types.h"
#include "store/outreach_types.h"
#include "store/records_types.h"
#include "store/segments_types.h"

namespace vitrine {
namespace {

using apache::thrift::TException;
using apache::thrift::transport::TMemoryBuffer;
using Protocol = apache::thrift::protocol::TCompactProtocolT<TMemoryBuffer>;

// Thrift counts what a transport has read, and refuses all that comes after 100 MiB of what it
// takes for one message: a few million rows. Each row is one.
class RowBuffer : public TMemoryBuffer {
 public:
  void BeginRow() { resetConsumedMessageSize(); }
};

// Believes no string and no list longer than the row: a damaged one asks for room for whatever
// length it claims, before a byte of it is read.
class BoundedProtocol : public Protocol {
 public:
  using Protocol::Protocol;
  void BoundBy(size_t bytes) {
    string_limit_ = container_limit_ =
        static_cast<int32_t>(std::clamp<size_t>(bytes, 1, std::numeric_limits<int32_t>::max()));
  }
};

// A buffer and the protocol over it. Made once a thread: making them costs more than using them.
struct Coder {
  std::shared_ptr<RowBuffer> buffer = std::make_shared<RowBuffer>();
  BoundedProtocol protocol{buffer};
};

Coder& Writer() {
  thread_local Coder coder;
  return coder;
}

Coder& Reader() {
  thread_local Coder coder;
  return coder;
}

}  // namespace

template <typename Record>
void AppendRecord(const Record& record, std::string* out) {
  Coder& coder = Writer();
  coder.buffer->resetBuffer();
  record.write(static_cast<Protocol*>(&coder.protocol));
  uint8_t* bytes;
  uint32_t size;
  coder.buffer->getBuffer(&bytes, &size);
  out->append(reinterpret_cast<const char*>(bytes), size);
}

template <typename Record>
absl::Status DecodeRecord(absl::string_view bytes, Record* record) {
  Coder& coder = Reader();
  auto* data = reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()));
  coder.buffer->resetBuffer(data, static_cast<uint32_t>(bytes.size()), TMemoryBuffer::OBSERVE);
  coder.buffer->BeginRow();
  coder.protocol.BoundBy(bytes.size());
  try {
    *record = Record();
    record->read(static_cast<Protocol*>(&coder.protocol));
  } catch (const TException& e) {
    return absl::DataLossError(absl::StrCat("a stored record does not decode: ", e.what()));
  }
  return absl::OkStatus();
}

#define VITRINE_INSTANTIATE(Record)                                \
  template void AppendRecord<Record>(const Record&, std::string*); \
  template absl::Status DecodeRecord<Record>(absl::string_view, Record*)

VITRINE_INSTANTIATE(Event);
VITRINE_INSTANTIATE(Exposure);
VITRINE_INSTANTIATE(Session);
VITRINE_INSTANTIATE(Customer);
VITRINE_INSTANTIATE(CustomerFacts);
VITRINE_INSTANTIATE(Product);
VITRINE_INSTANTIATE(Reject);
VITRINE_INSTANTIATE(RobotVerdict);
VITRINE_INSTANTIATE(Erasure);
VITRINE_INSTANTIATE(SourceState);
VITRINE_INSTANTIATE(Totals);
VITRINE_INSTANTIATE(SiteSettings);
VITRINE_INSTANTIATE(ExperimentVersion);
VITRINE_INSTANTIATE(PlacementVersion);
VITRINE_INSTANTIATE(ApiKey);
VITRINE_INSTANTIATE(OfferSetVersion);
VITRINE_INSTANTIATE(SegmentSetVersion);
VITRINE_INSTANTIATE(ContactPolicyVersion);
VITRINE_INSTANTIATE(ContactPreference);
VITRINE_INSTANTIATE(PlannedContact);
VITRINE_INSTANTIATE(TriggerSetVersion);
VITRINE_INSTANTIATE(LedgerAccount);
VITRINE_INSTANTIATE(LedgerBalance);
VITRINE_INSTANTIATE(PointsLot);
VITRINE_INSTANTIATE(Reservation);

#undef VITRINE_INSTANTIATE

}  // namespace vitrine
