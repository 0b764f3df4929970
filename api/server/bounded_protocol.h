// The strict binary protocol, with a bound on what one message can make its reader allocate.
//
// Thrift sizes a list by the count that the peer declares, before it reads any entry; an entry
// takes one byte on the wire and hundreds in memory, and lists can hold lists. So the entries of
// all lists and maps of a message are counted against one budget.

#ifndef VITRINE_API_SERVER_BOUNDED_PROTOCOL_H_
#define VITRINE_API_SERVER_BOUNDED_PROTOCOL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>

namespace vitrine {

struct WireLimits {
  int32_t string_bytes_max;
  int32_t container_max;        // entries of one list or map
  int64_t message_entries_max;  // entries of all of them
};

class BoundedProtocol final
    : public apache::thrift::protocol::TBinaryProtocolT<apache::thrift::transport::TBufferBase> {
 public:
  using Base = apache::thrift::protocol::TBinaryProtocolT<apache::thrift::transport::TBufferBase>;
  using TMessageType = apache::thrift::protocol::TMessageType;
  using TProtocolException = apache::thrift::protocol::TProtocolException;
  using TType = apache::thrift::protocol::TType;

  BoundedProtocol(std::shared_ptr<apache::thrift::transport::TBufferBase> transport,
                  const WireLimits& limits)
      : Base(std::move(transport), limits.string_bytes_max, limits.container_max,
             /*strict_read=*/true, /*strict_write=*/true),
        message_entries_max_(limits.message_entries_max) {}

  uint32_t readMessageBegin_virt(std::string& name, TMessageType& type, int32_t& id) override {
    entries_left_ = message_entries_max_;
    return Base::readMessageBegin(name, type, id);
  }
  uint32_t readListBegin_virt(TType& type, uint32_t& size) override {
    const uint32_t read = Base::readListBegin(type, size);
    Spend(size);
    return read;
  }
  uint32_t readSetBegin_virt(TType& type, uint32_t& size) override {
    const uint32_t read = Base::readSetBegin(type, size);
    Spend(size);
    return read;
  }
  uint32_t readMapBegin_virt(TType& key, TType& value, uint32_t& size) override {
    const uint32_t read = Base::readMapBegin(key, value, size);
    Spend(size);
    return read;
  }

 private:
  void Spend(uint32_t entries) {
    entries_left_ -= entries;
    if (entries_left_ < 0) {
      throw TProtocolException(TProtocolException::SIZE_LIMIT, "too many list entries");
    }
  }

  const int64_t message_entries_max_;
  int64_t entries_left_ = 0;
};

class BoundedProtocolFactory final : public apache::thrift::protocol::TProtocolFactory {
 public:
  explicit BoundedProtocolFactory(const WireLimits& limits) : limits_(limits) {}

  // REQUIRES: a TMemoryBuffer, as the event loop has.
  std::shared_ptr<apache::thrift::protocol::TProtocol> getProtocol(
      std::shared_ptr<apache::thrift::transport::TTransport> transport) override {
    return std::make_shared<BoundedProtocol>(
        std::dynamic_pointer_cast<apache::thrift::transport::TBufferBase>(transport), limits_);
  }

 private:
  const WireLimits limits_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_BOUNDED_PROTOCOL_H_
