// Reads the context of a request from its arguments on the wire, and no more of it.

#ifndef VITRINE_API_SERVICE_WIRE_PEEK_H_
#define VITRINE_API_SERVICE_WIRE_PEEK_H_

#include <cstdint>
#include <thrift/protocol/TProtocol.h>

namespace vitrine {

// Goes to the context of any request of Storefront (vitrine.thrift): next are its fields. False:
// there is none. Throws what Thrift throws.
bool EnterContext(apache::thrift::protocol::TProtocol& arguments);

// Goes to the field with this id and type; what stands before it is skipped. False: it is not
// there.
bool EnterField(int16_t id, apache::thrift::protocol::TType type,
                apache::thrift::protocol::TProtocol& in);

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_WIRE_PEEK_H_
